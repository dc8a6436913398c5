// From a formula to crystals, on a library made by hand and on the embedded one.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>

#include "csp/distinct_candidates.hpp"   // for DistinctCandidates
#include "csp/fixtures.hpp"              // for perovskite
#include "kronite/csp.hpp"               // for predict
#include "kronite/error.hpp"             // for Error
#include "support/temporary_folder.hpp"  // for TemporaryFolder

namespace kronite {
namespace {

using csp::Prediction;
using csp::PredictOptions;
using csp::VolumeMethod;

Structure two_atoms(const char* a, const char* b, Vector3 place_of_b, const Lattice& lattice) {
  Structure structure;
  structure.lattice = lattice;
  structure.z = {static_cast<std::uint8_t>(element_number(a)),
                 static_cast<std::uint8_t>(element_number(b))};
  structure.fractional = {{0, 0, 0}, place_of_b};
  return structure;
}

/// Primitive cell of rock salt with the given conventional edge.
Structure rock_salt(const char* a, const char* b, double edge) {
  const double h = edge / 2;
  return two_atoms(a, b, {.5, .5, .5}, {{{0, h, h}, {h, 0, h}, {h, h, 0}}});
}

Structure caesium_chloride(const char* a, const char* b, double edge) {
  return two_atoms(a, b, {.5, .5, .5}, {{{edge, 0, 0}, {0, edge, 0}, {0, 0, edge}}});
}

/// Four binaries and one perovskite.
class Predict : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new test::TemporaryFolder;
    const auto write = [](const std::string& name, const Structure& structure) {
      std::ofstream(folder_->path(name + ".cif")) << to_cif(structure, name);
    };
    write("nacl", rock_salt("Na", "Cl", 5.64));
    write("kbr", rock_salt("K", "Br", 6.60));
    write("mgo", rock_salt("Mg", "O", 4.21));
    write("cscl", caesium_chloride("Cs", "Cl", 4.12));
    write("catio3", test::perovskite(20, 22, 3.85));
    build_templates({folder_->path()}, library_path(), {},
                    [](const LeftOut& left) { FAIL() << left.where << ": " << left.why; });
  }
  static void TearDownTestSuite() { delete folder_; }
  static std::string library_path() { return folder_->path("small.ktl"); }

  /// One candidate for each template.
  Prediction predict(const char* formula, PredictOptions options = {}) {
    options.keep_duplicates = true;
    return csp::predict(device_, Composition::parse(formula), library_, *ranker_, options);
  }

  static inline test::TemporaryFolder* folder_ = nullptr;
  Device device_ = Device::cpu();
  TemplateLibrary library_ = TemplateLibrary::open(library_path());
  std::unique_ptr<csp::Ranker> ranker_ = csp::distance_ranker();
};

/// The definition in plain loops: distance of descriptors, each value centred and scaled.
double distance_by_definition(const TemplateLibrary& library, const Composition& query,
                              std::int64_t i) {
  std::vector<double> q(290), t(290);
  const ElementTable& table = ElementTable::embedded();
  describe({query.reduced()}, table, {q.data(), 1, 290});
  describe({library.composition(i).reduced()}, table, {t.data(), 1, 290});
  double sum = 0;
  for (std::size_t f = 0; f < 290; ++f)
    sum += std::pow((q[f] - t[f]) / library.descriptor_std()[f], 2);
  return std::sqrt(sum);
}

TEST_F(Predict, TellsHowManyTemplatesWereTriedAndStopsInBetween) {
  PredictOptions options;
  std::vector<std::pair<long long, long long>> told;
  options.progress = [&](long long done, long long total) {
    told.emplace_back(done, total);
    return done < 2;
  };

  try {
    predict("LiF", options);
    ADD_FAILURE() << "nothing stopped it";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::cancelled);
  }

  EXPECT_EQ(told, (std::vector<std::pair<long long, long long>>{{0, 0}, {0, 4}, {1, 4}, {2, 4}}));
}

TEST_F(Predict, RanksAllTemplatesOfTheRatioByDistanceOfDescriptors) {
  const auto prediction = predict("RbCl");

  EXPECT_EQ(prediction.ratio, "1:1");
  EXPECT_EQ(prediction.templates, 4);
  ASSERT_EQ(prediction.candidates.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) {
    const auto& candidate = prediction.candidates[i];
    EXPECT_EQ(candidate.rank, static_cast<int>(i) + 1);
    EXPECT_TRUE(std::isnan(candidate.p));
    if (i > 0) {
      EXPECT_LE(candidate.score, prediction.candidates[i - 1].score);
    }
    // The same 290 squares in another order of operations.
    EXPECT_NEAR(
        -candidate.score,
        distance_by_definition(library_, Composition::parse("RbCl"), candidate.template_index),
        1e-10);
  }
}

