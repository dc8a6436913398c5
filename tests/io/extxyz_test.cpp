// Extended XYZ in: frames, columns, metadata.
#include <gtest/gtest.h>

#include <cmath>

#include "support/crystals.hpp"
#include "support/data.hpp"
#include "support/temporary_folder.hpp"

namespace kronite {
namespace {

using test::halite;
using test::holds;
using test::read_all;
using test::ReadResult;
using test::same_crystal;
using test::TemporaryFolder;

constexpr const char* kLattice = "Lattice=\"5 0 0 0 5 0 0 0 5\"";

ReadResult read_text(const std::string& text) {
  const TemporaryFolder folder;
  return read_all(folder.write("some.extxyz", text));
}

std::string reason(const std::string& text) {
  const ReadResult result = read_text(text);
  return result.skipped.empty() ? "" : result.skipped.front().second;
}

TEST(Extxyz, ReadsFramesColumnsAndMetadata) {
  const ReadResult result = read_all(test::golden("structures/halite.extxyz"));

  ASSERT_EQ(result.records.size(), 2u);
  EXPECT_TRUE(result.skipped.empty());
  EXPECT_TRUE(same_crystal(result.records[0].structure, halite(), 1e-12));
  EXPECT_EQ(result.records[0].id, "example-1");
  EXPECT_EQ(result.records[0].e_above_hull, 0);
  EXPECT_EQ(result.records[0].license, "BY-C");
  EXPECT_TRUE(std::isnan(result.records[0].formation_energy));
  EXPECT_TRUE(same_crystal(result.records[1].structure, conventional_cell(halite()), 1e-12));
  EXPECT_EQ(result.records[1].id, "example 2");
  EXPECT_EQ(result.records[1].formation_energy, -2.1);
}

TEST(Extxyz, OneBadFrameLeavesTheOthers) {
  const std::string good = std::string("1\n") + kLattice + "\nNa 0 0 0\n";
  const std::string bad = std::string("1\n") + kLattice + "\nXx 0 0 0\n";

  const ReadResult result = read_text(good + bad + good);

  EXPECT_EQ(result.records.size(), 2u);
  ASSERT_EQ(result.skipped.size(), 1u);
  EXPECT_TRUE(holds(result.skipped[0].first, "some.extxyz:4"));
  EXPECT_TRUE(holds(result.skipped[0].second, "line 6: Xx is not an element"));
}

TEST(Extxyz, SaysWhatWasExpected) {
  const std::string good = std::string("1\n") + kLattice;

  EXPECT_TRUE(holds(reason("1\nmolecule\nNa 0 0 0\n"), "no Lattice"));
  EXPECT_TRUE(holds(reason("1\nLattice=\"1 2 3\"\nNa 0 0 0\n"), "Lattice must hold nine numbers"));
  EXPECT_TRUE(holds(reason(good + " pbc=\"T T F\"\nNa 0 0 0\n"), "not periodic"));
  EXPECT_TRUE(
      holds(reason(good + " Properties=pos:R:3\nNa 0 0 0\n"), "no species:S:1 and pos:R:3"));
  EXPECT_TRUE(holds(reason(good + " Properties=species:S:x:pos:R:3\nNa 0 0 0\n"), "no number of"));
  EXPECT_TRUE(holds(reason(good + "\nNa 0 0\n"), "line 3: 3 words, expected 4"));
  EXPECT_TRUE(holds(reason(good + "\nNa 0 0 nan\n"), "line 3: nan is not a number"));
  EXPECT_TRUE(holds(reason(std::string("2\n") + kLattice + "\nNa 0 0 0\n"), "ends in the middle"));
  EXPECT_TRUE(
      holds(reason(std::string("1e18\n") + kLattice + "\nNa 0 0 0\n"), "ends in the middle"));
  EXPECT_TRUE(holds(reason(good + "\nNa 0 0 0\nnoise\n"), "the rest is not read"));
  EXPECT_TRUE(holds(reason(std::string("0\n") + kLattice + "\n"), "no sites"));
}

}  // namespace
}  // namespace kronite
