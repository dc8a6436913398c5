// The dual active set: constraints that the unconstrained minimum violates come in one by one.
#include "math/quadratic_programme.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>

#include "base/fail.hpp"          // for fail
#include "math/upper_factor.hpp"  // for factorise_upper, solve_transposed, solve_upper

namespace kronite::math {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();
/// Of a bound or row, in units of w: some thousand roundings of values around 1.
constexpr double kViolated = 1e-12;
/// Of a price, relative to the largest |q|.
constexpr double kWrongPrice = 1e-12;
/// A normal that is this close to the active ones (squared sine) counts as one of their span.
constexpr double kDependent = 1e-12;

enum class Place { outside, free, lower, upper };

}  // namespace

struct QuadraticSolver::State {
  /// sign * (value - target) >= 0, of a column or of a row.
  struct Constraint {
    int column = -1, row = -1;
    double sign = 0, target = 0;
  };

  const QuadraticProgramme* of = nullptr;
  QuadraticSolution solution;
  int n = 0;
  double price_scale = 0;
  std::vector<int> inside, free, active;  ///< columns; of these, off their bounds; rows
  std::vector<Place> place;
  std::vector<double> row_sign;   ///< of active rows: 1 at lower, -1 at upper
  std::vector<double> factor, v;  ///< U with P_FF = U'U; rows U'^-1 a_F of the active rows a
  std::vector<double> schur;      ///< factor of VV'
  std::vector<double> b, dw, dy, dz;

  double p(int i, int j) const { return of->p.row(i)[j]; }
  double row_value(int k) const {
    double sum = 0;
    for (int j = 0; j < n; ++j) sum += of->rows[k].a[j] * solution.w[j];
    return sum;
  }
  bool equation(int k) const { return of->rows[k].lower == of->rows[k].upper; }

  void begin(const QuadraticProgramme& programme, std::span<const int> start);
  bool solve_inside();
  void factorise();
  void eliminate(std::vector<double>& x, std::vector<double>& y) const;
  void at_active_set();
  bool most_violated(Constraint& worst) const;
  bool add(const Constraint& constraint);
  double direction(const Constraint& constraint);
  bool add_from_outside();
  void prices();
  void judge();
};

void QuadraticSolver::State::begin(const QuadraticProgramme& programme,
                                   std::span<const int> start) {
  of = &programme;
  n = static_cast<int>(programme.q.size());
  const auto size = static_cast<std::size_t>(n);
  bool fits = programme.p.rows == n && programme.p.cols == n && programme.lower.size() == size &&
              programme.upper.size() == size;
  for (const LinearRow& row : programme.rows) fits = fits && row.a.size() == size;
  if (!fits) fail(Errc::invalid_argument, "quadratic programme: the shapes do not fit");
  price_scale = 0;
  for (int i = 0; i < n; ++i) {
    if (!std::isfinite(programme.q[i]) || !std::isfinite(programme.lower[i]))
      fail(Errc::invalid_argument, "quadratic programme: value {} is not finite", i);
    if (!(programme.lower[i] <= programme.upper[i]))
      fail(Errc::invalid_argument, "quadratic programme: lower bound {} is above the upper one", i);
    price_scale = std::max(price_scale, std::abs(programme.q[i]));
  }
  if (price_scale == 0) price_scale = 1;
  solution.steps = 0;
  place.assign(size, Place::outside);
  inside.clear();
  for (const int j : start)
    if (place[j] == Place::outside && programme.lower[j] < programme.upper[j]) {
      place[j] = Place::free;
      inside.push_back(j);
    }
}

