// The factor of HH', the unconstrained minimum, and relaxations.
#include "kmd/design_target.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>

#include "base/fail.hpp"          // for fail
#include "math/upper_factor.hpp"  // for factorise_upper, solve_transposed, solve_upper

namespace kronite::kmd {
namespace {

/// Of the conditions of an optimum, where its value still bounds anything; rounding leaves 1e-13.
constexpr double kMostViolation = 1e-9;

MatrixView<const double> invertible_rows(const Descriptor& descriptor) {
  if (!descriptor.invertible())
    fail(Errc::unavailable,
         "the rank of H is {} for {} components, so that descriptors do not tell mixtures apart",
         descriptor.condition().rank, descriptor.components().size());
  return descriptor.h();
}

}  // namespace

DesignGeometry::DesignGeometry(const Descriptor& descriptor)
    : DesignGeometry(invertible_rows(descriptor)) {}

DesignGeometry::DesignGeometry(MatrixView<const double> rows)
    : n(static_cast<int>(rows.rows)), width(static_cast<int>(rows.cols)) {
  for (int i = 0; i < n; ++i) h.insert(h.end(), rows.row(i), rows.row(i) + width);
  p.resize(static_cast<std::size_t>(n) * n);
  for (int i = 0; i < n; ++i)
    for (int j = 0; j <= i; ++j) {
      double sum = 0;
      for (int k = 0; k < width; ++k) sum += rows.row(i)[k] * rows.row(j)[k];
      p[static_cast<std::size_t>(i) * n + j] = p[static_cast<std::size_t>(j) * n + i] = sum;
    }
  factor = p;
  if (!math::factorise_upper(factor.data(), n))
    fail(Errc::numerical, "H H' is not positive definite");
}

DesignTarget::DesignTarget(const DesignGeometry& geometry, VectorView<const double> phi)
    : geometry_(geometry),
      centre_(static_cast<std::size_t>(geometry.n), 0.0),
      q_(static_cast<std::size_t>(geometry.n), 0.0) {
  const int n = geometry.n, width = geometry.width;
  std::vector<double> residual(phi.data, phi.data + width);
  for (const double value : residual) phi_squared_ += value * value;
  // Twice: the second time takes away what rounding left.
  for (int round = 0; round < 2; ++round) {
    std::vector<double> step(static_cast<std::size_t>(n), 0.0);
    for (int i = 0; i < n; ++i)
      for (int k = 0; k < width; ++k)
        step[i] += geometry.h[static_cast<std::size_t>(i) * width + k] * residual[k];
    if (round == 0) q_ = step;
    math::solve_transposed(geometry.factor.data(), n, step.data());
    math::solve_upper(geometry.factor.data(), n, step.data());
    for (int i = 0; i < n; ++i) {
      centre_[i] += step[i];
      for (int k = 0; k < width; ++k)
        residual[k] -= geometry.h[static_cast<std::size_t>(i) * width + k] * step[i];
    }
  }
  for (const double value : residual) off_squared_ += value * value;
}

double DesignTarget::squared_distance(std::span<const double> w) const {
  const int n = geometry_.n;
  std::vector<double> difference(static_cast<std::size_t>(n));
  for (int i = 0; i < n; ++i) difference[i] = w[i] - centre_[i];
  double squared = off_squared_;
  for (int i = 0; i < n; ++i) {
    const double* row = geometry_.factor.data() + static_cast<std::ptrdiff_t>(i) * n;
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int j = i; j < n; ++j) sum += row[j] * difference[j];
    squared += sum * sum;
  }
  return squared;
}

double DesignTarget::tolerance(double squared) const {
  return std::max(1e-12 * phi_squared_, 1e-9 * squared);
}

Relaxation::Relaxation(const DesignGeometry& geometry, const DesignTarget& target)
    : target_(target) {
  programme_.p = {geometry.p.data(), geometry.n, geometry.n};
  programme_.q = target.q();
  programme_.rows.push_back({std::vector<double>(target.q().size(), 1.0), 1, 1});
}

bool Relaxation::solve(const OpenWeights& open, std::span<const int> start) {
  start_.assign(start.begin(), start.end());
  if (!reachable(open.lower, open.upper, open.least_charge, open.most_charge, &start_))
    return false;
  programme_.lower = open.lower;
  programme_.upper = open.upper;
  programme_.rows.resize(1);
  if (!open.least_charge.empty()) {
    bool decided = true;  // every component that may be there has one charge
    for (std::size_t i = 0; i < open.upper.size(); ++i)
      decided = decided && (open.upper[i] == 0 || open.least_charge[i] == open.most_charge[i]);
    constexpr double kInfinite = std::numeric_limits<double>::infinity();
    programme_.rows.push_back({open.least_charge, decided ? 0 : -kInfinite, 0});
    if (!decided) programme_.rows.push_back({open.most_charge, 0, kInfinite});
  }
  solution_ = &solver_.solve(programme_, start_);
  if (!solution_->feasible) return false;
  if (solution_->kkt > kMostViolation)
    fail(Errc::numerical, "the bound of a node is off by {:.1e}: H H' is too close to singular",
         solution_->kkt);
  squared_ = target_.squared_distance(solution_->w);
  return true;
}

std::vector<int> Relaxation::there() const {
  std::vector<int> components;
  for (std::size_t i = 0; i < w().size(); ++i)
    if (w()[i] > 0) components.push_back(static_cast<int>(i));
  return components;
}

}  // namespace kronite::kmd
