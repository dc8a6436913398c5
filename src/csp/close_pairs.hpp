// Which templates of a library have nearly the same structure.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "kronite/device.hpp"     // for Device
#include "kronite/templates.hpp"  // for TemplateLibrary

namespace kronite::csp {

/// Whether two of `members` (places in it) have a dissimilarity <= limit: told by its square in
/// single precision, `squared`, or where that is too near the limit by dissimilarity().
class CloseEnough {
 public:
  CloseEnough(const TemplateLibrary& library, std::span<const std::int32_t> members, double limit)
      : library_(library), members_(members), limit_(limit) {}

  bool operator()(double squared, std::int64_t a, std::int64_t b) const;

 private:
  const TemplateLibrary& library_;
  std::span<const std::int32_t> members_;
  double limit_;
};

/// take(a, b, squared) for all a < b, places in `members`, whose structures have a dissimilarity <=
/// limit, in ascending order; `squared`: its square, in single precision. Which pairs these are is
/// the same on every device, as CloseEnough tells. Waits.
using ClosePairSink = std::function<void(std::int32_t a, std::int32_t b, float squared)>;
void for_close_pairs(Device& device, const TemplateLibrary& library,
                     std::span<const std::int32_t> members, double limit,
                     const ClosePairSink& take);

/// All of them.
std::vector<std::pair<std::int32_t, std::int32_t>> close_pairs(
    Device& device, const TemplateLibrary& library, std::span<const std::int32_t> members,
    double limit);

/// Of each of `members` the places, ascending, of the others whose structures are as close.
using CloseLists = std::vector<std::vector<std::int32_t>>;
CloseLists close_lists(Device& device, const TemplateLibrary& library,
                       std::span<const std::int32_t> members, double limit);

}  // namespace kronite::csp
