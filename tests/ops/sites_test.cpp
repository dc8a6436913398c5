// Site fingerprints of every device: against the golden values of pymatgen, against each other, and
// statistics against plain sums.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "cases/sites_cases.hpp"
#include "device/backend.hpp"  // for SiteOps
#include "io/csv.hpp"          // for CsvReader
#include "kernels/site_fingerprint.hpp"
#include "kronite/array.hpp"
#include "kronite/fingerprint.hpp"
#include "support/data.hpp"
#include "support/near.hpp"
#include "support/on_each_device.hpp"

namespace kronite::test {
namespace {

/// Place of "body-centered cubic CN_8" among the 61 values. The reference leaves the order of
/// neighbours of equal weight to Qhull, and this value depends on it.
constexpr std::size_t kBodyCentred = 30;

struct Result {
  std::vector<double> values;
  std::vector<std::int32_t> status;
};

/// All sites of the given crystals in one batch.
Result fingerprints_of(Device& device, const std::vector<Structure>& crystals) {
  std::vector<double> lattice, fractional;
  std::vector<std::int64_t> first{0}, sites;
  for (const Structure& s : crystals) {
    for (const Vector3& row : s.lattice) lattice.insert(lattice.end(), row.begin(), row.end());
    for (const Vector3& x : s.fractional) fractional.insert(fractional.end(), x.begin(), x.end());
    first.push_back(first.back() + static_cast<std::int64_t>(s.size()));
  }
  for (std::int64_t n = 0; n < first.back(); ++n) sites.push_back(n);
  const auto m = static_cast<std::int64_t>(crystals.size()), n = first.back();
  const Array<double> l(device, lattice, m, 9), f(device, fractional, n, 3);
  const Array<std::int64_t> b(device, first, m + 1, 1), s(device, sites, n, 1);
  Array<double> values(device, n, kSiteFeatures);
  Array<std::int32_t> status(device, n, 1);
  device.backend().sites().site_fingerprints({l.view(), f.view(), b.vector()}, s.vector(),
                                             values.view(), status.vector());
  return {values.to_host(), status.to_host()};
}

class Sites : public OnEachDevice {};
KRONITE_ON_EACH_DEVICE(Sites);

std::vector<double> numbers(const std::vector<std::string>& cells, std::size_t from) {
  std::vector<double> values;
  for (std::size_t i = from; i < cells.size(); ++i) values.push_back(std::stod(cells[i]));
  return values;
}

struct Prototype {
  std::string name;
  Structure structure;
  std::vector<std::vector<double>> sites;
};

/// Rows P (name, lattice), A (species, coordinates) and F (site, 61 values).
std::vector<Prototype> prototypes() {
  std::vector<Prototype> all;
  io::CsvReader reader(golden("site_fp_prototypes.csv"));
  for (std::vector<std::string> cells; reader.next(cells);) {
    if (cells[0] == "P") {
      all.push_back({cells[1], {}, {}});
      std::istringstream lattice(cells[2]);
      for (Vector3& row : all.back().structure.lattice)
        for (double& value : row) lattice >> value;
    } else if (cells[0] == "A") {
      all.back().structure.fractional.push_back(
          {std::stod(cells[2]), std::stod(cells[3]), std::stod(cells[4])});
      all.back().structure.z.push_back(1);  // species play no part
    } else if (cells[0] == "F") {
      all.back().sites.push_back(numbers(cells, 2));
    }
  }
  return all;
}

TEST_P(Sites, PrototypesHaveTheValuesOfPymatgen) {
  const auto all = prototypes();
  ASSERT_EQ(all.size(), 15U);
  for (const Prototype& p : all) {
    SCOPED_TRACE(p.name);
    const Result result = fingerprints_of(device, {p.structure});
    ASSERT_EQ(result.values.size(), p.sites.size() * kSiteFeatures);
    for (std::size_t i = 0; i < p.sites.size(); ++i)
      for (std::size_t f = 0; f < kSiteFeatures; ++f)
        // Twelve digits are stored; q_l is good to 1e-8 where it should be 0.
        EXPECT_NEAR(result.values[i * kSiteFeatures + f], p.sites[i][f],
                    f == kBodyCentred ? 5e-3 : 1e-6)
            << "site " << i << ", " << site_feature_names()[f];
  }
}

TEST_P(Sites, DevicesAgree) {
  std::vector<Structure> crystals;
  for (const SitesCase& c : sites_cases()) crystals.push_back(c.structure);
  Device cpu = Device::cpu();

  const Result here = fingerprints_of(device, crystals), there = fingerprints_of(cpu, crystals);

  EXPECT_EQ(here.status, there.status);
  // The same arithmetic; acos, exp and atan2 may differ in the last bits.
  for (std::size_t i = 0; i < here.values.size(); ++i)
    EXPECT_NEAR(here.values[i], there.values[i], 1e-9) << i;
}

TEST_P(Sites, OneBatchGivesWhatSingleCrystalsGive) {
  std::vector<Structure> crystals;
  std::vector<double> alone;
  for (const SitesCase& c : sites_cases()) {
    crystals.push_back(c.structure);
    const Result result = fingerprints_of(device, {c.structure});
    for (const std::int32_t status : result.status)
      EXPECT_EQ(static_cast<SiteStatus>(status), SiteStatus::good) << c.name;
    alone.insert(alone.end(), result.values.begin(), result.values.end());
  }

  EXPECT_EQ(fingerprints_of(device, crystals).values, alone);
}

TEST_P(Sites, ProbabilitiesOfAllCoordinationNumbersAreAtMostOne) {
  for (const SitesCase& c : sites_cases()) {
    SCOPED_TRACE(c.name);
    const Result result = fingerprints_of(device, {c.structure});
    for (std::size_t i = 0; i < c.structure.size(); ++i) {
      double sum = 0;
      for (std::size_t f = 0; f < kSiteFeatures; ++f) {
        const double value = result.values[i * kSiteFeatures + f];
        ASSERT_TRUE(std::isfinite(value)) << site_feature_names()[f];
        if (site_feature_names()[f].rfind("wt ", 0) == 0) sum += value;
      }
      EXPECT_GT(sum, 0);
      EXPECT_LE(sum, 1 + 1e-12);  // what is missing belongs to numbers above 24
    }
  }
}

TEST_P(Sites, StatisticsAreThoseOfTheRowsCountedOut) {
  // Three crystals of 2, 3 and 1 rows; the first row of the second counts four times.
  HostMatrix<double> values(6, 5);
  values.fill([](std::int64_t i, std::int64_t j) {
    return j == 4 ? 0.3 : random_value(3, static_cast<std::uint64_t>(5 * i + j));
  });
  const std::vector<double> count{1, 1, 4, 1, 2, 3};
  const std::vector<std::int64_t> first{0, 2, 5, 6};
  const Array<double> v(device, values.values, 6, 5), n(device, count, 6, 1);
  const Array<std::int64_t> b(device, first, 4, 1);
  Array<double> out(device, 3, 20);

  device.backend().sites().site_statistics(v.view(), n.vector(), b.vector(), out.view());

  const auto actual = out.to_host();
  for (std::size_t i = 0; i < 3; ++i)
    for (std::int64_t j = 0; j < 5; ++j) {
      std::vector<double> all;
      for (std::int64_t r = first[i]; r < first[i + 1]; ++r)
        all.insert(all.end(), static_cast<std::size_t>(count[r]), values.at(r, j));
      double mean = 0, variance = 0;
      for (const double x : all) mean += x / static_cast<double>(all.size());
      for (const double x : all)
        variance += (x - mean) * (x - mean) / static_cast<double>(all.size());
      const double* four = &actual[i * 20 + 4 * j];
      EXPECT_NEAR(four[0], mean, 1e-15);
      // A square root of a sum of squares around 1e-32.
      EXPECT_NEAR(four[1], std::sqrt(variance), 1e-15);
      EXPECT_EQ(four[2], *std::min_element(all.begin(), all.end()));
      EXPECT_EQ(four[3], *std::max_element(all.begin(), all.end()));
    }
  EXPECT_EQ(actual[17], 0);  // equal values have no spread, not a rounding error's
}

TEST_P(Sites, NoSitesAreNoWork) {
  const Result result = fingerprints_of(device, {});

  EXPECT_TRUE(result.values.empty());
}

}  // namespace
}  // namespace kronite::test