/// P_FF = U'U, V, VV'.
void QuadraticSolver::State::factorise() {
  const int f = static_cast<int>(free.size()), m = static_cast<int>(active.size());
  factor.resize(free.size() * free.size());
  for (int i = 0; i < f; ++i)
    for (int j = i; j < f; ++j) factor[static_cast<std::size_t>(i) * f + j] = p(free[i], free[j]);
  bool definite = factorise_upper(factor.data(), f);
  v.resize(active.size() * free.size());
  schur.resize(active.size() * active.size());
  for (int k = 0; k < m; ++k) {
    double* row = v.data() + static_cast<std::ptrdiff_t>(k) * f;
    for (int i = 0; i < f; ++i) row[i] = of->rows[active[k]].a[free[i]];
    solve_transposed(factor.data(), f, row);
    for (int l = 0; l <= k; ++l)
      schur[static_cast<std::size_t>(l) * m + k] =
          std::inner_product(row, row + f, v.data() + static_cast<std::ptrdiff_t>(l) * f, 0.0);
  }
  definite = definite && factorise_upper(schur.data(), m);
  if (!definite) fail(Errc::numerical, "quadratic programme: the matrix is not positive definite");
}

/// y <- (VV')^-1 (y - V x), x <- x + V'y.
void QuadraticSolver::State::eliminate(std::vector<double>& x, std::vector<double>& y) const {
  const int f = static_cast<int>(free.size()), m = static_cast<int>(active.size());
  for (int k = 0; k < m; ++k) {
    const double* row = v.data() + static_cast<std::ptrdiff_t>(k) * f;
    y[k] -= std::inner_product(row, row + f, x.begin(), 0.0);
  }
  solve_transposed(schur.data(), m, y.data());
  solve_upper(schur.data(), m, y.data());
  for (int k = 0; k < m; ++k) {
    const double* row = v.data() + static_cast<std::ptrdiff_t>(k) * f;
    for (int i = 0; i < f; ++i) x[i] += y[k] * row[i];
  }
}

/// w and prices of rows that the active set determines: P_FF w_F = q_F - P_FB w_B + A_F'y,
/// A_F w_F = targets - A_B w_B.
void QuadraticSolver::State::at_active_set() {
  const int f = static_cast<int>(free.size()), m = static_cast<int>(active.size());
  b.resize(free.size());
  dy.resize(active.size());
  for (int i = 0; i < f; ++i) b[i] = of->q[free[i]];
  for (int k = 0; k < m; ++k)
    dy[k] = row_sign[active[k]] > 0 ? of->rows[active[k]].lower : of->rows[active[k]].upper;
  for (int j = 0; j < n; ++j) {
    if (place[j] == Place::free || solution.w[j] == 0) continue;
    for (int i = 0; i < f; ++i) b[i] -= p(free[i], j) * solution.w[j];
    for (int k = 0; k < m; ++k) dy[k] -= of->rows[active[k]].a[j] * solution.w[j];
  }
  solve_transposed(factor.data(), f, b.data());
  eliminate(b, dy);
  solve_upper(factor.data(), f, b.data());
  for (int i = 0; i < f; ++i) solution.w[free[i]] = b[i];
  for (int k = 0; k < m; ++k) solution.row_price[active[k]] = dy[k];
}

/// Equations come before inequalities: they are active in any case.
bool QuadraticSolver::State::most_violated(Constraint& worst) const {
  double most = kViolated;
  const auto look = [&](double violation, const Constraint& constraint) {
    if (!(violation > most)) return;
    most = violation;
    worst = constraint;
  };
  const auto look_at_row = [&](int k) {
    const LinearRow& row = of->rows[k];
    double norm = 0;
    for (const double a : row.a) norm = std::max(norm, std::abs(a));
    if (norm == 0) norm = 1;
    const double value = row_value(k);
    look((row.lower - value) / norm, {-1, k, 1, row.lower});
    look((value - row.upper) / norm, {-1, k, -1, row.upper});
  };
  const int rows = static_cast<int>(of->rows.size());
  for (int k = 0; k < rows; ++k)
    if (equation(k) && row_sign[k] == 0) look_at_row(k);
  if (most > kViolated) return true;
  for (int k = 0; k < rows; ++k)
    if (row_sign[k] == 0) look_at_row(k);
  for (const int j : free) {
    look(of->lower[j] - solution.w[j], {j, -1, 1, of->lower[j]});
    look(solution.w[j] - of->upper[j], {j, -1, -1, of->upper[j]});
  }
  return most > kViolated;
}

