// Splits, errors, and the share of values inside of bands.
#include "krfd/judge.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <span>
#include <utility>

#include "base/fail.hpp"             // for fail
#include "io/input.hpp"              // for LineReader
#include "math/normal_quantile.hpp"  // for deviations_of_share
#include "math/random.hpp"           // for Random

namespace kronite::krfd {
namespace {

double share_within(const Judged& judged, MatrixView<const double> y, double share) {
  const double factor = math::deviations_of_share(share);
  std::size_t inside = 0, k = 0;
  for (std::int64_t i = 0; i < y.rows; ++i)
    for (std::int64_t j = 0; j < y.cols; ++j, ++k)
      if (std::abs(y.row(i)[j] - judged.mean[k]) <= factor * judged.deviation_measured[k]) ++inside;
  return static_cast<double>(inside) / static_cast<double>(k);
}

/// Rows of each group, groups in the order of their first rows.
std::vector<std::vector<std::int64_t>> members_of(const std::vector<std::int64_t>& groups,
                                                  std::int64_t systems) {
  if (!groups.empty() && std::ssize(groups) != systems)
    fail(Errc::invalid_argument, "there are {} numbers of groups for {} systems", groups.size(),
         systems);
  std::vector<std::vector<std::int64_t>> members;
  std::map<std::int64_t, std::size_t> place;
  for (std::int64_t row = 0; row < systems; ++row) {
    const std::int64_t group = groups.empty() ? row : groups[static_cast<std::size_t>(row)];
    const auto [at, added] = place.try_emplace(group, members.size());
    if (added) members.emplace_back();
    members[at->second].push_back(row);
  }
  return members;
}

}  // namespace

Split random_split(std::int64_t systems, double share, std::uint64_t seed,
                   const std::vector<std::int64_t>& groups) {
  if (systems < 2)
    fail(Errc::invalid_argument,
         "there is {} system; two are needed, one to learn from and one to test on", systems);
  const auto members = members_of(groups, systems);
  if (members.size() < 2)
    fail(Errc::invalid_argument,
         "all systems are of one group; two are needed, one to learn from and one to test on");
  std::vector<std::int64_t> order(members.size());
  std::iota(order.begin(), order.end(), 0);
  math::Random(seed).shuffle(std::span<std::int64_t>(order));
  const auto wanted =
      std::clamp<std::int64_t>(std::llround(share * static_cast<double>(systems)), 1, systems - 1);
  Split split;
  for (std::size_t k = 0; k < order.size(); ++k) {
    const auto& rows = members[static_cast<std::size_t>(order[k])];
    const bool tested = std::ssize(split.test) < wanted && k + 1 < order.size();
    auto& part = tested ? split.test : split.train;
    part.insert(part.end(), rows.begin(), rows.end());
  }
  std::sort(split.test.begin(), split.test.end());
  std::sort(split.train.begin(), split.train.end());
  return split;
}

std::vector<std::int64_t> read_groups(const std::string& path, std::int64_t systems) {
  std::vector<std::int64_t> groups;
  std::map<std::string, std::int64_t> number;
  io::LineReader lines(path);
  for (std::string line; lines.next(line);) {
    if (line.empty())
      fail(Errc::parse, "{}:{}: the name of a group is expected on each line", path,
           lines.line_number());
    groups.push_back(number.try_emplace(line, std::ssize(number)).first->second);
  }
  if (std::ssize(groups) != systems)
    fail(Errc::invalid_argument, "{} has {} lines; one for each of {} systems is expected", path,
         groups.size(), systems);
  return groups;
}

std::vector<std::int32_t> random_folds_of(const std::vector<std::int64_t>& groups,
                                          std::int64_t systems, int folds, std::uint64_t seed) {
  const auto members = members_of(groups, systems);
  const auto of_group = random_folds(std::ssize(members), folds, seed);
  std::vector<std::int32_t> fold(static_cast<std::size_t>(systems));
  for (std::size_t g = 0; g < members.size(); ++g)
    for (const std::int64_t row : members[g]) fold[static_cast<std::size_t>(row)] = of_group[g];
  return fold;
}

Judged judge_means(std::vector<double> mean, MatrixView<const double> y) {
  Judged judged;
  judged.mean = std::move(mean);
  judged.errors = errors({judged.mean.data(), y.rows, y.cols}, y);
  return judged;
}

void judge_bands(Judged& judged, std::vector<double> deviation, double noise,
                 MatrixView<const double> y) {
  judged.deviation = std::move(deviation);
  for (const double value : judged.deviation)
    judged.deviation_measured.push_back(std::sqrt(value * value + noise));
  judged.within_68 = share_within(judged, y, 0.68);
  judged.within_95 = share_within(judged, y, 0.95);
}

Judged judge(Device& device, const Model& model, MatrixView<const double> x,
             MatrixView<const double> y) {
  const MatrixView<const double> t{model.t().data(), model.points(), model.coordinates()};
  Judged judged = judge_means(model.mean(device, x, t), y);
  judge_bands(judged, model.deviation(device, x, t), model.sigma2(), y);
  return judged;
}

MeanAndDeviation over_splits(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  MeanAndDeviation result;
  result.mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double value : values) squares += (value - result.mean) * (value - result.mean);
  result.deviation =
      values.size() < 2 ? std::numeric_limits<double>::quiet_NaN() : std::sqrt(squares / (n - 1));
  return result;
}

}  // namespace kronite::krfd
