// Nearest neighbours against the comparison of all pairs.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "device/backend.hpp"   // for Backend
#include "kernels/ranking.hpp"  // for Ranked, ranks_before
#include "kronite/error.hpp"    // for Error
#include "kronite/kmd_search.hpp"
#include "support/matrix.hpp"          // for random_matrix
#include "support/on_each_device.hpp"  // for OnEachDevice

namespace kronite::kmd {
namespace {

using test::HostMatrix;

class KmdSearch : public test::OnEachDevice {};
KRONITE_ON_EACH_DEVICE(KmdSearch);

std::vector<Ranked<double>> by_all_pairs(const HostMatrix<double>& x, std::int64_t i,
                                         const HostMatrix<double>& y, bool self) {
  std::vector<Ranked<double>> all;
  for (std::int64_t j = 0; j < y.rows; ++j) {
    if (self && j == i) continue;
    double sum = 0;
    for (std::int64_t k = 0; k < y.cols; ++k)
      sum += (x.at(i, k) - y.at(j, k)) * (x.at(i, k) - y.at(j, k));
    all.push_back({std::sqrt(sum), static_cast<std::int32_t>(j)});
  }
  std::sort(all.begin(), all.end(), ranks_before<false, double>);
  return all;
}

void expect_all_pairs(const Neighbours& found, const HostMatrix<double>& x,
                      const HostMatrix<double>& y, const SearchOptions& options) {
  const std::int64_t others = y.rows - (options.self ? 1 : 0);
  ASSERT_EQ(found.k, std::min(options.top, others));
  ASSERT_EQ(std::ssize(found.index), x.rows * found.k);
  for (std::int64_t i = 0; i < x.rows; ++i) {
    const auto expected = by_all_pairs(x, i, y, options.self);
    for (std::int64_t j = 0; j < found.k; ++j) {
      const auto at = static_cast<std::size_t>(i * found.k + j);
      ASSERT_EQ(found.index[at], expected[j].index) << "query " << i << ", rank " << j;
      // Sums of the same squares in another order.
      ASSERT_NEAR(found.distance[at], expected[j].value, 1e-13 * (1 + expected[j].value));
    }
  }
}

TEST_P(KmdSearch, FindsWhatComparingAllPairsFinds) {
  for (const std::int64_t d : {1, 3, 40})
    for (const std::int64_t n : {1, 2, 5, 100, 1500})
      for (const std::int64_t top : {1, 4, 200}) {
        SCOPED_TRACE(testing::Message() << n << " x " << d << ", top " << top);
        const auto x = test::random_matrix<double>(1, 30, d, 2),
                   y = test::random_matrix<double>(2, n, d);
        SearchOptions options;
        options.top = top;
        expect_all_pairs(nearest(device, x.view(), y.view(), options), x, y, options);
      }
}

TEST_P(KmdSearch, ARowIsNoNeighbourOfItself) {
  const auto x = test::random_matrix<double>(3, 300, 17);
  SearchOptions options;
  options.top = 7;
  options.self = true;

  const Neighbours found = nearest(device, x.view(), x.view(), options);

  expect_all_pairs(found, x, x, options);
}

TEST_P(KmdSearch, EqualDistancesComeInOrderOfIndex) {
  // Four different rows, each 100 times: more at one distance than there are candidates.
  HostMatrix<double> x = test::random_matrix<double>(4, 4, 6);
  HostMatrix<double> y(400, 6);
  y.fill([&](std::int64_t i, std::int64_t k) { return x.at(i % 4, k); });
  SearchOptions options;
  options.top = 50;

  const Neighbours found = nearest(device, x.view(), y.view(), options);

  EXPECT_EQ(found.scanned, 4);
  for (std::int64_t i = 0; i < 4; ++i)
    for (std::int64_t j = 0; j < 50; ++j) {
      EXPECT_EQ(found.index[i * 50 + j], 4 * j + i);
      EXPECT_EQ(found.distance[i * 50 + j], 0);
    }
}

TEST_P(KmdSearch, TellsApartWhatSinglePrecisionCannot) {
  // Rows that differ by 1e-7 of their length, and by 1e-12 of it.
  for (const double step : {1e-7, 1e-12}) {
    SCOPED_TRACE(step);
    HostMatrix<double> y(200, 9);
    y.fill([&](std::int64_t i, std::int64_t k) {
      return (i < 100 ? 1 : -1) * static_cast<double>(3 + k) +
             step * test::random_value(5, i * 9 + k);
    });
    HostMatrix<double> x(5, 9);
    x.fill([&](std::int64_t i, std::int64_t k) { return y.at(37 * i, k); });
    SearchOptions options;

    const Neighbours found = nearest(device, x.view(), y.view(), options);

    EXPECT_EQ(found.in_double, 5);
    expect_all_pairs(found, x, y, options);
  }
}

TEST_P(KmdSearch, FitsTheMemoryLimit) {
  DeviceOptions little;
  little.memory_limit = 100'000;  // the scores alone would take 480,000 bytes
  const auto x = test::random_matrix<double>(6, 200, 11),
             y = test::random_matrix<double>(7, 600, 11);
  Device small = device.place().kind == DeviceKind::cpu
                     ? Device::cpu(little)
                     : Device::cuda(device.place().id, nullptr, little);
  SearchOptions options;
  long long last = 0;
  int calls = 0;
  options.progress = [&](long long done, long long total) {
    EXPECT_GE(done, last);
    EXPECT_EQ(total, 200 * 600);
    last = done;
    ++calls;
    return true;
  };

  const Neighbours found = nearest(small, x.view(), y.view(), options);

  EXPECT_GT(calls, 5);
  EXPECT_EQ(last, 200 * 600);
  expect_all_pairs(found, x, y, options);
}

TEST_P(KmdSearch, StopsWhenAsked) {
  const auto x = test::random_matrix<double>(6, 20, 3);
  SearchOptions options;
  options.progress = [](long long, long long) { return false; };
  try {
    nearest(device, x.view(), x.view(), options);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::cancelled);
  }
}

TEST_P(KmdSearch, RefusesWhatDoesNotFit) {
  const auto x = test::random_matrix<double>(6, 20, 3),
             other = test::random_matrix<double>(6, 19, 3);
  const auto wide = test::random_matrix<double>(6, 20, 4);
  auto bad = x;
  bad.at(7, 1) = std::numeric_limits<double>::quiet_NaN();
  SearchOptions options;

  EXPECT_THROW(nearest(device, x.view(), wide.view(), options), Error);
  EXPECT_THROW(nearest(device, bad.view(), x.view(), options), Error);
  EXPECT_THROW(nearest(device, x.view(), bad.view(), options), Error);
  options.self = true;
  EXPECT_THROW(nearest(device, x.view(), other.view(), options), Error);
  options = {};
  options.top = 0;
  EXPECT_THROW(nearest(device, x.view(), x.view(), options), Error);
}

}  // namespace
}  // namespace kronite::kmd
