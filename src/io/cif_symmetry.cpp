// gemmi reads triplets and knows the space groups; here they are held against lattice and sites.
#include "io/cif_symmetry.hpp"

#include <algorithm>
#include <cmath>
#include <gemmi/symmetry.hpp>
#include <set>

#include "base/ascii.hpp"           // for is_digit
#include "base/fail.hpp"            // for fail
#include "materials/lattice.hpp"    // for dot
#include "materials/site_grid.hpp"  // for SiteGrid

namespace kronite::io {
namespace {

gemmi::Op read_triplet(const std::string& text) {
  // Longer numbers overflow in gemmi; no operation holds any.
  int digits = 0;
  for (const char c : text) {
    digits = is_digit(c) ? digits + 1 : 0;
    if (digits > 3) fail(Errc::parse, "{} is not a symmetry operation", text);
  }
  try {
    return gemmi::parse_triplet(text);
  } catch (const std::runtime_error&) {
    fail(Errc::parse, "{} is not a symmetry operation such as -x,y+1/2,z", text);
  }
}

std::vector<gemmi::Op> all_operations(const gemmi::GroupOps& group) {
  std::vector<gemmi::Op> operations;
  for (const gemmi::Op::Tran& centring : group.cen_ops)
    for (const gemmi::Op& op : group.sym_ops) operations.push_back(op.translated(centring));
  return operations;
}

std::vector<gemmi::Op> named_operations(const GivenSymmetry& given, const Lattice& lattice) {
  constexpr std::size_t kLongestHall = 40;
  if (!given.hall.empty() && given.hall.size() < kLongestHall) {
    try {
      return all_operations(gemmi::symops_from_hall(given.hall.c_str()));
    } catch (const std::runtime_error&) {
      // a misspelt Hall symbol: the other names may do
    }
  }
  const Vector3 angle = angles(lattice);
  for (const std::string& known : {given.name, given.number})
    if (const auto* group = gemmi::find_spacegroup_by_name(known, angle[0], angle[2]))
      return all_operations(group->operations());
  const std::string& unknown = !given.name.empty()   ? given.name
                               : !given.hall.empty() ? given.hall
                                                     : given.number;
  if (!unknown.empty())
    fail(Errc::parse, "no symmetry operations, and the space group '{}' is not known", unknown);
  return {gemmi::Op::identity()};
}

std::vector<gemmi::Op> given_operations(const GivenSymmetry& given, const Lattice& lattice) {
  constexpr std::size_t kMost = 768;  // the largest group, 192, in a cell of four times the size
  if (given.triplets.size() > kMost)
    fail(Errc::parse, "{} symmetry operations, more than any space group has",
         given.triplets.size());
  std::vector<gemmi::Op> operations;
  for (const std::string& text : given.triplets) operations.push_back(read_triplet(text));
  return operations.empty() ? named_operations(given, lattice) : operations;
}

SymmetryOperation operation_of(const gemmi::Op& op) {
  constexpr int kUnit = gemmi::Op::DEN;
  SymmetryOperation operation;
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) {
      if (op.rot[i][j] % kUnit != 0)
        fail(Errc::parse, "the symmetry operation {} maps no lattice onto itself", op.triplet());
      operation.rotation[i][j] = op.rot[i][j] / kUnit;
    }
    operation.translation[i] = double(op.tran[i]) / kUnit;
  }
  if (std::abs(op.det_rot()) != kUnit * kUnit * kUnit)
    fail(Errc::parse, "the symmetry operation {} changes volumes", op.triplet());
  return operation;
}

/// Lengths and angles of the lattice vectors must be those of their images.
void check_fit(const SymmetryOperation& operation, const gemmi::Op& op, const Lattice& lattice) {
  constexpr double kMisfit = 0.02;  // twice the relative misfit of a length; cells have more digits
  Lattice image{};
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j)
      for (int k = 0; k < 3; ++k) image[j][k] += operation.rotation[i][j] * lattice[i][k];
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j <= i; ++j) {
      const double was = dot(lattice[i], lattice[j]), is = dot(image[i], image[j]);
      const double size = std::sqrt(dot(lattice[i], lattice[i]) * dot(lattice[j], lattice[j]));
      if (!(std::abs(is - was) <= kMisfit * size))
        fail(
            Errc::parse,
            "the symmetry operation {} does not fit the cell: it changes {} of the lattice vectors",
            op.triplet(), i == j ? "lengths" : "angles");
    }
}

}  // namespace

Vector3 SymmetryOperation::operator()(const Vector3& x) const {
  Vector3 image;
  for (int i = 0; i < 3; ++i)
    image[i] =
        rotation[i][0] * x[0] + rotation[i][1] * x[1] + rotation[i][2] * x[2] + translation[i];
  return image;
}

std::vector<SymmetryOperation> symmetry_operations(const GivenSymmetry& given,
                                                   const Lattice& lattice) {
  std::vector<SymmetryOperation> operations;
  std::set<gemmi::Op> seen;
  for (gemmi::Op op : given_operations(given, lattice)) {
    const SymmetryOperation operation = operation_of(op);
    if (!seen.insert(op.wrap()).second) continue;
    check_fit(operation, op, lattice);
    operations.push_back(operation);
    if (!(op < gemmi::Op::identity()) && !(gemmi::Op::identity() < op))
      std::swap(operations.front(), operations.back());
  }
  if (seen.count(gemmi::Op::identity()) == 0)
    fail(Errc::parse, "the symmetry operations lack x,y,z: they are not all there");
  return operations;
}

std::vector<Vector3> orbit(const Lattice& lattice, const std::vector<SymmetryOperation>& operations,
                           const Vector3& site, bool whole) {
  constexpr double kSamePosition = 0.2;   // Å: no two atoms come closer than 0.7
  constexpr double kLeastDistance = 0.5;  // Å, of atoms that are there at once
  if (operations.size() == 1) return {site};
  SiteGrid grid(lattice, whole ? kLeastDistance : kSamePosition);
  std::vector<Vector3> images, drift;
  std::vector<int> count;
  for (const SymmetryOperation& operation : operations) {
    const Vector3 image = operation(site);
    const auto hit = grid.find(image);
    if (!hit) {
      grid.insert(image);
      images.push_back(image);
      drift.push_back({});
      count.push_back(1);
      continue;
    }
    if (hit->distance >= kSamePosition)
      fail(Errc::parse,
           "two of its images by symmetry are {:.2g} Å apart: the symmetry does not fit the "
           "coordinates",
           hit->distance);
    for (int k = 0; k < 3; ++k) drift[hit->site][k] -= hit->offset[k];
    ++count[hit->site];
  }
  if (std::any_of(count.begin(), count.end(), [&](int n) { return n != count.front(); }))
    fail(Errc::parse,
         "of its {} images by symmetry some meet and others do not: the symmetry does not fit the "
         "coordinates",
         operations.size());
  for (std::size_t i = 0; i < images.size(); ++i)
    for (int k = 0; k < 3; ++k) images[i][k] += drift[i][k] / count[i];
  return images;
}

}  // namespace kronite::io
