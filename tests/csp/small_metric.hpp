// A metric of few parameters, trained on the embedded library.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "kronite/error.hpp"
#include "kronite/metric.hpp"

namespace kronite::test {

inline csp::MetricOptions small_options() {
  csp::MetricOptions options;
  options.name = "small";
  options.members = 2;
  options.parts = {0.6, 0.2, 0.2};
  csp::MetricParts& parts = options.parts_of;
  parts.descriptor_linear = 6;
  parts.descriptor_hidden = {8};
  parts.descriptor_outputs = 4;
  parts.slots = 3;
  parts.vector = 2;
  parts.slot_linear = 2;
  parts.slot_hidden = {6};
  parts.slot_outputs = 3;
  parts.shift_hidden = {5};
  parts.bias_hidden = {4};
  parts.none_hidden = {4};
  parts.dropout = 0.1;
  options.fit.batch = 64;
  options.fit.max_epochs = 4;
  return options;
}

inline csp::MetricResult train_small(const csp::MetricOptions& options,
                                     const csp::TrainHooks& hooks = {},
                                     const std::vector<std::string>& excluded = {}) {
  Device device = Device::cpu();
  return csp::train_metric(device, TemplateLibrary::embedded(), options, excluded, hooks);
}

/// Trained once for all tests that only use it.
inline const csp::Metric& small_metric() {
  static const csp::Metric metric = train_small(small_options()).metric;
  return metric;
}

/// The message of the Error that `run` throws.
template <class Run>
std::string refusal(const Run& run, Errc code) {
  try {
    run();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), code) << e.what();
    return e.what();
  }
  return "nothing was refused";
}

inline void expect_contains(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

}  // namespace kronite::test
