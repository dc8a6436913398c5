// Lattices, what check_structure() refuses, and the search for close sites against plain loops.
#include "kronite/structure.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "kronite/error.hpp"
#include "materials/lattice.hpp"
#include "materials/site_grid.hpp"
#include "support/crystals.hpp"

namespace kronite {
namespace {

using test::halite;
using test::holds;
using test::supercell;
using test::triclinic;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::string refusal(const Structure& structure) {
  try {
    check_structure(structure);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::invalid_argument);
    return e.what();
  }
  return {};
}

TEST(Lattice, ParametersComeBack) {
  const Vector3 length = {4.1, 5.3, 6.7}, angle = {81, 97, 103};

  const Lattice lattice = lattice_from_parameters(length, angle);

  for (int k = 0; k < 3; ++k) {
    // Rounding of a few operations on numbers of order 100.
    EXPECT_NEAR(lengths(lattice)[k], length[k], 1e-13);
    EXPECT_NEAR(angles(lattice)[k], angle[k], 1e-12);
  }
  EXPECT_EQ(lattice[0][1], 0);
  EXPECT_EQ(lattice[0][2], 0);
  EXPECT_EQ(lattice[1][2], 0);
}

TEST(Lattice, RightAnglesGiveExactZeros) {
  const Lattice lattice = lattice_from_parameters({3, 4, 5}, {90, 90, 90});

  EXPECT_EQ(lattice, (Lattice{{{3, 0, 0}, {0, 4, 0}, {0, 0, 5}}}));
  EXPECT_EQ(volume(lattice), 60);
}

TEST(Lattice, RefusesNumbersThatNoCellHas) {
  EXPECT_THROW(lattice_from_parameters({0, 1, 1}, {90, 90, 90}), Error);
  EXPECT_THROW(lattice_from_parameters({1, kNan, 1}, {90, 90, 90}), Error);
  EXPECT_THROW(lattice_from_parameters({1, 1, 1}, {90, 180, 90}), Error);
  EXPECT_THROW(lattice_from_parameters({1, 1, 1}, {30, 30, 90}), Error);
}

TEST(Lattice, LeftHandedVectorsHaveAPositiveVolume) {
  const Lattice lattice = {{{0, 2, 0}, {3, 0, 0}, {0, 0, 4}}};

  EXPECT_EQ(volume(lattice), 24);
}

TEST(Lattice, FractionalUndoesCartesian) {
  const Lattice lattice = triclinic().lattice;
  const Vector3 x = {0.3, -1.7, 2.25};

  const Vector3 back = fractional(reciprocal(lattice), cartesian(lattice, x));

  for (int k = 0; k < 3; ++k) EXPECT_NEAR(back[k], x[k], 1e-14);
}

TEST(Lattice, WrapStaysBelowOne) {
  EXPECT_EQ(wrap(0.25), 0.25);
  EXPECT_EQ(wrap(-0.25), 0.75);
  EXPECT_EQ(wrap(3), 0);
  EXPECT_EQ(wrap(-1e-17), 0);  // 1 - 1e-17 rounds to 1
}

TEST(Structure, CountsItsAtoms) {
  const Structure cells = supercell(halite(), 2, 1, 1);

  EXPECT_EQ(cells.composition().reduced_formula(), "NaCl");
  EXPECT_EQ(cells.composition().total(), 4);
}

TEST(CheckStructure, AcceptsCrystals) {
  EXPECT_EQ(refusal(halite()), "");
  EXPECT_EQ(refusal(triclinic()), "");
}

TEST(CheckStructure, AcceptsVerySkewedCellsOfSoundCrystals) {
  Structure skewed = halite();
  for (int k = 0; k < 3; ++k) skewed.lattice[2][k] += 7 * skewed.lattice[0][k];
  // The same crystal: z counts seven more cells along a.
  for (Vector3& x : skewed.fractional) x[0] -= 7 * x[2];

  EXPECT_EQ(refusal(skewed), "");
}

TEST(CheckStructure, RefusesNumbersThatAreNotFinite) {
  for (const double bad : {kNan, kInfinity, -kInfinity}) {
    Structure site = halite(), cell = halite();
    site.fractional[1][2] = bad;
    cell.lattice[1][1] = bad;

    EXPECT_TRUE(holds(refusal(site), "site 2 (Cl): a coordinate is not a finite number"));
    EXPECT_TRUE(holds(refusal(cell), "lattice vector holds a number that is not finite"));
  }
}

TEST(CheckStructure, RefusesEmptyAndHugeAndFlatCells) {
  Structure empty = halite(), flat = halite(), huge = halite(), thin = halite(), far = halite();
  empty.fractional.clear();
  empty.z.clear();
  flat.lattice[2] = flat.lattice[0];
  huge.lattice = {{{1e200, 0, 0}, {0, 1e200, 0}, {0, 0, 1e200}}};
  thin.lattice = {{{1e6, 0, 0}, {0, 1e6, 0}, {0, 0, 1e-6}}};
  far.fractional[0][0] = 1e300;

  EXPECT_TRUE(holds(refusal(empty), "no sites"));
  EXPECT_TRUE(holds(refusal(flat), "volume is 0"));
  EXPECT_TRUE(holds(refusal(huge), "too large"));
  EXPECT_TRUE(holds(refusal(thin), "too thin"));
  EXPECT_TRUE(holds(refusal(far), "beyond 1e+06 cells"));
}

TEST(CheckStructure, RefusesListsThatDoNotMatch) {
  Structure missing = halite(), unknown = halite();
  missing.z.pop_back();
  unknown.z[0] = 0;

  EXPECT_TRUE(holds(refusal(missing), "2 positions but 1 elements"));
  EXPECT_TRUE(holds(refusal(unknown), "site 1: 0 is not an atomic number"));
}

TEST(CheckStructure, RefusesSitesCloserThanATenthOfAnAngstrom) {
  Structure close = halite();
  close.fractional[1] = {0.999, 0.001, 1.0};  // beside the image of site 1 in another cell

  EXPECT_TRUE(holds(refusal(close), "sites 1 (Na) and 2 (Cl) are"));
  EXPECT_TRUE(holds(refusal(close), "Å apart"));
}

TEST(CheckStructure, RefusesACellShorterThanATenthOfAnAngstrom) {
  Structure chain = halite();
  chain.lattice = {{{0.05, 0, 0}, {0, 5, 0}, {0, 0, 5}}};

  EXPECT_TRUE(holds(refusal(chain), "a lattice vector is 0.05 Å long"));
}

TEST(CheckStructure, TakesTimeInProportionToTheSites) {
  // 32,000 and 108,000 sites: pair by pair the second would be 6 billion distances, minutes of
  // work.
  const Structure large = supercell(halite(), 30, 30, 60);

  EXPECT_EQ(refusal(large), "");
}

TEST(SiteGrid, FindsWhatAllPairsFind) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> uniform(-2, 2);
  const Lattice cells[] = {halite().lattice, triclinic().lattice,
                           lattice_from_parameters({9, 0.7, 30}, {60, 100, 110})};
  constexpr double kReach = 0.6;
  for (const Lattice& lattice : cells) {
    SiteGrid grid(lattice, kReach);
    std::vector<Vector3> sites;
    int found = 0;
    for (int i = 0; i < 300; ++i) {
      const Vector3 x = {uniform(random), uniform(random), uniform(random)};
      double least = kInfinity;
      for (const Vector3& y : sites) least = std::min(least, test::distance(lattice, x, y));

      const auto hit = grid.find(x);

      ASSERT_EQ(hit.has_value(), least < kReach);
      if (hit) {
        ++found;
        EXPECT_LT(hit->distance, kReach);
        EXPECT_NEAR(norm(cartesian(lattice, hit->offset)), hit->distance, 1e-12);
        // The offset leads to an image of the site.
        for (int k = 0; k < 3; ++k) {
          const double cells_apart = x[k] + hit->offset[k] - sites[hit->site][k];
          EXPECT_NEAR(cells_apart, std::round(cells_apart), 1e-12);
        }
      }
      grid.insert(x);
      sites.push_back(x);
    }
    EXPECT_GT(found, 0);
    EXPECT_LT(found, 300);
  }
}

}  // namespace
}  // namespace kronite
