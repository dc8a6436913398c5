// Blocks of one ratio each for score_top_k().
#include "csp/template_scores.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/fail.hpp"           // for fail
#include "base/parallel.hpp"       // for tiles_of
#include "base/side_by_side.hpp"   // for side_by_side, SharedProgress
#include "csp/score_batches.hpp"   // for batches_of, pairs_between_reports
#include "device/backend.hpp"      // for network
#include "device/pair_walk.hpp"    // for PairWalk
#include "device/top_k_lists.hpp"  // for TopKLists

namespace kronite::csp {
namespace {

/// Compositions that are described at a time, in double precision.
constexpr std::size_t kDescribed = 1 << 14;
/// Queries that a device ranks before it takes others.
constexpr std::int64_t kQueriesInPart = 16;
/// Each of several devices gets some batches, if they are not too small.
constexpr std::int64_t kBatchesPerDevice = 8, kFewestPairs = 4096;

/// Standardised, one row each.
std::vector<float> descriptors(const Model& model, const ElementTable& table,
                               const std::vector<Composition>& compositions) {
  std::vector<float> x;
  x.reserve(compositions.size() * model.mean.size());
  for (std::size_t begin = 0; begin < compositions.size(); begin += kDescribed) {
    std::vector<Composition> part;
    for (std::size_t i = begin; i < std::min(begin + kDescribed, compositions.size()); ++i)
      part.push_back(compositions[i].reduced());
    for (const double value : standardised_descriptors(part, table, model.mean, model.std))
      x.push_back(static_cast<float>(value));
  }
  return x;
}

/// The places in `covered`, ascending, of the templates of a range.
std::pair<std::int32_t, std::int32_t> places(const std::vector<std::int64_t>& covered,
                                             TemplateRange range) {
  const auto place = [&](std::int64_t index) {
    return static_cast<std::int32_t>(std::lower_bound(covered.begin(), covered.end(), index) -
                                     covered.begin());
  };
  return {place(range.begin), place(range.end)};
}

}  // namespace

BestTemplates best_by(const Ranker& ranker, std::span<Device> devices,
                      const TemplateLibrary& library, const std::vector<Composition>& queries,
                      bool self, std::int64_t k, const ElementTable& table,
                      const Progress& progress) {
  const auto values = static_cast<std::size_t>(std::ssize(queries) * k);
  BestTemplates best{k, std::vector<float>(values, std::nanf("")),
                     std::vector<std::int64_t>(values, -1)};
  const auto find = [&](Device& device, std::int64_t i) {
    const Composition& query = queries[static_cast<std::size_t>(i)];
    if (!covers(table, query)) return;
    std::size_t to = static_cast<std::size_t>(i * k);
    for (const auto& scored :
         ranker.rank(device, query, library, library.with_ratio(query.ratio_label()))) {
      if (self && scored.candidate == i) continue;
      if (to == static_cast<std::size_t>((i + 1) * k)) break;
      best.p[to] = static_cast<float>(scored.p);
      best.index[to++] = scored.candidate;
    }
  };
  SharedProgress told(progress, std::ssize(queries));
  side_by_side(devices.size(), tiles_of(std::ssize(queries), kQueriesInPart),
               [&](const Part& part) {
                 const std::int64_t begin = part.number() * kQueriesInPart;
                 const std::int64_t end = std::min(begin + kQueriesInPart, std::ssize(queries));
                 for (std::int64_t i = begin; i < end; ++i) {
                   told.ask();
                   find(devices[part.worker()], i);
                   told.add(1);
                 }
               });
  return best;
}

double shared_share(const BestTemplates& a, const BestTemplates& b) {
  std::int64_t shared = 0, all = 0;
  const auto row = [](const BestTemplates& of, std::int64_t i) {
    return of.index.begin() + i * of.k;
  };
  for (std::int64_t i = 0; i * a.k < std::ssize(a.index); ++i)
    for (auto it = row(a, i); it != row(a, i) + a.k && *it >= 0; ++it, ++all)
      if (std::find(row(b, i), row(b, i) + b.k, *it) != row(b, i) + b.k) ++shared;
  return all == 0 ? 1 : static_cast<double>(shared) / static_cast<double>(all);
}

TemplateScores::TemplateScores(std::span<Device> devices, const Model& model,
                               CoveredTemplates templates, const std::vector<Composition>& queries,
                               const ElementTable& table)
    : covered_(std::move(templates.index)) {
  require_devices(devices.size());
  const Classifier checked(model, table);  // that they fit
  const auto width = static_cast<std::int64_t>(model.mean.size());
  const std::vector<float> of_templates = descriptors(model, table, templates.compositions);
  const std::vector<float> of_queries = descriptors(model, table, queries);
  for (Device& device : devices)
    on_.push_back({&device, DeviceEnsemble(device, checked.model().ensemble),
                   Array<float>(device, of_templates, std::ssize(covered_), width),
                   Array<float>(device, of_queries, std::ssize(queries), width)});
}

TemplateScores::TemplateScores(std::span<Device> devices, const Model& model,
                               const TemplateLibrary& library, const ElementTable& table)
    : TemplateScores(devices, model, covered_templates(library, {0, library.size()}, table), {},
                     table) {
  self_ = true;
  rows_ = library.size();
  for (const auto& ratio : library.ratios()) {
    const auto [begin, end] = places(covered_, library.with_ratio(ratio));
    blocks_.push_back({begin, end, begin, end});
  }
}

TemplateScores::TemplateScores(std::span<Device> devices, const Model& model,
                               const TemplateLibrary& library,
                               const std::vector<Composition>& queries, const ElementTable& table)
    : TemplateScores(devices, model, covered_templates(library, {0, library.size()}, table),
                     queries, table) {
  rows_ = std::ssize(queries);
  for (std::int32_t i = 0; i < rows_; ++i) {
    const auto& query = queries[static_cast<std::size_t>(i)];
    const auto [begin, end] = places(covered_, library.with_ratio(query.ratio_label()));
    blocks_.push_back({i, i + 1, begin, end});
  }
}

MatrixView<const float> TemplateScores::query_rows(const OnDevice& on) const {
  return self_ ? on.templates.view() : on.queries.view();
}

std::int64_t TemplateScores::pairs() const { return PairWalk(blocks_, self_).size(); }

TemplateScores::Lists TemplateScores::lists(std::int64_t k, Precision precision,
                                            const Progress& progress) const {
  if (on_.size() > 1) return shared_lists(k, precision, progress);
  const OnDevice& on = on_.front();
  Array<float> p(*on.device, query_rows(on).rows, k);
  Array<std::int32_t> index(*on.device, query_rows(on).rows, k);
  score_top_k(*on.device, query_rows(on), on.templates.view(), blocks_, on.ensemble.view(),
              p.view(), index.view(), {self_, precision, progress});
  return {p.to_host(), index.to_host()};
}

/// Each device has lists of its own, of the pairs that it came to take. No pair is in two of them,
/// and the order of pairs is without ties, so that the best of all lists are the same whoever took
/// what.
TemplateScores::Lists TemplateScores::shared_lists(std::int64_t k, Precision precision,
                                                   const Progress& progress) const {
  const std::int64_t total = pairs(), rows = query_rows(on_.front()).rows;
  std::vector<Array<float>> p;
  std::vector<Array<std::int32_t>> index;
  std::int64_t most = std::max(kFewestPairs, total / (kBatchesPerDevice * std::ssize(on_)) + 1);
  for (const OnDevice& on : on_) {
    p.emplace_back(*on.device, rows, k);
    index.emplace_back(*on.device, rows, k);
    score_top_k(*on.device, query_rows(on), on.templates.view(), {}, on.ensemble.view(),
                p.back().view(), index.back().view(), {self_, precision, {}});  // empty lists
    most = std::min(most, pairs_between_reports(*on.device, on.ensemble.view()));
  }
  const auto batches = batches_of(blocks_, self_, most);
  SharedProgress told(progress, total);
  side_by_side(on_.size(), std::ssize(batches), [&](const Part& part) {
    told.ask();
    const OnDevice& on = on_[part.worker()];
    const auto& batch = batches[static_cast<std::size_t>(part.number())];
    network<float>(*on.device)
        .score_top_k(query_rows(on), on.templates.view(), batch, on.ensemble.view(),
                     {self_, true, precision}, p[part.worker()].view(),
                     index[part.worker()].view());
    on.device->synchronize();
    told.add(PairWalk(batch, self_).size());
  });
  told.finish();

  const auto places = static_cast<std::size_t>(rows * k);
  std::vector<Ranked<float>> memory(places);
  TopKLists<float> all(memory.data(), rows, k);
  all.clear();
  for (std::size_t d = 0; d < on_.size(); ++d) {
    const auto value = p[d].to_host();
    const auto number = index[d].to_host();
    for (std::size_t at = 0; at < places; ++at)
      if (number[at] >= 0) all.offer(static_cast<std::int64_t>(at) / k, {value[at], number[at]});
  }
  Lists lists{std::vector<float>(places), std::vector<std::int32_t>(places)};
  all.write({lists.p.data(), rows, k}, {lists.index.data(), rows, k});
  return lists;
}

BestTemplates TemplateScores::best(std::int64_t k, Precision precision,
                                   const Progress& progress) const {
  Lists found = lists(k, precision, progress);
  BestTemplates best{k, std::move(found.p), {}};
  for (const std::int32_t i : found.index) {
    if (i >= 0 && std::isnan(best.p[best.index.size()]))
      fail(Errc::numerical, "the model gives no probability: its weights are too large");
    best.index.push_back(i < 0 ? -1 : covered_[static_cast<std::size_t>(i)]);
  }
  const std::int64_t scored = query_rows(on_.front()).rows;
  if (!self_ || scored == rows_) return best;
  // Rows of templates that take no part are empty.
  const auto values = static_cast<std::size_t>(rows_ * k);
  BestTemplates all{k, std::vector<float>(values, std::nanf("")),
                    std::vector<std::int64_t>(values, -1)};
  for (std::int64_t i = 0; i < scored; ++i) {
    const std::int64_t to = covered_[static_cast<std::size_t>(i)] * k;
    std::copy_n(best.p.begin() + i * k, k, all.p.begin() + to);
    std::copy_n(best.index.begin() + i * k, k, all.index.begin() + to);
  }
  return all;
}

std::vector<float> TemplateScores::score(const std::vector<std::int32_t>& query,
                                         const std::vector<std::int32_t>& candidate,
                                         Precision precision) const {
  const OnDevice& on = on_.front();
  const std::int64_t n = std::ssize(query);
  const Array<std::int32_t> from(*on.device, query, n, 1), to(*on.device, candidate, n, 1);
  Array<float> p(*on.device, n, 1);
  score_pairs(*on.device, query_rows(on), on.templates.view(), {from.vector(), to.vector()},
              on.ensemble.view(), p.vector(), precision);
  return p.to_host();
}

PrecisionError TemplateScores::error_of(Precision precision, std::int64_t most) const {
  const PairWalk walk(blocks_, self_);
  std::vector<std::int32_t> query, candidate;
  const std::int64_t step =
      std::max<std::int64_t>(1, walk.size() / std::max<std::int64_t>(1, most));
  for (std::int64_t n = 0; n < walk.size(); n += step)
    walk.visit(n, 1, [&](std::int64_t, IndexPair pair) {
      query.push_back(pair.query);
      candidate.push_back(pair.candidate);
    });
  const auto exact = score(query, candidate, Precision::fp32);
  const auto rounded = score(query, candidate, precision);

  PrecisionError error{std::ssize(query)};
  for (std::size_t n = 0; n < exact.size(); ++n) {
    const double difference = std::abs(static_cast<double>(rounded[n]) - exact[n]);
    error.largest = std::max(error.largest, difference);
    error.mean += difference / static_cast<double>(exact.size());
  }
  return error;
}

}  // namespace kronite::csp
