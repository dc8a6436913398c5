// Ranking by a learned metric: points of a ratio's templates, and who is alike with whom, are kept.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <mutex>
#include <tuple>
#include <utility>

#include "base/fail.hpp"               // for fail
#include "csp/coverage.hpp"            // for find_covers, pick_by_coverage
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

/// Templates or compositions whose rows are made at a time.
constexpr std::size_t kTile = 1 << 14;
/// Places of a ranking that are given by coverage.
constexpr std::size_t kCoveredPlaces = 50;

/// All members, on a device.
struct Networks {
  std::vector<learn::DeviceMetric> members;
};

/// Points of the templates of a ratio by one member, on a device, and what is added to their
/// logits.
struct Points {
  Array<float> points;
  std::vector<float> bias;
};
struct PointsOfMembers {
  std::vector<Points> members;
};

/// The same in memory of the host, where every CPU device finds them.
struct HostPoints {
  std::vector<float> points;
  std::vector<float> bias;
};

/// Templates that can be ranked, and who is alike with whom; the same on every device.
struct Ratio {
  CoveredTemplates templates;
  Covers covers;
  /// Of each member, made by the CPU device that asks first, for all of them.
  mutable std::vector<HostPoints> on_host;
  mutable std::mutex guard;  ///< of `on_host`
};

/// What a query meets of one member.
struct PointsView {
  MatrixView<const float> points;
  std::span<const float> bias;
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

/// What the members say of the templates of a query.
class OverMembers {
 public:
  explicit OverMembers(std::size_t templates)
      : own_(templates, 0.0), mean_(templates, 0.0), squares_(templates, 0.0) {}

  /// P of each template, and its sum over those that are alike with it.
  void add(const std::vector<double>& own, const std::vector<double>& total) {
    ++members_;
    for (std::size_t j = 0; j < own.size(); ++j) {
      own_[j] += (own[j] - own_[j]) / members_;
      const double from_mean = total[j] - mean_[j];  // of those before (Welford 1962)
      mean_[j] += from_mean / members_;
      squares_[j] += from_mean * (total[j] - mean_[j]);
    }
  }

  const std::vector<double>& own() const { return own_; }
  double p(std::size_t j) const {
    if (!std::isfinite(mean_[j]))
      fail(Errc::numerical, "the metric gives no probability: its weights are too large");
    return std::min(mean_[j], 1.0);
  }
  double p_std(std::size_t j) const {
    return members_ > 1 ? std::sqrt(squares_[j] / (members_ - 1))
                        : std::numeric_limits<double>::quiet_NaN();
  }

 private:
  double members_ = 0;
  std::vector<double> own_, mean_, squares_;
};

bool counts(const std::vector<std::uint8_t>& relation, std::size_t j) {
  return static_cast<Relation>(relation[j]) != Relation::left_out;
}

/// P of the templates that count, 0 of the others.
std::vector<double> counted(std::vector<double> p, const std::vector<std::uint8_t>& relation) {
  for (std::size_t j = 0; j < p.size(); ++j)
    if (!counts(relation, j)) p[j] = 0;
  return p;
}

/// p of each template as rank() says, from P.
std::vector<double> with_alike(const std::vector<double>& p, const Covers& covers,
                               const std::vector<std::uint8_t>& relation) {
  const auto sums = sums_over_alike(covers, counted(p, relation));
  std::vector<double> total(p.size());
  for (std::size_t j = 0; j < p.size(); ++j) {
    const double sum = sums[static_cast<std::size_t>(covers.classes.of[j])];
    // What counts beside a template that does not is smaller when that one counts too.
    total[j] = counts(relation, j) ? sum : p[j] + (1 - p[j]) * sum;
  }
  return total;
}

/// Scores as rank() says.
std::vector<double> scores_of(const OverMembers& over, const Covers& covers,
                              const std::vector<std::uint8_t>& relation) {
  const std::vector<double> own = counted(over.own(), relation);
  const auto picks = pick_by_coverage(covers, own, kCoveredPlaces);
  const double last = picks.empty() ? 1 : picks.back().gain;
  std::vector<double> scores;
  for (std::size_t j = 0; j < own.size(); ++j)
    scores.push_back(counts(relation, j) ? last * own[j] : over.p(j));
  for (const auto& [place, gain] : picks)
    if (counts(relation, place)) scores[place] = gain;
  return scores;
}

}  // namespace

