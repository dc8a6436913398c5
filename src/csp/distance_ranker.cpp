// The baseline: templates of the most similar composition first.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <mutex>
#include <utility>

#include "device/backend.hpp"                   // for kernels
#include "kronite/array.hpp"                    // for Array
#include "kronite/csp.hpp"                      // for Ranker
#include "materials/descriptor_statistics.hpp"  // for Statistics, descriptor_statistics

namespace kronite::csp {
namespace {

bool covers(const ElementTable& table, const Composition& composition) {
  return std::all_of(composition.parts().begin(), composition.parts().end(),
                     [&](const ElementAmount& part) { return table.has(part.z); });
}

/// Over all templates that `table` covers.
Statistics fit_statistics(const TemplateLibrary& library, const ElementTable& table) {
  std::vector<Composition> compositions;
  for (std::int64_t i = 0; i < library.size(); ++i)
    if (auto c = library.composition(i); covers(table, c)) compositions.push_back(std::move(c));
  return descriptor_statistics(compositions, table);
}

class DistanceRanker : public Ranker {
 public:
  explicit DistanceRanker(const ElementTable& table) : table_(table) {}

  std::string name() const override { return "distance"; }
  std::vector<Scored> rank(Device& device, const Composition& query, const TemplateLibrary& library,
                           TemplateRange range) const override;

 private:
  /// Standardised descriptors, one row per composition.
  std::vector<double> standardised(const std::vector<Composition>& compositions,
                                   const TemplateLibrary& library) const;
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
    made = fit_statistics(library, table_);
  }
  return statistics_.emplace(library.hash(), std::move(made)).first->second;
}

std::vector<double> DistanceRanker::standardised(const std::vector<Composition>& compositions,
                                                 const TemplateLibrary& library) const {
  const Statistics& s = statistics(library);
  const std::size_t width = s.mean.size();
  std::vector<double> x(compositions.size() * width);
  describe(compositions, table_,
           MatrixView<double>(x.data(), static_cast<std::int64_t>(compositions.size()),
                              static_cast<std::int64_t>(width)));
  for (std::size_t row = 0; row < x.size(); row += width)
    for (std::size_t f = 0; f < width; ++f) x[row + f] = (x[row + f] - s.mean[f]) / s.std[f];
  return x;
}

std::vector<Ranker::Scored> DistanceRanker::rank(Device& device, const Composition& query,
                                                 const TemplateLibrary& library,
                                                 TemplateRange range) const {
  std::vector<Scored> scored;
  std::vector<Composition> compositions;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (std::int64_t i = range.begin; i < range.end; ++i) {
    auto composition = library.composition(i);
    if (!covers(table_, composition)) continue;
    compositions.push_back(composition.reduced());
    scored.push_back({i, 0, nan, nan});
  }
  if (scored.empty()) return scored;

  const auto q = standardised({query.reduced()}, library), t = standardised(compositions, library);
  const auto n = static_cast<std::int64_t>(scored.size());
  const auto width = static_cast<std::int64_t>(q.size());
  const Array<double> from(device, q, 1, width), to(device, t, n, width);
  Array<double> squared(device, 1, n);
  kernels<double>(device).squared_distances(from.view(), to.view(), squared.view());
  const auto distances = squared.to_host();

  for (std::size_t i = 0; i < scored.size(); ++i)
    scored[i].score = 0 - std::sqrt(distances[i]);  // not -0
  std::stable_sort(scored.begin(), scored.end(),
                   [](const Scored& a, const Scored& b) { return a.score > b.score; });
  return scored;
}

}  // namespace

std::unique_ptr<Ranker> distance_ranker(const ElementTable& table) {
  return std::make_unique<DistanceRanker>(table);
}

}  // namespace kronite::csp
