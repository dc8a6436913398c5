// Splits of systems for curves with points of their own, and how predictions at points are judged.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <span>

#include "base/fail.hpp"       // for fail
#include "base/printable.hpp"  // for printable
#include "io/input.hpp"        // for LineReader
#include "krfd/compare_irregular.hpp"
#include "math/random.hpp"  // for Random

namespace kronite::krfd {
namespace {

/// Numbers of the different features, in random order.
std::vector<std::int64_t> shuffled_groups(std::int64_t groups, std::uint64_t seed) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(groups));
  std::iota(order.begin(), order.end(), 0);
  math::Random(seed).shuffle(std::span<std::int64_t>(order));
  return order;
}

std::int64_t count_groups(const std::vector<std::int64_t>& group) {
  return group.empty() ? 0 : *std::max_element(group.begin(), group.end()) + 1;
}

}  // namespace

Split split_by_features(MatrixView<const double> x, double share, std::uint64_t seed) {
  const std::vector<std::int64_t> group = equal_features(x);
  const std::int64_t groups = count_groups(group);
  if (groups < 2)
    fail(Errc::invalid_argument,
         "there is {} system with features of its own; two are needed, one to learn from and one "
         "to test on",
         groups);
  std::vector<std::int64_t> size(static_cast<std::size_t>(groups), 0);
  for (const std::int64_t g : group) ++size[static_cast<std::size_t>(g)];
  const double wanted = share * static_cast<double>(x.rows);
  std::vector<char> tested(static_cast<std::size_t>(groups), 0);
  std::int64_t systems = 0, taken = 0;
  for (const std::int64_t g : shuffled_groups(groups, seed)) {
    const auto more = size[static_cast<std::size_t>(g)];
    // The nearest to the share, one group at least for either part.
    if (taken > 0 && (static_cast<double>(systems) + static_cast<double>(more) / 2 > wanted ||
                      taken + 1 == groups))
      break;
    tested[static_cast<std::size_t>(g)] = 1;
    systems += more;
    ++taken;
  }
  Split split;
  for (std::size_t i = 0; i < group.size(); ++i)
    (tested[static_cast<std::size_t>(group[i])] ? split.test : split.train)
        .push_back(static_cast<std::int64_t>(i));
  return split;
}

std::vector<std::int64_t> folds_by_features(MatrixView<const double> x, int folds,
                                            std::uint64_t seed) {
  std::vector<std::int64_t> group = equal_features(x);
  const std::int64_t groups = count_groups(group);
  const std::int64_t count = std::min<std::int64_t>(folds, groups);
  std::vector<std::int64_t> fold(static_cast<std::size_t>(groups));
  const std::vector<std::int64_t> order = shuffled_groups(groups, seed);
  for (std::size_t k = 0; k < order.size(); ++k)
    fold[static_cast<std::size_t>(order[k])] = static_cast<std::int64_t>(k) % count;
  for (std::int64_t& g : group) g = fold[static_cast<std::size_t>(g)];
  return group;
}

Split named_split(const std::vector<std::string>& names, const std::string& known_from,
                  const std::string& path) {
  std::set<std::string> wanted;
  io::LineReader lines(path);
  const std::set<std::string> known(names.begin(), names.end());
  for (std::string line; lines.next(line);) {
    if (line.empty() || line.starts_with('#')) continue;
    if (!known.count(line))
      fail(Errc::parse, "{}:{}: there is no system {} in {}", path, lines.line_number(),
           printable(line), known_from);
    wanted.insert(line);
  }
  Split split;
  for (std::size_t i = 0; i < names.size(); ++i)
    (wanted.count(names[i]) ? split.test : split.train).push_back(static_cast<std::int64_t>(i));
  if (split.test.empty() || split.train.empty())
    fail(Errc::invalid_argument, "{}: {} systems are for testing and {} are left to learn from",
         path, split.test.size(), split.train.size());
  return split;
}

Judged judge_points(Device& device, const AnyModel& model, const LongCurves& test, bool complete) {
  MeanAndStd at = at_points(device, model, test.x.view(), test.points(), true, {false, complete});
  const MatrixView<const double> y{test.y.data(), std::ssize(test.y), 1};
  Judged judged = judge_means(std::move(at.mean), y);
  judge_bands(judged, std::move(at.std), shape_of(model).sigma2, y);
  return judged;
}

std::vector<double> interpolated(const LongCurves& curves, const std::vector<double>& grid) {
  std::vector<std::vector<std::pair<double, double>>> points(
      static_cast<std::size_t>(curves.x.rows));
  for (std::size_t n = 0; n < curves.curve.size(); ++n)
    points[static_cast<std::size_t>(curves.curve[n])].emplace_back(curves.t[n], curves.y[n]);
  std::vector<double> values;
  for (auto& curve : points) {
    std::sort(curve.begin(), curve.end());
    for (const double t : grid) values.push_back(value_between(curve, t));
  }
  return values;
}

double value_between(const std::vector<std::pair<double, double>>& curve, double t) {
  const auto right = std::lower_bound(
      curve.begin(), curve.end(), t, [](const auto& point, double at) { return point.first < at; });
  if (right == curve.begin()) return curve.front().second;
  if (right == curve.end()) return curve.back().second;
  const auto left = right - 1;
  if (right->first == left->first) return left->second;
  return left->second +
         (right->second - left->second) * (t - left->first) / (right->first - left->first);
}

}  // namespace kronite::krfd
