// What the library says while this lives.
#pragma once

#include <string>
#include <vector>

#include "kronite/log.hpp"  // for set_log_callback

namespace kronite::test {

class CapturedLog {
 public:
  CapturedLog() {
    set_log_callback([this](LogLevel level, const std::string& text) {
      (level == LogLevel::warning ? warnings : notices).push_back(text);
    });
  }
  CapturedLog(const CapturedLog&) = delete;
  CapturedLog& operator=(const CapturedLog&) = delete;
  ~CapturedLog() { set_log_callback({}); }

  std::vector<std::string> notices, warnings;
};

}  // namespace kronite::test
