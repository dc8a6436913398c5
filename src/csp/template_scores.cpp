// Blocks of one ratio each for score_top_k().
#include "csp/template_scores.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/fail.hpp"         // for fail
#include "device/pair_walk.hpp"  // for PairWalk

namespace kronite::csp {
namespace {

/// Compositions that are described at a time, in double precision.
constexpr std::size_t kDescribed = 1 << 14;

Array<float> descriptors(Device& device, const Model& model, const ElementTable& table,
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
  return Array<float>(device, x, static_cast<std::int64_t>(compositions.size()),
                      static_cast<std::int64_t>(model.mean.size()));
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

BestTemplates best_by(const Ranker& ranker, Device& device, const TemplateLibrary& library,
                      const std::vector<Composition>& queries, bool self, std::int64_t k,
                      const ElementTable& table, const Progress& progress) {
  const auto values = static_cast<std::size_t>(std::ssize(queries) * k);
  BestTemplates best{k, std::vector<float>(values, std::nanf("")),
                     std::vector<std::int64_t>(values, -1)};
  for (std::int64_t i = 0; i < std::ssize(queries); ++i) {
    if (progress && !progress(i, std::ssize(queries))) fail(Errc::cancelled, "stopped");
    const Composition& query = queries[static_cast<std::size_t>(i)];
    if (!covers(table, query)) continue;
    std::size_t to = static_cast<std::size_t>(i * k);
    for (const auto& scored :
         ranker.rank(device, query, library, library.with_ratio(query.ratio_label()))) {
      if (self && scored.candidate == i) continue;
      if (to == static_cast<std::size_t>((i + 1) * k)) break;
      best.p[to] = static_cast<float>(scored.p);
      best.index[to++] = scored.candidate;
    }
  }
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

TemplateScores::TemplateScores(Device& device, const Model& model, CoveredTemplates templates,
                               const std::vector<Composition>& queries, const ElementTable& table)
    : device_(device),
      ensemble_(device, Classifier(model, table).model().ensemble),  // which checks that they fit
      covered_(std::move(templates.index)),
      templates_(descriptors(device, model, table, templates.compositions)),
      queries_(descriptors(device, model, table, queries)) {}

TemplateScores::TemplateScores(Device& device, const Model& model, const TemplateLibrary& library,
                               const ElementTable& table)
    : TemplateScores(device, model, covered_templates(library, {0, library.size()}, table), {},
                     table) {
  self_ = true;
  rows_ = library.size();
  for (const auto& ratio : library.ratios()) {
    const auto [begin, end] = places(covered_, library.with_ratio(ratio));
    blocks_.push_back({begin, end, begin, end});
  }
}

TemplateScores::TemplateScores(Device& device, const Model& model, const TemplateLibrary& library,
                               const std::vector<Composition>& queries, const ElementTable& table)
    : TemplateScores(device, model, covered_templates(library, {0, library.size()}, table), queries,
                     table) {
  rows_ = std::ssize(queries);
  for (std::int32_t i = 0; i < rows_; ++i) {
    const auto& query = queries[static_cast<std::size_t>(i)];
    const auto [begin, end] = places(covered_, library.with_ratio(query.ratio_label()));
    blocks_.push_back({i, i + 1, begin, end});
  }
}

MatrixView<const float> TemplateScores::query_rows() const {
  return self_ ? templates_.view() : queries_.view();
}

std::int64_t TemplateScores::pairs() const { return PairWalk(blocks_, self_).size(); }

BestTemplates TemplateScores::best(std::int64_t k, Precision precision,
                                   const Progress& progress) const {
  const std::int64_t scored = query_rows().rows;
  Array<float> p(device_, scored, k);
  Array<std::int32_t> index(device_, scored, k);
  score_top_k(device_, query_rows(), templates_.view(), blocks_, ensemble_.view(), p.view(),
              index.view(), {self_, precision, progress});

  BestTemplates best{k, p.to_host(), {}};
  for (const std::int32_t i : index.to_host()) {
    if (i >= 0 && std::isnan(best.p[best.index.size()]))
      fail(Errc::numerical, "the model gives no probability: its weights are too large");
    best.index.push_back(i < 0 ? -1 : covered_[static_cast<std::size_t>(i)]);
  }
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
  const std::int64_t n = std::ssize(query);
  const Array<std::int32_t> from(device_, query, n, 1), to(device_, candidate, n, 1);
  Array<float> p(device_, n, 1);
  score_pairs(device_, query_rows(), templates_.view(), {from.vector(), to.vector()},
              ensemble_.view(), p.vector(), precision);
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
