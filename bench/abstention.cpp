// Is a model's p to be trusted, and does it abstain where it should? Templates of a library are
// predicted as if they were not known; by fingerprint it is seen which other templates are alike.
//   build/bench/bin/kronite_abstention LIBRARY MODEL [FORMULAS]
// FORMULAS: the queries, best those that were held out in training; else 1,500 templates at random.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <exception>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/fail.hpp"        // for fail
#include "io/formula_list.hpp"  // for read_formula_list
#include "kronite/kronite.hpp"
#include "support/random.hpp"  // for random_indices

namespace kronite {
namespace {

constexpr double kCutoff = 0.5;

/// Templates by p, in ten equal bins.
class Bins {
 public:
  void add(double p, bool alike) {
    Bin& bin = bins_[static_cast<std::size_t>(std::min(9.0, std::floor(10 * p)))];
    bin.count += 1;
    bin.p += p;
    bin.alike += alike;
  }
  void print(const char* what) const {
    fmt::print("\n{:<22}{:>10}{:>9}{:>9}\n", what, "number", "mean p", "alike");
    for (std::size_t i = 0; i < bins_.size(); ++i)
      if (const Bin& b = bins_[i]; b.count > 0)
        fmt::print("{:<22}{:>10}{:>9.3f}{:>9.3f}\n",
                   fmt::format("{:.1f} to {:.1f}", 0.1 * static_cast<double>(i),
                               0.1 * static_cast<double>(i + 1)),
                   b.count, b.p / b.count, b.alike / b.count);
  }

 private:
  struct Bin {
    double count = 0, p = 0, alike = 0;
  };
  std::array<Bin, 10> bins_;
};

/// What became of the queries.
struct Outcome {
  long proposed = 0, best_alike = 0;
  long abstained = 0, missed = 0;  ///< an alike template was there all the same
  Bins best, all;
};

std::vector<std::int64_t> queries_of(const TemplateLibrary& library, const char* list) {
  std::vector<std::int64_t> queries;
  if (!list) {
    const auto size = std::min<std::int64_t>(library.size(), 2147483647);
    for (const std::int32_t i : test::random_indices(1, 1500, size)) queries.push_back(i);
    return queries;
  }
  std::unordered_map<std::string_view, std::int64_t> of_formula;
  for (std::int64_t i = 0; i < library.size(); ++i) of_formula.emplace(library.info(i).formula, i);
  for (const auto& listed : io::read_formula_list(list))
    if (const auto found = of_formula.find(listed.composition.reduced_formula());
        found != of_formula.end())
      queries.push_back(found->second);
  if (queries.empty()) fail(Errc::invalid_argument, "{}: the library has none of these", list);
  return queries;
}

void predict(Device& device, const TemplateLibrary& library, const csp::Classifier& classifier,
             std::int64_t query, Outcome& outcome) {
  const Composition composition = library.composition(query);
  const auto fingerprint = library.fingerprint(query);
  std::optional<csp::Ranker::Scored> best;
  bool best_alike = false, any_alike = false;
  for (const auto& scored : classifier.rank(device, composition, library,
                                            library.with_ratio(composition.ratio_label()))) {
    if (library.info(scored.candidate).formula == library.info(query).formula) continue;
    const bool alike =
        dissimilarity(fingerprint, library.fingerprint(scored.candidate)) <= classifier.model().tau;
    any_alike |= alike;
    outcome.all.add(scored.p, alike);
    if (best) continue;
    best = scored;
    best_alike = alike;
  }
  if (!best) return;
  outcome.best.add(best->p, best_alike);
  if (best->p > kCutoff) {
    ++outcome.proposed;
    outcome.best_alike += best_alike;
  } else {
    ++outcome.abstained;
    outcome.missed += any_alike;
  }
}

void run(const char* library_path, const char* model, const char* list) {
  const TemplateLibrary library = TemplateLibrary::open(library_path);
  const csp::Classifier classifier(csp::open_model(model));
  Device device = Device::cpu();
  Outcome outcome;
  for (const std::int64_t query : queries_of(library, list))
    predict(device, library, classifier, query, outcome);

  const auto share = [](long part, long whole) {
    return whole > 0 ? fmt::format("{:.1f} %",
                                   100.0 * static_cast<double>(part) / static_cast<double>(whole))
                     : std::string("-");
  };
  fmt::print("proposed for {} queries; the best template is alike in {}\n", outcome.proposed,
             share(outcome.best_alike, outcome.proposed));
  fmt::print("abstained on {} queries; an alike template was there in {}\n", outcome.abstained,
             share(outcome.missed, outcome.abstained));
  outcome.best.print("p of the best");
  outcome.all.print("p of every template");
}

}  // namespace
}  // namespace kronite

int main(int argc, char** argv) try {
  if (argc != 3 && argc != 4) {
    fmt::print(stderr, "usage: kronite_abstention LIBRARY MODEL [FORMULAS]\n");
    return 2;
  }
  kronite::run(argv[1], argv[2], argc > 3 ? argv[3] : nullptr);
} catch (const std::exception& e) {
  fmt::print(stderr, "{}\n", e.what());
  return 1;
}
