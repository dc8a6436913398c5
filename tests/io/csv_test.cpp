// CSV in and out.
#include <gtest/gtest.h>

#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "io/atomic_file.hpp"  // for write_file
#include "io/csv.hpp"
#include "io/input.hpp"  // for read_file
#include "kronite/error.hpp"
#include "kronite/io.hpp"
#include "support/comma_locale.hpp"

namespace kronite {
namespace {

using Record = std::vector<std::string>;

std::vector<Record> records(std::string_view text) {
  io::CsvReader csv("table.csv", text);
  std::vector<Record> all;
  for (Record record; csv.next(record);) all.push_back(record);
  return all;
}

std::string refusal(std::string_view text) {
  try {
    records(text);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::parse);
    return e.what();
  }
  return {};
}

TEST(CsvReader, ReadsPlainAndQuotedCells) {
  EXPECT_EQ(records("a,b,c\n1,,3\n"), (std::vector<Record>{{"a", "b", "c"}, {"1", "", "3"}}));
  EXPECT_EQ(records("\"a,b\",\"say \"\"yes\"\"\",\"\"\n"),
            (std::vector<Record>{{"a,b", "say \"yes\"", ""}}));
  EXPECT_EQ(records("a,\n,b"), (std::vector<Record>{{"a", ""}, {"", "b"}}));
}

TEST(CsvReader, ReadsCellsOverSeveralLinesAndCountsThem) {
  io::CsvReader csv("table.csv", "id,cif\nx,\"data_x\n_cell 1\n\"\ny,z\n");
  Record record;

  csv.next(record);
  csv.next(record);
  EXPECT_EQ(record, (Record{"x", "data_x\n_cell 1\n"}));
  EXPECT_EQ(csv.where(), "table.csv:2");
  csv.next(record);
  EXPECT_EQ(csv.where(), "table.csv:5");
  EXPECT_FALSE(csv.next(record));
}

TEST(CsvReader, PassesOverTheByteOrderMarkAndEmptyLines) {
  EXPECT_EQ(records("\xEF\xBB\xBF"
                    "a,b\n\n1,2\n"),
            (std::vector<Record>{{"a", "b"}, {"1", "2"}}));
  EXPECT_TRUE(records("").empty());
}

TEST(CsvReader, NamesTheLineOfAMisplacedQuote) {
  EXPECT_EQ(refusal("a\nb\n\"c\nd\n"), "table.csv:3: a quoted cell has no closing quote");
  EXPECT_EQ(refusal("a\n\"b\"c,d\n"),
            "table.csv:2: a comma is expected after the closing quote of a cell");
}

TEST(CsvReader, ReadsFilesWithWindowsLineEnds) {
  const std::string path = testing::TempDir() + "kronite_csv_test_crlf.csv";
  io::write_file(path, "a,b\r\n1,2\r\n");

  io::CsvReader csv(path);
  Record record;
  csv.next(record);
  csv.next(record);
  std::filesystem::remove(path);

  EXPECT_EQ(record, (Record{"1", "2"}));
}

TEST(WriteCsv, WritesNumbersThatReadBackExactly) {
  const std::string path = testing::TempDir() + "kronite_csv_test.csv";
  const std::vector<double> values = {0.1, 1.0 / 3, -0.0,
                                      14,  1e300,   std::numeric_limits<double>::denorm_min()};

  write_csv(path, "name", {"a,b", "say \"c\""}, {"x", "y", "z"}, {values.data(), 2, 3});
  io::CsvReader csv(path);
  std::vector<Record> all;
  for (Record record; csv.next(record);) all.push_back(record);
  std::filesystem::remove(path);

  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0], (Record{"name", "x", "y", "z"}));
  EXPECT_EQ(all[1][0], "a,b");
  EXPECT_EQ(all[2][0], "say \"c\"");
  for (std::size_t i = 0; i < values.size(); ++i)
    EXPECT_EQ(std::strtod(all[1 + i / 3][1 + i % 3].c_str(), nullptr), values[i]);
}

TEST(WriteCsv, DoesNotDependOnTheLocale) {
  const test::CommaLocale comma;
  std::string row;

  io::append_csv_row(row, "x", std::vector<double>{1234.5, 1e6});

  EXPECT_EQ(row, "x,1234.5,1000000\n");
}

TEST(WriteCsv, RefusesNamesThatDoNotFit) {
  const std::vector<double> values(4);

  EXPECT_THROW(write_csv("never.csv", "", {"a"}, {"x", "y"}, {values.data(), 2, 2}), Error);
  EXPECT_FALSE(std::filesystem::exists("never.csv"));
}

TEST(WriteCsv, NamesTheFolderThatIsNotThere) {
  const std::vector<double> values(1);
  try {
    write_csv("/nowhere/at/all.csv", "", {"a"}, {"x"}, {values.data(), 1, 1});
    FAIL() << "written";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::io);
    EXPECT_NE(std::string(e.what()).find("/nowhere/at/all.csv"), std::string::npos);
  }
}

}  // namespace
}  // namespace kronite
