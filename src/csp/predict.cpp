// From one composition to ranked crystals.
#include <fmt/format.h>  // for format, join

#include <algorithm>
#include <cmath>
#include <mutex>
#include <optional>
#include <utility>

#include "base/fail.hpp"                // for fail
#include "base/log.hpp"                 // for warning
#include "base/side_by_side.hpp"        // for side_by_side, SharedProgress, InOrder
#include "csp/assign_elements.hpp"      // for assign_elements
#include "csp/cutoff.hpp"               // for above_cutoff
#include "csp/describe_templates.hpp"   // for same_composition
#include "csp/distinct_candidates.hpp"  // for DistinctCandidates
#include "csp/record.hpp"               // for probability_text
#include "kronite/csp.hpp"              // for predict
#include "materials/element_table.hpp"  // for require_elements
#include "materials/substitution.hpp"   // for ElementDissimilarity, replace_elements
#include "materials/symmetry.hpp"       // for check_symprec

namespace kronite::csp {
namespace {

/// Descending fractions of a ratio label: "3:1:1" -> 0.6, 0.2, 0.2.
std::vector<double> fractions(std::string_view ratio) {
  std::vector<double> parts{0.0};
  for (const char c : ratio) {
    if (c == ':')
      parts.push_back(0.0);
    else
      parts.back() = 10 * parts.back() + (c - '0');
  }
  double total = 0;
  for (const double x : parts) total += x;
  for (double& x : parts) x /= total;
  return parts;
}

/// Up to three ratios of the library with as many elements, the nearest fractions first.
std::vector<std::string> nearest_ratios(const TemplateLibrary& library, const std::string& ratio) {
  const auto wanted = fractions(ratio);
  std::vector<std::pair<double, std::string>> found;
  for (auto& other : library.ratios()) {
    const auto x = fractions(other);
    if (x.size() != wanted.size()) continue;
    double squared = 0;
    for (std::size_t i = 0; i < x.size(); ++i) squared += (x[i] - wanted[i]) * (x[i] - wanted[i]);
    found.emplace_back(squared, std::move(other));
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> nearest;
  for (std::size_t i = 0; i < std::min<std::size_t>(3, found.size()); ++i)
    nearest.push_back(std::move(found[i].second));
  return nearest;
}

std::string library_name(const TemplateLibrary& library) {
  return library.path() == "embedded" ? "the embedded demo library" : library.path();
}

constexpr const char* kBuildMore =
    "build a larger library with 'kronite templates build' and name it with --templates";

std::string no_template_note(const TemplateLibrary& library, const std::string& ratio) {
  const auto nearest = nearest_ratios(library, ratio);
  return fmt::format("no template of the ratio {} in {} ({} templates{}); {}", ratio,
                     library_name(library), library.size(),
                     nearest.empty()
                         ? std::string()
                         : fmt::format("; nearest ratios: {}", fmt::join(nearest, ", ")),
                     kBuildMore);
}

/// Elements replace each other one to one, so the template's symmetry stays: no search is needed
/// unless the library holds a cell that is not standard.
StandardCell standard_cell(const Structure& structure, int space_group, double symprec) {
  try {
    return from_primitive(structure, space_group);
  } catch (const Error&) {
    return standardise(structure, symprec);
  }
}

/// Conventional cell and space group. A crystal in which spglib finds no symmetry stays as it is.
void symmetrise(Candidate& candidate, int space_group, double symprec) {
  StandardCell crystal;
  try {
    crystal = standard_cell(candidate.structure, space_group, symprec);
  } catch (const Error& e) {
    if (e.code() != Errc::numerical) throw;
    warning(fmt::format("template {}: the candidate keeps its cell, space group P1: {}",
                        candidate.template_id, e.what()));
    crystal = without_symmetry(candidate.structure);
  }
  candidate.structure = std::move(crystal.conventional);
  candidate.symmetry = std::move(crystal.symmetry);
  candidate.space_group = candidate.symmetry.space_group;
  candidate.international = candidate.symmetry.international;
}

/// Substitutes into templates of one library for one query.
class Substituter {
 public:
  /// `query` as Composition::reduced() rounds it: templates hold integers.
  Substituter(Composition query, const TemplateLibrary& library, const PredictOptions& options,
              const ElementTable& table)
      : query_(std::move(query)), library_(library), options_(options), dissimilarity_(table) {}

  Candidate make(const Ranker::Scored& scored) const;

 private:
  void set_volume(Candidate& candidate, const Structure& original) const;

  const Composition query_;
  const TemplateLibrary& library_;
  const PredictOptions& options_;
  ElementDissimilarity dissimilarity_;
};

Candidate Substituter::make(const Ranker::Scored& scored) const {
  const TemplateInfo info = library_.info(scored.candidate);
  const Structure original = library_.structure(scored.candidate);
  const Assignment assignment =
      assign_elements(query_, library_.composition(scored.candidate), dissimilarity_);

  Candidate candidate;
  candidate.score = scored.score;
  candidate.p = scored.p;
  candidate.p_std = scored.p_std;
  candidate.template_index = scored.candidate;
  candidate.template_id = info.id;
  candidate.template_formula = info.formula;
  candidate.license = info.license;
  candidate.source = info.source;
  candidate.mapping = assignment.mapping;
  candidate.mapping_cost = assignment.cost;
  candidate.structure = replace_elements(original, candidate.mapping);
  set_volume(candidate, original);
  symmetrise(candidate, info.space_group, options_.symprec);
  return candidate;
}

void Substituter::set_volume(Candidate& candidate, const Structure& original) const {
  if (options_.volume != VolumeMethod::scaled) return;
  const auto factor = volume_factor(original, candidate.mapping, library_.atomic_volumes());
  if (!factor) return;
  candidate.volume = VolumeMethod::scaled;
  candidate.volume_factor = *factor;
  candidate.structure = with_volume_scaled(std::move(candidate.structure), *factor);
}

void check(const PredictOptions& options) {
  if (options.top < 1)
    fail(Errc::invalid_argument, "predict: top is {}, expected at least 1", options.top);
  if (options.cutoff && !(*options.cutoff >= 0 && *options.cutoff < 1))  // no NaN
    fail(Errc::invalid_argument, "predict: the cut-off is {}, expected a probability below 1",
         *options.cutoff);
  check_symprec(options.symprec);
}

void tell(const PredictOptions& options, std::size_t done, std::size_t total) {
  if (options.progress &&
      !options.progress(static_cast<long long>(done), static_cast<long long>(total)))
    fail(Errc::cancelled, "predict: stopped");
}

/// Why there is no template to rank: none of the ratio, or none that may be used.
std::string no_use_note(const Prediction& prediction, const TemplateLibrary& library,
                        bool only_known) {
  return fmt::format("the only templates of the ratio {} in {} {}; {}", prediction.ratio,
                     library_name(library),
                     only_known ? "are " + prediction.query + " itself"
                                : std::string("hold elements that the element table lacks"),
                     kBuildMore);
}

std::string not_likely_note(const Prediction& prediction, const TemplateLibrary& library,
                            const Ranker::Scored& best, double cutoff) {
  return fmt::format(
      "no template is likely to fit: of {} of the ratio {} in {} the best has p = {}, not above "
      "the cut-off {}; --cutoff 0 shows them all the same, or {}",
      prediction.templates, prediction.ratio, library_name(library),
      probability_text(best.p, best.p_std, 3), cutoff, kBuildMore);
}

}  // namespace

Prediction predict(Device& device, const Composition& query, const TemplateLibrary& library,
                   const Ranker& ranker, const PredictOptions& options) {
  check(options);
  if (query.empty()) fail(Errc::invalid_argument, "predict: the composition is empty");
  const ElementTable& table = options.table ? *options.table : ElementTable::embedded();
  require_elements(query, table);
  tell(options, 0, 0);

  Prediction prediction;
  prediction.query = query.reduced_formula();
  prediction.ratio = query.ratio_label();
  if (prediction.ratio.empty()) {
    prediction.note = fmt::format(
        "{} has no ratio of small integers; templates are ordered crystals, so give rounded "
        "amounts",
        prediction.query);
    return prediction;
  }
  const TemplateRange range = library.with_ratio(prediction.ratio);
  auto ranked = ranker.rank(device, query, library, range);
  const Composition reduced = query.reduced();
  const auto is_known = [&](const Ranker::Scored& s) {
    return same_composition(library.composition(s.candidate), reduced);
  };
  const bool any_ranked = !ranked.empty();
  if (options.exclude_known) std::erase_if(ranked, is_known);
  prediction.templates = static_cast<std::int64_t>(ranked.size());
  if (ranked.empty()) {
    prediction.note = range.size() == 0 ? no_template_note(library, prediction.ratio)
                                        : no_use_note(prediction, library, any_ranked);
    return prediction;
  }
  // Not always the first one: an order may put different structures before probable ones.
  const Ranker::Scored best = *std::max_element(
      ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.p < b.p; });
  prediction.best_p = best.p;
  const double cutoff = options.cutoff.value_or(ranker.cutoff());
  std::erase_if(ranked, [&](const Ranker::Scored& s) { return !above_cutoff(s.p, cutoff); });
  prediction.likely = static_cast<std::int64_t>(ranked.size());
  if (ranked.empty()) prediction.note = not_likely_note(prediction, library, best, cutoff);

