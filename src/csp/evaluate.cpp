// The run over all queries: prepared, ranked and judged in batches that are shared among threads.
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <unordered_set>
#include <utility>

#include "base/fail.hpp"               // for fail
#include "base/parallel.hpp"           // for parallel_tiles
#include "base/side_by_side.hpp"       // for side_by_side, require_devices
#include "csp/describe_templates.hpp"  // for covers
#include "csp/evaluate_query.hpp"      // for QueryJudge
#include "materials/symmetry.hpp"      // for check_symprec
#include "math/random.hpp"             // for Random

namespace kronite::csp {
namespace {

/// Queries between two words to the caller.
constexpr std::int64_t kBatch = 64;

void check(const EvaluateOptions& options) {
  if (!(options.library_share > 0 && options.library_share <= 1))  // no NaN
    fail(Errc::invalid_argument,
         "evaluate: the share of the library is {}, expected more than 0 and at most 1",
         options.library_share);
  if (!(options.cutoff >= 0 && options.cutoff < 1))
    fail(Errc::invalid_argument, "evaluate: the cut-off is {}, expected a probability below 1",
         options.cutoff);
  if (!(options.distinct >= 0 && std::isfinite(options.distinct)))
    fail(Errc::invalid_argument,
         "evaluate: structures cannot be told apart by a dissimilarity of {}", options.distinct);
  if (!(options.alike_limit >= 0))
    fail(Errc::invalid_argument, "evaluate: p cannot speak of dissimilarities up to {}",
         options.alike_limit);
  if (options.match) check_match_options(options.matching);
  check_symprec(options.symprec);
}

/// Whether each template takes part: in the random share, and not of an excluded formula.
std::vector<bool> usable_templates(const TemplateLibrary& library,
                                   const std::vector<KnownCrystal>& queries,
                                   const EvaluateOptions& options) {
  std::unordered_set<std::string> excluded;
  for (const std::string& formula : options.exclude_formulas)
    excluded.insert(Composition::parse(formula).reduced_formula());
  if (options.disjoint)
    for (const KnownCrystal& query : queries)
      excluded.insert(query.structure.composition().reduced_formula());
  std::vector<std::int64_t> order(static_cast<std::size_t>(library.size()));
  std::iota(order.begin(), order.end(), 0);
  math::Random(options.seed).shuffle(std::span(order));
  order.resize(static_cast<std::size_t>(
      std::llround(options.library_share * static_cast<double>(library.size()))));
  std::vector<bool> usable(static_cast<std::size_t>(library.size()), false);
  for (const std::int64_t i : order)
    usable[static_cast<std::size_t>(i)] = excluded.count(std::string(library.info(i).formula)) == 0;
  return usable;
}

class Evaluator {
 public:
  Evaluator(std::span<Device> devices, const TemplateLibrary& library, const Ranker& ranker,
            const EvaluateOptions& options)
      : devices_(devices),
        library_(library),
        ranker_(ranker),
        options_(options),
        table_(options.table ? *options.table : ElementTable::embedded()),
        threads_(options.threads > 0 ? options.threads : omp_get_max_threads()) {
    if (on_cpu()) own_devices();
  }

  Evaluation run(const std::vector<KnownCrystal>& crystals);

 private:
  bool on_cpu() const {
    return std::all_of(devices_.begin(), devices_.end(),
                       [](const Device& d) { return d.place().kind == DeviceKind::cpu; });
  }
  /// One of a single thread each, so that small rankings do not wait for each other.
  void own_devices() {
    DeviceOptions single;
    single.threads = 1;
    for (int t = 0; t < threads_; ++t) own_.push_back(Device::cpu(single));
  }
  std::vector<Ranker::Scored> rank(Device& device, const KnownQuery& query) const;
  void add_batch(const QueryJudge& judge, const KnownCrystal* crystals, std::int64_t count,
                 Evaluation& evaluation);
  void tell(std::size_t done, std::size_t total) const;

