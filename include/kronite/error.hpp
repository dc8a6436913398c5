// The one exception type of the library and its codes.
#pragma once

#include <stdexcept>
#include <string>

namespace kronite {

/// What went wrong, coarse enough to act on. The C API returns these numbers; they never change
/// meaning.
enum class Errc : int {
  ok = 0,
  invalid_argument = 1,  ///< the caller's values do not fit (shape, range, name)
  parse = 2,          ///< a text or file is not what it should be; the message names file and line
  io = 3,             ///< the system refused: missing file, full disk, no permission
  corrupt = 4,        ///< a file of ours is damaged, truncated or of another version
  unavailable = 5,    ///< the device, module or feature is not there
  out_of_memory = 6,  ///< host or device memory, or the caller's memory limit
  numerical = 7,      ///< not positive definite, no convergence
  cancelled = 8,      ///< the caller asked to stop
  internal = 9,       ///< a bug in kronite
};

/// Thrown by every public call that fails. what() is one sentence for a person.
class
#if defined(__GNUC__)
    __attribute__((visibility("default")))
#endif
    Error : public std::runtime_error {
 public:
  Error(Errc code, const std::string& message) : std::runtime_error(message), code_(code) {}

  Errc code() const noexcept { return code_; }

 private:
  Errc code_;
};

/// Throws Error(invalid_argument) unless `holds`.
inline void require(bool holds, const char* message) {
  if (!holds) throw Error(Errc::invalid_argument, message);
}

}  // namespace kronite
