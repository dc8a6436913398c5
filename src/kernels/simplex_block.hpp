// One row of a quadratic program on the simplex, min w'Pw / 2 - q'w, w >= 0, sum w = 1, in phases
// (kernels/phases.hpp).
//
// On a support F the solution without signs is x = P_FF^-1 (q_F - nu 1), nu chosen so that it adds
// up to 1; outside, slope = P w - q + nu says whether a component would improve it. A step solves
// for x and looks at both. At first everything that is wrong (x <= 0 inside, slope < 0 outside) is
// exchanged at once: a primal-dual active set, which mostly ends after a few steps but may go round
// in circles. When it stops improving, the primal active set takes over, which goes from one
// feasible point to a better one, one exchange at a time, and therefore ends.
#pragma once

#include <cstdint>

#include "device/ops.hpp"           // for SimplexOptions, SimplexOutcome
#include "kernels/element.hpp"      // for element
#include "kernels/host_device.hpp"  // for KRONITE_HD
#include "kronite/view.hpp"         // for MatrixView

namespace kronite {

/// Values of the upper factor of a support of m with its two right-hand sides. With one lane it is
/// packed by rows; with more, rows are of one length, a multiple of the lanes, so that whole
/// vectors are eliminated at a time. What lies left of the diagonal in a vector means nothing.
template <int lanes>
KRONITE_HD constexpr std::int64_t simplex_factor_size(std::int64_t m) {
  return lanes == 1 ? m * (m + 2) - m * (m - 1) / 2 : m * ((m + 1 + lanes) / lanes * lanes);
}

/// Memory of one row: n values each, but the factors.
struct SimplexMemory {
  double* x;       ///< by place in the support
  double* slope;   ///< by component
  double* point;   ///< by component: the feasible point of single exchanges
  double* pivots;  ///< 1 / pivot, by place in the support
  std::int32_t* support;
  std::int32_t* member;  ///< by component: whether it is in the support
  double* small_factor;  ///< for supports up to small_support
  std::int64_t small_support;
  double* large_factor;  ///< simplex_factor_size<lanes>(n)
};

/// What the threads of a block share. A value is written by one phase and read after it; the phase
/// that follows the reading never writes it.
struct SimplexState {
  double nu;           ///< for q less that of the support's first component
  double scale;        ///< largest |q_j|
  double violation;    ///< of the last step
  std::int32_t count;  ///< components in the support
  std::int32_t least_wrong, patience;
  std::int32_t single;  ///< whether single exchanges have taken over
  std::int32_t last;    ///< the next solution is taken as it is
  std::int32_t broken;  ///< a pivot was not positive
  std::int32_t ended;
  SimplexStatus status;
};

struct SimplexRegisters {
  double correction;  ///< of nu
};

namespace simplex {

/// The factor of a support of m, to be indexed from the lane of the diagonal on.
template <int lanes>
struct Factor {
  double* data;
  std::int64_t width;

