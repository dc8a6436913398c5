// Distances of mixtures to a target descriptor, and the quadratic programmes that bound them.
#pragma once

#include <span>
#include <vector>

#include "kmd/design_space.hpp"          // for DesignSpace
#include "kronite/kmd.hpp"               // for Descriptor
#include "kronite/view.hpp"              // for VectorView, MatrixView
#include "math/quadratic_programme.hpp"  // for QuadraticSolver

namespace kronite::kmd {

/// H, P = HH', and U in the upper triangle of `factor` with P = U'U; row-major.
struct DesignGeometry {
  /// @throws Error unavailable when H has not full row rank; numerical.
  explicit DesignGeometry(const Descriptor& descriptor);
  /// @throws Error numerical when P is not positive definite.
  explicit DesignGeometry(MatrixView<const double> rows);

  int n, width;
  std::vector<double> h, p, factor;
};

/// The target in terms of w: |phi - H'w|^2 = off^2 + |U(w - w*)|^2 with the unconstrained minimum
/// w*, so that small distances do not come out of the difference of large numbers.
class DesignTarget {
 public:
  DesignTarget(const DesignGeometry& geometry, VectorView<const double> phi);

  double squared_distance(std::span<const double> w) const;
  /// H phi.
  const std::vector<double>& q() const { return q_; }
  /// Squared distances that are closer than this to `squared` count as equal to it.
  double tolerance(double squared) const;

 private:
  const DesignGeometry& geometry_;
  std::vector<double> centre_, q_;  // w*
  double off_squared_ = 0, phi_squared_ = 0;
};

/// What a node of a search leaves open: weights between bounds, and of each component the least and
/// most charge of the states that it may still have.
struct OpenWeights {
  std::vector<double> lower, upper;
  std::vector<double> least_charge, most_charge;  ///< empty where charges do not count
};

/// The closest mixture of all that is open, where states may be mixed too: its distance is a lower
/// bound for every choice.
class Relaxation {
 public:
  Relaxation(const DesignGeometry& geometry, const DesignTarget& target);

  /// False when there is no such mixture. `start`: components that are likely to be there.
  bool solve(const OpenWeights& open, std::span<const int> start);

  double squared() const { return squared_; }
  const std::vector<double>& w() const { return solution_->w; }
  /// Components with a weight above 0.
  std::vector<int> there() const;
  /// Half of what the squared distance grows by when a weight at its bound grows by one unit, at
  /// least.
  const std::vector<double>& prices() const { return solution_->bound_price; }

 private:
  const DesignTarget& target_;
  math::QuadraticSolver solver_;
  math::QuadraticProgramme programme_;
  const math::QuadraticSolution* solution_ = nullptr;
  std::vector<int> start_;
  double squared_ = 0;
};

}  // namespace kronite::kmd