  const Substituter substituter(reduced, library, options, table);
  const std::size_t top = static_cast<std::size_t>(options.top);
  const std::size_t tried =
      std::min(ranked.size(), options.keep_duplicates ? top : top * kTemplatesPerCandidate);
  DistinctCandidates distinct(!options.keep_duplicates);
  for (std::size_t i = 0; i < tried && distinct.size() < top; ++i) {
    tell(options, i, tried);
    Candidate candidate = substituter.make(ranked[i]);
    candidate.known = is_known(ranked[i]);
    distinct.add(std::move(candidate));
  }
  prediction.candidates = distinct.take();
  return prediction;
}

void predict_all(std::vector<Device>& devices, const std::vector<Composition>& queries,
                 const TemplateLibrary& library, const Ranker& ranker,
                 const PredictOptions& options,
                 const std::function<void(std::size_t, Prediction&&)>& take) {
  std::mutex calling;  // the caller, who need not think of threads
  const Progress progress = [&](long long done, long long total) {
    const std::lock_guard lock(calling);
    return !options.progress || options.progress(done, total);
  };
  SharedProgress told(progress, std::ssize(queries), "predict: stopped");
  InOrder<Prediction> in_order([&](std::int64_t i, Prediction&& prediction) {
    const std::lock_guard lock(calling);
    take(static_cast<std::size_t>(i), std::move(prediction));
  });
  side_by_side(devices.size(), std::ssize(queries), [&](const Part& part) {
    PredictOptions own = options;
    // Also asked inside a prediction, which may be of thousands of candidates.
    own.progress = [&](long long, long long) {
      told.ask();
      return true;
    };
    const Composition& query = queries[static_cast<std::size_t>(part.number())];
    Prediction made = predict(devices[part.worker()], query, library, ranker, own);
    told.add(1);
    in_order.put(part.number(), std::move(made));
  });
  told.finish();
}

}  // namespace kronite::csp
