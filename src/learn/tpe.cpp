// Parzen estimators of the good and the other trials, one dimension at a time.
#include "learn/tpe.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>

#include "base/fail.hpp"  // for fail

namespace kronite::learn {
namespace {

constexpr std::size_t kMostGood = 25;  // as in the authors' hyperopt

double normal_cdf(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

/// A dimension as an interval of the real line: logarithms of logarithmic ones, integers with half
/// a step on either side.
struct Interval {
  explicit Interval(const Dimension& d) : dimension(d) {
    if (d.kind == Dimension::Kind::integer) {
      low = d.low - d.step / 2;
      high = last() + d.step / 2;
    } else {
      low = inner(d.low);
      high = inner(d.high);
    }
  }
  double inner(double value) const { return dimension.logarithmic ? std::log(value) : value; }
  double outer(double at) const {
    const Dimension& d = dimension;
    if (d.kind == Dimension::Kind::integer)
      return std::clamp(d.low + std::round((at - d.low) / d.step) * d.step, d.low, last());
    return std::clamp(d.logarithmic ? std::exp(at) : at, d.low, d.high);
  }
  /// The largest value that steps from `low` reach.
  double last() const {
    const Dimension& d = dimension;
    return d.low + std::floor((d.high - d.low) / d.step + 1e-9) * d.step;
  }

  const Dimension& dimension;
  double low = 0, high = 1;
};

/// A mixture of normal distributions cut off at the ends of the interval: one as wide as all of it,
/// the prior, and one per trial, as wide as the larger distance to its neighbours.
class ParzenEstimator {
 public:
  ParzenEstimator(const Interval& interval, std::vector<double> values) : interval_(interval) {
    const double width = interval.high - interval.low;
    const double prior = (interval.low + interval.high) / 2;
    values.push_back(prior);
    std::sort(values.begin(), values.end());
    const auto n = static_cast<double>(values.size());
    const double narrowest = width / std::min(100.0, 1 + n);
    bool prior_done = false;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double left = values[i] - (i > 0 ? values[i - 1] : interval.low);
      const double right = (i + 1 < values.size() ? values[i + 1] : interval.high) - values[i];
      const bool is_prior = values[i] == prior && !prior_done;
      prior_done = prior_done || is_prior;
      add(values[i], is_prior ? width : std::clamp(std::max(left, right), narrowest, width));
    }
  }

  double draw(math::Random& random) const {
    const Normal& normal = normals_[random.below(normals_.size())];
    for (;;) {  // each holds at least a tenth of its weight inside, being centred there
      const double at = normal.mean + normal.width * random.normal();
      if (at >= interval_.low && at <= interval_.high) return at;
    }
  }

  /// Of a real value its density, of an integer the probability of its step.
  double likelihood(double at) const {
    double sum = 0;
    for (const Normal& normal : normals_) {
      const double z = (at - normal.mean) / normal.width;
      if (interval_.dimension.kind == Dimension::Kind::integer) {
        const double half = interval_.dimension.step / 2 / normal.width;
        sum += (normal_cdf(z + half) - normal_cdf(z - half)) / normal.inside;
      } else {
        sum += std::exp(-z * z / 2) / (normal.width * normal.inside);
      }
    }
    return sum;
  }

 private:
  struct Normal {
    double mean, width;
    double inside;  ///< its weight in the interval
  };
  void add(double mean, double width) {
    normals_.push_back(
        {mean, width,
         normal_cdf((interval_.high - mean) / width) - normal_cdf((interval_.low - mean) / width)});
  }

  const Interval& interval_;
  std::vector<Normal> normals_;
};

/// Values of one dimension over trials.
std::vector<double> column(std::span<const Observation* const> trials, std::size_t k) {
  std::vector<double> values;
  for (const Observation* trial : trials) values.push_back(trial->point[k]);
  return values;
}

/// The draw of largest ratio; the first of equal ones.
template <class Draw, class Ratio>
double best_draw(std::size_t candidates, const Draw& draw, const Ratio& ratio) {
  double best = 0, largest = -std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < std::max<std::size_t>(candidates, 1); ++i) {
    const double value = draw();
    if (const double r = ratio(value); r > largest) {
      largest = r;
      best = value;
    }
  }
  return best;
}

double suggest_number(const Dimension& dimension, const std::vector<double>& good,
                      const std::vector<double>& others, std::size_t candidates,
                      math::Random& random) {
  const Interval interval(dimension);
  const auto estimator = [&](std::vector<double> values) {
    for (double& value : values) value = interval.inner(value);
    return ParzenEstimator(interval, std::move(values));
  };
  const ParzenEstimator l = estimator(good), g = estimator(others);
  return best_draw(
      candidates, [&] { return interval.outer(l.draw(random)); },
      [&](double value) {
        const double at = interval.inner(value);
        return l.likelihood(at) / g.likelihood(at);
      });
}

/// Probabilities in proportion to how often a choice was taken, each once more than it was.
std::vector<double> frequencies(std::size_t choices, const std::vector<double>& values) {
  std::vector<double> p(choices, 1.0);
  for (const double value : values) p[static_cast<std::size_t>(value)] += 1;
  for (double& share : p) share /= static_cast<double>(values.size() + choices);
  return p;
}

double suggest_choice(const Dimension& dimension, const std::vector<double>& good,
                      const std::vector<double>& others, std::size_t candidates,
                      math::Random& random) {
  const auto l = frequencies(dimension.choices.size(), good);
  const auto g = frequencies(dimension.choices.size(), others);
  const auto draw = [&] {
    double rest = random.uniform();
    std::size_t i = 0;
    while (i + 1 < l.size() && rest >= l[i]) rest -= l[i++];
    return static_cast<double>(i);
  };
  return best_draw(candidates, draw, [&](double value) {
    const auto i = static_cast<std::size_t>(value);
    return l[i] / g[i];
  });
}

/// NaN and infinities come last.
double rank_of(const Observation& trial) {
  return std::isfinite(trial.loss) ? trial.loss : std::numeric_limits<double>::infinity();
}

}  // namespace

