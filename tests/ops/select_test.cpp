// Selection and grouping of every device against plain sorting.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "cases/select_cases.hpp"
#include "device/backend.hpp"  // for select
#include "support/near.hpp"
#include "support/on_each_device.hpp"
#include "support/oracle.hpp"

namespace kronite::test {
namespace {

class Select : public OnEachDevice {};
KRONITE_ON_EACH_DEVICE(Select);

TEST_P(Select, TopKRowsAreTheBeginningOfTheSortedRow) {
  in_each_precision([&](auto zero) {
    using T = decltype(zero);
    for (const TopKCase& c : top_k_cases()) {
      SCOPED_TRACE(c.name);
      const auto scores = top_k_scores<T>(c);
      DeviceMatrix<T> ds(device, scores), values(device, HostMatrix<T>(c.n, c.k, c.pad));
      DeviceMatrix<std::int32_t> indices(device, HostMatrix<std::int32_t>(c.n, c.k, c.pad));

      kronite::select<T>(device).top_k_rows(ds.view(), c.largest, values.view(), indices.view());

      oracle::Matrix best(c.n, c.k), places(c.n, c.k);
      for (std::int64_t i = 0; i < c.n; ++i) {
        std::vector<T> row;
        for (std::int64_t j = 0; j < c.m; ++j) row.push_back(scores.at(i, j));
        const auto order = oracle::ranking(row, c.largest);
        for (std::int64_t j = 0; j < c.k; ++j) {
          places.at(i, j) = order[static_cast<std::size_t>(j)];
          best.at(i, j) = static_cast<double>(scores.at(i, order[static_cast<std::size_t>(j)]));
        }
      }
      EXPECT_TRUE(near(indices.to_host(), places, {}));  // nothing is rounded
      EXPECT_TRUE(near(values.to_host(), best, {}));
    }
  });
}

TEST_P(Select, TopKTakesZerosOfBothSignsForEqual) {
  HostMatrix<float> scores(1, 4);
  scores.values = {-0.0F, 0.0F, -0.0F, 0.0F};
  DeviceMatrix<float> ds(device, scores), values(device, HostMatrix<float>(1, 4));
  DeviceMatrix<std::int32_t> indices(device, HostMatrix<std::int32_t>(1, 4));

  kronite::select<float>(device).top_k_rows(ds.view(), Largest::yes, values.view(), indices.view());

  EXPECT_EQ(indices.to_host().values, (std::vector<std::int32_t>{0, 1, 2, 3}));
}

TEST_P(Select, GroupsAreAscendingAndKeepTheOrderInside) {
  for (const GroupCase& c : group_cases()) {
    SCOPED_TRACE(c.name);
    const auto n = static_cast<std::int64_t>(c.keys.size());
    const std::vector<std::int64_t> untouched(c.keys.size() + 1, -5);
    Array<std::int64_t> keys(device, c.keys, n, 1), begin(device, untouched, n + 1, 1);
    Array<std::int32_t> order(device, n, 1);

    const std::int64_t groups =
        device.backend().group().group_by_key(keys.vector(), order.vector(), begin.vector());

    std::vector<std::int32_t> expected_order(c.keys.size());
    std::iota(expected_order.begin(), expected_order.end(), 0);
    const auto key = [&](std::int32_t i) { return c.keys[static_cast<std::size_t>(i)]; };
    std::stable_sort(expected_order.begin(), expected_order.end(),
                     [&](std::int32_t i, std::int32_t j) { return key(i) < key(j); });
    std::vector<std::int64_t> expected_begin;
    for (std::size_t i = 0; i < expected_order.size(); ++i)
      if (i == 0 || key(expected_order[i]) != key(expected_order[i - 1]))
        expected_begin.push_back(static_cast<std::int64_t>(i));
    EXPECT_EQ(groups, static_cast<std::int64_t>(expected_begin.size()));
    expected_begin.push_back(n);
    expected_begin.resize(c.keys.size() + 1, -5);
    EXPECT_EQ(order.to_host(), expected_order);
    EXPECT_EQ(begin.to_host(), expected_begin);
  }
}

}  // namespace
}  // namespace kronite::test
