// What a structure must be before anything is computed from it.
#include "kronite/structure.hpp"

#include <algorithm>
#include <cmath>

#include "base/fail.hpp"            // for fail
#include "materials/site_grid.hpp"  // for SiteGrid

namespace kronite {
namespace {

constexpr double kLeastVolume = 1e-3;    // Å^3
constexpr double kLeastDistance = 0.1;   // Å
constexpr double kMostCoordinate = 1e6;  // beyond it a wrapped coordinate has lost its digits

bool finite(const Vector3& v) {
  return std::isfinite(v[0]) && std::isfinite(v[1]) && std::isfinite(v[2]);
}

std::string site_name(const Structure& structure, std::size_t i) {
  return fmt::format("{} ({})", i + 1, element_symbol(structure.z[i]));
}

void check_lattice(const Lattice& lattice) {
  if (!std::all_of(lattice.begin(), lattice.end(), finite))
    fail(Errc::invalid_argument, "a lattice vector holds a number that is not finite");
  const double v = volume(lattice);
  if (!std::isfinite(v)) fail(Errc::invalid_argument, "the lattice vectors are too large");
  if (v < kLeastVolume)
    fail(Errc::invalid_argument, "the cell's volume is {:.3g} Å^3, less than {}", v, kLeastVolume);
}

void check_sites(const Structure& structure) {
  if (structure.fractional.size() != structure.z.size())
    fail(Errc::invalid_argument, "{} positions but {} elements", structure.fractional.size(),
         structure.z.size());
  if (structure.z.empty()) fail(Errc::invalid_argument, "the structure has no sites");
  for (std::size_t i = 0; i < structure.size(); ++i) {
    if (element_symbol(structure.z[i]).empty())
      fail(Errc::invalid_argument, "site {}: {} is not an atomic number", i + 1, structure.z[i]);
    const Vector3& x = structure.fractional[i];
    if (!finite(x))
      fail(Errc::invalid_argument, "site {}: a coordinate is not a finite number",
           site_name(structure, i));
    if (std::any_of(x.begin(), x.end(), [](double v) { return std::abs(v) > kMostCoordinate; }))
      fail(Errc::invalid_argument, "site {}: a fractional coordinate lies beyond {:g} cells",
           site_name(structure, i), kMostCoordinate);
  }
}

void check_distances(const Structure& structure) {
  SiteGrid grid(structure.lattice, kLeastDistance);
  if (const auto length = grid.shortest_translation())
    fail(Errc::invalid_argument, "a lattice vector is {:.3g} Å long, less than {} Å", *length,
         kLeastDistance);
  for (std::size_t i = 0; i < structure.size(); ++i) {
    if (const auto hit = grid.find(structure.fractional[i]))
      fail(Errc::invalid_argument, "sites {} and {} are {:.3g} Å apart, less than {} Å",
           site_name(structure, hit->site), site_name(structure, i), hit->distance, kLeastDistance);
    grid.insert(structure.fractional[i]);
  }
}

}  // namespace

Composition Structure::composition() const {
  std::array<int, 256> count{};
  for (const std::uint8_t element : z) ++count[element];
  std::vector<ElementAmount> parts;
  for (int element = 0; element < 256; ++element)
    if (count[element] > 0) parts.push_back({element, double(count[element])});
  return Composition(std::move(parts));
}

void check_structure(const Structure& structure) {
  check_lattice(structure.lattice);
  check_sites(structure);
  check_distances(structure);
}

}  // namespace kronite