TEST_F(Predict, MakesTheQueryInTheStructureOfTheTemplate) {
  for (const auto& candidate : predict("RbCl").candidates) {
    EXPECT_EQ(candidate.structure.composition().reduced_formula(), "RbCl");
    EXPECT_EQ(candidate.space_group, library_.info(candidate.template_index).space_group);
    EXPECT_EQ(candidate.international, candidate.space_group == 225 ? "Fm-3m" : "Pm-3m");
    // The conventional cell holds four formula units of rock salt, one of caesium chloride.
    EXPECT_EQ(candidate.structure.size(), candidate.space_group == 225 ? 8u : 2u);
    EXPECT_NO_THROW(check_structure(candidate.structure));
  }
}

TEST_F(Predict, ScalesTheVolumeByAtomicVolumes) {
  const double* volumes = library_.atomic_volumes();
  const auto at = [&](const char* symbol) { return volumes[element_number(symbol)]; };

  for (const auto& candidate : predict("KCl").candidates) {
    if (candidate.template_formula != "NaCl") continue;
    EXPECT_EQ(candidate.volume, VolumeMethod::scaled);
    EXPECT_NEAR(candidate.volume_factor, (at("K") + at("Cl")) / (at("Na") + at("Cl")), 1e-12);
    EXPECT_NEAR(volume(candidate.structure.lattice), candidate.volume_factor * 5.64 * 5.64 * 5.64,
                1e-6);
    return;
  }
  FAIL() << "no candidate from NaCl";
}

TEST_F(Predict, KeepsTheTemplatesVolumeWhenAsked) {
  PredictOptions options;
  options.volume = VolumeMethod::as_template;

  for (const auto& candidate : predict("KCl", options).candidates) {
    EXPECT_EQ(candidate.volume_factor, 1);
    EXPECT_EQ(candidate.volume, VolumeMethod::as_template);
    if (candidate.template_formula == "NaCl") {
      EXPECT_NEAR(volume(candidate.structure.lattice), 5.64 * 5.64 * 5.64, 1e-6);
    }
  }
}

TEST_F(Predict, MarksTheQueryItselfAsKnownAndPutsItFirst) {
  const auto prediction = predict("Na4Cl4");

  EXPECT_EQ(prediction.query, "NaCl");
  EXPECT_TRUE(prediction.candidates[0].known);
  EXPECT_EQ(prediction.candidates[0].score, 0);
  EXPECT_EQ(prediction.candidates[0].volume_factor, 1);
  EXPECT_EQ(prediction.candidates[0].mapping_cost, 0);
  for (std::size_t i = 1; i < prediction.candidates.size(); ++i)
    EXPECT_FALSE(prediction.candidates[i].known);
}

TEST_F(Predict, KnowsTheQueryHoweverItsAmountsAreWritten) {
  for (const char* formula : {"Na0.5Cl0.5", "Na1.000000009Cl"}) {
    const auto prediction = predict(formula);

    ASSERT_EQ(prediction.candidates.size(), 4u) << formula;
    for (const auto& candidate : prediction.candidates)
      EXPECT_EQ(candidate.known, candidate.template_formula == "NaCl") << formula;
  }
}

TEST_F(Predict, GivesTheBestScoreAsZeroWithoutASign) {
  EXPECT_FALSE(std::signbit(predict("NaCl").candidates[0].score));
}

TEST_F(Predict, LeavesOutTheKnownWhenAsked) {
  PredictOptions options;
  options.exclude_known = true;

  const auto prediction = predict("NaCl", options);

  EXPECT_EQ(prediction.templates, 3);
  for (const auto& candidate : prediction.candidates) {
    EXPECT_NE(candidate.template_formula, "NaCl");
    EXPECT_FALSE(candidate.known);
  }
}

TEST_F(Predict, MakesNoMoreCandidatesThanAskedFor) {
  PredictOptions options;
  options.top = 2;

  const auto few = predict("RbCl", options), all = predict("RbCl");

  ASSERT_EQ(few.candidates.size(), 2u);
  EXPECT_EQ(few.templates, 4);
  EXPECT_EQ(few.candidates[1].template_id, all.candidates[1].template_id);
}

