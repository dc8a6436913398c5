// What fuzz targets share: their entry point, and the promises that hold for every input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

#include "kronite/error.hpp"

/// Defined once per target. Any input is fine; a broken promise ends the program.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace kronite::fuzz {

/// Ends the program unless the promise holds, so that whoever runs the target keeps the input.
void promise(bool holds, std::string_view what, std::string_view detail = {});

/// A message is text that a terminal can show: not empty, UTF-8, without control characters, and no
/// longer than `lines` lines.
void promise_message(std::string_view message, int lines = 1);

/// Runs `read`, which may do its work or refuse the input as text, a file or a value that is not
/// what it should be; every other exception breaks a promise. True when it was not refused.
template <class Read>
bool accepts(Read&& read, int lines = 1) {
  try {
    read();
    return true;
  } catch (const Error& error) {
    promise(error.code() == Errc::parse || error.code() == Errc::corrupt ||
                error.code() == Errc::invalid_argument || error.code() == Errc::numerical,
            "bad input is refused as such", error.what());
    promise_message(error.what(), lines);
  } catch (const std::exception& exception) {
    promise(false, "only kronite::Error is thrown", exception.what());
  }
  return false;
}

/// Path of a file with this name (told formats apart by it) and the input as its content; the next
/// call may overwrite it. Also from now on notices of the library are held to be messages.
std::string as_file(const std::string& name, std::string_view content);

inline std::string_view as_text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace kronite::fuzz
