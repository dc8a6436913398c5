// Throwing one clear sentence.
#pragma once

#include <fmt/format.h>  // for format

#include <utility>

#include "base/printable.hpp"  // for message_line
#include "kronite/error.hpp"   // for Error, Errc

namespace kronite {

/// Throws Error(code) with a formatted sentence, which becomes printable text on one line: names in
/// it may come from damaged files.
template <class... Args>
[[noreturn]] void fail(Errc code, fmt::format_string<Args...> text, Args&&... args) {
  throw Error(code, message_line(fmt::format(text, std::forward<Args>(args)...)));
}

}  // namespace kronite
