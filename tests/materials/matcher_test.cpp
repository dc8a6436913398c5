// Whether two crystals are the same: pymatgen's answers, and what must hold whatever it says.
#include "kronite/matcher.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cases/crystals.hpp"  // for halite, perovskite, triclinic, supercell
#include "io/input.hpp"        // for LineReader
#include "kronite/error.hpp"   // for Error
#include "materials/matcher_cell.hpp"
#include "support/crystals.hpp"  // for same_crystal
#include "support/data.hpp"      // for golden

namespace kronite {
namespace {

using test::halite;
using test::perovskite;
using test::supercell;
using test::triclinic;

/// As it is after x -> rotation x on all Cartesian vectors.
Structure rotated(Structure cell, const Lattice& rotation) {
  for (Vector3& row : cell.lattice) {
    const Vector3 v = row;
    for (int i = 0; i < 3; ++i)
      row[i] = rotation[i][0] * v[0] + rotation[i][1] * v[1] + rotation[i][2] * v[2];
  }
  return cell;
}

Structure moved(Structure cell, const Vector3& by) {
  for (Vector3& x : cell.fractional)
    for (int k = 0; k < 3; ++k) x[k] += by[k];
  return cell;
}

Structure with_elements(Structure cell, std::uint8_t from, std::uint8_t into) {
  for (std::uint8_t& z : cell.z)
    if (z == from) z = into;
  return cell;
}

/// Another basis of the same lattice: b becomes b + times a, c becomes c - times b.
Structure sheared(const Structure& cell, int times) {
  Structure other = cell;
  for (int k = 0; k < 3; ++k) {
    other.lattice[1][k] += times * cell.lattice[0][k];
    other.lattice[2][k] -= times * other.lattice[1][k];
  }
  for (std::size_t i = 0; i < cell.size(); ++i) {
    const Vector3& x = cell.fractional[i];
    other.fractional[i] = {x[0] - times * x[1], x[1] + times * x[2], x[2]};
  }
  return other;
}

const Lattice kTurn = {{{0.36, 0.48, -0.8}, {-0.8, 0.6, 0}, {0.48, 0.64, 0.6}}};
const Lattice kMirror = {{{-1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};

// Cells differ by rounding; 1e-5 is where a search stops looking for better.
constexpr double kRounding = 1e-5;

TEST(Matcher, KnowsACrystalInAnyCellOriginOrientationAndHandedness) {
  for (const Structure& crystal : {test::copper(), halite(), perovskite(), triclinic()}) {
    const Structure settings[] = {supercell(crystal, 2, 1, 3), sheared(crystal, 3),
                                  rotated(crystal, kTurn), rotated(crystal, kMirror),
                                  moved(supercell(sheared(crystal, -2), 1, 2, 1), {.3, 7.1, -.2})};
    for (const Structure& other : settings) {
      const Match found = match(crystal, other);

      EXPECT_TRUE(found.same) << crystal.size() << " sites, setting " << &other - settings;
      EXPECT_LT(found.rms, kRounding);
      EXPECT_LT(found.max_distance, kRounding);
    }
  }
}

TEST(Matcher, TakesNoNoticeOfTheVolume) {
  Structure large = perovskite();
  for (Vector3& row : large.lattice)
    for (double& x : row) x *= 1.3;

  EXPECT_TRUE(match(perovskite(), large).same);
  EXPECT_LT(match(perovskite(), large).rms, kRounding);
}

TEST(Matcher, TellsElementsApart) {
  const Structure bromide = with_elements(halite(), 17, 35);
  Structure exchanged = perovskite();
  std::swap(exchanged.z[0], exchanged.z[1]);

  EXPECT_FALSE(match(halite(), bromide).same);
  EXPECT_TRUE(std::isnan(match(halite(), bromide).rms));
  // Ti in the place of Sr has its neighbours elsewhere.
  EXPECT_FALSE(match(perovskite(), exchanged).same);
}

TEST(Matcher, KnowsRockSaltWithBothIonsExchangedAsItself) {
  Structure exchanged = halite();
  std::swap(exchanged.z[0], exchanged.z[1]);

  EXPECT_LT(match(halite(), exchanged).rms, kRounding);
}

TEST(Matcher, SeesAMissingAtom) {
  Structure vacant = supercell(perovskite(), 2, 1, 1);
  vacant.fractional.pop_back();
  vacant.z.pop_back();

  EXPECT_FALSE(match(perovskite(), vacant).same);
}

TEST(Matcher, GivesTheDistancesOfTheDisplacedSites) {
  // One of five sites displaced by d: the average d / 5 taken away, it lies 4 d / 5 off and the
  // others d / 5. The cell is cubic, so there is no closer overlay.
  constexpr double kDisplacement = 0.05;
  Structure displaced = perovskite();
  displaced.fractional[1][0] += kDisplacement;

  const Match found = match(perovskite(), displaced);

  const double unit = std::cbrt(1.0 / 5);  // of the cell's edge
  EXPECT_TRUE(found.same);
  EXPECT_NEAR(found.max_distance, 0.8 * kDisplacement / unit, 1e-9);
  EXPECT_NEAR(found.rms, kDisplacement / unit * std::sqrt((0.64 + 4 * 0.04) / 5), 1e-9);
}

TEST(Matcher, CountsASiteBeyondStolAgainstSamenessAndGivesTheRmsAllTheSame) {
  Structure displaced = perovskite();
  displaced.fractional[1][0] += 0.2;
  const double largest = 0.8 * 0.2 / std::cbrt(1.0 / 5);
  MatchOptions below, above;
  below.stol = 0.99 * largest;
  above.stol = 1.01 * largest;

  EXPECT_FALSE(match(perovskite(), displaced, below).same);
  EXPECT_NEAR(match(perovskite(), displaced, below).max_distance, largest, 1e-9);
  EXPECT_TRUE(match(perovskite(), displaced, above).same);
}

TEST(Matcher, HoldsLengthsAndAnglesToTheirTolerances) {
  // At equal volume, a cell stretched along one axis by s has the lengths s^(2/3) and s^(-1/3).
  const auto stretched = [](double s) {
    Structure cell = perovskite();
    for (double& x : cell.lattice[2]) x *= s;
    return cell;
  };
  const auto oblique = [](double degrees) {
    Structure cell = perovskite();
    cell.lattice = lattice_from_parameters({3.905, 3.905, 3.905}, {90, 90, degrees});
    return cell;
  };

  EXPECT_TRUE(match(perovskite(), stretched(std::pow(1.19, 1.5))).same);
  EXPECT_FALSE(match(perovskite(), stretched(std::pow(1.21, 1.5))).same);
  EXPECT_TRUE(match(perovskite(), oblique(94.9)).same);
  EXPECT_FALSE(match(perovskite(), oblique(95.1)).same);
}

TEST(Matcher, IsTheSameOnAListOfPairs) {
  const std::vector<MatchCell> cells = {MatchCell(halite()), MatchCell(perovskite()),
                                        MatchCell(supercell(halite(), 2, 2, 2))};
  std::vector<std::pair<std::int32_t, std::int32_t>> pairs;
  for (int n = 0; n < 9000; ++n) pairs.emplace_back(n % 3, n / 3 % 3);
  long long last = -1;

  const std::vector<Match> matches =
      match_pairs(cells, cells, pairs, {}, [&](long long done, long long total) {
        EXPECT_EQ(total, 9000);
        EXPECT_GT(done, last);
        last = done;
        return true;
      });

  EXPECT_EQ(last, 9000);
  for (std::size_t n = 0; n < pairs.size(); ++n) {
    const Match alone = match(cells[pairs[n].first], cells[pairs[n].second]);
    EXPECT_EQ(matches[n].same, alone.same) << n;
    EXPECT_EQ(matches[n].same, pairs[n].first % 2 == pairs[n].second % 2) << n;
    if (alone.same) {
      EXPECT_EQ(matches[n].rms, alone.rms) << n;
    }
  }
}

TEST(Matcher, StopsWhenAsked) {
  const std::vector<MatchCell> cells = {MatchCell(halite())};

  EXPECT_THROW(match_pairs(cells, cells, {{0, 0}}, {}, [](long long, long long) { return false; }),
               Error);
}

TEST(Matcher, RefusesWhatItCannotCompare) {
  const auto with = [](double ltol, double stol, double angle) {
    return MatchOptions{ltol, stol, angle};
  };
  Structure close = halite();
  close.fractional[1] = {0.001, 0, 0};
  Structure needle = test::copper();
  needle.lattice = {{{3, 0, 0}, {0, 3, 0}, {0, 0, 9000}}};
  const std::vector<MatchCell> cells = {MatchCell(halite())};

  for (const MatchOptions& options :
       {with(-0.1, .3, 5), with(0, .3, 5), with(std::nan(""), .3, 5), with(.2, 0, 5),
        with(.2, 2, 5), with(.2, .3, 0), with(.2, .3, 90), with(.2, INFINITY, 5)})
    EXPECT_THROW(match(halite(), halite(), options), Error);
  EXPECT_THROW(MatchCell{Structure{}}, Error);
  EXPECT_THROW(MatchCell{close}, Error);
  EXPECT_THROW(MatchCell{needle}, Error);
  EXPECT_THROW(match_pairs(cells, cells, {{0, 1}}), Error);
  EXPECT_THROW(match_pairs(cells, cells, {{-1, 0}}), Error);
}

TEST(ReducedCell, IsPrimitiveWithinTheTolerance) {
  // Every second cell of ten moved off by less than the tolerance, so that only an average is
  // periodic.
  const Structure exact = supercell(perovskite(), 2, 1, 5);
  Structure almost = exact;
  for (std::size_t i = 0; i < almost.size(); ++i)
    almost.fractional[i][i % 3] += 0.002 * (static_cast<double>(7 * i % 11) / 5 - 1);

  for (const Structure& cell : {exact, almost}) {
    const Structure reduced = matcher::primitive_within(cell, 0.25);

    EXPECT_EQ(reduced.size(), 5u);
    // Sites move by at most 0.002 of the longest vector, 19.5 Å, in each coordinate, on average
    // by less.
    EXPECT_TRUE(test::same_crystal(
        moved(reduced,
              {-reduced.fractional[0][0], -reduced.fractional[0][1], -reduced.fractional[0][2]}),
        perovskite(), 0.12));
  }
  EXPECT_EQ(matcher::primitive_within(almost, 1e-3).size(), 50u);
}

TEST(ReducedCell, OfASupercellThatOneOfTwoIsWithinTheToleranceIsTheLargerOne) {
  // Two cells of rock salt, in the second of which Cl is off by d along the axis of 5 Å: 0.24 Å are
  // within the tolerance, 0.26 Å are not.
  const auto doubled = [](double d) {
    Structure cell;
    cell.lattice = {{{4, 0, 0}, {0, 4.2, 0}, {0, 0, 10}}};
    cell.fractional = {{0, 0, 0}, {.5, .5, .25}, {0, 0, .5}, {.5, .5, .75 + d / 10}};
    cell.z = {11, 17, 11, 17};
    return cell;
  };
  const MatchCell within(doubled(0.24)), beyond(doubled(0.26));

  EXPECT_EQ(within.reduced().size(), 2u);
  EXPECT_EQ(beyond.reduced().size(), 4u);
  ASSERT_EQ(within.levels().size(), 2u);
  EXPECT_TRUE(match(within, beyond).same);
  // Cl off by 0.02 Å, less the average: 3/4 and 1/4 of it.
  const double unit = std::cbrt(4 * 4.2 * 10 / 4);
  EXPECT_NEAR(match(within, beyond).max_distance, 0.75 * 0.02 / unit, 1e-6);
}

TEST(ReducedCell, KeepsWhatIsPrimitive) {
  for (const Structure& crystal : {test::copper(), halite(), perovskite(), triclinic()})
    EXPECT_EQ(MatchCell(crystal).reduced().size(), crystal.size());
}

TEST(ReducedCell, FindsTheLatticeOfCentredCells) {
  // Face-centred, with four lattice points; then three times as long.
  Structure conventional;
  conventional.lattice = {{{5.6, 0, 0}, {0, 5.6, 0}, {0, 0, 5.6}}};
  for (const Vector3& x : {Vector3{0, 0, 0}, {0, .5, .5}, {.5, 0, .5}, {.5, .5, 0}}) {
    conventional.fractional.push_back(x);
    conventional.z.push_back(11);
    conventional.fractional.push_back({x[0] + 0.5, x[1], x[2]});
    conventional.z.push_back(17);
  }

  EXPECT_EQ(MatchCell(conventional).reduced().size(), 2u);
  EXPECT_EQ(MatchCell(supercell(conventional, 3, 1, 1)).reduced().size(), 2u);
}

TEST(ReducedCell, PutsTheRarestElementFirst) {
  const MatchCell cell{supercell(perovskite(), 1, 2, 2)};

  EXPECT_EQ(cell.reduced().z, (std::vector<std::uint8_t>{22, 38, 8, 8, 8}));
  EXPECT_EQ(cell.reduced().z[cell.levels().back().reference],
            38);  // the first of two in the given order
}

// --- pymatgen ------------------------------------------------------------------------------------

Structure structure_of(const nlohmann::json& json) {
  Structure structure;
  structure.lattice = json.at("lattice").get<Lattice>();
  structure.fractional = json.at("abc").get<std::vector<Vector3>>();
  for (const auto& symbol : json.at("species"))
    structure.z.push_back(static_cast<std::uint8_t>(element_number(symbol.get<std::string>())));
  return structure;
}

/// Ordered AlB2 with Si at (x, 2x, 0), as Ce2CoSi3 has it.
Structure ordered_al_b2(double a, double c, double x) {
  Structure cell;
  cell.lattice = lattice_from_parameters({a, a, c}, {90, 90, 120});
  cell.z = {27, 27, 58, 58, 58, 58, 14, 14, 14, 14, 14, 14};
  cell.fractional = {{1.0 / 3, 2.0 / 3, 0}, {2.0 / 3, 1.0 / 3, 0}, {0.5, 0, 0.5},
                     {0, 0.5, 0.5},         {0.5, 0.5, 0.5},       {0, 0, 0.5},
                     {x, 2 * x, 0},         {-2 * x, -x, 0},       {x, -x, 0},
                     {-x, -2 * x, 0},       {2 * x, x, 0},         {-x, x, 0}};
  return cell;
}

TEST(Matcher, EndsWhereDistancesAreEqualButForRounding) {
  const Structure a = ordered_al_b2(8.2, 4.2, 0.166), b = ordered_al_b2(8.1, 4.15, 0.17);

  const Match found = match(a, b, {0.3, 0.5, 10});

  EXPECT_TRUE(found.same);
  EXPECT_LT(found.rms, 0.02);
}

// Made by tests/golden/make_match_golden.py.
TEST(Matcher, AgreesWithPymatgenOnPrototypes) {
  io::LineReader lines(test::golden("match_pairs.jsonl.gz"));
  int same = 0, different = 0;
  for (std::string line; lines.next(line);) {
    const auto pair = nlohmann::json::parse(line);
    const MatchCell a(structure_of(pair.at("a"))), b(structure_of(pair.at("b")));
    for (const auto& answer : pair.at("pymatgen")) {
      const auto tolerances = answer.at("tolerances").get<std::array<double, 3>>();
      SCOPED_TRACE(pair.at("name").get<std::string>() + ", ltol " + std::to_string(tolerances[0]));

      const Match found = match(a, b, {tolerances[0], tolerances[1], tolerances[2]});

      EXPECT_EQ(found.same, answer.at("fit").get<bool>());
      ++(found.same ? same : different);
      const auto& distances = answer.at("rms_dist");
      EXPECT_EQ(std::isnan(found.rms), distances.is_null());
      if (distances.is_null() || std::isnan(found.rms)) continue;
      EXPECT_NEAR(found.rms, distances.at(0).get<double>(), 1e-5);
    }
  }
  EXPECT_GT(same, 200);
  EXPECT_GT(different, 200);
}

}  // namespace
}  // namespace kronite
