// The process-wide message callback.
#include "base/log.hpp"

#include <mutex>
#include <utility>

namespace kronite {
namespace {

std::mutex& guard() {
  static std::mutex mutex;
  return mutex;
}

LogCallback& callback() {
  static LogCallback f;
  return f;
}

}  // namespace

void set_log_callback(LogCallback f) {
  const std::lock_guard lock(guard());
  callback() = std::move(f);
}

void log(LogLevel level, const std::string& message) {
  const std::lock_guard lock(guard());
  if (callback()) callback()(level, message);
}

}  // namespace kronite
