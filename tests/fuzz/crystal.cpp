// What is worked out from small crystals, written as POSCAR files: their symmetry and
// fingerprint, and that they are the same as themselves.
#include <algorithm>
#include <cmath>

#include "fuzz/structures.hpp"
#include "fuzz/target.hpp"
#include "kronite/fingerprint.hpp"
#include "kronite/matcher.hpp"

namespace kronite::fuzz {
namespace {

void check_symmetry(const Structure& structure) {
  const auto same_elements = [&](const Structure& cell) {
    return cell.composition().ratio_label() == structure.composition().ratio_label();
  };
  accepts([&] {
    const StandardCell crystal = standardise(structure);
    promise(crystal.symmetry.space_group >= 1 && crystal.symmetry.space_group <= 230,
            "space groups are 1 to 230");
    promise(same_elements(crystal.conventional) && same_elements(crystal.primitive),
            "symmetry keeps the composition");
    promise(crystal.primitive.size() <= structure.size(), "a primitive cell is no larger");
  });
}

void check_fingerprint(const Structure& structure) {
  accepts([&] {
    const Fingerprint values = fingerprint(structure);
    for (std::size_t i = 0; i < values.size(); i += kSiteStatistics) {
      constexpr double kRounding = 1e-9;
      const double mean = values[i], deviation = values[i + 1], least = values[i + 2],
                   most = values[i + 3];
      // The order parameter of body-centred cubes alone may lie a little below 0.
      promise(least >= -1 && most <= 1 + kRounding && least <= mean + kRounding &&
                  mean <= most + kRounding && deviation >= 0 && deviation <= 1,
              "fingerprints are statistics of values up to 1", fingerprint_names()[i]);
    }
  });
}

void check_match(const Structure& structure) {
  accepts([&] {
    const MatchCell cell(structure);
    promise(cell.reduced().size() <= structure.size(), "a reduced cell is no larger");
    const Match itself = match(cell, cell);
    promise(itself.same && itself.rms < 1e-5, "a crystal is the same as itself");
    Structure moved = structure;
    for (Vector3& x : moved.fractional) x[0] += 0.3;
    const Match other = match(cell, MatchCell(moved));
    promise(!other.same || other.rms <= other.max_distance, "no rms is larger than the largest");
  });
}

}  // namespace
}  // namespace kronite::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kronite;
  constexpr std::size_t kMostSites = 8;
  const std::string path = fuzz::as_file("input.poscar", fuzz::as_text(data, size));
  for (const StructureRecord& record : fuzz::read_and_check(path)) {
    if (record.structure.size() > kMostSites) continue;
    fuzz::check_symmetry(record.structure);
    fuzz::check_fingerprint(record.structure);
    fuzz::check_match(record.structure);
  }
  return 0;
}
