// Tables of weights: what is read, and every wrong table refused where it is wrong.
#include "kmd/weight_table.hpp"

#include <gtest/gtest.h>

#include "io/npy.hpp"
#include "kronite/error.hpp"
#include "kronite/io.hpp"
#include "support/temporary_folder.hpp"

namespace kronite::kmd {
namespace {

Components three() { return {{"A", "B", "C"}, {"size"}, {1, 2, 3}}; }

class WeightTableTest : public ::testing::Test {
 protected:
  /// Dense rows of all that a file holds.
  std::vector<std::vector<double>> read(const std::string& path, bool normalise = false,
                                        std::int64_t most = 100) {
    WeightTable table(path, three(), normalise);
    Weights weights;
    names.clear();
    while (table.read(most, weights, names) > 0) {
    }
    std::vector<std::vector<double>> rows;
    for (std::int64_t i = 0; i < weights.rows(); ++i) {
      rows.emplace_back(3, 0.0);
      for (std::int64_t k = weights.first[i]; k < weights.first[i + 1]; ++k)
        rows.back()[weights.component[k]] = weights.weight[k];
    }
    return rows;
  }

  /// The message of the error that reading gives.
  std::string refusal(const std::string& content, bool normalise = false) {
    const std::string path = folder.write("w.csv", content);
    try {
      read(path, normalise);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Errc::parse);
      const std::string message = error.what();
      EXPECT_EQ(message.find(path), 0U) << message;
      return message.substr(std::min(message.size(), path.size()));
    }
    return "nothing was refused";
  }

