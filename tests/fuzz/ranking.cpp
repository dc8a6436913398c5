// Rankings made elsewhere: one that is read orders templates of the query's ratio, each once.
#include <cmath>
#include <set>

#include "fuzz/target.hpp"
#include "kronite/csp_evaluation.hpp"  // for listed_ranker

namespace kronite::fuzz {
namespace {

constexpr int kLines = 3;  // of a refused formula: the reason, the formula, and a caret below it

void check_order(const csp::Ranker& ranker, const TemplateLibrary& library, const char* query) {
  Device device = Device::cpu();
  const Composition composition = Composition::parse(query);
  const TemplateRange range = library.with_ratio(composition.ratio_label());
  double before = INFINITY;
  std::set<std::int64_t> seen;
  for (const auto& scored : ranker.rank(device, composition, library, range)) {
    promise(scored.candidate >= range.begin && scored.candidate < range.end,
            "a template has the query's ratio");
    promise(seen.insert(scored.candidate).second, "a template comes once");
    promise(scored.score <= before, "the best comes first");
    promise(std::isnan(scored.p) || (scored.p >= 0 && scored.p <= 1), "p is a probability or none");
    before = scored.score;
  }
}

}  // namespace
}  // namespace kronite::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kronite;
  using namespace kronite::fuzz;
  static const TemplateLibrary library = TemplateLibrary::embedded();
  const std::string path = as_file("ranking.csv", as_text(data, size));
  std::unique_ptr<csp::Ranker> ranker;
  if (accepts([&] { ranker = csp::listed_ranker(path, library); }, kLines))
    for (const char* query : {"NaCl", "MgO", "SrTiO3", "CaF2"})
      check_order(*ranker, library, query);
  return 0;
}
