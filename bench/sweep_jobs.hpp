// The hot paths at a given size: the work that each cannot do without, and how to run it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kronite/device.hpp"  // for Device

namespace kronite::bench {

/// One hot path at one size. Floors count what the definition asks for: operations with numbers
/// (an addition, a multiplication), and bytes read and written once.
struct Job {
  double operations = 0;
  double bytes = 0;
  bool in_double = false;  ///< which peak the operations are compared with
  double memory = 0;       ///< bytes of the device that it holds at a time; 0: cut to any limit
  std::string item;        ///< what is counted per second: "pairs"
  double items = 0;
  /// Makes inputs on the device; the function that it returns does the work once, and waits.
  std::function<std::function<void()>(Device&)> prepare;
};

/// A hot path by its name in a file of settings, and what its sizes are called there.
struct HotPath {
  std::string name;
  std::vector<std::string> sizes;
  std::function<Job(const std::vector<std::int64_t>&)> at;
};

/// All of them.
const std::vector<HotPath>& hot_paths();

// By family, for the list above.
std::vector<HotPath> csp_paths();
std::vector<HotPath> kmd_paths();
std::vector<HotPath> krfd_paths();

/// What `prepare` returns: work on inputs that live as long as it does.
template <class Inputs, class F>
std::function<void()> work_on(std::shared_ptr<Inputs> inputs, F f) {
  return [inputs, f] { f(*inputs); };
}

}  // namespace kronite::bench
