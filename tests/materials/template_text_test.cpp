// What is exported builds the same library again, and merging keeps what it should.
#include "materials/template_text.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>

#include "kronite/error.hpp"
#include "materials/template_library.hpp"
#include "support/temporary_folder.hpp"

namespace kronite {
namespace {

bool same_or_both_unknown(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

/// The demo set's templates of one ratio, with ids and sources that are hard to quote, and
/// energies.
TemplateLibrary hard_to_write(const std::string& path) {
  const TemplateLibrary demo = TemplateLibrary::embedded();
  const TemplateRange range = demo.with_ratio("3:1:1");
  const std::vector<std::string> marks = {"", " it's", " \"quoted\"", " 'both\" kinds", " ü, ; #"};
  std::vector<Template> templates;
  for (std::int64_t i = range.begin; i < range.end; ++i) {
    const TemplateInfo info = demo.info(i);
    const auto n = static_cast<std::size_t>(i - range.begin);
    Template t;
    t.structure = demo.structure(i);
    t.composition = demo.composition(i);
    t.formula = info.formula;
    t.ratio = "3:1:1";
    t.id = std::string(info.id) + (n % 5 == 3 ? "" : marks[n % marks.size()]);
    t.source = std::string(info.source) + marks[n % marks.size()];
    t.license = info.license;
    t.space_group = info.space_group;
    t.e_above_hull = n % 3 == 0 ? std::nan("") : 0.1 / 3 + 1e-3 * double(n);
    t.formation_energy = n % 2 == 0 ? std::nan("") : -1.0 / 3;
    templates.push_back(std::move(t));
  }
  pack_templates(std::move(templates)).write(path);
  return TemplateLibrary::open(path);
}

/// The library that `text`, written to a file of this name, builds.
TemplateLibrary rebuilt(const test::TemporaryFolder& folder, const std::string& name,
                        const std::string& text) {
  BuildOptions options;
  options.keep_polymorphs = true;
  const std::string out = folder.path(name + ".ktl");
  build_templates({folder.write(name, text)}, out, options,
                  [](const LeftOut& left) { ADD_FAILURE() << left.where << ": " << left.why; });
  return TemplateLibrary::open(out);
}

std::string all(const TemplateLibrary& library,
                std::string (*text)(const TemplateLibrary&, std::int64_t)) {
  std::string joined;
  for (std::int64_t i = 0; i < library.size(); ++i) joined += text(library, i);
  return joined;
}

/// `quotes`: the format holds every id and source as it is.
void expect_same(const TemplateLibrary& a, const TemplateLibrary& b, bool quotes = true) {
  ASSERT_EQ(a.size(), b.size());
  for (std::int64_t i = 0; i < a.size(); ++i) {
    const TemplateInfo x = a.info(i), y = b.info(i);
    EXPECT_EQ(x.id, y.id);
    EXPECT_EQ(x.formula, y.formula);
    EXPECT_EQ(x.license, y.license);
    if (quotes || x.source.find("both") == std::string::npos) {
      EXPECT_EQ(x.source, y.source);
    }
    EXPECT_EQ(x.space_group, y.space_group);
    EXPECT_EQ(x.sites, y.sites);
    EXPECT_TRUE(same_or_both_unknown(x.e_above_hull, y.e_above_hull)) << x.id;
    EXPECT_TRUE(same_or_both_unknown(x.formation_energy, y.formation_energy)) << x.id;
    // Twelve decimals of Å are written; the volume of some 100 Å^3 then agrees to 1e-9.
    EXPECT_NEAR(volume(a.structure(i).lattice), volume(b.structure(i).lattice), 1e-8) << x.id;
    // Weights are rounded to three decimals: a last digit may move a site by 1e-3 of a weight.
    EXPECT_LT(dissimilarity(fingerprint(a.structure(i)), b.fingerprint(i)), 5e-3) << x.id;
  }
}

TEST(TemplateText, BuildsTheSameLibraryFromJsonLines) {
  const test::TemporaryFolder folder;
  const TemplateLibrary library = hard_to_write(folder.path("library.ktl"));

  expect_same(library, rebuilt(folder, "all.jsonl", all(library, template_json)));
}

TEST(TemplateText, BuildsTheSameLibraryFromCif) {
  const test::TemporaryFolder folder;
  const TemplateLibrary library = hard_to_write(folder.path("library.ktl"));

  expect_same(library, rebuilt(folder, "all.cif", all(library, template_cif)));
}

TEST(TemplateText, BuildsTheSameLibraryFromExtendedXyz) {
  const test::TemporaryFolder folder;
  const TemplateLibrary library = hard_to_write(folder.path("library.ktl"));

  expect_same(library, rebuilt(folder, "all.extxyz", all(library, template_extxyz)), false);
}

TEST(TemplateText, ReportsAsCsvAndJsonLines) {
  const std::vector<LeftOut> left = {{"a.cif:1, data_x", "id \"1\"", "NaCl", LeftOutReason::license,
                                      "the licence is not allowed"}};

  EXPECT_EQ(left_out_csv(left),
            "where,id,formula,reason,why\n"
            "\"a.cif:1, data_x\",\"id \"\"1\"\"\",NaCl,license,the licence is not allowed\n");
  EXPECT_EQ(left_out_json(left),
            "{\"where\":\"a.cif:1, data_x\",\"id\":\"id \\\"1\\\"\",\"formula\":\"NaCl\","
            "\"reason\":\"license\",\"why\":\"the licence is not allowed\"}\n");
}

TEST(Merge, OfALibraryWithItselfIsTheLibraryAndReportsTheDuplicates) {
  const test::TemporaryFolder folder;
  const TemplateLibrary library = hard_to_write(folder.path("a.ktl"));
  MergeOptions options;
  options.keep_polymorphs = true;
  std::vector<LeftOut> left_out;

  const BuildReport report =
      merge_templates({folder.path("a.ktl"), folder.path("a.ktl")}, folder.path("b.ktl"), options,
                      [&](const LeftOut& left) { left_out.push_back(left); });

  EXPECT_EQ(report.read, 2 * library.size());
  EXPECT_EQ(report.kept, library.size());
  EXPECT_EQ(report.count(LeftOutReason::duplicate), library.size());
  ASSERT_EQ(left_out.size(), static_cast<std::size_t>(library.size()));
  EXPECT_EQ(left_out[0].reason, LeftOutReason::duplicate);
  const TemplateLibrary merged = TemplateLibrary::open(folder.path("b.ktl"));
  ASSERT_FALSE(library.has_fingerprints());
  ASSERT_TRUE(merged.has_fingerprints());
  expect_same(library, merged);
}

TEST(Merge, KeepsOneStructurePerFormulaUnlessAskedForAll) {
  const test::TemporaryFolder folder;
  std::vector<Template> two(2);
  for (std::size_t i = 0; i < 2; ++i) {
    const TemplateLibrary demo = TemplateLibrary::embedded();
    const std::int64_t first = demo.with_ratio("3:1:1").begin;
    two[i].structure = demo.structure(first);
    two[i].composition = demo.composition(first);
    two[i].formula = demo.info(first).formula;
    two[i].ratio = "3:1:1";
    two[i].space_group = demo.info(first).space_group;
    two[i].formation_energy = std::nan("");
    two[i].id = i == 0 ? "high" : "low";
    two[i].e_above_hull = i == 0 ? 0.2 : 0.1;
    pack_templates({two[i]}).write(folder.path(two[i].id + ".ktl"));
  }
  const std::vector<std::string> both = {folder.path("high.ktl"), folder.path("low.ktl")};
  MergeOptions all_of_them;
  all_of_them.keep_polymorphs = true;

  merge_templates(both, folder.path("one.ktl"), {});
  merge_templates(both, folder.path("all.ktl"), all_of_them);

  const TemplateLibrary one = TemplateLibrary::open(folder.path("one.ktl"));
  ASSERT_EQ(one.size(), 1);
  EXPECT_EQ(one.info(0).id, "low");
  EXPECT_EQ(TemplateLibrary::open(folder.path("all.ktl")).size(), 2);
}

TEST(Merge, LetsOutWhatTheProgressThrows) {
  const test::TemporaryFolder folder;
  hard_to_write(folder.path("a.ktl"));
  MergeOptions options;
  options.progress = [](long long, long long) -> bool { throw std::length_error("enough"); };

  EXPECT_THROW(merge_templates({folder.path("a.ktl")}, folder.path("b.ktl"), options),
               std::length_error);

  EXPECT_FALSE(std::filesystem::exists(folder.path("b.ktl")));
}

TEST(Merge, NamesALibraryThatIsNone) {
  const test::TemporaryFolder folder;
  const std::string path = folder.write("no.ktl", "no library at all");

  try {
    merge_templates({path}, folder.path("out.ktl"), {});
    FAIL() << "merged";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::corrupt);
    EXPECT_NE(std::string(e.what()).find(path), std::string::npos);
  }
}

}  // namespace
}  // namespace kronite
