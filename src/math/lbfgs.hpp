// Minima of smooth functions of several variables between bounds: L-BFGS (Liu and Nocedal 1989)
// along projected paths.
#pragma once

#include <functional>
#include <vector>

namespace kronite::math {

/// Value at x, with the gradient in `gradient` (as long as x). A value that is not finite says that
/// x is too far.
using Objective =
    std::function<double(const std::vector<double>& x, std::vector<double>& gradient)>;

struct LbfgsOptions {
  int most_steps = 100;
  double tolerance = 1e-5;        ///< of the largest derivative that no bound stands against
  double gain = 0;                ///< ends when two steps in a row lower the value by no more
  int memory = 10;                ///< steps that the curvature is known from
  double longest_step = 4;        ///< in the largest coordinate
  std::vector<double> low, high;  ///< bounds; empty: none
};

struct Minimum {
  std::vector<double> x;
  double value = 0;  ///< not finite when the start was too far already
  int evaluations = 0;
  bool converged = false;
};

Minimum minimise(const Objective& objective, std::vector<double> start,
                 const LbfgsOptions& options = {});

}  // namespace kronite::math
