// Probabilities of lists, in double precision from squared distances of the device.
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "device/backend.hpp"  // for kernels, training
#include "learn/lists.hpp"

namespace kronite::learn {
namespace {

/// Distances that come to the host at a time.
constexpr std::int64_t kTile = 1 << 22;

bool is(std::span<const std::uint8_t> relation, std::size_t j, Relation wanted) {
  return !relation.empty() && static_cast<Relation>(relation[j]) == wanted;
}

/// Rows of a group, in memory of their own.
template <class T>
class Gathered {
 public:
  Gathered(MatrixView<const T> rows, const std::vector<std::int32_t>& indices)
      : rows_(std::ssize(indices)), cols_(rows.cols) {
    values_.reserve(static_cast<std::size_t>(rows_ * cols_));
    for (const std::int32_t i : indices)
      values_.insert(values_.end(), rows.row(i), rows.row(i) + cols_);
  }
  MatrixView<T> view() { return {values_.data(), rows_, cols_}; }

 private:
  std::int64_t rows_, cols_;
  std::vector<T> values_;
};

Array<float> upload(Device& device, MatrixView<const float> host) {
  return {device, std::vector<float>(host.data, host.data + host.rows * host.cols), host.rows,
          host.cols};
}

std::optional<DeviceEmbedding> optional_part(Device& device, const EmbeddingNetwork& network,
                                             std::int64_t inputs) {
  if (network.empty()) return std::nullopt;
  return DeviceEmbedding(device, network, inputs);
}

/// The one value that `part` gives for each row.
std::vector<float> one_value(Device& device, const DeviceEmbedding& part,
                             MatrixView<const float> rows) {
  Array<float> values(device, rows.rows, 1);
  part.embed(device, rows, values.view());
  return values.to_host();
}

}  // namespace

bool ListGroup::any_alike() const {
  std::vector<std::int64_t> members(alike.size());
  for (const std::int32_t c : candidate_class) ++members[static_cast<std::size_t>(c)];
  for (std::size_t query = 0; query < queries.size(); ++query) {
    const auto& classes = alike[static_cast<std::size_t>(query_class[query])];
    std::int64_t count = 0;
    for (const std::int32_t c : classes) count += members[static_cast<std::size_t>(c)];
    for (const std::int32_t place : left_out[query])
      count -= std::count(classes.begin(), classes.end(),
                          candidate_class[static_cast<std::size_t>(place)]);
    if (count > 0) return true;
  }
  return false;
}

void ListGroup::relations(std::size_t query, std::span<std::uint8_t> to) const {
  std::vector<std::uint8_t> of_class(alike.size(), static_cast<std::uint8_t>(Relation::unlike));
  for (const std::int32_t c : alike[static_cast<std::size_t>(query_class[query])])
    of_class[static_cast<std::size_t>(c)] = static_cast<std::uint8_t>(Relation::alike);
  std::transform(candidate_class.begin(), candidate_class.end(), to.begin(),
                 [&](std::int32_t c) { return of_class[static_cast<std::size_t>(c)]; });
  for (const std::int32_t place : left_out[query])
    to[static_cast<std::size_t>(place)] = static_cast<std::uint8_t>(Relation::left_out);
}

double add_probabilities(std::span<const float> squared, std::span<const float> bias,
                         std::span<const std::uint8_t> relation, double none, double share,
                         std::span<double> p) {
  const auto logit = [&](std::size_t j) {
    return (bias.empty() ? 0.0 : static_cast<double>(bias[j])) - static_cast<double>(squared[j]);
  };
  const auto counts = [&](std::size_t j) { return !is(relation, j, Relation::left_out); };
  double largest = none;
  for (std::size_t j = 0; j < squared.size(); ++j)
    if (counts(j)) largest = std::max(largest, logit(j));
  const double none_term = std::exp(none - largest);
  double sum = none_term;
  for (std::size_t j = 0; j < squared.size(); ++j)
    if (counts(j)) sum += std::exp(logit(j) - largest);
  for (std::size_t j = 0; j < squared.size(); ++j)
    p[j] += share * (counts(j) ? std::exp(logit(j) - largest) / sum
                               : 1 / (1 + sum * std::exp(largest - logit(j))));
  return share * none_term / sum;
}

// --- a metric on a device -----------------------------------------------------------------------

DeviceMetric::DeviceMetric(Device& device, const MetricNetwork& network, std::int64_t inputs,
                           std::int64_t traits)
    : vectors_(network.embedding.vectors),
      embedding_(device, network.embedding, inputs),
      shift_(optional_part(device, network.shift, traits)),
      bias_(optional_part(device, network.bias, traits)),
      none_of_(optional_part(device, network.none_of, inputs)),
      none_(static_cast<float>(network.none)) {}

Array<float> DeviceMetric::embed(Device& device, MatrixView<float> values,
                                 MatrixView<const std::int32_t> kinds,
                                 MatrixView<float> points) const {
  for (std::int64_t i = 0; i < values.rows; ++i) vectors_.fill(kinds.row(i), values.row(i));
  Array<float> rows = upload(device, values);
  embedding_.embed(device, std::as_const(rows).view(), points);
  return rows;
}

void DeviceMetric::queries(Device& device, MatrixView<float> values,
                           MatrixView<const std::int32_t> kinds, MatrixView<float> points,
                           std::span<float> none) const {
  const Array<float> rows = embed(device, values, kinds, points);
  std::fill(none.begin(), none.end(), none_);
  if (!none_of_) return;
  const auto more = one_value(device, *none_of_, rows.view());
  for (std::size_t i = 0; i < more.size(); ++i) none[i] += more[i];
}

void DeviceMetric::candidates(Device& device, MatrixView<float> values,
                              MatrixView<const std::int32_t> kinds, MatrixView<const float> traits,
                              MatrixView<float> points, std::span<float> bias) const {
  embed(device, values, kinds, points);
  std::fill(bias.begin(), bias.end(), 0.0F);
  if (!has_traits()) return;
  const Array<float> own = upload(device, traits);
  if (shift_) {
    Array<float> shift(device, points.rows, points.cols);
    shift_->embed(device, own.view(), shift.view());
    const Array<float> ones(device, std::vector<float>(bias.size(), 1.0F), points.rows, 1);
    training<float>(device).add_scaled_rows(1, ones.vector(), std::as_const(shift).view(), points);
    device.synchronize();  // before the arrays go
  }
  if (bias_) {
    const auto values_of = one_value(device, *bias_, own.view());
    std::copy(values_of.begin(), values_of.end(), bias.begin());
  }
}

// --- what queries say ---------------------------------------------------------------------------

double ListScores::loss() const {
  constexpr double kLeast = 1e-12;  // that a probability underflows is no certainty
  double alike = 0;
  bool any = false;
  for (std::size_t j = 0; j < p.size(); ++j)
    if (is(relation, j, Relation::alike)) {
      alike += p[j];
      any = true;
    }
  return 0 - std::log(std::max(kLeast, any ? alike : none));
}

std::int64_t ListScores::misses() const {
  std::int64_t best = -1;
  for (std::size_t j = 0; j < p.size(); ++j)
    if (is(relation, j, Relation::alike) && (best < 0 || p[j] > p[static_cast<std::size_t>(best)]))
      best = static_cast<std::int64_t>(j);
  if (best < 0) return -1;
  std::int64_t before = 0;
  const double at = p[static_cast<std::size_t>(best)];
  for (std::size_t j = 0; j < p.size(); ++j)
    if (is(relation, j, Relation::unlike) &&
        (p[j] > at || (p[j] == at && static_cast<std::int64_t>(j) < best)))
      ++before;
  return before;
}

ListScorer::ListScorer(Device& device, std::span<const MetricNetwork> metrics, const ListRows& rows)
    : device_(device), rows_(rows) {
  for (const MetricNetwork& metric : metrics)
    metrics_.emplace_back(device, metric, rows.values.cols, rows.traits.cols);
}

void ListScorer::score(const ListGroup& group,
                       const std::function<void(std::size_t, const ListScores&)>& take) const {
  const auto m = std::ssize(group.candidates), n = std::ssize(group.queries);
  if (n == 0) return;
  Gathered<float> candidates(rows_.values, group.candidates);
  Gathered<float> queries(rows_.values, group.queries);
  Gathered<std::int32_t> candidate_kinds(rows_.kinds, group.candidates);
  Gathered<std::int32_t> query_kinds(rows_.kinds, group.queries);
  Gathered<float> traits(rows_.traits, group.candidates);
  std::vector<Array<float>> to, from;
  std::vector<std::vector<float>> bias, none;
  for (const DeviceMetric& metric : metrics_) {
    to.emplace_back(device_, m, metric.width());
    from.emplace_back(device_, n, metric.width());
    metric.candidates(device_, candidates.view(), candidate_kinds.view(), traits.view(),
                      to.back().view(), bias.emplace_back(static_cast<std::size_t>(m)));
    metric.queries(device_, queries.view(), query_kinds.view(), from.back().view(),
                   none.emplace_back(static_cast<std::size_t>(n)));
  }
  const auto width = static_cast<std::size_t>(m);
  std::vector<std::uint8_t> relation(width);
  const double share = 1 / static_cast<double>(metrics_.size());
  const std::int64_t tile = std::clamp<std::int64_t>(kTile / std::max<std::int64_t>(1, m), 1, n);
  for (std::int64_t begin = 0; begin < n; begin += tile) {
    const std::int64_t count = std::min(tile, n - begin);
    std::vector<std::vector<float>> squared;
    for (std::size_t e = 0; e < metrics_.size(); ++e) {
      Array<float> distances(device_, count, m);
      kernels<float>(device_).squared_distances(from[e].view().rows_from(begin, count),
                                                to[e].view(), distances.view());
      squared.push_back(distances.to_host());
    }
    for (std::int64_t i = 0; i < count; ++i) {
      const auto query = static_cast<std::size_t>(begin + i);
      group.relations(query, relation);
      std::vector<double> p(width, 0.0);
      double p_none = 0;
      for (std::size_t e = 0; e < metrics_.size(); ++e)
        p_none +=
            add_probabilities({squared[e].data() + static_cast<std::size_t>(i) * width, width},
                              bias[e], relation, static_cast<double>(none[e][query]), share, p);
      take(query, {p, relation, p_none});
    }
  }
}

}  // namespace kronite::learn