/// What is kept between queries.
struct MetricRanker::Cache {
  using Key = std::tuple<std::string, std::int64_t, std::int64_t>;  // library's hash, range

  Cache(std::shared_ptr<const Metric> metric_, const ElementTable& table_)
      : metric(std::move(metric_)),
        table(table_),
        inputs(table, metric->mean, metric->std, metric->slots, metric->vector) {}

  std::shared_ptr<const Ratio> ratio(Device& device, const TemplateLibrary& of,
                                     TemplateRange range);
  const std::vector<learn::DeviceMetric>& networks(Device& device) const;
  std::vector<PointsView> points(Device& device, const TemplateLibrary& of,
                                 const std::shared_ptr<const Ratio>& ratio) const;

  const std::shared_ptr<const Metric> metric;
  const ElementTable& table;
  const MetricInputs inputs;
  std::string library;       ///< hash of the one of which only some templates are usable
  std::vector<bool> usable;  ///< these

 private:
  CoveredTemplates templates(const TemplateLibrary& of, TemplateRange range) const;
  PointsOfMembers make_points(Device& device, const TemplateLibrary& of, const Ratio& ratio) const;

  std::mutex guard_;
  std::map<Key, std::shared_ptr<const Ratio>> ratios_;
};

CoveredTemplates MetricRanker::Cache::templates(const TemplateLibrary& of,
                                                TemplateRange range) const {
  CoveredTemplates covered = covered_templates(of, range, table);
  if (of.hash() != library) return covered;
  CoveredTemplates used;
  for (std::size_t i = 0; i < covered.index.size(); ++i) {
    if (!usable[static_cast<std::size_t>(covered.index[i])]) continue;
    used.index.push_back(covered.index[i]);
    used.compositions.push_back(std::move(covered.compositions[i]));
  }
  return used;
}

std::shared_ptr<const Ratio> MetricRanker::Cache::ratio(Device& device, const TemplateLibrary& of,
                                                        TemplateRange range) {
  const std::lock_guard lock(guard_);
  auto& kept = ratios_[{of.hash(), range.begin, range.end}];
  if (kept) return kept;
  auto made = std::make_shared<Ratio>();
  made->templates = templates(of, range);
  const std::vector<std::int32_t> members(made->templates.index.begin(),
                                          made->templates.index.end());
  made->covers = find_covers(device, of, members, metric->tau);
  kept = std::move(made);
  return kept;
}

const std::vector<learn::DeviceMetric>& MetricRanker::Cache::networks(Device& device) const {
  const auto make = [&] {
    Networks made;
    for (const MetricNetwork& member : metric->members)
      made.members.emplace_back(device, member, inputs.width(), std::ssize(metric->trait_mean));
    return made;
  };
  return device.attachments().get<Networks>(metric, make).members;
}

PointsOfMembers MetricRanker::Cache::make_points(Device& device, const TemplateLibrary& of,
                                                 const Ratio& ratio) const {
  const auto& members = networks(device);
  const auto& [index, compositions] = ratio.templates;
  PointsOfMembers made;
  for (const auto& member : members)
    made.members.push_back({Array<float>(device, std::ssize(index), member.width()),
                            std::vector<float>(index.size())});
  for (std::size_t begin = 0; begin < index.size(); begin += kTile) {
    const std::size_t count = std::min(kTile, index.size() - begin);
    const auto first = static_cast<std::ptrdiff_t>(begin);
    const auto last = first + static_cast<std::ptrdiff_t>(count);
    auto rows = inputs.rows({compositions.begin() + first, compositions.begin() + last});
    std::vector<float> traits;
    if (!metric->trait_mean.empty()) {
      traits = template_traits(of, {index.begin() + first, index.begin() + last});
      standardise(traits, {metric->trait_mean, metric->trait_std});
    }
    const MatrixView<const float> traits_view(traits.data(), traits.empty() ? 0 : rows.count,
                                              traits.empty() ? 0 : kTraits);
    for (std::size_t m = 0; m < members.size(); ++m)
      members[m].candidates(device, rows.view(), rows.kinds_view(), traits_view,
                            made.members[m].points.view().rows_from(first, rows.count),
                            std::span(made.members[m].bias).subspan(begin, count));
  }
  return made;
}

