// What one epoch of training takes, and pairs to train on.
#pragma once

#include <cstdint>

#include "kronite/learn.hpp"   // for NetworkShape, LabelledPairs
#include "support/random.hpp"  // for random_indices

namespace kronite::bench {

/// Pairs of `rows` rows, half of them alike.
inline learn::LabelledPairs random_pairs(std::uint64_t seed, std::int64_t count,
                                         std::int64_t rows) {
  learn::LabelledPairs pairs{
      test::random_indices(seed, count, rows), test::random_indices(seed + 1, count, rows), {}};
  for (const std::int32_t i : test::random_indices(seed + 2, count, 2))
    pairs.alike.push_back(static_cast<std::uint8_t>(i));
  return pairs;
}

/// Of the products: each layer forwards, and twice back but for the inputs of the first; forwards
/// for validation.
inline double operations_per_epoch(const learn::NetworkShape& shape, std::int64_t inputs,
                                   std::int64_t outputs, std::int64_t training,
                                   std::int64_t validation) {
  double all = 0;
  const double of_inputs = 2.0 * static_cast<double>(inputs * shape.hidden.front());
  for (const std::int64_t units : shape.hidden) {
    all += 2.0 * static_cast<double>(inputs * units);
    inputs = units;
  }
  all += 2.0 * static_cast<double>(inputs * outputs);
  return static_cast<double>(training) * (3 * all - of_inputs) +
         static_cast<double>(validation) * all;
}

}  // namespace kronite::bench
