// Training pairs against plain loops over all pairs of a library.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <set>

#include "csp/fingerprint_library.hpp"
#include "kronite/csp_training.hpp"
#include "kronite/error.hpp"
#include "support/on_each_device.hpp"

namespace kronite::csp {
namespace {

using test::point;

/// Two large labels and a small one, with clusters of several sizes.
TemplateLibrary three_labels() {
  std::vector<Template> templates;
  test::add_grid(templates, "", 20, 0.11F);
  test::add_grid(templates, "2", 12, 0.4F);
  for (const std::string metal : {"Al", "Ga", "In", "Tl"})
    templates.push_back(point(metal + "2Cl5", metal, 0));
  return test::library_of(templates);
}

using PairSet = std::set<std::pair<std::int32_t, std::int32_t>>;

/// The pairs of one kind and ratio label.
PairSet pairs_of(const PairPart& part, std::int32_t ratio, bool alike) {
  PairSet pairs;
  for (std::size_t n = 0; n < part.ratio.size(); ++n)
    if (part.ratio[n] == ratio && (part.pairs.alike[n] != 0) == alike)
      pairs.emplace(part.pairs.first[n], part.pairs.second[n]);
  return pairs;
}

/// By the definition, among the templates of a part that lie in `range`.
PairSet pairs_by_definition(const TemplateLibrary& library, const PairPart& part,
                            TemplateRange range, double tau, bool alike) {
  PairSet pairs;
  for (const std::int32_t i : part.templates)
    for (const std::int32_t j : part.templates) {
      if (i >= j || i < range.begin || j >= range.end) continue;
      const double d = dissimilarity(library.fingerprint(i), library.fingerprint(j));
      if ((d <= tau) == alike) pairs.emplace(i, j);
    }
  return pairs;
}

/// Without a cap: all alike pairs, and of the others as many, or all.
void expect_as_defined(const TemplateLibrary& library, const PairPart& part, double tau) {
  const std::vector<std::string> ratios = library.ratios();
  std::size_t pairs = 0;
  for (std::size_t k = 0; k < ratios.size(); ++k) {
    SCOPED_TRACE(ratios[k]);
    const auto ratio = static_cast<std::int32_t>(k);
    const TemplateRange range = library.with_ratio(ratios[k]);
    const PairSet alike = pairs_of(part, ratio, true), unlike = pairs_of(part, ratio, false);
    const PairSet all_unlike = pairs_by_definition(library, part, range, tau, false);
    EXPECT_EQ(alike, pairs_by_definition(library, part, range, tau, true));
    EXPECT_EQ(unlike.size(), std::min(alike.size(), all_unlike.size()));
    EXPECT_TRUE(std::includes(all_unlike.begin(), all_unlike.end(), unlike.begin(), unlike.end()));
    pairs += alike.size() + unlike.size();
  }
  EXPECT_EQ(static_cast<std::int64_t>(pairs), part.pairs.size());  // none is there twice
}

bool same(const PairPart& a, const PairPart& b) {
  return a.templates == b.templates && a.pairs.first == b.pairs.first &&
         a.pairs.second == b.pairs.second && a.pairs.alike == b.pairs.alike && a.ratio == b.ratio;
}
bool same(const PairData& a, const PairData& b) {
  return same(a.training, b.training) && same(a.validation, b.validation) && same(a.test, b.test);
}

PairOptions uncapped() {
  PairOptions options;
  options.cap = 1;
  return options;
}

class MakePairs : public test::OnEachDevice {};
KRONITE_ON_EACH_DEVICE(MakePairs);

TEST_P(MakePairs, AreThoseOfPlainLoops) {
  const TemplateLibrary library = three_labels();
  for (const double tau : {0.3, 0.05, 5.0})  // some, equal ones, nearly all: few unlike ones
    for (const HoldOut hold_out : {HoldOut::formula, HoldOut::structure_type}) {
      SCOPED_TRACE(tau);
      PairOptions options = uncapped();
      options.tau = tau;
      options.hold_out = hold_out;

      const PairData data = make_pairs(device, library, options);

      for (const PairPart* part : {&data.training, &data.validation, &data.test})
        expect_as_defined(library, *part, tau);
    }
}

TEST_P(MakePairs, OfRealCrystalsAreThoseOfPlainLoops) {
  const TemplateLibrary library = TemplateLibrary::embedded();

  const PairData data = make_pairs(device, library, uncapped());

  for (const PairPart* part : {&data.training, &data.validation, &data.test})
    expect_as_defined(library, *part, 0.3);
}

TEST_P(MakePairs, AreTheSameAsOnTheCpu) {
  Device cpu = Device::cpu();
  const TemplateLibrary library = TemplateLibrary::embedded();

  EXPECT_TRUE(same(make_pairs(device, library, uncapped()), make_pairs(cpu, library, uncapped())));
}

TEST_P(MakePairs, DecideExactlyAtTau) {
  const float above = 0.3F, below = std::nextafter(0.3F, 0.0F);  // 0.3 lies between them
  ASSERT_GT(static_cast<double>(above), 0.3);
  ASSERT_LT(static_cast<double>(below), 0.3);
  PairOptions options;
  options.parts = {1, 0, 0};
  const auto alike = [&](float x, double tau) {
    const TemplateLibrary library =
        test::library_of({point("NaCl", "a", 0), point("KCl", "b", x), point("CaF2", "c", 0),
                          point("BaF2", "d", 0)});
    options.tau = tau;
    return pairs_of(make_pairs(device, library, options).training, 0, true).size();
  };

  EXPECT_EQ(alike(above, 0.3), 0U);
  EXPECT_EQ(alike(below, 0.3), 1U);
  EXPECT_EQ(alike(0.5F, 0.5), 1U);  // equal to tau
}

TEST(PairData, IsTheSameForAnyNumberOfThreadsAndAnotherForAnotherSeed) {
  const TemplateLibrary library = three_labels();
  DeviceOptions one_thread, three_threads;
  one_thread.threads = 1;
  three_threads.threads = 3;
  Device one = Device::cpu(one_thread), three = Device::cpu(three_threads);
  PairOptions other = uncapped();
  other.seed = 1;

  const PairData data = make_pairs(one, library, uncapped());

  EXPECT_TRUE(same(data, make_pairs(three, library, uncapped())));
  EXPECT_NE(data.training.templates, make_pairs(one, library, other).training.templates);
}

TEST(PairData, AnotherDrawKeepsTheSplit) {
  const TemplateLibrary library = three_labels();
  Device device = Device::cpu();
  PairOptions other = uncapped();
  other.draw = 1;

  const PairPart first = make_pairs(device, library, uncapped()).training;
  const PairPart second = make_pairs(device, library, other).training;

  EXPECT_EQ(first.templates, second.templates);
  const auto label = static_cast<std::int32_t>(0);
  EXPECT_EQ(pairs_of(first, label, true), pairs_of(second, label, true));
  EXPECT_NE(pairs_of(first, label, false), pairs_of(second, label, false));
}

TEST(PairData, UnlikePairsAreEquallyLikely) {
  std::vector<Template> templates;  // 2 alike pairs, 13 unlike ones, of which 2 are drawn
  for (int k = 0; k < 6; ++k)
    templates.push_back(point(std::vector<std::string>{"LiF", "NaF", "KF", "RbF", "CsF",
                                                       "AgF"}[static_cast<std::size_t>(k)],
                              std::to_string(k), static_cast<float>(k < 4 ? k / 2 : k)));
  const TemplateLibrary library = test::library_of(templates);
  Device device = Device::cpu();
  PairOptions options = uncapped();
  options.parts = {1, 0, 0};
  std::map<std::pair<std::int32_t, std::int32_t>, int> drawn;

  for (; options.draw < 2000; ++options.draw)
    for (const auto& pair : pairs_of(make_pairs(device, library, options).training, 0, false))
      ++drawn[pair];

  EXPECT_EQ(drawn.size(), 13U);
  // Each in 2 of 13 draws: 308 of 2000; four standard deviations are 65.
  for (const auto& [pair, count] : drawn) EXPECT_NEAR(count, 308, 65);
}

TEST(PairData, TheCapIsAShareOfThePart) {
  const TemplateLibrary library = three_labels();
  Device device = Device::cpu();
  PairOptions options;
  options.cap = 0.1;

  const PairData data = make_pairs(device, library, options);

  for (const PairPart* part : {&data.training, &data.validation, &data.test}) {
    std::map<std::int32_t, std::set<std::int32_t>> used;
    for (std::size_t n = 0; n < part->ratio.size(); ++n)
      used[part->ratio[n]].insert({part->pairs.first[n], part->pairs.second[n]});
    for (const auto& [ratio, templates] : used)
      EXPECT_LE(templates.size(), std::max<std::size_t>(2, part->templates.size() / 10));
  }
  const std::size_t most = data.training.templates.size() / 10;
  EXPECT_GT(most, 10U);
  const PairSet alike = pairs_of(data.training, 0, true),
                unlike = pairs_of(data.training, 0, false);
  std::set<std::int32_t> in_both;
  for (const PairSet& pairs : {alike, unlike})
    for (const auto& [a, b] : pairs) in_both.insert({a, b});
  EXPECT_EQ(in_both.size(), most);  // all that may take part do
}

TEST(PairData, TheTrainingPartMayHaveACapOfItsOwn) {
  const TemplateLibrary library = three_labels();
  Device device = Device::cpu();
  PairOptions capped;
  capped.cap = 0.1;
  PairOptions options = capped;
  options.training_cap = 1;

  const PairData data = make_pairs(device, library, options);

  const PairData all = make_pairs(device, library, uncapped());
  const PairData few = make_pairs(device, library, capped);
  EXPECT_EQ(data.training.pairs.first, all.training.pairs.first);
  EXPECT_EQ(data.validation.pairs.first, few.validation.pairs.first);
  EXPECT_EQ(data.test.pairs.first, few.test.pairs.first);
  EXPECT_LT(few.training.pairs.size(), all.training.pairs.size());
}

TEST(PairData, DrawsMoreUnlikePairsForTrainingWhereAsked) {
  const TemplateLibrary library = three_labels();
  Device device = Device::cpu();
  PairOptions options = uncapped();
  options.most_alike_per_label = 4;
  options.unlike_per_alike = 3.5;

  const PairData data = make_pairs(device, library, options);

  EXPECT_EQ(pairs_of(data.training, 0, true).size(), 4U);
  EXPECT_EQ(pairs_of(data.training, 0, false).size(), 14U);
  EXPECT_LE(pairs_of(data.test, 0, false).size(), pairs_of(data.test, 0, true).size());
}

TEST(PairData, LimitsTheAlikePairsOfALabel) {
  const TemplateLibrary library = three_labels();
  Device device = Device::cpu();
  PairOptions options = uncapped();
  options.most_alike_per_label = 9;

  const PairPart all = make_pairs(device, library, uncapped()).training;
  const PairPart limited = make_pairs(device, library, options).training;

  const PairSet every = pairs_of(all, 0, true), alike = pairs_of(limited, 0, true);
  EXPECT_GT(every.size(), 9U);
  EXPECT_EQ(alike.size(), 9U);
  EXPECT_TRUE(std::includes(every.begin(), every.end(), alike.begin(), alike.end()));
  const PairSet unlike = pairs_of(limited, 0, false);
  EXPECT_EQ(unlike.size(), 9U);
  for (const auto& pair : unlike) EXPECT_EQ(every.count(pair), 0U);
}

TEST(PairData, LeavesExcludedFormulasAndUnknownElementsOut) {
  std::vector<Template> templates;
  test::add_grid(templates, "", 6, 0.11F);
  io::ArrayFileWriter writer = pack_templates(templates);
  for (auto& part : writer.parts)
    if (part.name == "composition.z") {  // caesium becomes americium, which the table does not have
      auto z = std::make_shared<std::vector<std::uint8_t>>(part.bytes.size());
      std::memcpy(z->data(), part.bytes.data(), z->size());
      std::replace(z->begin(), z->end(), std::uint8_t{55}, std::uint8_t{95});
      part.bytes = std::as_bytes(std::span(*z));
      part.owner = z;
    }
  const TemplateLibrary library = test::library_of(writer);
  Device device = Device::cpu();

  const PairData data = make_pairs(device, library, uncapped(), {"Na2Cl2", "KBr"});

  std::set<std::string> formulas;
  for (const PairPart* part : {&data.training, &data.validation, &data.test})
    for (const std::int32_t i : part->templates)
      formulas.insert(std::string(library.info(i).formula));
  EXPECT_EQ(formulas.size(), 42U - 7 - 2);
  EXPECT_EQ(formulas.count("NaCl") + formulas.count("KBr") + formulas.count("CsF"), 0U);
}

TEST(PairData, PartsMayBeEmpty) {
  const TemplateLibrary library = three_labels();
  Device device = Device::cpu();
  PairOptions options = uncapped();
  options.parts = {1, 0, 0};

  const PairData data = make_pairs(device, library, options);

  EXPECT_EQ(static_cast<std::int64_t>(data.training.templates.size()), library.size());
  EXPECT_EQ(data.validation.pairs.size() + data.test.pairs.size(), 0);
}

/// The message of the refusal.
std::string refusal(const TemplateLibrary& library, const PairOptions& options,
                    Errc code = Errc::invalid_argument,
                    const std::vector<std::string>& excluded = {}) {
  Device device = Device::cpu();
  try {
    make_pairs(device, library, options, excluded);
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
}

TEST(PairData, RefusesOptionsThatMakeNoSense) {
  const TemplateLibrary library = TemplateLibrary::embedded();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto with = [&](auto member, auto value) {
    PairOptions options;
    options.*member = value;
    return refusal(library, options);
  };

  for (const double tau : {0.0, -0.3, nan, std::numeric_limits<double>::infinity()})
    EXPECT_NE(with(&PairOptions::tau, tau).find("tau is"), std::string::npos) << tau;
  for (const double cap : {0.0, -1.0, 1.5, nan})
    EXPECT_NE(with(&PairOptions::cap, cap).find("the cap is"), std::string::npos) << cap;
  for (const double cap : {-0.1, 1.5, nan})
    EXPECT_NE(with(&PairOptions::training_cap, cap).find("training part"), std::string::npos);
  for (const std::array<double, 3> parts :
       {std::array{0.6, 0.2, 0.1}, {1.2, -0.1, -0.1}, {0.0, 0.5, 0.5}, {nan, 0.5, 0.5}})
    EXPECT_NE(with(&PairOptions::parts, parts).find("add up to 1"), std::string::npos);
  for (const double each : {0.0, -1.0, nan})
    EXPECT_NE(with(&PairOptions::unlike_per_alike, each).find("unlike pairs for each"),
              std::string::npos);
  EXPECT_NE(with(&PairOptions::least_members, -1), "");
  EXPECT_NE(with(&PairOptions::most_alike_per_label, -1), "");
}

TEST(PairData, RefusesALibraryWithoutFingerprints) {
  Template bare = point("NaCl", "salt", 0);
  bare.fingerprint.clear();

  const std::string why = refusal(test::library_of({bare}), {});

  EXPECT_NE(why.find("has no fingerprints; 'kronite templates merge' adds them"), std::string::npos)
      << why;
}

TEST(PairData, RefusesATrainingPartWithoutAnAlikePair) {
  const TemplateLibrary unlike =
      test::library_of({point("NaCl", "a", 0), point("KCl", "b", 1), point("CsCl", "c", 2)});
  PairOptions options = uncapped();
  options.parts = {1, 0, 0};

  EXPECT_EQ(refusal(unlike, options),
            "training pairs: no two of the 3 training templates that share a ratio label have a "
            "dissimilarity of at most 0.3");
}

TEST(PairData, RefusesAnExcludedFormulaThatIsNone) {
  EXPECT_NE(refusal(TemplateLibrary::embedded(), {}, Errc::parse, {"NaQq"}), "");
}

}  // namespace
}  // namespace kronite::csp