/// Of templates already ranked on another thread nothing is computed again: on the CPU each thread
/// has a device of its own, and points are the largest thing that a ranker keeps.
std::vector<PointsView> MetricRanker::Cache::points(
    Device& device, const TemplateLibrary& of, const std::shared_ptr<const Ratio>& ratio) const {
  std::vector<PointsView> views;
  if (device.place().kind == DeviceKind::cpu) {
    const std::lock_guard lock(ratio->guard);
    if (ratio->on_host.empty()) {
      std::vector<HostPoints> all;
      for (Points& made : make_points(device, of, *ratio).members)
        all.push_back({made.points.to_host(), std::move(made.bias)});
      ratio->on_host = std::move(all);
    }
    for (const auto& [values, bias] : ratio->on_host) {
      const auto rows = std::ssize(bias);
      views.push_back({{values.data(), rows, std::ssize(values) / rows}, bias});
    }
    return views;
  }
  const auto make = [&] { return make_points(device, of, *ratio); };
  for (const auto& [values, bias] : device.attachments().get<PointsOfMembers>(ratio, make).members)
    views.push_back({values.view(), bias});
  return views;
}

MetricRanker::MetricRanker(Metric metric, const ElementTable& table)
    : metric_(std::make_shared<const Metric>(std::move(metric))) {
  metric_->check();
  check_table(*metric_, table);
  cache_ = std::make_shared<Cache>(metric_, table);
  for (const MetricNetwork& member : metric_->members) {
    const LearnedVectors& vectors = member.embedding.vectors;
    if (std::ssize(vectors.table) !=
        (vectors.width > 0 ? cache_->inputs.kinds() : 0) * vectors.width)
      fail(Errc::invalid_argument, "{} has learned vectors of {} elements, expected {}",
           called(*metric_), std::ssize(vectors.table) / std::max<std::int64_t>(1, vectors.width),
           cache_->inputs.kinds());
  }
}

MetricRanker::MetricRanker(std::shared_ptr<Cache> cache)
    : metric_(cache->metric), cache_(std::move(cache)) {}

std::unique_ptr<Ranker> MetricRanker::among(const TemplateLibrary& library,
                                            std::vector<bool> usable) const {
  if (std::ssize(usable) != library.size())
    fail(Errc::invalid_argument, "{} templates are said to be usable or not, but {} holds {}",
         usable.size(), library.path(), library.size());
  auto cache = std::make_shared<Cache>(metric_, cache_->table);
  cache->library = library.hash();
  cache->usable = std::move(usable);
  return std::unique_ptr<Ranker>(new MetricRanker(std::move(cache)));
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

  const auto& members = cache_->networks(device);
  const auto points = cache_->points(device, library, ratio);
  auto row = cache_->inputs.rows({reduced});
  OverMembers over(index.size());
  for (std::size_t m = 0; m < members.size(); ++m) {
    Array<float> point(device, 1, members[m].width());
    float none = 0;
    members[m].queries(device, row.view(), row.kinds_view(), point.view(), {&none, 1});
    Array<float> squared(device, 1, std::ssize(index));
    kernels<float>(device).squared_distances(std::as_const(point).view(), points[m].points,
                                             squared.view());
    std::vector<double> p(index.size(), 0.0);
    learn::add_probabilities(squared.to_host(), points[m].bias, relation, static_cast<double>(none),
                             1, p);
    over.add(p, with_alike(p, ratio->covers, relation));
  }
  const auto scores = scores_of(over, ratio->covers, relation);
  std::vector<Scored> scored;
  for (std::size_t j = 0; j < index.size(); ++j)
    scored.push_back({index[j], scores[j], over.p(j), over.p_std(j)});
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
  const learn::DeviceMetric& network = cache_->networks(device)[member];
  std::vector<float> all;
  for (std::size_t begin = 0; begin < reduced.size(); begin += kTile) {
    const auto first = reduced.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto count = static_cast<std::ptrdiff_t>(std::min(kTile, reduced.size() - begin));
    auto rows = cache_->inputs.rows({first, first + count});
    Array<float> points(device, rows.count, network.width());
    std::vector<float> none(static_cast<std::size_t>(rows.count));
    network.queries(device, rows.view(), rows.kinds_view(), points.view(), none);
    const auto part = points.to_host();
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

std::unique_ptr<Ranker> metric_ranker(Metric metric, const ElementTable& table) {
  return std::make_unique<MetricRanker>(std::move(metric), table);
}

}  // namespace kronite::csp
