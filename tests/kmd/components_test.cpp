// Components: from element tables and files, and what is wrong with them.
#include <gtest/gtest.h>

#include <cmath>

#include "kmd/materials.hpp"
#include "support/temporary_folder.hpp"

namespace kronite::kmd::test {
namespace {

TEST(Components, OfAnElementTableAreItsElementsByAtomicNumber) {
  const ElementTable& table = ElementTable::embedded();

  const Components c = Components::of(table);

  c.check();
  ASSERT_EQ(c.size(), 94);
  EXPECT_EQ(c.names.front(), "H");
  EXPECT_EQ(c.names[93], "Pu");
  EXPECT_EQ(c.features, table.features());
  EXPECT_EQ(c.values[7 * 58 + 3], table.row(8)[3]);
}

TEST(Components, AreReadFromAnyCsvWithNames) {
  const kronite::test::TemporaryFolder folder;
  const std::string path =
      folder.write("monomers.csv", "name,\"size, nm\",charge\n*CC*,1.5,-1\n\"a,b\",0,2e3\n");

  const Components c = Components::read_csv(path);

  EXPECT_EQ(c.names, (std::vector<std::string>{"*CC*", "a,b"}));
  EXPECT_EQ(c.features, (std::vector<std::string>{"size, nm", "charge"}));
  EXPECT_EQ(c.values, (std::vector<double>{1.5, -1, 0, 2000}));
}

TEST(Components, SayWhereAFileIsWrong) {
  const kronite::test::TemporaryFolder folder;
  const auto refuse = [&](const std::string& text, const std::vector<std::string>& words) {
    const std::string path = folder.write("c.csv", text);
    expect_error(Errc::parse, words, [&] { Components::read_csv(path); });
  };

  refuse("", {"c.csv", "a header"});
  refuse(",a\n", {"rows of components"});
  refuse(",a\nx,1\nx,2\n", {"c.csv:3", "a second row for x"});
  refuse(",a\n,1\n", {"c.csv:2", "the name of a component"});
  refuse(",a,b\nx,1,inf\n", {"c.csv:2", "column 3 (b) of x", "inf"});
  expect_error(Errc::io, {"none.csv"}, [&] { Components::read_csv(folder.path("none.csv")); });
}

TEST(Components, ThatDoNotFitAreRefused) {
  const auto refuse = [](const std::vector<std::string>& words, auto change) {
    Components c{{"x", "y"}, {"a", "b"}, {1, 2, 3, 4}};
    change(c);
    expect_error(Errc::invalid_argument, words, [&] { c.check(); });
  };

  refuse({"0 components"}, [](Components& c) { c = {}; });
  refuse({"4 values", "not 3"}, [](Components& c) { c.values.pop_back(); });
  refuse({"two components are called x"}, [](Components& c) { c.names[1] = "x"; });
  refuse({"two features are called a"}, [](Components& c) { c.features[1] = "a"; });
  refuse({"a feature has no name"}, [](Components& c) { c.features[1] = ""; });
  refuse({"b of y"}, [](Components& c) { c.values[3] = std::nan(""); });
}

TEST(Components, AreTheSameByHashWhenTheirContentIs) {
  const Components c{{"x", "y"}, {"a", "b"}, {1, 2, 3, 0.0}};
  Components same = c, renamed = c, shifted = c, moved = c;
  same.values[3] = -0.0;
  renamed.names[0] = "z";
  shifted.names = {"x", "ya"};
  shifted.features = {"", "b"};
  moved.values[0] = std::nextafter(1.0, 2.0);

  EXPECT_EQ(c.hash().size(), 16U);
  EXPECT_EQ(same.hash(), c.hash());
  EXPECT_NE(renamed.hash(), c.hash());
  EXPECT_NE(shifted.hash(), c.hash());
  EXPECT_NE(moved.hash(), c.hash());
}

}  // namespace
}  // namespace kronite::kmd::test
