// What the C interface remembers per thread, and its library-wide functions.
#include "capi/guard.hpp"

#include <algorithm>

#include "kronite/kronite.h"
#include "kronite/log.hpp"      // for set_log_callback
#include "kronite/version.hpp"  // for KRONITE_VERSION

namespace kronite::capi {
namespace {

/// A plain array: keeping an error must not fail for want of memory.
thread_local char last_error[4096] = "";

}  // namespace

int keep_error(Errc code, const char* message) noexcept {
  std::size_t length = std::min(std::strlen(message), sizeof last_error - 1);
  // Not into the middle of a UTF-8 character.
  while (length > 0 && (static_cast<unsigned char>(message[length]) & 0xC0) == 0x80) --length;
  std::memcpy(last_error, message, length);
  last_error[length] = '\0';
  return static_cast<int>(code);
}

void put_text(std::string_view text, char* buffer, std::size_t capacity, std::size_t* needed) {
  const std::size_t bytes = text.size() + 1;
  if (!buffer && capacity > 0) fail(Errc::invalid_argument, "text is null");
  if (!buffer && !needed) fail(Errc::invalid_argument, "text and needed are both null");
  if (needed) *needed = bytes;
  if (!buffer) return;
  if (capacity < bytes)
    fail(Errc::invalid_argument, "the text takes {} bytes, the buffer has {}", bytes, capacity);
  std::memcpy(buffer, text.data(), text.size());
  buffer[text.size()] = '\0';
}

}  // namespace kronite::capi

const char* kronite_last_error(void) { return kronite::capi::last_error; }

const char* kronite_version(void) { return KRONITE_VERSION; }

int kronite_set_log_callback(void (*callback)(void*, int, const char*), void* context) {
  using namespace kronite;
  return capi::guarded([&] {
    if (!callback) return set_log_callback({});
    set_log_callback([=](LogLevel level, const std::string& message) {
      callback(context, static_cast<int>(level), message.c_str());
    });
  });
}
