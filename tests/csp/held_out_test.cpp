// Lists of formulas to hold out: disjoint, whole, the same everywhere.
#include "csp/held_out.hpp"

#include <gtest/gtest.h>

#include <set>

#include "csp/fingerprint_library.hpp"
#include "kronite/error.hpp"

namespace kronite::csp {
namespace {

using Lists = std::vector<std::vector<std::string>>;

/// 28 formulas; NaCl twice.
TemplateLibrary small_library() {
  std::vector<Template> templates;
  test::add_grid(templates, "", 3, 0.1F);
  test::add_grid(templates, "2", 1, 0.1F);
  templates.push_back(test::point("NaCl", "polymorph", 5));
  return test::library_of(std::move(templates));
}

TEST(HeldOutFormulas, AreInOneListEach) {
  const TemplateLibrary library = small_library();

  const Lists lists = draw_formulas(library, 7, 4, 3);

  std::set<std::string> all;
  ASSERT_EQ(lists.size(), 4U);
  for (const auto& list : lists) {
    EXPECT_EQ(list.size(), 7U);
    all.insert(list.begin(), list.end());
  }
  EXPECT_EQ(all.size(), 28U);  // every formula of the library: NaCl once
}

TEST(HeldOutFormulas, StayInTheFirstListsWhenMoreAreAskedFor) {
  const TemplateLibrary library = small_library();

  const Lists few = draw_formulas(library, 5, 2, 3), more = draw_formulas(library, 5, 4, 3);

  EXPECT_EQ(few[0], more[0]);
  EXPECT_EQ(few[1], more[1]);
  EXPECT_NE(draw_formulas(library, 5, 1, 4)[0], few[0]);
}

TEST(HeldOutFormulas, AreTheSameOnEveryMachine) {
  const TemplateLibrary library = small_library();

  const Lists lists = draw_formulas(library, 4, 1, 0);

  // As they came out first; published tables rest on such lists.
  EXPECT_EQ(lists, (Lists{{"NaSe", "NaBr", "NaF", "LiO2"}}));
}

TEST(HeldOutFormulas, AreRefusedWhenThereAreTooFew) {
  const TemplateLibrary library = small_library();

  EXPECT_THROW(draw_formulas(library, 15, 2, 0), Error);
  EXPECT_THROW(draw_formulas(library, 0, 2, 0), Error);
  EXPECT_THROW(draw_formulas(library, 2, 0, 0), Error);
  EXPECT_THROW(draw_formulas(library, 1LL << 62, 1LL << 62, 0), Error);  // no overflow
}

}  // namespace
}  // namespace kronite::csp
