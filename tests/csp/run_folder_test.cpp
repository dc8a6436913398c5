// The folder of a run: its files, resuming, and what is refused.
#include "csp/run_folder.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "csp/fixtures.hpp"              // for two_candidates
#include "csp/record.hpp"                // for to_json_lines
#include "io/csv.hpp"                    // for CsvReader
#include "io/input.hpp"                  // for read_file
#include "kronite/error.hpp"             // for Error
#include "support/temporary_folder.hpp"  // for TemporaryFolder

namespace kronite {
namespace {

namespace fs = std::filesystem;
using csp::RunFolder;
using csp::RunInfo;
using test::TemporaryFolder;
using test::two_candidates;
using test::two_likely_candidates;

RunInfo run_info() {
  RunInfo info;
  info.command = "kronite csp predict SrTiO3 --out run";
  info.device = "CPU, 1 threads";
  info.ranker = "distance";
  info.library_hash = "0123456789abcdef";
  return info;
}

/// The message of what `action` throws.
template <class Action>
std::string refusal(const Action& action) {
  try {
    action();
  } catch (const Error& e) {
    return e.what();
  }
  return "nothing was thrown";
}

std::vector<std::string> files_below(const std::string& path) {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(path))
    if (entry.is_regular_file()) names.push_back(fs::relative(entry.path(), path).string());
  std::sort(names.begin(), names.end());
  return names;
}

TEST(RunFolder, HoldsEveryFileOfARun) {
  const TemporaryFolder temporary;
  const std::string path = temporary.path("run");
  RunFolder folder(path, run_info(), false);

  folder.add(two_candidates("SrTiO3"));
  folder.finish(true);

  EXPECT_EQ(files_below(path),
            (std::vector<std::string>{"candidates.extxyz", "index.html", "manifest.json",
                                      "predictions.csv", "predictions.jsonl",
                                      "structures/SrTiO3/1.cif", "structures/SrTiO3/1.vasp",
                                      "structures/SrTiO3/2.cif", "structures/SrTiO3/2.vasp"}));
}

TEST(RunFolder, TakesFormulasThatAreTooLongForAFileName) {
  const TemporaryFolder temporary;
  RunFolder folder(temporary.path("run"), run_info(), false);
  const std::string zeros(300, '0');

  folder.add(two_candidates("Sr0." + zeros + "1Ti1O3"));
  folder.add(two_candidates("Sr0." + zeros + "2Ti1O3"));
  folder.finish(true);

  const auto files = files_below(temporary.path("run/structures"));
  EXPECT_EQ(files.size(), 8u);
}

TEST(RunFolder, WritesStructuresThatReadBack) {
  const TemporaryFolder temporary;
  RunFolder folder(temporary.path("run"), run_info(), false);
  folder.add(two_candidates("SrTiO3"));
  folder.finish(false);

  for (const char* name :
       {"structures/SrTiO3/1.cif", "structures/SrTiO3/1.vasp", "candidates.extxyz"}) {
    int records = 0;
    read_structures(
        temporary.path("run/") + name,
        [&](StructureRecord&& record) {
          EXPECT_EQ(record.structure.composition().reduced_formula(), "SrTiO3") << name;
          EXPECT_NEAR(volume(record.structure.lattice), 3.9 * 3.9 * 3.9, 1e-9) << name;
          EXPECT_EQ(find_symmetry(record.structure).space_group, 221) << name;
          ++records;
          return true;
        },
        [](const std::string& where, const std::string& why) { FAIL() << where << ": " << why; });
    EXPECT_EQ(records, std::string(name) == "candidates.extxyz" ? 2 : 1) << name;
  }
}

TEST(RunFolder, TellsTheSameInTheCsv) {
  const TemporaryFolder temporary;
  RunFolder folder(temporary.path("run"), run_info(), false);
  auto prediction = two_candidates("SrTiO3");
  prediction.candidates[1].template_id = "=HYPERLINK(\"a\"),\nb";
  csp::Prediction none;
  none.query = "Xe3O";
  none.note = "nothing, here";
  folder.add(prediction);
  folder.add(none);
  folder.finish(false);

  io::CsvReader csv(temporary.path("run/predictions.csv"));
  std::vector<std::vector<std::string>> rows;
  for (std::vector<std::string> cells; csv.next(cells);) rows.push_back(cells);

  ASSERT_EQ(rows.size(), 4u);
  for (const auto& row : rows) EXPECT_EQ(row.size(), rows[0].size());
  EXPECT_EQ(rows[1][0], "SrTiO3");
  EXPECT_EQ(rows[1][7], "O<-O Sr<-Ca Ti<-Ti");
  EXPECT_EQ(rows[2][5], "'=HYPERLINK(\"a\"),\nb");
  EXPECT_EQ(rows[3].front(), "Xe3O");
  EXPECT_EQ(rows[3].back(), "nothing, here");
}

TEST(RunFolder, ShowsProbabilities) {
  const TemporaryFolder temporary;
  RunFolder folder(temporary.path("run"), run_info(), false);
  folder.add(two_likely_candidates("SrTiO3"));
  folder.finish(true);

  const std::string page = io::read_file(temporary.path("run/index.html"));

  for (const char* part : {"the best 2 of 4 likely among 7 templates", "width:87.5%", "0.88 ± 0.06",
                           "left:81.2%;width:12.5%", "The probability is that of"})
    EXPECT_NE(page.find(part), std::string::npos) << part;
  EXPECT_NE(io::read_file(temporary.path("run/candidates.extxyz")).find("p=0.875 p_std=0.0625"),
            std::string::npos);
}

TEST(RunFolder, ResumesOnlyWithTheSameModelAndCutOff) {
  const TemporaryFolder temporary;
  const std::string path = temporary.path("run");
  RunInfo learned = run_info();
  learned.model_hash = "fedcba9876543210";
  learned.options.cutoff = 0.5;
  { RunFolder(path, learned, false).add(two_likely_candidates("SrTiO3")); }
  RunInfo other_model = learned, other_cutoff = learned;
  other_model.model_hash = "0000000000000000";
  other_cutoff.options.cutoff = 0.25;

  const std::string model = refusal([&] { RunFolder(path, other_model, true); });
  const std::string cutoff = refusal([&] { RunFolder(path, other_cutoff, true); });

  EXPECT_NE(model.find("model_hash = \"fedcba9876543210\""), std::string::npos) << model;
  EXPECT_NE(cutoff.find("begun with cutoff = 0.5, now it is 0.25"), std::string::npos) << cutoff;
  EXPECT_NO_THROW(RunFolder(path, learned, true));
}

TEST(RunFolder, KeepsWhatMadeTheRunInTheManifest) {
  const TemporaryFolder temporary;
  RunInfo info = run_info();
  info.inputs = {{"list.txt", "00ff"}};
  info.options.top = 3;
  RunFolder folder(temporary.path("run"), info, false);
  folder.add(two_candidates("SrTiO3"));
  const auto manifest = [&] {
    return nlohmann::json::parse(io::read_file(temporary.path("run/manifest.json")));
  };

  EXPECT_EQ(manifest()["state"], "running");
  folder.finish(false);
  EXPECT_EQ(manifest()["state"], "complete");
  EXPECT_EQ(manifest()["command"], info.command);
  EXPECT_EQ(manifest()["settings"]["top"], 3);
  EXPECT_EQ(manifest()["inputs"][0]["hash"], "00ff");
  EXPECT_EQ(manifest()["candidates_by_licence"]["CC0"], 2);
}

TEST(RunFolder, EscapesTheIdsOfTemplatesInThePage) {
  const TemporaryFolder temporary;
  RunFolder folder(temporary.path("run"), run_info(), false);
  auto prediction = two_candidates("SrTiO3");
  prediction.candidates[0].template_id = "<script>alert(1)</script>";
  prediction.candidates[0].source = "\"><img src=x>";
  folder.add(prediction);
  folder.finish(true);

  const std::string page = io::read_file(temporary.path("run/index.html"));

  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_EQ(page.find("<img"), std::string::npos);
  EXPECT_NE(page.find("&lt;script&gt;alert(1)"), std::string::npos);
}

TEST(RunFolder, RefusesAFolderThatHoldsFiles) {
  const TemporaryFolder temporary;
  std::ofstream(temporary.path("thesis.txt")) << "years of work";

  EXPECT_NE(refusal([&] {
              RunFolder(temporary.path(), run_info(), false);
            }).find("this folder is not empty"),
            std::string::npos);
  EXPECT_NE(refusal([&] {
              RunFolder(temporary.path(), run_info(), true);
            }).find("is no run of 'kronite csp predict'"),
            std::string::npos);
  EXPECT_EQ(files_below(temporary.path()), std::vector<std::string>{"thesis.txt"});
}

TEST(RunFolder, RefusesAPathThatIsAFile) {
  const TemporaryFolder temporary;
  std::ofstream(temporary.path("run")) << "text";

  EXPECT_NE(refusal([&] { RunFolder(temporary.path("run"), run_info(), false); }).find("folder"),
            std::string::npos);
}

TEST(RunFolder, ResumesBehindTheLastWholePrediction) {
  const TemporaryFolder temporary;
  const std::string path = temporary.path("run"), records = path + "/predictions.jsonl";
  const std::string first = to_json_lines(two_candidates("SrTiO3"));
  const std::string second = to_json_lines(two_candidates("BaTiO3"));
  { RunFolder(path, run_info(), false).add(two_candidates("SrTiO3")); }
  // As a kill may leave it: inside a line, and behind a line but inside a prediction.
  for (const std::size_t kept : {std::size_t{10}, second.find('\n') + 1, second.find('\n') + 30}) {
    std::ofstream(records) << first << second.substr(0, kept);

    RunFolder folder(path, run_info(), true);

    EXPECT_TRUE(folder.finished("SrTiO3"));
    EXPECT_FALSE(folder.finished("BaTiO3"));
    EXPECT_EQ(io::read_file(records), first);
    folder.add(two_candidates("BaTiO3"));
    EXPECT_EQ(io::read_file(records), first + second);
  }
}

TEST(RunFolder, ResumesOnlyWithTheSameSettings) {
  const TemporaryFolder temporary;
  const std::string path = temporary.path("run");
  { RunFolder(path, run_info(), false).add(two_candidates("SrTiO3")); }
  RunInfo other = run_info();
  other.options.top = 99;

  const std::string why = refusal([&] { RunFolder(path, other, true); });

  EXPECT_NE(why.find("begun with top = 10, now it is 99"), std::string::npos) << why;
}

TEST(RunFolder, LetsOnlyOneRunWrite) {
  const TemporaryFolder temporary;
  const RunFolder first(temporary.path("run"), run_info(), false);

  EXPECT_NE(refusal([&] {
              RunFolder(temporary.path("run"), run_info(), true);
            }).find("another run is writing"),
            std::string::npos);
}

}  // namespace
}  // namespace kronite
