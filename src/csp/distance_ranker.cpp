// The baseline: templates of the most similar composition first.
#include <cmath>
#include <limits>
#include <map>
#include <mutex>
#include <utility>

#include "csp/describe_templates.hpp"           // for covered_templates, sort_best_first
#include "device/backend.hpp"                   // for kernels
#include "kronite/array.hpp"                    // for Array
#include "kronite/csp.hpp"                      // for Ranker
#include "materials/descriptor_statistics.hpp"  // for Statistics, descriptor_statistics

namespace kronite::csp {
namespace {

class DistanceRanker : public Ranker {
 public:
  explicit DistanceRanker(const ElementTable& table) : table_(table) {}

  std::string name() const override { return "distance"; }
  std::vector<Scored> rank(Device& device, const Composition& query, const TemplateLibrary& library,
                           TemplateRange range) const override;

 private:
  const Statistics& statistics(const TemplateLibrary& library) const;

  const ElementTable& table_;
  mutable std::mutex guard_;
  mutable std::map<std::string, Statistics> statistics_;  // by the library's hash
};

const Statistics& DistanceRanker::statistics(const TemplateLibrary& library) const {
  const std::lock_guard lock(guard_);
  const auto found = statistics_.find(library.hash());
  if (found != statistics_.end()) return found->second;
  Statistics made;
  if (table_.hash() == ElementTable::embedded().hash()) {
    const std::size_t width = 5 * table_.features().size();
    made.mean.assign(library.descriptor_mean(), library.descriptor_mean() + width);
    made.std.assign(library.descriptor_std(), library.descriptor_std() + width);
  } else {
    const TemplateRange all{0, library.size()};
    made = descriptor_statistics(covered_templates(library, all, table_).compositions, table_);
  }
  return statistics_.emplace(library.hash(), std::move(made)).first->second;
}

std::vector<Ranker::Scored> DistanceRanker::rank(Device& device, const Composition& query,
                                                 const TemplateLibrary& library,
                                                 TemplateRange range) const {
  const CoveredTemplates covered = covered_templates(library, range, table_);
  if (covered.index.empty()) return {};
  const Statistics& s = statistics(library);
  const auto q = standardised_descriptors({query.reduced()}, table_, s.mean, s.std);
  const auto t = standardised_descriptors(covered.compositions, table_, s.mean, s.std);
  const auto n = static_cast<std::int64_t>(covered.index.size());
  const auto width = static_cast<std::int64_t>(q.size());
  const Array<double> from(device, q, 1, width), to(device, t, n, width);
  Array<double> squared(device, 1, n);
  kernels<double>(device).squared_distances(from.view(), to.view(), squared.view());
  const auto distances = squared.to_host();

  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  std::vector<Scored> scored;
  for (std::size_t i = 0; i < distances.size(); ++i)
    scored.push_back({covered.index[i], 0 - std::sqrt(distances[i]), kNone, kNone});  // not -0
  sort_best_first(scored);
  return scored;
}

}  // namespace

std::unique_ptr<Ranker> distance_ranker(const ElementTable& table) {
  return std::make_unique<DistanceRanker>(table);
}

}  // namespace kronite::csp