/// How w, y and z move while the price of `constraint` grows by 1: into dw (free columns), dy
/// (active rows), dz (inside). Returns the change of the constraint's value, 0 when it depends on
/// the active ones.
double QuadraticSolver::State::direction(const Constraint& constraint) {
  factorise();
  const int f = static_cast<int>(free.size()), m = static_cast<int>(active.size());
  const auto normal = [&](int j) {
    return constraint.sign * (constraint.row >= 0 ? of->rows[constraint.row].a[j]
                                                  : (j == constraint.column ? 1.0 : 0.0));
  };
  dw.resize(free.size());
  for (int i = 0; i < f; ++i) dw[i] = normal(free[i]);
  solve_transposed(factor.data(), f, dw.data());
  const double length = std::inner_product(dw.begin(), dw.end(), dw.begin(), 0.0);
  dy.assign(active.size(), 0.0);
  eliminate(dw, dy);
  double curvature = std::inner_product(dw.begin(), dw.end(), dw.begin(), 0.0);
  if (!(curvature > kDependent * length)) {
    curvature = 0;
    std::fill(dw.begin(), dw.end(), 0.0);
  }
  solve_upper(factor.data(), f, dw.data());
  dz.resize(inside.size());
  for (std::size_t at = 0; at < dz.size(); ++at) {
    const int i = inside[at];
    if (place[i] == Place::free) continue;
    double change = -normal(i);
    for (int k = 0; k < m; ++k) change -= of->rows[active[k]].a[i] * dy[k];
    for (int j = 0; j < f; ++j) change += p(i, free[j]) * dw[j];
    dz[at] = change;
  }
  return curvature;
}

/// Raises the price of a violated constraint until it holds, dropping constraints whose price would
/// change its sign. False when it cannot hold together with the active ones.
bool QuadraticSolver::State::add(const Constraint& constraint) {
  double price = 0;
  for (;;) {
    if (++solution.steps > 100 * (n + 10))
      fail(Errc::numerical, "quadratic programme: the active set does not settle");
    const double curvature = direction(constraint);
    const double value =
        constraint.row >= 0 ? row_value(constraint.row) : solution.w[constraint.column];
    const double missing = std::max(constraint.sign * (constraint.target - value), 0.0);
    const double full = curvature > 0 ? missing / curvature : kInfinite;

    double step = full;
    int leaving_row = -1, leaving_column = -1;
    for (int k = 0; k < static_cast<int>(active.size()); ++k) {
      const double sign = row_sign[active[k]], slope = sign * dy[k];
      if (equation(active[k]) || slope >= 0) continue;
      const double reach = std::max(sign * solution.row_price[active[k]], 0.0) / -slope;
      if (reach < step) step = reach, leaving_row = k;
    }
    for (std::size_t at = 0; at < dz.size(); ++at) {
      const int i = inside[at];
      if (place[i] == Place::free) continue;
      const double sign = place[i] == Place::lower ? 1 : -1, slope = sign * dz[at];
      if (slope >= 0) continue;
      const double reach = std::max(sign * solution.bound_price[i], 0.0) / -slope;
      if (reach < step) step = reach, leaving_row = -1, leaving_column = i;
    }
    if (step == kInfinite) return false;

    price += step;
    for (std::size_t i = 0; i < free.size(); ++i) solution.w[free[i]] += step * dw[i];
    for (std::size_t k = 0; k < active.size(); ++k) solution.row_price[active[k]] += step * dy[k];
    for (std::size_t at = 0; at < inside.size(); ++at)
      if (place[inside[at]] != Place::free) solution.bound_price[inside[at]] += step * dz[at];

    if (leaving_row >= 0) {
      row_sign[active[leaving_row]] = 0;
      solution.row_price[active[leaving_row]] = 0;
      active.erase(active.begin() + leaving_row);
    } else if (leaving_column >= 0) {
      place[leaving_column] = Place::free;
      solution.bound_price[leaving_column] = 0;
      free.push_back(leaving_column);
    } else if (constraint.row >= 0) {
      row_sign[constraint.row] = constraint.sign;
      solution.row_price[constraint.row] = constraint.sign * price;
      active.push_back(constraint.row);
      return true;
    } else {
      const int j = constraint.column;
      solution.w[j] = constraint.target;
      solution.bound_price[j] = constraint.sign * price;
      place[j] = constraint.sign > 0 ? Place::lower : Place::upper;
      free.erase(std::find(free.begin(), free.end(), j));
      return true;
    }
  }
}

