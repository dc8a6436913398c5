// Cases of selection and grouping, for tests and benches.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "device/ops.hpp"      // for Largest
#include "support/matrix.hpp"  // for HostMatrix, random_value

namespace kronite::test {

enum class Values {
  random,
  few,
  equal,
  ascending,
  descending,
  some_nan,
  nan_first,
  all_nan,
  infinite
};

/// The k best of each of n rows of m values.
struct TopKCase {
  std::string name;
  std::int64_t n, m, k;
  Values values = Values::random;
  Largest largest = Largest::yes;
  std::int64_t pad = 0;
};

inline std::vector<TopKCase> top_k_cases() {
  return {
      {"no rows", 0, 5, 2},
      {"nothing asked for", 3, 5, 0},
      {"one value", 1, 1, 1},
      {"the best one", 4, 100, 1},
      {"ten of many, with strides", 7, 1001, 10, Values::random, Largest::yes, 3},
      {"the ten smallest", 7, 1001, 10, Values::random, Largest::no},
      {"all of them", 3, 257, 257},
      {"all but one", 3, 64, 63, Values::random, Largest::no},
      {"more than half", 2, 1500, 1000},
      {"many ties", 3, 3000, 40, Values::few},
      {"many ties, smallest", 3, 3000, 40, Values::few, Largest::no},
      {"only ties", 2, 500, 20, Values::equal},
      {"each better than the last", 2, 5000, 10, Values::ascending},
      {"each worse than the last", 2, 5000, 10, Values::descending},
      {"with NaN", 3, 700, 30, Values::some_nan},
      {"with NaN, smallest", 3, 700, 30, Values::some_nan, Largest::no},
      {"more asked for than is not NaN", 2, 300, 299, Values::some_nan},
      {"NaN first", 2, 2000, 20, Values::nan_first},
      {"only NaN", 2, 200, 5, Values::all_nan},
      {"infinities before NaN", 2, 400, 400, Values::infinite},
      {"infinities before NaN, smallest", 2, 400, 400, Values::infinite, Largest::no},
      {"more than a block of the GPU keeps", 3, 2500, 1025},
      {"more than a block keeps, ties, smallest, with strides", 2, 2500, 2000, Values::few,
       Largest::no, 3},
      {"most of one row, with NaN", 1, 6000, 5000, Values::some_nan},
      {"templates of a ratio", 64, 8000, 10},
  };
}

inline double top_k_value(Values values, std::uint64_t i, std::int64_t column) {
  const double random = random_value(5, i);
  switch (values) {
    case Values::few:
      return std::floor(4 * random);
    case Values::equal:
      return 0.5;
    case Values::ascending:
      return static_cast<double>(column);
    case Values::descending:
      return static_cast<double>(-column);
    case Values::some_nan:
      return random < -0.2 ? std::numeric_limits<double>::quiet_NaN() : random;
    case Values::nan_first:
      return column < 1000 ? std::numeric_limits<double>::quiet_NaN() : random;
    case Values::all_nan:
      return std::numeric_limits<double>::quiet_NaN();
    case Values::infinite:
      return random < -0.5  ? std::numeric_limits<double>::quiet_NaN()
             : random < 0   ? -std::numeric_limits<double>::infinity()
             : random < 0.5 ? std::numeric_limits<double>::infinity()
                            : random;
    case Values::random:
      break;
  }
  return random;
}

template <class T>
HostMatrix<T> top_k_scores(const TopKCase& c) {
  HostMatrix<T> scores(c.n, c.m, c.pad);
  scores.fill([&](std::int64_t i, std::int64_t j) {
    return top_k_value(c.values, static_cast<std::uint64_t>(i * c.m + j), j);
  });
  return scores;
}

struct GroupCase {
  std::string name;
  std::vector<std::int64_t> keys;
};

/// n keys in [0, different), in no order.
inline std::vector<std::int64_t> random_keys(std::int64_t n, std::int64_t different) {
  const auto indices = random_indices(7, n, different);
  return {indices.begin(), indices.end()};
}

inline std::vector<GroupCase> group_cases() {
  using Limits = std::numeric_limits<std::int64_t>;
  return {
      {"no keys", {}},
      {"one key", {42}},
      {"equal keys", {7, 7, 7, 7}},
      {"different keys", {5, 3, 1, 4, 2}},
      {"negative and extreme keys", {0, Limits::max(), -1, Limits::min(), -1, Limits::max(), 1}},
      {"keys that differ in high bits only", {1LL << 40, 0, 1LL << 41, 1LL << 40, 0}},
      {"repeated keys", random_keys(1000, 30)},
      {"many keys", random_keys(100000, 3000)},
  };
}

}  // namespace kronite::test
