// Rows that tests of learners on rows share, and how they read an error.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "kronite/error.hpp"
#include "kronite/regression.hpp"
#include "support/matrix.hpp"

namespace kronite::test {

/// The first `training` of n rows, the next `validation`, and the rest.
inline learn::RowParts parts_of(std::int64_t n, std::int64_t training, std::int64_t validation) {
  learn::RowParts parts;
  for (std::int64_t i = 0; i < n; ++i)
    (i < training                ? parts.training
     : i < training + validation ? parts.validation
                                 : parts.test)
        .push_back(i);
  return parts;
}

/// Values of column j in some rows, of a matrix or of predictions.
template <class Matrix>
std::vector<double> column(const Matrix& m, const std::vector<std::int64_t>& rows,
                           std::int64_t j = 0) {
  std::vector<double> values;
  for (const std::int64_t i : rows) values.push_back(m.at(i, j));
  return values;
}

/// The message of the Error of that code which `call` throws.
template <class F>
std::string refusal(Errc code, const F& call) {
  try {
    call();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), code) << e.what();
    return e.what();
  }
  return "nothing was thrown";
}

inline void expect_in(const std::string& text, const char* part) {
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

inline Device cpu_with(int threads, std::size_t memory_limit = 0) {
  DeviceOptions options;
  options.threads = threads;
  options.memory_limit = memory_limit;
  return Device::cpu(options);
}

}  // namespace kronite::test