TEST_F(Predict, MergesEqualCrystalsIntoTheBest) {
  const auto all = predict("RbCl");

  const auto merged = csp::predict(device_, Composition::parse("RbCl"), library_, *ranker_);

  // Rock salt from NaCl, KBr and MgO; caesium chloride.
  EXPECT_EQ(merged.templates, 4);
  ASSERT_EQ(merged.candidates.size(), 2u);
  std::size_t merged_away = 0;
  for (std::size_t i = 0; i < 2; ++i) {
    const auto& candidate = merged.candidates[i];
    EXPECT_EQ(candidate.rank, static_cast<int>(i) + 1);
    const std::size_t others = candidate.international == "Fm-3m" ? 2 : 0;
    ASSERT_EQ(candidate.duplicates.size(), others);
    for (std::size_t d = 0; d < others; ++d) {
      const auto& duplicate = candidate.duplicates[d];
      EXPECT_LE(duplicate.score, d == 0 ? candidate.score : candidate.duplicates[d - 1].score);
      EXPECT_EQ(duplicate.template_id, library_.info(duplicate.template_index).id);
      EXPECT_LT(duplicate.rms, 1e-5);  // of an idealised crystal from itself: rounding
      ++merged_away;
    }
  }
  EXPECT_EQ(merged_away, 2u);
  EXPECT_EQ(merged.candidates[0].template_id, all.candidates[0].template_id);
}

TEST_F(Predict, TriesMoreTemplatesUntilThereAreEnoughDifferentCrystals) {
  PredictOptions options;
  options.top = 2;

  const auto prediction =
      csp::predict(device_, Composition::parse("NaBr"), library_, *ranker_, options);

  // The best two templates are both of rock salt.
  for (const auto& candidate : predict("NaBr", options).candidates)
    ASSERT_EQ(candidate.international, "Fm-3m");
  ASSERT_EQ(prediction.candidates.size(), 2u);
  EXPECT_EQ(prediction.candidates[0].international, "Fm-3m");
  EXPECT_EQ(prediction.candidates[1].international, "Pm-3m");
}

TEST(DistinctCandidates, TellsADistortedVariantFromTheUndistortedCrystal) {
  csp::Candidate cubic, copy, polar;
  cubic.structure = copy.structure = test::perovskite(56, 22, 4.0);
  cubic.space_group = copy.space_group = 221;
  polar.structure = cubic.structure;
  polar.structure.fractional[1][2] += 0.02;
  polar.space_group = 99;
  csp::DistinctCandidates distinct(true), kept(false);

  for (const auto& candidate : {cubic, polar, copy}) {
    distinct.add(candidate);
    kept.add(candidate);
  }

  EXPECT_TRUE(match(cubic.structure, polar.structure).same);
  EXPECT_EQ(kept.size(), 3u);
  const auto candidates = distinct.take();
  ASSERT_EQ(candidates.size(), 2u);
  EXPECT_EQ(candidates[0].duplicates.size(), 1u);
  EXPECT_EQ(candidates[1].rank, 2);
  EXPECT_TRUE(candidates[1].duplicates.empty());
}

TEST(DistinctCandidates, AreKnownWhenADuplicateIs) {
  csp::Candidate first, second;
  first.structure = second.structure = test::perovskite(56, 22, 4.0);
  second.known = true;
  csp::DistinctCandidates distinct(true);

  distinct.add(first);
  distinct.add(second);

  const auto candidates = distinct.take();
  ASSERT_EQ(candidates.size(), 1u);
  EXPECT_TRUE(candidates[0].known);
  ASSERT_EQ(candidates[0].duplicates.size(), 1u);
  EXPECT_TRUE(candidates[0].duplicates[0].known);
}

TEST(DistinctCandidates, KeepsWhatCannotBeCompared) {
  csp::Candidate needle;
  needle.structure.lattice = {{{3, 0, 0}, {0, 3, 0}, {0, 0, 9000}}};
  needle.structure.fractional = {{0, 0, 0}};
  needle.structure.z = {29};
  csp::DistinctCandidates distinct(true);

  distinct.add(needle);
  distinct.add(needle);

  EXPECT_EQ(distinct.size(), 2u);
}

TEST_F(Predict, SaysWhatToDoWhereThereIsNoTemplate) {
  const auto no_ratio = predict("CaF2");
  PredictOptions exclude;
  exclude.exclude_known = true;
  const auto only_known = predict("CaTiO3", exclude);

  EXPECT_TRUE(no_ratio.candidates.empty());
  EXPECT_NE(no_ratio.note.find("no template of the ratio 2:1"), std::string::npos);
  EXPECT_NE(no_ratio.note.find("nearest ratios: 1:1"), std::string::npos) << no_ratio.note;
  EXPECT_NE(no_ratio.note.find("kronite templates build"), std::string::npos);
  EXPECT_NE(only_known.note.find("the only templates of the ratio 3:1:1"), std::string::npos);
}

