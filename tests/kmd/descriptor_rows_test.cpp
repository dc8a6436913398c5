// Files of descriptors in every format, and every wrong one refused where it is wrong.
#include "kmd/descriptor_rows.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "kmd/small_components.hpp"
#include "kronite/error.hpp"
#include "kronite/io.hpp"
#include "support/temporary_folder.hpp"

namespace kronite::kmd {
namespace {

using kronite::test::TemporaryFolder;

class DescriptorRowsTest : public ::testing::Test {
 protected:
  DescriptorRowsTest() {
    settings.layout = Layout::joint;  // five columns, A to E
    descriptor.emplace(test::five_components(), settings);
    json = to_json(file_settings(*descriptor), false);
  }

  std::vector<double> read(const std::string& path, std::int64_t most = 100) {
    DescriptorRows rows(path);
    rows.require_columns(descriptor->names());
    std::vector<double> values;
    names.clear();
    while (rows.read(most, values, names) > 0) {
    }
    return values;
  }
  /// Message of the error that reading `content` as file d.ending gives, behind its path.
  std::string refusal(const std::string& name, const std::string& content) {
    const std::string path = folder.write(name, content);
    folder.write(name + ".settings.json", json);
    try {
      read(path);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Errc::parse);
      const std::string message = error.what();
      EXPECT_EQ(message.find(path), 0U) << message;
      return message.substr(std::min(message.size(), path.size()));
    }
    return "nothing was refused";
  }
  std::string first_line() const {
    return "{\"settings\": " + to_json(file_settings(*descriptor), true) + "}\n";
  }

  TemporaryFolder folder;
  Settings settings;
  std::optional<Descriptor> descriptor;
  std::string json;
  std::vector<std::string> names;
  const std::vector<double> expected = {0.1, 0.2, 0.3, 0.4, 0.5, 1, 2, 3, 4, -5e-300};
};

TEST_F(DescriptorRowsTest, ReadsCsv) {
  const std::string path =
      folder.write("d.csv", "formula,A,B,C,D,E\nx,0.1,0.2,0.3,0.4,0.5\n\"y,z\",1,2,3,4,-5e-300\n");
  folder.write("d.csv.settings.json", json);

  EXPECT_EQ(read(path), expected);
  EXPECT_EQ(names, (std::vector<std::string>{"x", "y,z"}));
  EXPECT_EQ(DescriptorRows(path).settings().hash, descriptor->hash());
}

TEST_F(DescriptorRowsTest, ReadsCsvWithSeveralLabelsOrNone) {
  folder.write("d.csv.settings.json", json);
  EXPECT_EQ(read(folder.write("d.csv", "id,formula,A,B,C,D,E\n7,x,1,2,3,4,5\n")),
            (std::vector<double>{1, 2, 3, 4, 5}));
  EXPECT_EQ(names, (std::vector<std::string>{"7"}));
  EXPECT_EQ(read(folder.write("d.csv", "A,B,C,D,E\n1,2,3,4,5\n")),
            (std::vector<double>{1, 2, 3, 4, 5}));
  EXPECT_EQ(names, (std::vector<std::string>{"1"}));
}

TEST_F(DescriptorRowsTest, ReadsMatrices) {
  const std::string path = folder.path("d.npy");
  write_npy(path, {expected.data(), 2, 5});
  folder.write("d.npy.settings.json", json);

  EXPECT_EQ(read(path), expected);
  EXPECT_EQ(names, (std::vector<std::string>{"1", "2"}));
  folder.write("d.rows.csv", "formula\nx\ny\n");
  EXPECT_EQ(read(path, 1), expected);
  EXPECT_EQ(names, (std::vector<std::string>{"x", "y"}));
}

TEST_F(DescriptorRowsTest, ReadsJsonLines) {
  const std::string lines =
      "{\"formula\": \"x\", \"descriptor\": [0.1, 0.2, 0.3, 0.4, 0.5]}\n\n"
      "{\"descriptor\": [1, 2, 3, 4, -5e-300], \"more\": {}}\n";

  EXPECT_EQ(read(folder.write("d.jsonl", first_line() + lines)), expected);
  EXPECT_EQ(names, (std::vector<std::string>{"x", "2"}));

  // Settings beside a file that has none.
  folder.write("e.jsonl.settings.json", json);
  EXPECT_EQ(read(folder.write("e.jsonl", lines)), expected);
}

TEST_F(DescriptorRowsTest, TakesSettingsFromAnotherFile) {
  const std::string path = folder.write("d.csv", "A,B,C,D,E\n1,2,3,4,5\n");
  DescriptorRows rows(path, folder.write("other.json", json));
  std::vector<double> values;

  EXPECT_EQ(rows.read(10, values, names), 1);
  EXPECT_EQ(rows.settings_where(), folder.path("other.json"));
}

TEST_F(DescriptorRowsTest, RefusesFilesWithoutSettings) {
  const std::string path = folder.write("d.csv", "A,B,C,D,E\n1,2,3,4,5\n");
  try {
    read(path);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.what(), path + ": there are no settings beside these descriptors: " + path +
                                ".settings.json is expected");
  }
}

