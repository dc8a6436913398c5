// A shuffle of the formulas, cut into runs.
#include "csp/held_out.hpp"

#include <algorithm>

#include "base/fail.hpp"    // for fail
#include "math/random.hpp"  // for Random

namespace kronite::csp {

std::vector<std::vector<std::string>> draw_formulas(const TemplateLibrary& library,
                                                    std::int64_t count, std::int64_t lists,
                                                    std::uint64_t seed) {
  std::vector<std::string> formulas;
  for (std::int64_t i = 0; i < library.size(); ++i) formulas.emplace_back(library.info(i).formula);
  std::sort(formulas.begin(), formulas.end());
  formulas.erase(std::unique(formulas.begin(), formulas.end()), formulas.end());

  if (count < 1 || lists < 1)
    fail(Errc::invalid_argument, "{} lists of {} formulas were asked for, at least 1 is expected",
         lists, count);
  const std::int64_t held = std::ssize(formulas);
  if (count > held / lists)
    fail(Errc::invalid_argument,
         "{} has {} formulas, which are too few for {} lists of {}, with no formula in two",
         library.path(), held, lists, count);
  math::Random(seed).shuffle(std::span(formulas));

  std::vector<std::vector<std::string>> drawn;
  for (std::int64_t begin = 0; begin < lists * count; begin += count)
    drawn.emplace_back(formulas.begin() + begin, formulas.begin() + begin + count);
  return drawn;
}

}  // namespace kronite::csp
