// Sends a message to the caller's callback, if there is one.
#pragma once

#include <string>

#include "kronite/log.hpp"  // for LogLevel

namespace kronite {

void log(LogLevel level, const std::string& message);
inline void notice(const std::string& message) { log(LogLevel::notice, message); }
inline void warning(const std::string& message) { log(LogLevel::warning, message); }

}  // namespace kronite