  KRONITE_HD Factor(double* data_, std::int64_t m)
      : data(data_), width((m + 1 + lanes) / lanes * lanes) {}
  KRONITE_HD double* row(std::int64_t i) const {
    return data + i * width - (lanes == 1 ? i * (i + 1) / 2 : 0);
  }
};

/// The support is what `member` says, in ascending order.
KRONITE_HD inline void list_support(std::int64_t n, SimplexMemory& m, SimplexState& s) {
  s.count = 0;
  for (std::int64_t i = 0; i < n; ++i)
    if (m.member[i]) m.support[s.count++] = static_cast<std::int32_t>(i);
}

/// The single component with the least w'Pw / 2 - q'w.
KRONITE_HD inline std::int64_t best_vertex(MatrixView<const double> p, const double* q) {
  std::int64_t best = 0;
  for (std::int64_t i = 1; i < p.rows; ++i)
    if (element(p, i, i) / 2 - q[i] < element(p, best, best) / 2 - q[best]) best = i;
  return best;
}

/// Support and options of the first step.
KRONITE_HD inline void begin(MatrixView<const double> p, const double* q,
                             const SimplexOptions& options, SimplexMemory& m, SimplexState& s) {
  s.scale = 0;
  for (std::int64_t i = 0; i < p.rows; ++i) {
    const double size = q[i] < 0 ? -q[i] : q[i];
    if (size > s.scale) s.scale = size;
  }
  s.nu = s.violation = 0;
  s.least_wrong = static_cast<std::int32_t>(p.rows) + 1;
  s.patience = options.block_steps;
  s.single = options.block_steps <= 0;
  s.last = s.broken = s.ended = 0;
  s.status = SimplexStatus::stopped;
  list_support(p.rows, m, s);
  if (s.count == 0) {
    m.member[best_vertex(p, q)] = 1;
    list_support(p.rows, m, s);
  }
  if (s.single)
    for (std::int64_t k = 0; k < s.count; ++k) m.point[m.support[k]] = 1.0 / s.count;
}

/// Single exchanges begin at the positive part of x, which adds up to 1 or more.
KRONITE_HD inline void begin_single(std::int64_t n, SimplexMemory& m, SimplexState& s) {
  double sum = 0;
  for (std::int64_t k = 0; k < s.count; ++k)
    if (m.x[k] > 0) sum += m.x[k];
  for (std::int64_t k = 0; k < s.count; ++k) {
    const std::int32_t i = m.support[k];
    m.member[i] = m.x[k] > 0;
    m.point[i] = m.x[k] > 0 ? m.x[k] / sum : 0;
  }
  s.single = 1;
  list_support(n, m, s);
}

/// From the feasible point towards x, as far as it stays feasible. What gets there to 0 leaves.
KRONITE_HD inline void move_towards(std::int64_t n, SimplexMemory& m, SimplexState& s) {
  double share = 1;
  std::int64_t blocking = -1;
  for (std::int64_t k = 0; k < s.count; ++k) {
    const double from = m.point[m.support[k]];
    if (m.x[k] > 0) continue;
    const double reach = from > 0 ? from / (from - m.x[k]) : 0;
    if (blocking < 0 || reach < share) {
      share = reach;
      blocking = k;
    }
  }
  // No way to go: the component that came in last is worth no more than rounding.
  if (share == 0) s.last = 1;
  for (std::int64_t k = 0; k < s.count; ++k) {
    double& w = m.point[m.support[k]];
    w += share * (m.x[k] - w);
    if (k == blocking || !(w > 0)) {
      w = 0;
      m.member[m.support[k]] = 0;
    }
  }
  list_support(n, m, s);
}

/// What follows from x and slope: the end, or another support. One thread.
KRONITE_HD inline void decide(MatrixView<const double> p, const SimplexOptions& options,
                              SimplexMemory& m, SimplexState& s) {
  const std::int64_t n = p.rows;
  double diagonal = 0;
  std::int32_t inside = 0, outside = 0;
  for (std::int64_t k = 0; k < s.count; ++k) {
    const double d = element(p, m.support[k], m.support[k]);
    if (d > diagonal) diagonal = d;
    if (!(m.x[k] > 0)) ++inside;
  }
  const double tolerance = (32 + s.count) * 2.220446049250313e-16 * (s.scale + diagonal);
  double violation = 0, lowest = -tolerance;
  std::int64_t steepest = -1;
  for (std::int64_t i = 0; i < n; ++i) {
    const double slope = m.slope[i];
    const double wrong = m.member[i] && slope > 0 ? slope : -slope;
    if (wrong > violation) violation = wrong;
    if (m.member[i] || !(slope < -tolerance)) continue;
    ++outside;
    if (slope < lowest) {
      lowest = slope;
      steepest = i;
    }
  }
  s.violation = violation;
  if (s.broken) {
    s.status = SimplexStatus::not_definite;
    s.ended = 1;
  } else if (inside == 0 && (outside == 0 || s.last)) {
    s.status = SimplexStatus::solved;
    s.ended = 1;
  } else if (s.single && inside > 0) {
    move_towards(n, m, s);
  } else if (s.single) {
    for (std::int64_t k = 0; k < s.count; ++k) m.point[m.support[k]] = m.x[k];
    m.member[steepest] = 1;
    m.point[steepest] = 0;
    list_support(n, m, s);
  } else {
    if (inside + outside < s.least_wrong) {
      s.least_wrong = inside + outside;
      s.patience = options.block_steps;
    } else if (s.patience-- <= 0) {
      begin_single(n, m, s);
      return;
    }
    for (std::int64_t i = 0; i < n; ++i)
      if (!m.member[i] && m.slope[i] < -tolerance) m.member[i] = 1;
    for (std::int64_t k = 0; k < s.count; ++k)
      if (!(m.x[k] > 0)) m.member[m.support[k]] = 0;
    list_support(n, m, s);
  }
}

/// x of the support: Gaussian elimination on the upper part of P_FF with q_F and 1 as two columns
/// more, with one barrier a column each way.
template <int threads, int lanes, class Each>
KRONITE_HD inline void solve_support(MatrixView<const double> p, const double* q,
                                     std::int64_t count, SimplexMemory& m, SimplexState& s,
                                     Each& each) {
  const Factor<lanes> factor(count <= m.small_support ? m.small_factor : m.large_factor, count);
  each([&](int thread, SimplexRegisters&) {
    for (std::int64_t i = thread; i < count; i += threads) {
      double* row = factor.row(i);
      const double* from = &element(p, m.support[i], 0);
      for (std::int64_t j = i - i % lanes; j < count; ++j) row[j] = from[m.support[j]];
      // Less the first one: far targets have q much larger than what their differences decide.
      row[count] = q[m.support[i]] - q[m.support[0]];
      row[count + 1] = 1;
      for (std::int64_t j = count + 2; j < factor.width; ++j) row[j] = 0;
    }
  });
  for (std::int64_t k = 0; k < count; ++k)
    each([&](int thread, SimplexRegisters&) {
      const double* __restrict__ pivot_row = factor.row(k);
      const double least = 8 * 2.220446049250313e-16 * element(p, m.support[k], m.support[k]);
      const bool good = pivot_row[k] > least;
      const double inverse = good ? 1 / pivot_row[k] : 0;
      const std::int64_t first = k + 1 + (thread - (k + 1) % threads + threads) % threads;
      for (std::int64_t i = first; i < count; i += threads) {
        double* __restrict__ row = factor.row(i);
        const double share = pivot_row[i] * inverse;
        for (std::int64_t j = i - i % lanes; j < factor.width; j += lanes)
          for (int c = 0; c < lanes; ++c) row[j + c] -= share * pivot_row[j + c];
      }
      if (k % threads != thread) return;
      m.pivots[k] = inverse;
      if (!good) s.broken = 1;
    });
  each([&](int thread, SimplexRegisters&) {
    double ones = 0, both = 0;  // 1'P^-1 1 and 1'P^-1 q
    for (std::int64_t k = 0; k < count; ++k) {
      const double* row = factor.row(k);
      ones += row[count + 1] * row[count + 1] * m.pivots[k];
      both += row[count + 1] * row[count] * m.pivots[k];
    }
    const double nu = ones > 0 ? (both - 1) / ones : 0;
    if (thread == 0) s.nu = nu;
    for (std::int64_t k = thread; k < count; k += threads) {
      const double* row = factor.row(k);
      m.x[k] = row[count] - nu * row[count + 1];
      m.slope[k] = row[count + 1];  // becomes P^-1 1
    }
  });
  for (std::int64_t k = count - 1; k > 0; --k)
    each([&](int thread, SimplexRegisters&) {
      const double x = m.x[k] * m.pivots[k], ones = m.slope[k] * m.pivots[k];
      for (std::int64_t i = thread; i < k; i += threads) {
        const double share = factor.row(i)[k];
        m.x[i] -= share * x;
        m.slope[i] -= share * ones;
      }
    });
  each([&](int thread, SimplexRegisters&) {
    for (std::int64_t k = thread; k < count; k += threads) {
      m.x[k] *= m.pivots[k];
      m.slope[k] *= m.pivots[k];
    }
  });
  // Rounding in nu grows in x by the condition of P_FF: what the sum is off by says how much it
  // was.
  each([&](int, SimplexRegisters& r) {
    double sum = -1, ones = 0;
    for (std::int64_t k = 0; k < count; ++k) {
      sum += m.x[k];
      ones += m.slope[k];
    }
    r.correction = ones > 0 ? sum / ones : 0;
  });
  each([&](int thread, SimplexRegisters& r) {
    for (std::int64_t k = thread; k < count; k += threads) m.x[k] -= r.correction * m.slope[k];
    if (thread == 0) s.nu += r.correction;
  });
}

}  // namespace simplex

/// Row w of the contract in device/ops.hpp. A thread takes `lanes` neighbouring components at a
/// time; rows of P can be read up to a multiple of it.
template <int threads, int lanes, class Each>
KRONITE_HD inline void simplex_block(MatrixView<const double> p, const double* q,
                                     const SimplexOptions& options, double* w,
                                     SimplexOutcome& outcome, SimplexMemory m, SimplexState& s,
                                     Each& each) {
  const std::int64_t n = p.rows, most_steps = 20 * n + 100;
  each([&](int thread, SimplexRegisters&) {
    for (std::int64_t i = thread; i < n; i += threads) {
      m.member[i] = w[i] > options.in_support;
      m.point[i] = 0;
    }
  });
  each([&](int thread, SimplexRegisters&) {
    if (thread == 0) simplex::begin(p, q, options, m, s);
  });

  std::int64_t steps = 0;
  for (bool ended = false; !ended && steps < most_steps; ++steps) {
    const std::int64_t count = s.count;
    simplex::solve_support<threads, lanes>(p, q, count, m, s, each);
    each([&](int thread, SimplexRegisters&) {
      const double nu = s.nu, shift = q[m.support[0]];
      for (std::int64_t i = std::int64_t{thread} * lanes; i < n; i += threads * lanes) {
        double sum[lanes] = {};
        for (std::int64_t k = 0; k < count; ++k) {
          const double share = m.x[k];
          const double* row = &element(p, m.support[k], i);
          for (int c = 0; c < lanes; ++c) sum[c] += share * row[c];
        }
        const std::int64_t here = n - i < lanes ? n - i : lanes;
        for (std::int64_t c = 0; c < here; ++c) m.slope[i + c] = sum[c] - (q[i + c] - shift) + nu;
      }
    });
    each([&](int thread, SimplexRegisters&) {
      if (thread == 0) simplex::decide(p, options, m, s);
    });
    ended = s.ended != 0;
  }

  each([&](int thread, SimplexRegisters&) {
    for (std::int64_t i = thread; i < n; i += threads) w[i] = 0;
  });
  each([&](int thread, SimplexRegisters&) {
    if (thread != 0) return;
    if (s.status == SimplexStatus::solved)
      for (std::int64_t k = 0; k < s.count; ++k) w[m.support[k]] = m.x[k];
    else if (s.status == SimplexStatus::stopped && s.single)
      for (std::int64_t i = 0; i < n; ++i) w[i] = m.point[i];
    else
      w[simplex::best_vertex(p, q)] = 1;
    outcome = {s.status, static_cast<std::int32_t>(steps),
               s.scale > 0 ? s.violation / s.scale : s.violation};
  });
}

}  // namespace kronite
