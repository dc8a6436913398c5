// What tests of the kernels for sites need: memory to work in, and crystals as the kernels see
// them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/site_fingerprint.hpp"  // for SiteWorkspace
#include "kronite/structure.hpp"         // for Structure

namespace kronite::test {

/// A workspace on the heap.
class Workspace {
 public:
  explicit Workspace(SiteCapacity capacity = {4096, 512, 2048})
      : bytes_(SiteWorkspace::bytes(capacity)), work(capacity, bytes_.data()) {}

 private:
  std::vector<std::byte> bytes_;

 public:
  SiteWorkspace work;
};

inline CrystalView view_of(const Structure& s) {
  CrystalView view{{}, s.fractional.front().data(), static_cast<std::int64_t>(s.size())};
  for (int k = 0; k < 3; ++k) view.lattice[k] = {s.lattice[k][0], s.lattice[k][1], s.lattice[k][2]};
  return view;
}

/// Order parameters of neighbours in these directions (of any length): all of one weight, or,
/// `ordered`, each of a smaller weight than the one before.
inline std::vector<double> order_parameters_of(const std::vector<Vec3>& corners, bool ordered) {
  Workspace w;
  NeighbourList& list = w.work.neighbours;
  for (std::size_t i = 0; i < corners.size(); ++i) {
    list.direction[i] = (1 / norm(corners[i])) * corners[i];
    list.weight[i] = ordered ? 1 - 0.01 * static_cast<double>(i) : 1;
  }
  list.size = static_cast<int>(corners.size());
  look_around(list, *w.work.surroundings);
  std::vector<double> values(8);
  values.resize(
      static_cast<std::size_t>(order_parameters(*w.work.surroundings, list.size, values.data())));
  return values;
}

}  // namespace kronite::test
