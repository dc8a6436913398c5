// Formulas: what is accepted is a composition that is written so that it reads back the same.
#include <algorithm>
#include <cmath>

#include "fuzz/target.hpp"
#include "kronite/composition.hpp"

namespace kronite::fuzz {
namespace {

void check_composition(const Composition& composition) {
  const auto& parts = composition.parts();
  promise(!parts.empty(), "a formula names elements");
  for (const auto& [z, amount] : parts)
    promise(!element_symbol(z).empty() && amount > 0 && std::isfinite(amount),
            "amounts of elements are finite and above zero");
  const auto ascending = [](const ElementAmount& a, const ElementAmount& b) { return a.z < b.z; };
  promise(std::is_sorted(parts.begin(), parts.end(), ascending), "elements ascend");
}

void check_written(const Composition& composition) {
  const Composition reduced = composition.reduced();
  const std::string formula = reduced.reduced_formula();
  const bool read = accepts([&] {
    promise(Composition::parse(formula) == reduced, "a reduced formula reads back the same",
            formula);
  });
  promise(read, "a reduced formula can be read", formula);
  promise(composition.reduced_formula() == formula, "a reduced formula is reduced", formula);
  promise(composition.ratio_label() == reduced.ratio_label(), "reducing keeps the ratio", formula);
}

void check_description(const Composition& composition) {
  const ElementTable& table = ElementTable::embedded();
  std::vector<double> values(5 * table.features().size());
  const auto width = static_cast<std::int64_t>(values.size());
  const bool described = accepts([&] {
    describe({composition}, table, {values.data(), 1, width});
  });
  const auto finite = [](double value) { return std::isfinite(value); };
  promise(!described || std::all_of(values.begin(), values.end(), finite), "descriptors are finite",
          composition.reduced_formula());
}

}  // namespace
}  // namespace kronite::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kronite::fuzz;
  constexpr int kLines = 3;  // the reason, the formula, and a caret below it
  std::vector<std::string> notices;
  kronite::Composition composition;
  const bool read = accepts(
      [&] { composition = kronite::Composition::parse(as_text(data, size), &notices); }, kLines);
  for (const std::string& notice : notices) promise_message(notice);
  if (read) {
    check_composition(composition);
    check_written(composition);
    check_description(composition);
  }
  return 0;
}