Dimension Dimension::real(std::string name, double low, double high, bool logarithmic) {
  if (!(low < high) || !std::isfinite(high - low) || (logarithmic && low <= 0))
    fail(Errc::invalid_argument, "{}: {} to {} is no range of a hyper-parameter", name, low, high);
  return {std::move(name), Kind::real, low, high, 1, logarithmic, {}};
}

Dimension Dimension::integer(std::string name, double low, double high, double step) {
  if (!(low <= high) || !(step >= 1) || std::floor(low) != low || std::floor(step) != step ||
      !std::isfinite(high - low))
    fail(Errc::invalid_argument, "{}: {} to {} in steps of {} is no range of whole numbers", name,
         low, high, step);
  return {std::move(name), Kind::integer, low, high, step, false, {}};
}

Dimension Dimension::choice(std::string name, std::vector<std::string> choices) {
  if (choices.empty()) fail(Errc::invalid_argument, "{}: there is nothing to choose from", name);
  const auto last = static_cast<double>(choices.size() - 1);
  return {std::move(name), Kind::choice, 0, last, 1, false, std::move(choices)};
}

bool Dimension::allows(double value) const {
  if (!(value >= low && value <= high)) return false;
  return kind == Kind::real || std::fmod(value - low, kind == Kind::integer ? step : 1) == 0;
}

Point random_point(const Space& space, math::Random& random) {
  Point point;
  for (const Dimension& d : space) {
    if (d.kind == Dimension::Kind::choice) {
      point.push_back(static_cast<double>(random.below(d.choices.size())));
    } else {
      const Interval interval(d);
      point.push_back(interval.outer(random.uniform(interval.low, interval.high)));
    }
  }
  return point;
}

Point suggest(const Space& space, const std::vector<Observation>& history,
              const TpeOptions& options, math::Random& random) {
  if (history.size() < std::max<std::size_t>(options.random_trials, 1))
    return random_point(space, random);
  std::vector<const Observation*> trials;
  for (const Observation& trial : history) trials.push_back(&trial);
  std::stable_sort(trials.begin(), trials.end(), [](const Observation* a, const Observation* b) {
    return rank_of(*a) < rank_of(*b);
  });
  const auto wanted =
      static_cast<std::size_t>(std::ceil(options.gamma * static_cast<double>(trials.size())));
  const std::size_t good = std::clamp<std::size_t>(wanted, 1, kMostGood);
  const std::span<const Observation* const> all(trials);
  Point point;
  for (std::size_t k = 0; k < space.size(); ++k) {
    const auto l = column(all.first(good), k), g = column(all.subspan(good), k);
    const auto& choose = space[k].kind == Dimension::Kind::choice ? suggest_choice : suggest_number;
    point.push_back(choose(space[k], l, g, options.candidates, random));
  }
  return point;
}

}  // namespace kronite::learn
