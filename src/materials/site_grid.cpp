// Boxes wider than the reach, in a hash map: thin or huge cells cost no memory for empty boxes.
#include "materials/site_grid.hpp"

#include <algorithm>
#include <cmath>

#include "base/fail.hpp"          // for fail
#include "materials/lattice.hpp"  // for wrap, norm, plane_spacings

namespace kronite {
namespace {

constexpr double kBoxEdge = 1.5;  // Å: a box of a real crystal then holds about one atom
constexpr double kMostImages = 50;
constexpr double kMostBoxes = 1 << 20;  // per axis: three indices fit into 64 bits

Vector3 wrapped(const Vector3& fractional) {
  return {wrap(fractional[0]), wrap(fractional[1]), wrap(fractional[2])};
}

}  // namespace

SiteGrid::SiteGrid(const Lattice& lattice, double reach) : lattice_(lattice), reach_(reach) {
  const Vector3 spacing = plane_spacings(lattice);
  for (int k = 0; k < 3; ++k) {
    fractional_reach_[k] = reach / spacing[k];
    if (!(fractional_reach_[k] <= kMostImages))
      fail(Errc::invalid_argument,
           "the cell is too thin or too skewed: lattice planes lie only {:.2g} Å apart",
           spacing[k]);
    boxes_[k] = static_cast<std::int64_t>(std::clamp(spacing[k] / kBoxEdge, 1.0, kMostBoxes));
  }
}

std::uint64_t SiteGrid::key(const std::array<std::int64_t, 3>& box) const {
  return static_cast<std::uint64_t>((box[0] * boxes_[1] + box[1]) * boxes_[2] + box[2]);
}

void SiteGrid::insert(const Vector3& fractional) {
  const Vector3 site = wrapped(fractional);
  std::array<std::int64_t, 3> box;
  for (int k = 0; k < 3; ++k) box[k] = static_cast<std::int64_t>(site[k] * double(boxes_[k]));
  const auto [head, fresh] = first_.try_emplace(key(box), -1);
  next_.push_back(head->second);
  head->second = static_cast<std::int64_t>(sites_.size());
  sites_.push_back(site);
}

std::optional<SiteGrid::Hit> SiteGrid::find(const Vector3& fractional) const {
  const Vector3 point = wrapped(fractional);
  std::array<std::int64_t, 3> low, high;
  for (int k = 0; k < 3; ++k) {
    const auto count = double(boxes_[k]);
    low[k] = static_cast<std::int64_t>(std::floor((point[k] - fractional_reach_[k]) * count));
    high[k] = static_cast<std::int64_t>(std::floor((point[k] + fractional_reach_[k]) * count));
  }
  std::array<std::int64_t, 3> at, box, image;
  const auto fold = [&](int k) {
    image[k] = at[k] >= 0 ? at[k] / boxes_[k] : -((boxes_[k] - 1 - at[k]) / boxes_[k]);
    box[k] = at[k] - image[k] * boxes_[k];
  };
  for (at[0] = low[0]; at[0] <= high[0]; ++at[0]) {
    fold(0);
    for (at[1] = low[1]; at[1] <= high[1]; ++at[1]) {
      fold(1);
      for (at[2] = low[2]; at[2] <= high[2]; ++at[2]) {
        fold(2);
        const auto head = first_.find(key(box));
        if (head == first_.end()) continue;
        for (std::int64_t site = head->second; site >= 0; site = next_[site]) {
          Vector3 offset;
          for (int k = 0; k < 3; ++k) offset[k] = sites_[site][k] + double(image[k]) - point[k];
          const double distance = norm(cartesian(lattice_, offset));
          if (distance < reach_) return Hit{static_cast<std::size_t>(site), offset, distance};
        }
      }
    }
  }
  return std::nullopt;
}

std::optional<double> SiteGrid::shortest_translation() const {
  std::array<int, 3> most;
  for (int k = 0; k < 3; ++k) most[k] = static_cast<int>(std::ceil(fractional_reach_[k]));
  double shortest = reach_;
  for (int i = 0; i <= most[0]; ++i)
    for (int j = -most[1]; j <= most[1]; ++j)
      for (int k = -most[2]; k <= most[2]; ++k)
        if (i != 0 || j != 0 || k != 0)
          shortest =
              std::min(shortest, norm(cartesian(lattice_, {double(i), double(j), double(k)})));
  return shortest < reach_ ? std::optional(shortest) : std::nullopt;
}

}  // namespace kronite
