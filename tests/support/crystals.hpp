// Crystals that tests share, and how they read and compare them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "cases/crystals.hpp"
#include "kronite/structure.hpp"

namespace kronite::test {

/// Å between two sites, over the 27 nearest images; enough for cells that are not very skewed.
inline double distance(const Lattice& lattice, const Vector3& a, const Vector3& b) {
  Vector3 d;
  for (int k = 0; k < 3; ++k) d[k] = a[k] - b[k] - std::round(a[k] - b[k]);
  double least = INFINITY;
  for (int i = -1; i <= 1; ++i)
    for (int j = -1; j <= 1; ++j)
      for (int k = -1; k <= 1; ++k) {
        const Vector3 x = cartesian(lattice, {d[0] + i, d[1] + j, d[2] + k});
        least = std::min(least, std::sqrt(x[0] * x[0] + x[1] * x[1] + x[2] * x[2]));
      }
  return least;
}

/// The same lattice parameters, and the same atoms in the same places, in any order.
inline ::testing::AssertionResult same_crystal(const Structure& a, const Structure& b,
                                               double tolerance) {
  const Vector3 la = lengths(a.lattice), lb = lengths(b.lattice);
  const Vector3 ga = angles(a.lattice), gb = angles(b.lattice);
  for (int k = 0; k < 3; ++k)
    if (!(std::abs(la[k] - lb[k]) <= tolerance && std::abs(ga[k] - gb[k]) <= tolerance))
      return ::testing::AssertionFailure() << "cells differ: length " << la[k] << " and " << lb[k]
                                           << ", angle " << ga[k] << " and " << gb[k];
  if (a.size() != b.size())
    return ::testing::AssertionFailure() << a.size() << " sites and " << b.size();
  std::vector<bool> taken(b.size(), false);
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t j = 0;
    while (j < b.size() && (taken[j] || a.z[i] != b.z[j] ||
                            distance(a.lattice, a.fractional[i], b.fractional[j]) > tolerance))
      ++j;
    if (j == b.size()) return ::testing::AssertionFailure() << "site " << i << " has no partner";
    taken[j] = true;
  }
  return ::testing::AssertionSuccess();
}

struct ReadResult {
  std::vector<StructureRecord> records;
  std::vector<std::pair<std::string, std::string>> skipped;  // where, why
};

inline ReadResult read_all(const std::string& path) {
  ReadResult result;
  read_structures(
      path,
      [&](StructureRecord&& record) {
        result.records.push_back(std::move(record));
        return true;
      },
      [&](const std::string& where, const std::string& why) {
        result.skipped.emplace_back(where, why);
      });
  return result;
}

inline bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace kronite::test