/// The optimum over the columns inside, the others at their lower bounds.
bool QuadraticSolver::State::solve_inside() {
  solution.w = of->lower;
  solution.bound_price.assign(static_cast<std::size_t>(n), 0.0);
  solution.row_price.assign(of->rows.size(), 0.0);
  row_sign.assign(of->rows.size(), 0.0);
  active.clear();
  free = inside;
  for (const int j : inside) place[j] = Place::free;
  factorise();
  at_active_set();
  Constraint worst;
  while (most_violated(worst))
    if (!add(worst)) return false;
  factorise();
  at_active_set();  // free of what rounding added up on the way
  return true;
}

/// Pw - q - A'y of every column.
void QuadraticSolver::State::prices() {
  auto& z = solution.bound_price;
  for (int i = 0; i < n; ++i) z[i] = -of->q[i];
  for (int j = 0; j < n; ++j)
    if (solution.w[j] != 0)
      for (int i = 0; i < n; ++i) z[i] += p(j, i) * solution.w[j];
  for (const int k : active)
    for (int i = 0; i < n; ++i) z[i] -= of->rows[k].a[i] * solution.row_price[k];
}

/// Takes in the columns that want to leave their lower bound; false when there is none.
bool QuadraticSolver::State::add_from_outside() {
  prices();
  bool added = false;
  for (int j = 0; j < n; ++j) {
    if (place[j] != Place::outside || of->lower[j] == of->upper[j]) continue;
    if (!(solution.bound_price[j] < -kWrongPrice * price_scale)) continue;
    place[j] = Place::free;
    inside.push_back(j);
    added = true;
  }
  return added;
}

void QuadraticSolver::State::judge() {
  double worst = 0;
  for (int j = 0; j < n; ++j) {
    double& w = solution.w[j];
    double& z = solution.bound_price[j];
    worst = std::max({worst, of->lower[j] - w, w - of->upper[j]});
    w = std::clamp(w, of->lower[j], of->upper[j]);
    if (of->lower[j] == of->upper[j]) continue;
    const double wrong = place[j] == Place::free ? std::abs(z) : place[j] == Place::upper ? z : -z;
    worst = std::max(worst, wrong / price_scale);
    if (place[j] == Place::free) z = 0;
  }
  for (std::size_t k = 0; k < of->rows.size(); ++k) {
    const double value = row_value(static_cast<int>(k));
    worst = std::max({worst, of->rows[k].lower - value, value - of->rows[k].upper});
    if (!equation(static_cast<int>(k)))
      worst = std::max(worst, -row_sign[k] * solution.row_price[k] / price_scale);
  }
  solution.kkt = worst;
}

QuadraticSolver::QuadraticSolver() : state_(std::make_unique<State>()) {}
QuadraticSolver::~QuadraticSolver() = default;
QuadraticSolver::QuadraticSolver(QuadraticSolver&&) noexcept = default;
QuadraticSolver& QuadraticSolver::operator=(QuadraticSolver&&) noexcept = default;

const QuadraticSolution& QuadraticSolver::solve(const QuadraticProgramme& programme,
                                                std::span<const int> start) {
  State& s = *state_;
  s.begin(programme, start);
  s.solution.feasible = true;
  do {
    if (s.solve_inside()) continue;
    bool everything = true;  // what is not feasible here may be so with more columns
    for (int j = 0; j < s.n; ++j)
      if (s.place[j] == Place::outside && programme.lower[j] < programme.upper[j]) {
        s.inside.push_back(j);
        everything = false;
      }
    if (everything || !s.solve_inside()) {
      s.solution.feasible = false;
      return s.solution;
    }
  } while (s.add_from_outside());
  s.judge();
  return s.solution;
}

}  // namespace kronite::math
