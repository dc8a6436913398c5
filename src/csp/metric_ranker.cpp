// Ranking by a learned metric: points of a ratio's templates are kept, a query costs one distance
// each.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <mutex>
#include <tuple>
#include <utility>

#include "base/fail.hpp"               // for fail
#include "csp/close_pairs.hpp"         // for close_lists
#include "csp/describe_templates.hpp"  // for covered_templates, same_composition, sort_best_first
#include "csp/metric_inputs.hpp"       // for MetricInputs
#include "device/attachments.hpp"
#include "device/backend.hpp"           // for kernels
#include "kronite/array.hpp"            // for Array
#include "kronite/metric.hpp"           // for MetricRanker
#include "learn/lists.hpp"              // for add_probabilities
#include "materials/element_table.hpp"  // for require_elements

namespace kronite::csp {
namespace {

/// Compositions whose rows are on the device at a time.
constexpr std::size_t kTile = 1 << 14;

/// The embeddings of all members, on a device.
struct Networks {
  std::vector<DeviceEmbedding> members;
};

/// Points of the templates of a ratio by each member, on a device.
struct Points {
  std::vector<Array<float>> members;
};

/// Templates that can be ranked, and who is alike with whom; the same on every device.
struct Ratio {
  CoveredTemplates templates;
  CloseLists alike;  ///< empty lists in a library without fingerprints
};

std::string called(const Metric& metric) {
  const std::string name = metric.card_value("name");
  return name.empty() ? "this metric" : fmt::format("the metric \"{}\"", name);
}

void check_table(const Metric& metric, const ElementTable& table) {
  if (metric.element_table != table.hash() || metric.mean.size() != 5 * table.features().size())
    fail(Errc::invalid_argument,
         "{} was trained with the element table {}, not with this one ({}); use that table, train "
         "a metric with this one, or rank by distance",
         called(metric), metric.element_table, table.hash());
}

void embed_rows(Device& device, const DeviceEmbedding& embedding, const MetricInputs& inputs,
                const std::vector<Composition>& compositions, MatrixView<float> points) {
  for (std::size_t begin = 0; begin < compositions.size(); begin += kTile) {
    const std::size_t end = std::min(begin + kTile, compositions.size());
    const std::vector<Composition> part(compositions.begin() + static_cast<std::ptrdiff_t>(begin),
                                        compositions.begin() + static_cast<std::ptrdiff_t>(end));
    const auto count = static_cast<std::int64_t>(part.size());
    const Array<float> rows(device, inputs.rows(part), count, inputs.width());
    embedding.embed(device, rows.view(), points.rows_from(static_cast<std::int64_t>(begin), count));
  }
}

/// What the members say of the templates of a query.
class OverMembers {
 public:
  explicit OverMembers(std::size_t templates)
      : own_(templates, 0.0), mean_(templates, 0.0), squares_(templates, 0.0) {}

  /// P of each template, and its sum over those that are alike with it.
  void add(const std::vector<double>& own, const std::vector<double>& total) {
    ++members_;
    for (std::size_t j = 0; j < own.size(); ++j) {
      own_[j] += own[j];
      const double from_mean = total[j] - mean_[j];  // of those before (Welford 1962)
      mean_[j] += from_mean / members_;
      squares_[j] += from_mean * (total[j] - mean_[j]);
    }
  }

  std::vector<Ranker::Scored> scores(const std::vector<std::int64_t>& index) const {
    constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
    constexpr double kLeast = std::numeric_limits<double>::min();
    std::vector<Ranker::Scored> scored;
    for (std::size_t j = 0; j < index.size(); ++j) {
      const double p = mean_[j];
      if (!std::isfinite(p))
        fail(Errc::numerical, "the metric gives no probability: its weights are too large");
      const double spread = members_ > 1 ? std::sqrt(squares_[j] / (members_ - 1)) : kNone;
      scored.push_back(
          {index[j], std::log(std::max(kLeast, own_[j] / members_)), std::min(p, 1.0), spread});
    }
    return scored;
  }

 private:
  double members_ = 0;
  std::vector<double> own_, mean_, squares_;
};

/// p of each template as rank() says, from P.
std::vector<double> with_alike(const std::vector<double>& p, const CloseLists& alike,
                               const std::vector<std::uint8_t>& relation) {
  const auto counts = [&](std::size_t j) {
    return static_cast<Relation>(relation[j]) != Relation::left_out;
  };
  std::vector<double> total(p.size());
  for (std::size_t j = 0; j < p.size(); ++j) {
    double others = 0;
    for (const std::int32_t k : alike[j])
      if (counts(static_cast<std::size_t>(k))) others += p[static_cast<std::size_t>(k)];
    // What counts beside a template that does not is smaller when that one counts too.
    total[j] = p[j] + (counts(j) ? others : (1 - p[j]) * others);
  }
  return total;
}

}  // namespace

/// What is kept between queries.
struct MetricRanker::Cache {
  using Key = std::tuple<std::string, std::int64_t, std::int64_t>;  // library's hash, range