  test::TemporaryFolder folder;
  std::vector<std::string> names;
};

using Dense = std::vector<std::vector<double>>;

TEST_F(WeightTableTest, ReadsColumnsInAnyOrderWithNamesOfRows) {
  const auto rows = read(folder.write("w.csv", "polymer,C,A\nx,0.25,0.75\n\"y, z\",1,0\n"));

  EXPECT_EQ(rows, (Dense{{0.75, 0, 0.25}, {0, 0, 1}}));
  EXPECT_EQ(names, (std::vector<std::string>{"x", "y, z"}));
}

TEST_F(WeightTableTest, NumbersRowsThatHaveNoName) {
  const auto rows = read(folder.write("w.csv", "A,B,C\n1,0,0\n0,0.5,0.5\n"));

  EXPECT_EQ(rows, (Dense{{1, 0, 0}, {0, 0.5, 0.5}}));
  EXPECT_EQ(names, (std::vector<std::string>{"1", "2"}));
}

TEST_F(WeightTableTest, TakesAnIndexAsNames) {
  read(folder.write("w.csv", ",B\n0,1\n17,1\n"));

  EXPECT_EQ(names, (std::vector<std::string>{"0", "17"}));
}

TEST_F(WeightTableTest, KeepsNoWeightOfZero) {
  WeightTable table(folder.write("w.csv", "A,B,C\n0.5,0,0.5\n"), three(), false);
  Weights weights;
  EXPECT_EQ(table.read(10, weights, names), 1);

  EXPECT_EQ(weights.components, 3);
  EXPECT_EQ(weights.first, (std::vector<std::int64_t>{0, 2}));
  EXPECT_EQ(weights.component, (std::vector<std::int32_t>{0, 2}));
  EXPECT_EQ(table.read(10, weights, names), 0);
}

TEST_F(WeightTableTest, DividesBySumsWhereItIsAsked) {
  const auto rows = read(folder.write("w.csv", "A,B,C\n1,1,2\n0.3,0,0.9\n"), true);

  EXPECT_EQ(rows, (Dense{{0.25, 0.25, 0.5}, {0.3 / 1.2, 0, 0.9 / 1.2}}));
}

TEST_F(WeightTableTest, ReadsMatrices) {
  const std::vector<double> values = {0.5, 0.25, 0.25, 0, 0, 1};
  const std::string path = folder.path("w.npy");
  write_npy(path, {values.data(), 2, 3});

  EXPECT_EQ(read(path), (Dense{{0.5, 0.25, 0.25}, {0, 0, 1}}));
  EXPECT_EQ(names, (std::vector<std::string>{"1", "2"}));
}

TEST_F(WeightTableTest, GivesTheSameInPartsOfAnySize) {
  std::string text = "name,A,B,C\n";
  for (int i = 0; i < 20; ++i) text += "row" + std::to_string(i) + ",0.5,0.25,0.25\n";
  const std::string path = folder.write("w.csv", text);

  const auto whole = read(path);
  const auto whole_names = names;
  EXPECT_EQ(read(path, false, 7), whole);
  EXPECT_EQ(names, whole_names);
  EXPECT_EQ(whole.size(), 20U);
}

TEST_F(WeightTableTest, RefusesWrongWeightsWithLineAndColumn) {
  EXPECT_EQ(refusal("n,A,B\nx,1,0\ny,1.5,-0.5\n"),
            ":3: column 3 (B): a weight is expected, which is not negative, not -0.5");
  EXPECT_EQ(refusal("n,A,B\nx,nan,1\n"),
            ":2: column 2 (A): a weight is expected, which is not negative, not nan");
  EXPECT_EQ(refusal("n,A,B\nx,inf,1\n", true),
            ":2: column 2 (A): a weight is expected, which is not negative, not inf");
  EXPECT_EQ(refusal("n,A,B\nx,,1\n"), ":2: column 2 (A): a weight is expected, not \"\"");
  EXPECT_EQ(refusal("B,A\n0.5,half\n"), ":2: column 2 (A): a weight is expected, not \"half\"");
  EXPECT_EQ(refusal("B,A\n0.5 0,0.5\n"), ":2: column 1 (B): a weight is expected, not \"0.5 0\"");
}

TEST_F(WeightTableTest, RefusesRowsThatDoNotAddUp) {
  EXPECT_EQ(refusal("A,B\n0.5,0.5\n0.5,0.4\n"),
            ":3: the weights add up to 0.9; 1 is expected unless rows are normalised on reading");
  EXPECT_EQ(refusal("A,B\n0,0\n", true), ":2: the weights add up to 0");
  EXPECT_EQ(refusal("A,B\n1e308,1e308\n", true), ":2: the weights add up to inf");
}

TEST_F(WeightTableTest, RefusesHeadersOfSomethingElse) {
  EXPECT_EQ(refusal(""), ": a header with the names of components is expected");
  EXPECT_EQ(refusal("name\nx\n"), ":1: a header with the names of components is expected");
  EXPECT_EQ(refusal("name,A,D\nx,1,0\n"), ":1: column 3 (D): there is no component D");
  EXPECT_EQ(refusal("name,A,\nx,1,0\n"), ":1: column 3 (): there is no component without a name");
  EXPECT_EQ(refusal("A,B,A\n1,0,0\n"), ":1: two columns are called A");
  EXPECT_EQ(refusal("A,B\n1\n"), ":2: 1 cells, the header has 2");
  // A component that is not there, or its name misspelt, is not taken for names of rows.
  EXPECT_EQ(
      refusal("Aa,B\n0,1\n"),
      ":2: column 1 (Aa): there is no component Aa, and a first column with the names of rows "
      "that are numbers is called id, index, name or row");
}

TEST_F(WeightTableTest, RefusesMatricesOfAnotherWidth) {
  const std::vector<double> values = {0.5, 0.5, 1, 0};
  const std::string path = folder.path("w.npy");
  write_npy(path, {values.data(), 2, 2});
  try {
    read(path);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.what(), path + ": 2 columns, there are 3 components");
  }
}

TEST_F(WeightTableTest, NamesRowAndColumnOfAMatrix) {
  const std::vector<double> values = {0.5, 0.5, 0, 0.5, -0.5, 1};
  const std::string path = folder.path("w.npy");
  write_npy(path, {values.data(), 2, 3});
  try {
    read(path);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.what(), path +
                                ": row 2, column 2 (B): a weight is expected, which is not "
                                "negative, not -0.5");
  }
}

}  // namespace
}  // namespace kronite::kmd
