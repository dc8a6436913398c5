// Reading crystals, and writing them to read them again.
#include "fuzz/structures.hpp"

#include <algorithm>
#include <cmath>

#include "fuzz/target.hpp"
#include "support/crystals.hpp"  // for same_crystal

namespace kronite::fuzz {
namespace {

/// Room for the digits that a written file leaves out: a cell this much smaller, with atoms not too
/// many cells away, must pass as well.
bool well_inside_the_limits(Structure structure) {
  constexpr double kShrunk = 0.999, kFarthest = 1000;
  for (Vector3& row : structure.lattice)
    for (double& x : row) x *= kShrunk;
  for (const Vector3& x : structure.fractional)
    for (const double c : x)
      if (std::abs(c) > kFarthest) return false;
  // Angles near 0 or 180 degrees and lattice vectors of unlike length lose more digits than are
  // written.
  const Vector3 length = lengths(structure.lattice), angle = angles(structure.lattice);
  constexpr double kLeastAngle = 5, kLongest = 1000;
  for (int k = 0; k < 3; ++k)
    if (angle[k] < kLeastAngle || angle[k] > 180 - kLeastAngle || length[k] > kLongest)
      return false;
  try {
    check_structure(structure);
  } catch (const Error&) {
    return false;
  }
  return volume(structure.lattice) > 1e-3 * length[0] * length[1] * length[2];
}

StructureRecord read_back(const std::string& name, const std::string& text) {
  std::vector<StructureRecord> records;
  const auto keep = [&](StructureRecord&& record) {
    records.push_back(std::move(record));
    return true;
  };
  const bool accepted = accepts([&] { read_structures(as_file(name, text), keep, {}); });
  promise(accepted && records.size() == 1, "what is written is read", text);
  return std::move(records.front());
}

void check_written(const Structure& structure, const std::string& label) {
  const auto same = [&](const char* name, const std::string& text) {
    const StructureRecord record = read_back(name, text);
    constexpr double kWritten = 1e-6;  // Å and degrees: twelve decimals, and skewed cells
    const auto result = test::same_crystal(structure, record.structure, kWritten);
    promise(!record.disordered && result, "what is written reads back the same",
            result.message() + ("\n" + text));
  };
  same("written.poscar", to_poscar(structure, label));
  same("written.extxyz", to_extxyz(structure, "note=\"" + label + "\""));
  same("written.cif", to_cif(structure, label, false));
}

}  // namespace

std::vector<StructureRecord> read_and_check(const std::string& path) {
  constexpr std::size_t kMostSites = 64;  // of a crystal that is written
  std::vector<StructureRecord> records;
  const auto keep = [&](StructureRecord&& record) {
    records.push_back(std::move(record));
    return true;
  };
  const auto skip = [](const std::string& where, const std::string& why) {
    promise_message(where);
    promise_message(why);
  };
  accepts([&] { read_structures(path, keep, skip); });
  for (const StructureRecord& record : records) {
    const bool sound = accepts([&] { check_structure(record.structure); });
    promise(sound, "what is read is sound");
    const bool small = record.structure.size() <= kMostSites;
    if (small && !record.disordered && well_inside_the_limits(record.structure))
      check_written(record.structure, record.id);
  }
  return records;
}

}  // namespace kronite::fuzz
