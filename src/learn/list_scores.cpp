// Probabilities of lists, in double precision from squared distances of the device.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "device/backend.hpp"  // for kernels
#include "learn/lists.hpp"

namespace kronite::learn {
namespace {

/// Distances that come to the host at a time.
constexpr std::int64_t kTile = 1 << 22;

bool is(std::span<const std::uint8_t> relation, std::size_t j, Relation wanted) {
  return !relation.empty() && static_cast<Relation>(relation[j]) == wanted;
}

std::vector<float> gather(MatrixView<const float> rows, const std::vector<std::int32_t>& indices) {
  std::vector<float> gathered;
  gathered.reserve(indices.size() * static_cast<std::size_t>(rows.cols));
  for (const std::int32_t i : indices)
    gathered.insert(gathered.end(), rows.row(i), rows.row(i) + rows.cols);
  return gathered;
}

}  // namespace

bool ListGroup::any_alike(std::size_t query) const {
  const auto& entries = related[query];
  return std::any_of(entries.begin(), entries.end(),
                     [](const Related& r) { return r.relation == Relation::alike; });
}

double add_probabilities(std::span<const float> squared, std::span<const std::uint8_t> relation,
                         double none, double share, std::span<double> p) {
  double largest = none;
  for (const float d : squared) largest = std::max(largest, 0 - static_cast<double>(d));
  const auto term = [&](std::size_t j) {
    return std::exp(0 - static_cast<double>(squared[j]) - largest);
  };
  const double none_term = std::exp(none - largest);
  double sum = none_term;
  for (std::size_t j = 0; j < squared.size(); ++j)
    if (!is(relation, j, Relation::left_out)) sum += term(j);
  for (std::size_t j = 0; j < squared.size(); ++j) {
    const double mine = term(j);
    p[j] += share * mine / (is(relation, j, Relation::left_out) ? sum + mine : sum);
  }
  return share * none_term / sum;
}

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

ListScorer::ListScorer(Device& device, std::span<const ListModel> models, std::int64_t inputs)
    : device_(device) {
  for (const ListModel& model : models) {
    embeddings_.emplace_back(device, model.embedding, inputs);
    none_.push_back(model.none);
  }
}

void ListScorer::score(MatrixView<const float> rows, const ListGroup& group,
                       const std::function<void(std::size_t, const ListScores&)>& take) const {
  const auto m = std::ssize(group.candidates), n = std::ssize(group.queries);
  if (n == 0) return;
  const Array<float> candidates(device_, gather(rows, group.candidates), m, rows.cols);
  const Array<float> queries(device_, gather(rows, group.queries), n, rows.cols);
  const std::int64_t tile = std::clamp<std::int64_t>(kTile / std::max<std::int64_t>(1, m), 1, n);
  std::vector<Array<float>> to, from;
  for (const DeviceEmbedding& embedding : embeddings_) {
    to.emplace_back(device_, m, embedding.width());
    from.emplace_back(device_, n, embedding.width());
    embedding.embed(device_, candidates.view(), to.back().view());
    embedding.embed(device_, queries.view(), from.back().view());
  }
  const auto width = static_cast<std::size_t>(m);
  std::vector<std::uint8_t> relation(width);
  const double share = 1 / static_cast<double>(embeddings_.size());
  for (std::int64_t begin = 0; begin < n; begin += tile) {
    const std::int64_t count = std::min(tile, n - begin);
    std::vector<std::vector<float>> squared;
    for (std::size_t e = 0; e < embeddings_.size(); ++e) {
      Array<float> distances(device_, count, m);
      kernels<float>(device_).squared_distances(from[e].view().rows_from(begin, count),
                                                to[e].view(), distances.view());
      squared.push_back(distances.to_host());
    }
    for (std::int64_t i = 0; i < count; ++i) {
      const auto query = static_cast<std::size_t>(begin + i);
      std::fill(relation.begin(), relation.end(), std::uint8_t{0});
      for (const auto& [place, how] : group.related[query])
        relation[static_cast<std::size_t>(place)] = static_cast<std::uint8_t>(how);
      std::vector<double> p(width, 0.0);
      double none = 0;
      for (std::size_t e = 0; e < embeddings_.size(); ++e)
        none += add_probabilities({squared[e].data() + static_cast<std::size_t>(i) * width, width},
                                  relation, none_[e], share, p);
      take(query, {p, relation, none});
    }
  }
}

}  // namespace kronite::learn