TEST_F(Predict, RefusesWhatItCannotDo) {
  PredictOptions none;
  none.top = 0;

  PredictOptions no_length;
  no_length.symprec = std::nan("");

  EXPECT_THROW(predict("NaCl", none), Error);
  EXPECT_THROW(predict("NaCl", no_length), Error);
  EXPECT_THROW(predict("AmO2"), Error);
  EXPECT_THROW(csp::predict(device_, Composition(), library_, *ranker_), Error);
}

TEST_F(Predict, SaysThatTheElementTableLacksTheElementsOfAllTemplates) {
  std::ofstream(folder_->path("few.csv")) << ",size\nSr,1\nZr,2\nO,3\n";
  const ElementTable table = ElementTable::read_csv(folder_->path("few.csv"));
  PredictOptions options;
  options.table = &table;

  const auto prediction = csp::predict(device_, Composition::parse("SrZrO3"), library_,
                                       *csp::distance_ranker(table), options);

  EXPECT_NE(prediction.note.find("hold elements that the element table lacks"), std::string::npos)
      << prediction.note;
}

TEST_F(Predict, RanksWithAnotherElementTableByItsOwnStatistics) {
  // One feature, so the descriptor is (ave, sum, var, max, min) of it.
  const std::map<std::string, double> feature{{"Na", 1}, {"K", 2},  {"Rb", 3}, {"Cs", 5},
                                              {"Cl", 7}, {"Br", 8}, {"Mg", 4}, {"O", 6}};
  {
    std::ofstream file(folder_->path("table.csv"));
    file << ",size\n";
    for (const auto& [symbol, value] : feature) file << symbol << "," << value << "\n";
  }
  const ElementTable table = ElementTable::read_csv(folder_->path("table.csv"));
  const auto ranker = csp::distance_ranker(table);
  const auto descriptor = [&](const char* a, const char* b) {
    const double x = feature.at(a), y = feature.at(b), d = (x - y) / 2;
    return std::vector<double>{(x + y) / 2, x + y, d * d, std::max(x, y), std::min(x, y)};
  };
  const std::map<std::string, std::vector<double>> templates{{"NaCl", descriptor("Na", "Cl")},
                                                             {"KBr", descriptor("K", "Br")},
                                                             {"MgO", descriptor("Mg", "O")},
                                                             {"CsCl", descriptor("Cs", "Cl")}};

  PredictOptions options;
  options.table = &table;
  options.keep_duplicates = true;
  const auto prediction =
      csp::predict(device_, Composition::parse("RbCl"), library_, *ranker, options);

  // CaTiO3 has elements outside the table and takes no part in the statistics.
  ASSERT_EQ(prediction.candidates.size(), 4u);
  const auto query = descriptor("Rb", "Cl");
  for (const auto& candidate : prediction.candidates) {
    double squared = 0;
    for (std::size_t f = 0; f < 5; ++f) {
      double mean = 0, variance = 0;
      for (const auto& [name, x] : templates) mean += x[f] / 4;
      for (const auto& [name, x] : templates) variance += (x[f] - mean) * (x[f] - mean) / 3;
      const double difference = query[f] - templates.at(candidate.template_formula)[f];
      squared += difference * difference / variance;
    }
    EXPECT_NEAR(-candidate.score, std::sqrt(squared), 1e-12);
  }
}

// --- the embedded library: chemistry that anyone would expect -----------------------------------

struct Expectation {
  const char* formula;
  const char* international;
};

class EmbeddedLibrary : public testing::TestWithParam<Expectation> {};

TEST_P(EmbeddedLibrary, HasTheExpectedStructureAmongTheBestFive) {
  Device device = Device::cpu();
  const auto library = TemplateLibrary::embedded();
  PredictOptions options;
  options.top = 5;

  const auto prediction = csp::predict(device, Composition::parse(GetParam().formula), library,
                                       *csp::distance_ranker(), options);

  const bool found = std::any_of(
      prediction.candidates.begin(), prediction.candidates.end(),
      [](const csp::Candidate& c) { return c.international == GetParam().international; });
  EXPECT_TRUE(found) << GetParam().formula;
}

INSTANTIATE_TEST_SUITE_P(Chemistry, EmbeddedLibrary,
                         testing::Values(Expectation{"LiF", "Fm-3m"}, Expectation{"KBr", "Fm-3m"},
                                         Expectation{"SrTiO3", "Pm-3m"},
                                         Expectation{"BaZrO3", "Pm-3m"},
                                         Expectation{"SrF2", "Fm-3m"}, Expectation{"ZnSe", "F-43m"},
                                         Expectation{"Ge", "Fd-3m"},
                                         Expectation{"SnO2", "P4_2/mnm"},
                                         Expectation{"MgAl2O4", "Fd-3m"}),
                         [](const auto& instance) { return instance.param.formula; });

}  // namespace
}  // namespace kronite
