// The second half of building and merging: choose among templates, then write the library.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "materials/template_choice.hpp"   // for TemplateKey
#include "materials/template_library.hpp"  // for BuildReport, MergeOptions

namespace kronite {

/// Counts what is left out, and passes it on.
class Tally {
 public:
  Tally(const LeftOutSink& sink, BuildReport& report) : sink_(sink), report_(report) {}

  void add(const LeftOut& left) {
    ++report_.left_out[static_cast<std::size_t>(left.reason)];
    if (sink_) sink_(left);
  }

 private:
  const LeftOutSink& sink_;
  BuildReport& report_;
};

/// Chooses among the templates and writes those that stay to `out`, one at a time: `fetch` gives
/// the template of a key. Returns how many stayed.
/// @throws Error invalid_argument when there are none; io; cancelled.
std::int64_t write_library(const std::vector<TemplateKey>& keys,
                           const std::function<Template(std::size_t)>& fetch,
                           const std::string& out, bool keep_polymorphs,
                           const std::function<bool()>& go_on, Tally& tally);

}  // namespace kronite
