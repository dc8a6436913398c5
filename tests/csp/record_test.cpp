// Lines of predictions.jsonl, there and back.
#include "csp/record.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "csp/fixtures.hpp"              // for two_candidates
#include "kronite/error.hpp"             // for Error
#include "support/temporary_folder.hpp"  // for TemporaryFolder

namespace kronite {
namespace {

using csp::Prediction;
using csp::to_json_lines;
using test::TemporaryFolder;
using test::two_candidates;
using test::two_likely_candidates;

std::vector<nlohmann::json> parsed(const std::string& lines) {
  std::istringstream stream(lines);
  std::vector<nlohmann::json> values;
  for (std::string line; std::getline(stream, line);) values.push_back(nlohmann::json::parse(line));
  return values;
}

std::vector<Prediction> read(const std::string& path) {
  std::vector<Prediction> predictions;
  csp::read_predictions(path,
                        [&](Prediction&& p, std::int64_t) { predictions.push_back(std::move(p)); });
  return predictions;
}

TEST(PredictionRecord, HoldsOneLinePerCandidateWithNullForWhatIsNotKnown) {
  const auto lines = parsed(to_json_lines(two_candidates("SrTiO3")));

  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0]["query"], "SrTiO3");
  EXPECT_EQ(lines[1]["rank"], 2);
  EXPECT_EQ(lines[0]["mapping"], (nlohmann::json{{"Ca", "Sr"}, {"Ti", "Ti"}, {"O", "O"}}));
  for (const char* field : {"p", "p_std", "best_p", "note"})
    EXPECT_TRUE(lines[0][field].is_null()) << field;
  EXPECT_EQ(lines[0]["duplicates"], nlohmann::json::array());
  EXPECT_EQ(lines[0]["structure"]["sites"].size(), 5u);
}

TEST(PredictionRecord, HoldsTheNoteWhereThereIsNoCandidate) {
  Prediction prediction;
  prediction.query = "Xe3O";
  prediction.note = "no template";

  const auto lines = parsed(to_json_lines(prediction));

  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0]["note"], "no template");
  EXPECT_TRUE(lines[0]["rank"].is_null());
  EXPECT_TRUE(lines[0]["structure"].is_null());
}

TEST(PredictionRecord, ReadsBackExactly) {
  const TemporaryFolder folder;
  auto written = two_candidates("SrTiO3");
  written.candidates[0].structure.lattice[0][0] = 3.9 + 1e-15;
  written.candidates[0].template_id = "id \"with\" \n odd, <things> and \xc3\xa4";
  Prediction none;
  none.query = "Xe3O";
  none.note = "nothing";
  std::ofstream(folder.path("p.jsonl")) << to_json_lines(written) << to_json_lines(none);

  const auto read_back = read(folder.path("p.jsonl"));

  ASSERT_EQ(read_back.size(), 2u);
  const auto &before = written.candidates[0], &after = read_back[0].candidates.at(0);
  EXPECT_EQ(after.template_id, before.template_id);
  EXPECT_EQ(after.mapping, before.mapping);
  EXPECT_EQ(after.structure.lattice, before.structure.lattice);
  EXPECT_EQ(after.structure.fractional, before.structure.fractional);
  EXPECT_EQ(after.structure.z, before.structure.z);
  EXPECT_EQ(after.volume_factor, before.volume_factor);
  EXPECT_TRUE(std::isnan(after.p));
  EXPECT_EQ(read_back[1].note, "nothing");
  EXPECT_TRUE(read_back[1].candidates.empty());
}

TEST(PredictionRecord, ReadsBackProbabilities) {
  const TemporaryFolder folder;
  const auto written = two_likely_candidates("SrTiO3");
  std::ofstream(folder.path("p.jsonl")) << to_json_lines(written);

  const auto read_back = read(folder.path("p.jsonl")).at(0);

  EXPECT_EQ(read_back.likely, 4);
  EXPECT_EQ(read_back.best_p, 0.875);
  EXPECT_EQ(read_back.candidates.at(1).p, 0.4375);
  EXPECT_EQ(read_back.candidates.at(1).p_std, 0.0625);
}

