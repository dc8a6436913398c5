// Formula lists as text and CSV.
#include "io/formula_list.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>
#include <vector>

#include "kronite/error.hpp"
#include "kronite/log.hpp"
#include "support/data.hpp"              // for shared_data
#include "support/temporary_folder.hpp"  // for TemporaryFolder

namespace kronite {
namespace {

class FormulaList : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) {
    return folder_.write(name, text);
  }

  std::string refusal(const std::string& path) {
    try {
      io::read_formula_list(path);
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Errc::parse);
      EXPECT_TRUE(std::string(e.what()).starts_with(path)) << e.what();
      return std::string(e.what()).substr(path.size());
    }
    return {};
  }

  const test::TemporaryFolder folder_;
};

TEST_F(FormulaList, ReadsOneFormulaPerLine) {
  const auto list = io::read_formula_list(write("a.txt", "# oxides\nMgO\n\n  SiO2  # quartz\r\n"));

  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].text, "MgO");
  EXPECT_EQ(list[0].line, 2);
  EXPECT_EQ(list[1].text, "SiO2");
  EXPECT_EQ(list[1].line, 4);
  EXPECT_EQ(list[1].composition, Composition::parse("SiO2"));
}

TEST_F(FormulaList, FindsTheColumnOfACsvFile) {
  for (const char* column : {"formula", "formula_pretty", "pretty_formula", "reduced_formula",
                             "full_formula", "composition", "Formula"}) {
    const auto list =
        io::read_formula_list(write("a.csv", std::string("id,") + column + "\n1,MgO\n2,SiO2\n"));
    ASSERT_EQ(list.size(), 2u);
    EXPECT_EQ(list[1].text, "SiO2");
    EXPECT_EQ(list[1].line, 3);
  }
}

TEST_F(FormulaList, ReadsCompressedFiles) {
  const std::string path = folder_.path("a.csv.gz");
  gzFile file = gzopen(path.c_str(), "wb");
  gzputs(file, "formula\nMgO\n");
  gzclose(file);

  EXPECT_EQ(io::read_formula_list(path).size(), 1u);
}

TEST_F(FormulaList, NamesFileAndLineOfABadFormula) {
  EXPECT_EQ(refusal(write("a.txt", "MgO\nCh3OH\n")),
            ":2: cannot read the formula \"Ch3OH\": there is no element Ch\n  Ch3OH\n  ^");
  EXPECT_TRUE(refusal(write("a.csv", "formula\nMgO\n\"\"\n")).starts_with(":3: "));
}

TEST_F(FormulaList, HandsBadFormulasToTheSkipSink) {
  std::vector<std::string> skipped;
  const std::string path = write("a.txt", "MgO\nCh3OH\nSiO2\n");

  const auto list = io::read_formula_list(
      path, [&](const std::string& where, const std::string&) { skipped.push_back(where); });

  EXPECT_EQ(list.size(), 2u);
  EXPECT_EQ(skipped, (std::vector<std::string>{path + ":2"}));
}

TEST_F(FormulaList, SendsNoticesWithFileAndLine) {
  std::vector<std::string> messages;
  const std::string path = write("a.txt", "MgO\nD2O\n");

  set_log_callback([&](LogLevel, const std::string& message) { messages.push_back(message); });
  io::read_formula_list(path);
  set_log_callback({});

  EXPECT_EQ(messages, (std::vector<std::string>{path + ":2: D2O: D (deuterium) is counted as H"}));
}

TEST_F(FormulaList, SaysWhichColumnsThereAre) {
  const std::string message = refusal(write("a.csv", "id,name\n1,MgO\n"));

  EXPECT_TRUE(message.starts_with(":1: no column is called formula,")) << message;
  EXPECT_TRUE(message.ends_with("the columns are: id, name")) << message;
}

TEST_F(FormulaList, RefusesAFileWithoutFormulas) {
  EXPECT_EQ(refusal(write("a.txt", "# nothing\n")), ": there is no formula in this file");
  EXPECT_EQ(refusal(write("a.csv", "")), ": there is no formula in this file");
  EXPECT_TRUE(refusal(write("b.csv", "id,formula\n1\n")).starts_with(":2: "));
}

TEST_F(FormulaList, GivesTextsOneAfterTheOther) {
  const std::string path = write("a.txt", "# oxides\nMgO\n\n  Ch3OH  # no formula\n");
  io::FormulaLines lines(path);

  ASSERT_TRUE(lines.next());
  EXPECT_EQ(lines.text(), "MgO");
  EXPECT_EQ(lines.value(), "");
  ASSERT_TRUE(lines.next());
  EXPECT_EQ(lines.text(), "Ch3OH");
  EXPECT_EQ(lines.where(), path + ":4");
  EXPECT_FALSE(lines.next());
}

TEST_F(FormulaList, GivesTheCellsOfAColumn) {
  io::FormulaLines lines(write("a.csv", "energy,formula,volume\n-1.5,MgO, 7 \n,SiO2,\n"), "volume");

  ASSERT_TRUE(lines.next());
  EXPECT_EQ(lines.text(), "MgO");
  EXPECT_EQ(lines.value(), "7");
  ASSERT_TRUE(lines.next());
  EXPECT_EQ(lines.value(), "");
  EXPECT_FALSE(lines.next());
}

TEST_F(FormulaList, RefusesColumnsThatAreNotThere) {
  const auto message = [&](const std::string& path) {
    try {
      io::FormulaLines lines(path, "volume");
      while (lines.next()) {
      }
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Errc::parse);
      return std::string(e.what()).substr(path.size());
    }
    return std::string("nothing was refused");
  };
  EXPECT_EQ(message(write("a.csv", "formula,Volume\nMgO,1\n")),
            ":1: no column is called volume; the columns are: formula, Volume");
  EXPECT_EQ(message(write("b.csv", "formula,volume\nMgO\n")),
            ":2: 1 cells, but the value is in column 2");
  EXPECT_EQ(message(write("a.txt", "MgO\n")),
            ": a column volume is asked for, so a table whose name ends in .csv is expected");
}

TEST_F(FormulaList, ReadsTheTablesOfTheLargeDataSet) {
  KRONITE_NEEDS_DATA(test::shared_data("composition/mp_stable_formula.csv.gz"));

  EXPECT_EQ(io::read_formula_list(test::shared_data("composition/mp_stable_formula.csv.gz")).size(),
            35'463u);
}

}  // namespace
}  // namespace kronite
