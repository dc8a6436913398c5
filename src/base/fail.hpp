// Throwing one clear sentence.
#pragma once

#include <fmt/format.h>  // for format

#include <utility>

#include "kronite/error.hpp"  // for Error, Errc

namespace kronite {

/// Throws Error(code) with a formatted sentence.
template <class... Args>
[[noreturn]] void fail(Errc code, fmt::format_string<Args...> text, Args&&... args) {
  throw Error(code, fmt::format(text, std::forward<Args>(args)...));
}

}  // namespace kronite
