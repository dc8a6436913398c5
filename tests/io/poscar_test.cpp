// POSCAR in: scales, coordinates, and the sentences for files that are not one.
#include <gtest/gtest.h>

#include "support/crystals.hpp"
#include "support/data.hpp"
#include "support/temporary_folder.hpp"

namespace kronite {
namespace {

using test::halite;
using test::holds;
using test::read_all;
using test::same_crystal;
using test::TemporaryFolder;

constexpr const char* kCell = "1 0 0\n0 1 0\n0 0 1\n";

/// Reads the lines as a POSCAR; `why` gets the reason when it is refused.
std::vector<StructureRecord> read_text(const std::string& text, std::string& why) {
  const TemporaryFolder folder;
  auto result = read_all(folder.write("POSCAR", text));
  why = result.skipped.empty() ? "" : result.skipped[0].second;
  return std::move(result.records);
}

std::string reason(const std::string& text) {
  std::string why;
  read_text(text, why);
  return why;
}

TEST(Poscar, NegativeScaleIsTheVolume) {
  const auto result = read_all(test::golden("structures/halite.poscar"));

  ASSERT_EQ(result.records.size(), 1u);
  // The file gives the volume to twelve decimals.
  EXPECT_TRUE(same_crystal(result.records[0].structure, halite(), 1e-9));
  EXPECT_EQ(result.records[0].structure.z, (std::vector<std::uint8_t>{11, 17}));
}

TEST(Poscar, ThreeScalesAndDirectCoordinates) {
  const auto result = read_all(test::golden("structures/halite_three_scales.poscar"));

  ASSERT_EQ(result.records.size(), 1u);
  EXPECT_TRUE(same_crystal(result.records[0].structure, conventional_cell(halite()), 1e-9));
}

TEST(Poscar, CartesianCoordinatesAreScaledToo) {
  std::string why;
  const auto records =
      read_text(std::string("c\n5\n") + kCell + "Na Cl\n1 1\nkartesian\n0 0 0\n0.5 0.5 0.5\n", why);

  ASSERT_EQ(records.size(), 1u) << why;
  EXPECT_EQ(records[0].structure.fractional[1], (Vector3{0.5, 0.5, 0.5}));
  EXPECT_EQ(records[0].structure.lattice[0][0], 5);
}

TEST(Poscar, PassesOverWhatFollowsTheSites) {
  std::string why;
  const auto records = read_text(
      std::string("c\r\n5\r\n") + kCell + "Na\r\n1\r\nDirect\r\n0 0 0 Na\r\n\r\n0 0 0\r\n", why);

  EXPECT_EQ(records.size(), 1u) << why;
}

TEST(Poscar, OldFilesWithoutSymbolsAreRefusedWithAdvice) {
  const std::string why = reason(std::string("c\n5\n") + kCell + "1 1\nDirect\n0 0 0\n.5 .5 .5\n");

  EXPECT_TRUE(holds(why, "line 6: no element symbols (a file of VASP 4)")) << why;
}

TEST(Poscar, OldFilesAreReadWithGivenSpecies) {
  const TemporaryFolder folder;
  const std::string path =
      folder.write("POSCAR", std::string("c\n5\n") + kCell + "1 1\nDirect\n0 0 0\n.5 .5 .5\n");
  const auto read = [&](const std::vector<std::string>& species) {
    std::vector<std::uint8_t> z;
    std::string why;
    ReadOptions options;
    options.species = species;
    read_structures(
        path,
        [&](StructureRecord&& record) {
          z = record.structure.z;
          return true;
        },
        [&](const std::string&, const std::string& reason) { why = reason; }, options);
    return std::pair(z, why);
  };

  EXPECT_EQ(read({"Na", "Cl"}).first, (std::vector<std::uint8_t>{11, 17}));
  EXPECT_TRUE(holds(read({"Na"}).second, "2 counts and no element symbols, but 1 species"));
  EXPECT_TRUE(holds(read({"Na", "Xx"}).second, "Xx is not an element symbol"));
  EXPECT_TRUE(holds(read({}).second, "before the counts, or name them by --species"));
}

TEST(Poscar, SaysWhatWasExpected) {
  const std::string head = std::string("c\n5\n") + kCell;

  EXPECT_TRUE(holds(reason(head + "Na Xx\n1 1\nDirect\n"), "line 6: Xx is not an element symbol"));
  EXPECT_TRUE(holds(reason(head + "Na Cl\n1\nDirect\n"), "line 7: expected one count per element"));
  EXPECT_TRUE(holds(reason(head + "Na\n1 1\nDirect\n0 0 0\n.5 .5 .5\n"),
                    "line 7: expected one count per element"));
  EXPECT_TRUE(holds(reason(head + "Na\n0\nDirect\n"), "line 7: expected whole counts"));
  EXPECT_TRUE(holds(reason(head + "Na\n1e300\nDirect\n"), "line 7: expected at most 10000000 "));
  EXPECT_TRUE(holds(reason(head + "Na Cl\n9000000 9000000\nDirect\n"),
                    "line 7: expected at most 10000000 sites"));
  EXPECT_TRUE(holds(reason(head + "Na\n1\nupwards\n0 0 0\n"), "line 8: expected Direct or"));
  EXPECT_TRUE(holds(reason(head + "Na\n2\nDirect\n0 0 0\n"), "the file ends after line 9"));
  EXPECT_TRUE(holds(reason(head + "Na\n1\nDirect\n0 zero 0\n"), "line 9: expected a position"));
  EXPECT_TRUE(holds(reason(std::string("c\n0\n") + kCell + "Na\n1\nDirect\n0 0 0\n"),
                    "line 2: expected a scale factor other than 0"));
  EXPECT_TRUE(
      holds(reason("c\n-5\n1 0 0\n1 0 0\n0 0 1\nNa\n1\nDirect\n0 0 0\n"), "lattice vector"));
  EXPECT_TRUE(holds(reason("c\n5\n1 0 0\n0 1 0\n0 0 nan\nNa\n1\nDirect\n0 0 0\n"),
                    "line 5: expected a lattice vector"));
}

}  // namespace
}  // namespace kronite
