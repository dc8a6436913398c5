// Promises of fuzz targets.
#include "fuzz/target.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "base/printable.hpp"  // for printable
#include "kronite/log.hpp"     // for set_log_callback
#include "support/temporary_folder.hpp"

namespace kronite::fuzz {

void promise(bool holds, std::string_view what, std::string_view detail) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %.*s: %.*s\n", static_cast<int>(what.size()), what.data(),
               static_cast<int>(detail.size()), detail.data());
  std::abort();
}

void promise_message(std::string_view message, int lines) {
  promise(!message.empty(), "a message is not empty");
  constexpr std::size_t kLongest = 4000;  // a long path and a few quoted words
  promise(message.size() <= kLongest, "a message is short", message.substr(0, kLongest));
  std::string one_line(message);
  std::replace(one_line.begin(), one_line.end(), '\n', ' ');
  promise(printable(one_line, one_line.size()) == one_line, "a message is printable text", message);
  promise(std::count(message.begin(), message.end(), '\n') < lines, "a message has few lines",
          message);
}

std::string as_file(const std::string& name, std::string_view content) {
  static const test::TemporaryFolder folder;
  static const bool listening = [] {
    set_log_callback([](LogLevel, const std::string& message) { promise_message(message); });
    return true;
  }();
  promise(listening, "notices are heard");
  return folder.write(name, std::string(content));
}

}  // namespace kronite::fuzz