  Cache(std::shared_ptr<const Metric> metric_, const ElementTable& table_)
      : metric(std::move(metric_)),
        table(table_),
        inputs(table, metric->mean, metric->std, metric->slots) {}

  std::shared_ptr<const Ratio> ratio(Device& device, const TemplateLibrary& library,
                                     TemplateRange range);
  const std::vector<DeviceEmbedding>& networks(Device& device) const;
  const std::vector<Array<float>>& points(Device& device,
                                          const std::shared_ptr<const Ratio>& ratio) const;

  const std::shared_ptr<const Metric> metric;
  const ElementTable& table;
  const MetricInputs inputs;

 private:
  std::mutex guard_;
  std::map<Key, std::shared_ptr<const Ratio>> ratios_;
};

std::shared_ptr<const Ratio> MetricRanker::Cache::ratio(Device& device,
                                                        const TemplateLibrary& library,
                                                        TemplateRange range) {
  const std::lock_guard lock(guard_);
  auto& kept = ratios_[{library.hash(), range.begin, range.end}];
  if (kept) return kept;
  auto made = std::make_shared<Ratio>();
  made->templates = covered_templates(library, range, table);
  const std::vector<std::int32_t> members(made->templates.index.begin(),
                                          made->templates.index.end());
  if (library.has_fingerprints())
    made->alike = close_lists(device, library, members, metric->tau);
  else
    made->alike.resize(members.size());
  kept = std::move(made);
  return kept;
}

const std::vector<DeviceEmbedding>& MetricRanker::Cache::networks(Device& device) const {
  return device.attachments()
      .get<Networks>(metric,
                     [&] {
                       Networks made;
                       for (const MetricMember& member : metric->members)
                         made.members.emplace_back(device, member.embedding, inputs.width());
                       return made;
                     })
      .members;
}

const std::vector<Array<float>>& MetricRanker::Cache::points(
    Device& device, const std::shared_ptr<const Ratio>& ratio) const {
  const auto& embeddings = networks(device);
  const auto make = [&] {
    Points made;
    for (const DeviceEmbedding& embedding : embeddings) {
      auto& points = made.members.emplace_back(
          device, static_cast<std::int64_t>(ratio->templates.index.size()), embedding.width());
      embed_rows(device, embedding, inputs, ratio->templates.compositions, points.view());
    }
    return made;
  };
  return device.attachments().get<Points>(ratio, make).members;
}

MetricRanker::MetricRanker(Metric metric, const ElementTable& table)
    : metric_(std::make_shared<const Metric>(std::move(metric))) {
  metric_->check();
  check_table(*metric_, table);
  cache_ = std::make_shared<Cache>(metric_, table);
}

std::vector<Ranker::Scored> MetricRanker::rank(Device& device, const Composition& query,
                                               const TemplateLibrary& library,
                                               TemplateRange range) const {
  const auto ratio = cache_->ratio(device, library, range);
  const auto& [index, compositions] = ratio->templates;
  if (index.empty()) return {};
  const Composition reduced = query.reduced();
  std::vector<std::uint8_t> relation(index.size());
  for (std::size_t j = 0; j < index.size(); ++j)
    if (same_composition(compositions[j], reduced))
      relation[j] = static_cast<std::uint8_t>(Relation::left_out);

  const auto& embeddings = cache_->networks(device);
  const auto& points = cache_->points(device, ratio);
  OverMembers over(index.size());
  for (std::size_t m = 0; m < embeddings.size(); ++m) {
    Array<float> point(device, 1, embeddings[m].width());
    embed_rows(device, embeddings[m], cache_->inputs, {reduced}, point.view());
    Array<float> squared(device, 1, static_cast<std::int64_t>(index.size()));
    kernels<float>(device).squared_distances(std::as_const(point).view(), points[m].view(),
                                             squared.view());
    std::vector<double> p(index.size(), 0.0);
    learn::add_probabilities(squared.to_host(), relation, metric_->members[m].none, 1, p);
    over.add(p, with_alike(p, ratio->alike, relation));
  }
  std::vector<Scored> scored = over.scores(index);
  sort_best_first(scored);
  return scored;
}

std::vector<float> MetricRanker::embed(Device& device, const std::vector<Composition>& compositions,
                                       std::size_t member) const {
  if (member >= metric_->members.size())
    fail(Errc::invalid_argument, "embed: there is no member {}, the metric has {}", member,
         metric_->members.size());
  std::vector<Composition> reduced;
  for (const Composition& composition : compositions) {
    require_elements(composition, cache_->table);
    reduced.push_back(composition.reduced());
  }
  const DeviceEmbedding& embedding = cache_->networks(device)[member];
  Array<float> points(device, static_cast<std::int64_t>(reduced.size()), embedding.width());
  embed_rows(device, embedding, cache_->inputs, reduced, points.view());
  return points.to_host();
}

std::unique_ptr<Ranker> metric_ranker(Metric metric, const ElementTable& table) {
  return std::make_unique<MetricRanker>(std::move(metric), table);
}

}  // namespace kronite::csp
