// Where messages of the library go: a callback, silent by default. The library itself never prints.
#pragma once

#include <functional>
#include <string>

namespace kronite {

enum class LogLevel : int { notice = 1, warning = 2 };

using LogCallback = std::function<void(LogLevel, const std::string& message)>;

/// Replaces the callback of the whole process; an empty function silences the library again.
/// The callback may be called from any thread that calls the library, one call at a time, and
/// must neither log nor set the callback itself.
void set_log_callback(LogCallback callback);

/// Told how far a long call has come; returning false asks it to stop (it then throws
/// Errc::cancelled and leaves no half-written file). `total` is 0 while unknown.
using Progress = std::function<bool(long long done, long long total)>;

}  // namespace kronite