TEST(PredictionRecord, ReadsBackDuplicates) {
  const TemporaryFolder folder;
  auto written = two_likely_candidates("SrTiO3");
  written.candidates[1].duplicates = {{7, "mp-1", "BaTiO3", 0.25, 0.25, 0.125, true},
                                      {9, "mp-2", "CaZrO3", -1, std::nan(""), 0.5, false}};
  std::ofstream(folder.path("p.jsonl")) << to_json_lines(written);

  const auto read_back = read(folder.path("p.jsonl")).at(0);

  EXPECT_TRUE(read_back.candidates.at(0).duplicates.empty());
  const auto& duplicates = read_back.candidates.at(1).duplicates;
  ASSERT_EQ(duplicates.size(), 2u);
  EXPECT_EQ(duplicates[0].template_id, "mp-1");
  EXPECT_EQ(duplicates[0].template_formula, "BaTiO3");
  EXPECT_EQ(duplicates[0].p, 0.25);
  EXPECT_EQ(duplicates[0].rms, 0.125);
  EXPECT_TRUE(duplicates[0].known);
  EXPECT_EQ(duplicates[1].score, -1);
  EXPECT_TRUE(std::isnan(duplicates[1].p));
  EXPECT_EQ(csp::duplicate_ids(read_back.candidates[1]), "mp-1 mp-2");
  EXPECT_EQ(csp::templates_used(read_back), 4);
}

TEST(PredictionRecord, WritesAProbabilityWithItsSpreadWhereThereIsOne) {
  EXPECT_EQ(csp::probability_text(0.875, 0.0625, 3), "0.875 ± 0.062");
  EXPECT_EQ(csp::probability_text(0.5, std::nan("")), "0.50");
}

TEST(PredictionRecord, SurvivesBytesThatAreNotUtf8) {
  auto prediction = two_candidates("SrTiO3");
  prediction.candidates[0].template_id = "bad \xff byte";

  EXPECT_EQ(parsed(to_json_lines(prediction))[0]["template_id"], "bad \xef\xbf\xbd byte");
}

TEST(PredictionRecord, LeavesOutALastPredictionThatIsNotWhole) {
  const TemporaryFolder folder;
  const std::string whole = to_json_lines(two_candidates("SrTiO3"));
  const std::string second = to_json_lines(two_candidates("BaTiO3"));
  std::ofstream(folder.path("p.jsonl")) << whole << second.substr(0, second.find('\n') + 1);

  std::int64_t end = 0;
  std::vector<std::string> queries;
  csp::read_predictions(folder.path("p.jsonl"), [&](Prediction&& p, std::int64_t at) {
    queries.push_back(p.query);
    end = at;
  });

  EXPECT_EQ(queries, std::vector<std::string>{"SrTiO3"});
  EXPECT_EQ(end, static_cast<std::int64_t>(whole.size()));
}

TEST(PredictionRecord, NamesFileAndLineOfADamagedRecord) {
  const TemporaryFolder folder;
  const std::string path = folder.path("p.jsonl");
  for (const std::string bad :
       {"{", "[]", "{\"query\": 3}", "{\"query\":\"A\",\"ratio\":\"1\",\"templates\":1}"}) {
    std::ofstream(path) << to_json_lines(two_candidates("SrTiO3")) << bad << "\n";

    try {
      read(path);
      FAIL() << "must throw: " << bad;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Errc::parse);
      EXPECT_EQ(std::string(e.what()).rfind(path + ":3: ", 0), 0u) << e.what();
    }
  }
}

TEST(PredictionRecord, SaysThatCandidatesInTheMiddleAreMissing) {
  const TemporaryFolder folder;
  const std::string first = to_json_lines(two_candidates("SrTiO3"));
  std::ofstream(folder.path("p.jsonl"))
      << first.substr(0, first.find('\n') + 1) << to_json_lines(two_candidates("BaTiO3"));

  EXPECT_THROW(read(folder.path("p.jsonl")), Error);
}

}  // namespace
}  // namespace kronite
