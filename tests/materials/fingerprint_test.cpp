// Fingerprints of crystals: golden values of pymatgen, invariances, and what is refused; and their
// parts: the Voronoi cell, coordination numbers and order parameters.
#include "kronite/fingerprint.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <map>
#include <numeric>
#include <sstream>

#include "cases/sites_cases.hpp"
#include "io/csv.hpp"  // for CsvReader
#include "kernels/site_fingerprint.hpp"
#include "kronite/error.hpp"
#include "support/data.hpp"
#include "support/on_several_devices.hpp"
#include "support/site_workspace.hpp"

namespace kronite {
namespace {

using test::golden;
using test::halite;
using test::order_parameters_of;
using test::orthogonal;
using test::sites_cases;
using test::supercell;
using test::view_of;
using test::Workspace;

constexpr std::size_t kBodyCentred = 30;

/// Whether the cells close within half the first cutoff.
bool is_dense(const test::SitesCase& c) {
  return volume(c.structure.lattice) < 60 * static_cast<double>(c.structure.size());
}

struct CellTotals {
  double volume = 0, solid_angle = 0;
  int faces = 0;
};

CellTotals totals(const VoronoiCell& cell) {
  CellTotals sum;
  for (int p = 0; p < cell.planes; ++p) {
    const VoronoiFace face = face_of(cell, p, cell.next);
    sum.volume += face.area * cell.distance[p] / 3;
    sum.solid_angle += face.solid_angle;
    sum.faces += face.area > 1e-9;
  }
  return sum;
}

TEST(VoronoiCell, FacesFillTheSphereAndCellsFillTheCrystal) {
  for (const auto& c : sites_cases()) {
    SCOPED_TRACE(c.name);
    Workspace w;
    double filled = 0;
    for (std::size_t i = 0; i < c.structure.size(); ++i) {
      ASSERT_EQ(site::find_cell(view_of(c.structure), static_cast<std::int64_t>(i), w.work),
                SiteStatus::good);
      const CellTotals sum = totals(w.work.cell);
      EXPECT_NEAR(sum.solid_angle, 4 * kPi, 1e-9);
      filled += sum.volume;
    }
    // Cells that reach further than half the cutoff overlap, as the definition has it.
    if (is_dense(c)) {
      EXPECT_NEAR(filled, volume(c.structure.lattice), 1e-9 * filled);
    }
  }
}

TEST(VoronoiCell, IsTheTruncatedOctahedronOfABodyCentredLattice) {
  const Structure iron{orthogonal(2, 2, 2), {{0, 0, 0}, {0.5, 0.5, 0.5}}, {26, 26}};
  Workspace w;

  ASSERT_EQ(site::find_cell(view_of(iron), 0, w.work), SiteStatus::good);

  std::map<long, int> areas;  // in 1e-6 Å^2
  for (int p = kBoxPlanes; p < w.work.cell.planes; ++p) {
    const VoronoiFace face = face_of(w.work.cell, p, w.work.cell.next);
    if (face.area > 1e-9) ++areas[std::lround(face.area * 1e6)];
  }
  // Edge a sqrt(2) / 4: eight hexagons, six squares.
  EXPECT_EQ(areas, (std::map<long, int>{{500000, 6}, {1299038, 8}}));
}

TEST(VoronoiCell, StaysInOnePieceHoweverManyPlanesMeetInAPoint) {
  // A pencil of 200 planes through (0, 0, 1), after a prism around the axis.
  Workspace w;
  VoronoiCell& cell = w.work.cell;
  start_cell(cell);
  for (int i = 0; i < 12; ++i) {
    const double phi = 2 * kPi * i / 12;
    ASSERT_EQ(cut_cell(cell, {std::cos(phi), std::sin(phi), 0}, 3), Cut::made);
  }
  ASSERT_EQ(cut_cell(cell, {0, 0, -1}, 1), Cut::made);
  for (int i = 0; i < 200; ++i) {
    const double phi = 2.399963 * i, tilt = 0.2 + 0.003 * (i * 7 % 200);
    const Vec3 normal{std::sin(tilt) * std::cos(phi), std::sin(tilt) * std::sin(phi),
                      std::cos(tilt)};
    const Cut cut = cut_cell(cell, normal, normal.z);
    ASSERT_TRUE(cut == Cut::made || cut == Cut::none) << i;
  }

  EXPECT_TRUE(is_bounded(cell));
  EXPECT_NEAR(totals(cell).solid_angle, 4 * kPi, 1e-9);
}

TEST(VoronoiCell, FacesMayHaveHundredsOfCorners) {
  // A slim and a flat prism of many sides, from -1 to 1 along the axis.
  constexpr int kSides = 600;
  for (const double radius : {0.2, 50.}) {
    Workspace w({64, 1024, 4096});
    VoronoiCell& cell = w.work.cell;
    start_cell(cell);
    ASSERT_EQ(cut_cell(cell, {0, 0, 1}, 1), Cut::made);
    ASSERT_EQ(cut_cell(cell, {0, 0, -1}, 1), Cut::made);
    for (int i = 0; i < kSides; ++i) {
      const double phi = 2 * kPi * i / kSides;
      ASSERT_EQ(cut_cell(cell, {std::cos(phi), std::sin(phi), 0}, radius), Cut::made);
    }

    const VoronoiFace top = face_of(cell, kBoxPlanes, cell.next);

    EXPECT_NEAR(top.area, kSides * radius * radius * std::tan(kPi / kSides), 1e-9);
    // Of a disc; the polygon around it is larger by a share of (pi / sides)^2 / 3.
    const double disc = 2 * kPi * (1 - 1 / std::sqrt(1 + radius * radius));
    EXPECT_NEAR(top.solid_angle, disc, 1e-5 * disc);
    EXPECT_NEAR(totals(cell).solid_angle, 4 * kPi, 1e-9);
  }
}

TEST(VoronoiCell, SaysWhenThereIsNoRoom) {
  Workspace w({64, 8, 64});
  VoronoiCell& cell = w.work.cell;
  start_cell(cell);
  EXPECT_EQ(cut_cell(cell, {1, 0, 0}, 1), Cut::made);
  EXPECT_EQ(cut_cell(cell, {0, 1, 0}, 1), Cut::made);
  const int vertices = cell.vertices;

  EXPECT_EQ(cut_cell(cell, {0, 0, 1}, 1), Cut::no_room);

  EXPECT_EQ(cell.vertices, vertices);
}

TEST(OrderParameters, PolyhedraHaveTheValuesOfPymatgen) {
  std::map<std::string, std::vector<Vec3>> corners;
  std::map<std::string, std::vector<double>> expected;
  io::CsvReader reader(golden("op_polyhedra.csv"));
  int compared = 0;
  for (std::vector<std::string> cells; reader.next(cells);) {
    if (cells[0] == "#V") {
      std::istringstream vectors(cells[2]);
      for (std::string one; std::getline(vectors, one, ';');) {
        std::istringstream numbers(one);
        Vec3 v{};
        numbers >> v.x >> v.y >> v.z;
        corners[cells[1]].push_back(v);
      }
    } else if (corners.count(cells[0]) != 0) {
      expected[cells[0]].push_back(std::stod(cells[3]));
    }
  }
  for (const auto& [name, values] : expected) {
    SCOPED_TRACE(name);
    const auto actual = order_parameters_of(corners.at(name), true);
    ASSERT_EQ(actual.size(), values.size());
    for (std::size_t i = 0; i < values.size(); ++i, ++compared)
      EXPECT_NEAR(actual[i], values[i], 1e-7) << i;  // q_l is good to 1e-8 where it should be 0
  }
  EXPECT_EQ(compared, 106);
}

TEST(OrderParameters, OfEqualWeightsTheOrderDoesNotMatter) {
  // A cube pulled out of shape, whose corners come in other orders.
  std::vector<Vec3> cube{{1, 1, 1.1},  {1, 1.05, -1},  {1, -1, 1},    {1.1, -1, -1},
                         {-1, 1, 0.9}, {-1, 0.95, -1}, {-1, -1.1, 1}, {-1, -1, -1.2}};
  const auto first = order_parameters_of(cube, false);
  std::vector<std::vector<double>> ordered;
  for (int turn = 0; turn < 24; ++turn) {
    std::rotate(cube.begin(), cube.begin() + 1 + turn % 3, cube.end());
    std::swap(cube[turn % 8], cube[(5 * turn + 3) % 8]);
    const auto again = order_parameters_of(cube, false);
    for (std::size_t i = 0; i < first.size(); ++i) EXPECT_NEAR(again[i], first[i], 1e-12) << i;
    ordered.push_back(order_parameters_of(cube, true));
  }

  // Where the weights differ, it does.
  EXPECT_TRUE(std::any_of(ordered.begin(), ordered.end(), [&](const auto& values) {
    return std::abs(values[0] - ordered.front()[0]) > 1e-6;
  }));
}

double worst(const Fingerprint& a, const Fingerprint& b) {
  double most = 0;
  for (std::size_t f = 0; f < a.size(); ++f) most = std::max(most, std::abs(a[f] - b[f]));
  return most;
}

TEST(Fingerprint, DoesNotDependOnCellOrientationOrScale) {
  for (const auto& c : sites_cases()) {
    if (c.name.find("general") != std::string::npos) continue;
    SCOPED_TRACE(c.name);
    const Fingerprint expected = fingerprint(c.structure);

    Structure turned = c.structure;  // about (1, 1, 1) by 120 degrees, and a mirror
    for (Vector3& row : turned.lattice) row = {row[1], row[2], -row[0]};
    Structure shifted = c.structure;
    for (Vector3& x : shifted.fractional) x = {x[0] + 0.31, x[1] - 0.77, x[2] + 4.13};
    Structure other_cell = c.structure;  // c + a instead of c
    for (int k = 0; k < 3; ++k) other_cell.lattice[2][k] += other_cell.lattice[0][k];
    for (Vector3& x : other_cell.fractional) x[0] -= x[2];
    Structure smaller = c.structure;
    for (Vector3& row : smaller.lattice) row = {0.8 * row[0], 0.8 * row[1], 0.8 * row[2]};

    // Rounding, times the slope of the order parameters; q_l is good to 1e-8.
    EXPECT_LE(worst(fingerprint(turned), expected), 1e-7);
    EXPECT_LE(worst(fingerprint(shifted), expected), 1e-7);
    // The largest cutoff is that of the cell, and a cutoff has a length, so only where the first
    // cutoff is enough.
    if (is_dense(c)) {
      EXPECT_LE(worst(fingerprint(other_cell), expected), 1e-7);
      EXPECT_LE(worst(fingerprint(smaller), expected), 1e-7);
    }
  }
}

TEST(Fingerprint, OfASupercellIsThatOfTheCell) {
  EXPECT_LE(worst(fingerprint(supercell(halite(), 2, 2, 3)), fingerprint(halite())), 1e-7);
}

TEST(Fingerprint, OneSiteOfEachOrbitIsEnough) {
  const Structure cell = conventional_cell(halite());
  const Symmetry symmetry = find_symmetry(cell);

  EXPECT_LE(worst(fingerprint(cell, symmetry.equivalent), fingerprint(cell)), 1e-12);
}

TEST(Fingerprint, RefusesOrbitsThatAreNone) {
  for (const std::vector<int>& orbits : std::vector<std::vector<int>>{{0}, {0, 2}, {1, 0}, {0, -1}})
    EXPECT_THROW(fingerprint(halite(), orbits), Error);
}

TEST(Fingerprint, BatchesReportWhatCannotBeComputedAndKeepTheRest) {
  Structure twins = halite();
  twins.fractional[1] = {0.001, 0, 0};
  Structure lost = halite();
  lost.fractional[0][1] = std::numeric_limits<double>::quiet_NaN();
  const std::vector<Structure> all{halite(), twins, lost, test::triclinic()};
  std::vector<double> out(4 * kFingerprintSize, 7);
  Device device = Device::cpu();

  const auto failures = fingerprints(device, all, {out.data(), 4, kFingerprintSize});

  ASSERT_EQ(failures.size(), 2U);
  EXPECT_EQ(failures[0].structure, 1);
  EXPECT_NE(failures[0].why.find("apart"), std::string::npos) << failures[0].why;
  EXPECT_EQ(failures[1].structure, 2);
  const Fingerprint first = fingerprint(all[0]), last = fingerprint(all[3]);
  EXPECT_TRUE(std::equal(first.begin(), first.end(), out.begin()));
  EXPECT_TRUE(std::all_of(out.begin() + kFingerprintSize, out.begin() + 3 * kFingerprintSize,
                          [](double v) { return std::isnan(v); }));
  EXPECT_TRUE(std::equal(last.begin(), last.end(), out.begin() + 3 * kFingerprintSize));
}

TEST(Fingerprint, StopsWhenTold) {
  std::vector<double> out(kFingerprintSize);
  Device device = Device::cpu();

  EXPECT_THROW(fingerprints(device, {halite()}, {out.data(), 1, kFingerprintSize},
                            [](long long, long long) { return false; }),
               Error);
}

class FingerprintOnSeveral : public test::OnSeveralDevices {};
KRONITE_ON_SEVERAL_DEVICES(FingerprintOnSeveral);

TEST_P(FingerprintOnSeveral, AreThoseOfOne) {
  std::vector<Structure> all;
  std::size_t sites = 0;
  while (sites < 6000) {  // some batches for each device
    const int n = 1 + static_cast<int>(all.size() % 4);
    all.push_back(supercell(all.size() % 3 == 0 ? test::triclinic() : test::perovskite(), n, 1, 2));
    if (all.size() % 50 == 7) all.back().fractional[1] = all.back().fractional[0];
    sites += all.back().size();
  }
  const auto crystals = std::ssize(all), rows = static_cast<std::int64_t>(sites);
  const auto bits = [](const std::vector<double>& values) {  // a NaN is equal to none
    std::vector<std::uint64_t> all_bits(values.size());
    std::memcpy(all_bits.data(), values.data(), 8 * values.size());
    return all_bits;
  };
  std::vector<double> by_one(all.size() * kFingerprintSize), by_all(by_one.size());
  std::vector<double> sites_by_one(sites * kSiteFeatures), sites_by_all(sites_by_one.size());
  long long told = 0;
  const Progress progress = [&](long long done, long long total) {
    EXPECT_EQ(total, crystals);
    EXPECT_GE(done, told);
    told = done;
    return true;
  };

  const auto failed = fingerprints(one, all, {by_one.data(), crystals, kFingerprintSize});
  const auto failed_too =
      fingerprints(devices, all, {by_all.data(), crystals, kFingerprintSize}, progress);
  site_fingerprints(one, all, {sites_by_one.data(), rows, kSiteFeatures});
  site_fingerprints(devices, all, {sites_by_all.data(), rows, kSiteFeatures});

  EXPECT_EQ(bits(by_all), bits(by_one));
  EXPECT_EQ(bits(sites_by_all), bits(sites_by_one));
  EXPECT_EQ(told, crystals);
  ASSERT_GT(failed.size(), 3U);
  ASSERT_EQ(failed_too.size(), failed.size());
  for (std::size_t i = 0; i < failed.size(); ++i) {
    EXPECT_EQ(failed_too[i].structure, failed[i].structure);
    EXPECT_EQ(failed_too[i].why, failed[i].why);
  }
}

TEST(Fingerprint, NamesAreThoseOfTheGoldenFile) {
  io::CsvReader reader(golden("site_fp_prototypes.csv"));
  std::vector<std::string> labels;
  while (reader.next(labels) && labels[0] != "LABELS") continue;
  labels.erase(labels.begin());

  EXPECT_EQ(site_feature_names(), labels);
  EXPECT_EQ(fingerprint_names().size(), static_cast<std::size_t>(kFingerprintSize));
  EXPECT_EQ(fingerprint_names()[4 * 14 + 1], "std_dev tetrahedral CN_4");
}

TEST(Dissimilarity, IsTheEuclideanDistance) {
  Fingerprint a{}, b{};
  a[3] = 3;
  b[200] = -4;

  EXPECT_DOUBLE_EQ(dissimilarity(a, b), 5);
  EXPECT_EQ(dissimilarity(a, a), 0);
}

TEST(Fingerprint, CrystalsOfTheMaterialsProjectHaveTheValuesOfMatminer) {
  const std::string source = test::shared_data("structures/mp_stable.jsonl.gz");
  KRONITE_NEEDS_DATA(source);
  // Knife edges. mp-4738 (PrScGe): neighbours of an 8-fold site stand exactly on the equator, where
  // a term of the bcc order parameter changes its sign; the reference takes the sign of a rounding
  // error, kronite the mean.
  const std::map<std::string, double> knife_edges{{"mp-4738", 0.02}};
  std::map<std::string, std::vector<double>> expected;
  io::CsvReader reader(golden("mp_structure_fingerprints.csv.gz"));
  std::vector<std::string> cells;
  reader.next(cells);
  while (reader.next(cells)) {
    std::vector<double> values;
    for (std::size_t i = 2; i < cells.size(); ++i) values.push_back(std::stod(cells[i]));
    expected[cells[0]] = std::move(values);
  }
  ASSERT_EQ(expected.size(), 240U);

  int compared = 0;
  read_structures(source,
                  [&](StructureRecord&& record) {
                    const auto at = expected.find(record.id);
                    if (at == expected.end()) return true;
                    SCOPED_TRACE(record.id);
                    const Fingerprint actual = fingerprint(record.structure);
                    const auto edge = knife_edges.find(record.id);
                    for (std::size_t f = 0; f < actual.size(); ++f) {
                      const double tolerance = f / 4 != kBodyCentred       ? 1e-6
                                               : edge != knife_edges.end() ? edge->second
                                                                           : 5e-3;
                      EXPECT_NEAR(actual[f], at->second[f], tolerance) << fingerprint_names()[f];
                    }
                    return ++compared < 240;
                  },
                  {});

  EXPECT_EQ(compared, 240);
}

}  // namespace
}  // namespace kronite
