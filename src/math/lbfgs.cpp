// Two-loop recursion on the free variables, and a search along the projected path.
#include "math/lbfgs.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <deque>
#include <limits>
#include <utility>

namespace kronite::math {
namespace {

using Vector = std::vector<double>;

double dot(const Vector& a, const Vector& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// y += f x.
void add(double f, const Vector& x, Vector& y) {
  for (std::size_t i = 0; i < x.size(); ++i) y[i] += f * x[i];
}

double largest(const Vector& x) {
  double most = 0;
  for (const double value : x) most = std::max(most, std::abs(value));
  return most;
}

struct Step {
  Vector s, y;  ///< changes of x and of the gradient
};

class Search {
 public:
  Search(const Objective& objective, const LbfgsOptions& options)
      : objective_(objective), options_(options), reach_(std::min(0.5, options.longest_step)) {}

  Minimum run(Vector start) {
    result_.x = project(std::move(start));
    Vector gradient(result_.x.size());
    result_.value = evaluate(result_.x, gradient);
    if (!std::isfinite(result_.value)) return result_;
    for (int step = 0; step < options_.most_steps; ++step) {
      const Vector free = free_part(gradient);
      if (largest(free) <= options_.tolerance) break;
      const double before = gain_;
      if (!move(direction(free), gradient) && !restart(free, gradient)) break;
      if (std::max(before, gain_) <= options_.gain) {
        result_.converged = true;
        return result_;
      }
    }
    result_.converged = largest(free_part(gradient)) <= options_.tolerance;
    return result_;
  }

 private:
  double evaluate(const Vector& x, Vector& gradient) {
    ++result_.evaluations;
    const double value = objective_(x, gradient);
    for (const double g : gradient)
      if (!std::isfinite(g)) return std::nan("");
    return value;
  }

  Vector project(Vector x) const {
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (!options_.low.empty()) x[i] = std::max(x[i], options_.low[i]);
      if (!options_.high.empty()) x[i] = std::min(x[i], options_.high[i]);
    }
    return x;
  }

  /// The gradient without what points out of the bounds.
  Vector free_part(Vector gradient) const {
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      const bool at_low = !options_.low.empty() && result_.x[i] <= options_.low[i];
      const bool at_high = !options_.high.empty() && result_.x[i] >= options_.high[i];
      if ((at_low && gradient[i] > 0) || (at_high && gradient[i] < 0)) gradient[i] = 0;
    }
    return gradient;
  }

  /// -H g by the two-loop recursion, in the variables that are free.
  Vector direction(const Vector& free) const {
    Vector q = free;
    Vector alpha(steps_.size());
    for (std::size_t k = steps_.size(); k-- > 0;) {
      alpha[k] = dot(steps_[k].s, q) / dot(steps_[k].s, steps_[k].y);
      add(-alpha[k], steps_[k].y, q);
    }
    if (!steps_.empty()) {
      const Step& last = steps_.back();
      const double scale = dot(last.s, last.y) / dot(last.y, last.y);
      for (double& value : q) value *= scale;
    }
    for (std::size_t k = 0; k < steps_.size(); ++k)
      add(alpha[k] - dot(steps_[k].y, q) / dot(steps_[k].s, steps_[k].y), steps_[k].s, q);
    for (std::size_t i = 0; i < q.size(); ++i) q[i] = free[i] == 0 ? 0 : -q[i];
    return q;
  }

  /// Down the gradient when the curvature that is remembered misleads.
  bool restart(const Vector& free, Vector& gradient) {
    if (steps_.empty()) return false;
    steps_.clear();
    Vector down = free;
    for (double& value : down) value = -value;
    return move(down, gradient);
  }

  /// Along the projected path, shorter until the value falls enough (Armijo).
  bool move(Vector along, Vector& gradient) {
    if (dot(along, gradient) >= 0) return false;
    if (const double size = largest(along); size > reach_)
      for (double& value : along) value *= reach_ / size;
    constexpr int kTries = 30;
    constexpr double kEnough = 1e-4;
    Vector next_gradient(gradient.size());
    double length = 1;
    for (int i = 0; i < kTries; ++i) {
      Vector next = result_.x;
      add(length, along, next);
      next = project(std::move(next));
      Vector s = next;
      add(-1, result_.x, s);
      const double promised = dot(s, gradient);
      if (!(promised < 0)) return false;
      const double value = evaluate(next, next_gradient);
      if (!std::isfinite(value) || value > result_.value + kEnough * promised) {
        const double shorter = std::isfinite(value) ? parabola(promised, value) : 0;
        length *= std::clamp(shorter, 0.2, 0.5);
        reach_ = length * largest(along);
        continue;
      }
      if (i == 0) reach_ = std::min(2 * reach_, options_.longest_step);
      Vector y = next_gradient;
      add(-1, gradient, y);
      if (dot(s, y) > 1e-10 * std::sqrt(dot(s, s) * dot(y, y)))
        remember({std::move(s), std::move(y)});
      gain_ = result_.value - value;
      result_.x = std::move(next);
      result_.value = value;
      gradient = next_gradient;
      return true;
    }
    return false;
  }

  /// Share of a step where the parabola through the value and slope at its start and the value at
  /// its end is least.
  double parabola(double slope, double end) const {
    return -slope / (2 * (end - result_.value - slope));
  }

  void remember(Step step) {
    steps_.push_back(std::move(step));
    if (steps_.size() > static_cast<std::size_t>(options_.memory)) steps_.pop_front();
  }

  const Objective& objective_;
  const LbfgsOptions& options_;
  Minimum result_;
  std::deque<Step> steps_;
  double reach_;  // how far a step may go: up to 0.5 at first, when no scale is known
  double gain_ = std::numeric_limits<double>::infinity();  // of the last step
};

}  // namespace

Minimum minimise(const Objective& objective, std::vector<double> start,
                 const LbfgsOptions& options) {
  return Search(objective, options).run(std::move(start));
}

}  // namespace kronite::math
