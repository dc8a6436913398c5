// What is optimal on the simplex, in plain loops.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "support/matrix.hpp"  // for HostMatrix
#include "support/oracle.hpp"  // for solve

namespace kronite::test {

inline double largest_of_row(const HostMatrix<double>& m, std::int64_t i) {
  double value = 0;
  for (std::int64_t j = 0; j < m.cols; ++j) value = std::max(value, std::abs(m.at(i, j)));
  return value;
}

inline double largest(const HostMatrix<double>& m) {
  double value = 0;
  for (std::int64_t i = 0; i < m.rows; ++i) value = std::max(value, largest_of_row(m, i));
  return value;
}

/// How far row i of w is from being optimal: the worst of weights below 0, a sum that is not 1, and
/// gradients P w - q that differ among components with a weight or are lower where there is none.
inline double violation_of(const HostMatrix<double>& p, const HostMatrix<double>& q,
                           const HostMatrix<double>& w, std::int64_t i) {
  std::vector<double> gradient(static_cast<std::size_t>(p.rows));
  double sum = -1, worst = 0, shared = 0;
  for (std::int64_t j = 0; j < p.rows; ++j) {
    gradient[j] = -q.at(i, j);
    for (std::int64_t k = 0; k < p.rows; ++k) gradient[j] += p.at(j, k) * w.at(i, k);
    sum += w.at(i, j);
    worst = std::max(worst, -w.at(i, j));
  }
  worst = std::max(worst, std::abs(sum));
  for (std::int64_t j = 0; j < p.rows; ++j) shared += w.at(i, j) * gradient[j];
  for (std::int64_t j = 0; j < p.rows; ++j) {
    const double slope = gradient[j] - shared;
    worst = std::max(worst, w.at(i, j) > 0 ? std::abs(slope) : -slope);
  }
  return worst;
}

/// The best w of row i: the linear system of each of the 2^n - 1 supports is solved, and of those
/// whose solution has no sign wrong, the one of least value wins.
inline std::vector<double> best_of_all_supports(const HostMatrix<double>& p,
                                                const HostMatrix<double>& q, std::int64_t i) {
  const std::int64_t n = p.rows;
  double least = std::numeric_limits<double>::infinity();
  std::vector<double> best(static_cast<std::size_t>(n), std::nan(""));
  for (std::int64_t support = 1; support < (std::int64_t{1} << n); ++support) {
    std::vector<std::int64_t> members;
    for (std::int64_t j = 0; j < n; ++j)
      if ((support >> j & 1) != 0) members.push_back(j);
    const auto m = static_cast<std::int64_t>(members.size());
    oracle::Matrix a(m, m), b(m, 2);
    a.fill([&](std::int64_t r, std::int64_t c) { return p.at(members[r], members[c]); });
    b.fill([&](std::int64_t r, std::int64_t c) { return c == 0 ? q.at(i, members[r]) : 1.0; });
    const oracle::Matrix x = oracle::solve(a, b);
    double of_q = 0, of_ones = 0;
    for (std::int64_t k = 0; k < m; ++k) {
      of_q += x.at(k, 0);
      of_ones += x.at(k, 1);
    }
    std::vector<double> w(static_cast<std::size_t>(n), 0.0);
    bool feasible = true;
    for (std::int64_t k = 0; k < m; ++k) {
      w[members[k]] = x.at(k, 0) - (of_q - 1) / of_ones * x.at(k, 1);
      feasible = feasible && w[members[k]] >= 0;
    }
    if (!feasible) continue;
    double value = 0;
    for (std::int64_t j = 0; j < n; ++j)
      for (std::int64_t k = 0; k < n; ++k) value += w[j] * p.at(j, k) * w[k] / 2;
    for (std::int64_t j = 0; j < n; ++j) value -= q.at(i, j) * w[j];
    if (value < least) {
      least = value;
      best = w;
    }
  }
  return best;
}

}  // namespace kronite::test
