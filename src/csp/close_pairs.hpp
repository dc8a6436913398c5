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

/// Members in classes of equal fingerprints, bit by bit. Structures without free parameters have
/// such: thousands of Heusler compounds are one class. What fingerprints tell is the same for all
/// members of a class, so that lists hold classes and not members.
struct FingerprintClasses {
  std::vector<std::int32_t> of;     ///< of each member; classes are numbered by their first members
  std::vector<std::int32_t> first;  ///< of each class, its first member as an index of the library

  std::size_t size() const { return first.size(); }
};
FingerprintClasses fingerprint_classes(const TemplateLibrary& library,
                                       std::span<const std::int32_t> members);

/// Of each class the classes, ascending, whose dissimilarity is <= limit: itself among them.
using CloseLists = std::vector<std::vector<std::int32_t>>;
CloseLists close_lists(Device& device, const TemplateLibrary& library,
                       const FingerprintClasses& classes, double limit);

/// Of each class the sum of the values of its members, in their order.
std::vector<double> sums_of_classes(std::span<const std::int32_t> class_of, std::size_t classes,
                                    std::span<const double> values);

}  // namespace kronite::csp