TEST_F(DescriptorRowsTest, RefusesWrongCsv) {
  EXPECT_EQ(refusal("d.csv", ""), ": a header with the names of columns is expected");
  EXPECT_EQ(refusal("d.csv", "A,B,C,D\n1,2,3,4\n"),
            ":1: 4 values in a row, the settings of this file say 5");
  EXPECT_EQ(refusal("d.csv", "x,A,B,C,E,D\nx,1,2,3,4,5\n"),
            ":1: column 5 is called E; by the settings it is D");
  EXPECT_EQ(refusal("d.csv", "A,B,C,D,E\n1,2,3,4\n"), ":2: 4 cells, the header has 5");
  EXPECT_EQ(refusal("d.csv", "x,A,B,C,D,E\n,1,2,three,4,5\n"),
            ":2: column 4 (C): a number is expected, not \"three\"");
  EXPECT_EQ(refusal("d.csv", "x,A,B,C,D,E\n,1,2,nan,4,5\n"),
            ":2: column 4 (C): a number is expected, not \"nan\"");
}

TEST_F(DescriptorRowsTest, RefusesWrongMatrices) {
  const std::string path = folder.path("d.npy");
  folder.write("d.npy.settings.json", json);
  const auto message = [&] {
    try {
      read(path);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("nothing was refused");
  };
  write_npy(path, {expected.data(), 5, 2});
  EXPECT_EQ(message(), path + ": 2 values in a row, the settings of this file say 5");
  write_npy(path, {expected.data(), 2, 5});
  folder.write("d.rows.csv", "formula\nx\n");
  EXPECT_EQ(message(), folder.path("d.rows.csv") + ":2: 1 rows, but " + path + " has 2");
  folder.write("d.rows.csv", "formula\nx\ny\nz\n");
  EXPECT_EQ(message(), folder.path("d.rows.csv") + ":4: more rows, but " + path + " has 2");
  folder.write("d.rows.csv", "formula\nx\ny\n");
  std::vector<double> wrong = expected;
  wrong[7] = HUGE_VAL;
  write_npy(path, {wrong.data(), 2, 5});
  EXPECT_EQ(message(), path + ": row 2, column 3: a number is expected, not inf");
}

TEST_F(DescriptorRowsTest, RefusesWrongJsonLines) {
  EXPECT_EQ(refusal("d.jsonl", ""), ": this file is empty");
  EXPECT_EQ(refusal("d.jsonl", "[]\n"), ":1: an object is expected");
  EXPECT_EQ(refusal("d.jsonl", first_line() + "{\"descriptor\": [1, 2, 3, 4]}\n"),
            ":2: 4 values in a row, the settings of this file say 5");
  EXPECT_EQ(refusal("d.jsonl", first_line() + "{\"descriptor\": [1, 2, 3, 4, 5, 6]}\n"),
            ":2: 6 values in a row, the settings of this file say 5");
  EXPECT_EQ(refusal("d.jsonl", first_line() + "{\"descriptor\": [1, 2, \"3\", 4, 5]}\n"),
            ":2: \"descriptor\" has a value that is no number, the 3. one");
  EXPECT_EQ(refusal("d.jsonl", first_line() + "{\"values\": [1, 2, 3, 4, 5]}\n"),
            ":2: an array is expected as \"descriptor\"");
  EXPECT_EQ(refusal("d.jsonl", first_line() + "{\"descriptor\": \n")
                .find(":2: not one JSON value on this line: "),
            0U);
  EXPECT_EQ(refusal("d.jsonl", "{\"settings\": {\"format\": 1}}\n").find(":1: settings of"), 0U);
}

}  // namespace
}  // namespace kronite::kmd