  std::span<Device> devices_;
  const TemplateLibrary& library_;
  const Ranker& ranker_;
  std::unique_ptr<Ranker> among_usable_;  ///< where it makes a difference
  const EvaluateOptions& options_;
  const ElementTable& table_;
  const int threads_;
  std::vector<Device> own_;
  ReliabilityCounter reliability_, reliability_of_best_;
  bool probabilities_ = false;
};

void Evaluator::tell(std::size_t done, std::size_t total) const {
  if (options_.progress &&
      !options_.progress(static_cast<long long>(done), static_cast<long long>(total)))
    fail(Errc::cancelled, "stopped after {} of {} queries", done, total);
}

std::vector<Ranker::Scored> Evaluator::rank(Device& device, const KnownQuery& query) const {
  const TemplateRange range = library_.with_ratio(query.ratio);
  if (range.size() == 0 || !query.refusal.empty() || !covers(table_, query.composition)) return {};
  const Ranker& ranker = among_usable_ ? *among_usable_ : ranker_;
  return ranker.rank(device, query.composition, library_, range);
}

void Evaluator::add_batch(const QueryJudge& judge, const KnownCrystal* crystals, std::int64_t count,
                          Evaluation& evaluation) {
  std::vector<KnownQuery> known(static_cast<std::size_t>(count));
  std::vector<std::vector<Ranker::Scored>> ranked(known.size());
  std::vector<JudgedQuery> judged(known.size());
  parallel_tiles(threads_, count, [&](std::int64_t n, int thread) {
    const auto i = static_cast<std::size_t>(n);
    known[i] = make_known(crystals[n], options_);
    if (on_cpu()) ranked[i] = rank(own_[static_cast<std::size_t>(thread)], known[i]);
  });
  if (!on_cpu())
    side_by_side(devices_.size(), count, [&](const Part& part) {
      const auto i = static_cast<std::size_t>(part.number());
      ranked[i] = rank(devices_[part.worker()], known[i]);
    });
  parallel_tiles(threads_, count, [&](std::int64_t n, int) {
    const auto i = static_cast<std::size_t>(n);
    if (known[i].refusal.empty()) judged[i] = judge.judge(known[i], std::move(ranked[i]));
  });
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (!known[i].refusal.empty()) {
      evaluation.left_out.push_back({known[i].id, known[i].formula, known[i].refusal});
      continue;
    }
    evaluation.queries.push_back(std::move(judged[i].result));
    probabilities_ = probabilities_ || judged[i].probabilities;
    reliability_.add(judged[i].reliability);
    reliability_of_best_.add(judged[i].reliability_of_best);
  }
}

Evaluation Evaluator::run(const std::vector<KnownCrystal>& crystals) {
  std::vector<bool> usable = usable_templates(library_, crystals, options_);
  Evaluation evaluation;
  evaluation.matched = options_.match;
  evaluation.templates = std::count(usable.begin(), usable.end(), true);
  if (evaluation.templates == 0)
    fail(Errc::invalid_argument, "evaluate: no template is left of {}, which has {}",
         library_.path(), library_.size());
  among_usable_ = ranker_.among(library_, usable);
  const QueryJudge judge(library_, std::move(usable), options_);
  for (std::size_t begin = 0; begin < crystals.size(); begin += kBatch) {
    tell(begin, crystals.size());
    add_batch(
        judge, crystals.data() + begin,
        std::min<std::int64_t>(kBatch, std::ssize(crystals) - static_cast<std::int64_t>(begin)),
        evaluation);
  }
  tell(crystals.size(), crystals.size());
  if (!probabilities_) return evaluation;
  evaluation.reliability = reliability_.bins();
  evaluation.reliability_of_best = reliability_of_best_.bins();
  return evaluation;
}

Evaluation evaluate_on(std::span<Device> devices, const std::vector<KnownCrystal>& queries,
                       const TemplateLibrary& library, const Ranker& ranker,
                       const EvaluateOptions& options) {
  require_devices(devices.size());
  check(options);
  if (queries.empty()) fail(Errc::invalid_argument, "evaluate: there is no query");
  if (!library.has_fingerprints())
    fail(Errc::invalid_argument,
         "{} holds no fingerprints, which tell how alike structures are; 'kronite templates merge' "
         "adds them",
         library.path());
  return Evaluator(devices, library, ranker, options).run(queries);
}

}  // namespace

Evaluation evaluate(Device& device, const std::vector<KnownCrystal>& queries,
                    const TemplateLibrary& library, const Ranker& ranker,
                    const EvaluateOptions& options) {
  return evaluate_on({&device, 1}, queries, library, ranker, options);
}

Evaluation evaluate(std::vector<Device>& devices, const std::vector<KnownCrystal>& queries,
                    const TemplateLibrary& library, const Ranker& ranker,
                    const EvaluateOptions& options) {
  return evaluate_on(devices, queries, library, ranker, options);
}

}  // namespace kronite::csp
