// Settings: what is read, and what each wrong one is told.
#include "io/toml_table.hpp"

#include <gtest/gtest.h>

#include "kronite/error.hpp"

namespace kronite::io {
namespace {

/// The message of what `read` refuses.
template <class Read>
std::string refusal(const std::string& text, const Read& read) {
  try {
    TomlTable table = TomlTable::parse(text, "a.toml");
    read(table);
    table.finish();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::parse);
    return e.what();
  }
  return "nothing";
}

TEST(TomlTable, ReadsEveryKindOfValue) {
  TomlTable table = TomlTable::parse(
      "flag = true\nreal = 2\ncount = 7\nseed = 9\ntext = \"a\"\nkind = \"two\"\n"
      "reals = [1, 2.5]\n[inner]\nlist = [3, 4]\n",
      "a.toml");
  bool flag = false;
  double real = 0;
  int count = 0;
  std::uint64_t seed = 0;
  std::string text;
  std::size_t kind = 0;
  std::vector<double> reals;
  std::vector<std::int64_t> list;

  table.read("flag", flag);
  table.read("real", real, {0, 5});
  table.read("count", count, {0, 9});
  table.read("seed", seed);
  table.read("text", text);
  table.read("kind", kind, {"one", "two"});
  table.read("reals", reals, {0, 5}, 2, 2);
  TomlTable inner = table.table("inner");
  inner.read("list", list, {0, 5}, 1, 9);

  EXPECT_NO_THROW(table.finish());
  EXPECT_NO_THROW(inner.finish());
  EXPECT_TRUE(flag);
  EXPECT_EQ(real, 2);
  EXPECT_EQ(count, 7);
  EXPECT_EQ(seed, 9U);
  EXPECT_EQ(text, "a");
  EXPECT_EQ(kind, 1U);
  EXPECT_EQ(reals, (std::vector<double>{1, 2.5}));
  EXPECT_EQ(list, (std::vector<std::int64_t>{3, 4}));
}

TEST(TomlTable, KeepsWhatTheFileDoesNotSay) {
  TomlTable table = TomlTable::parse("", "a.toml");
  double value = 0.25;

  table.read("value", value, {0, 1});
  table.table("missing").read("value", value, {0, 1});

  EXPECT_EQ(value, 0.25);
}

TEST(TomlTable, SuggestsTheKeyThatWasMeant) {
  const auto read = [](TomlTable& table) {
    double value = 0;
    TomlTable pairs = table.table("pairs");
    pairs.read("tau", value, {0, 1});
    pairs.read("least_members", value, {0, 99});
    pairs.finish();
  };

  EXPECT_EQ(refusal("\n[pairs]\nleast_member = 3\n", read),
            "a.toml:3: there is no setting \"pairs.least_member\"; did you mean "
            "\"least_members\"?");
  EXPECT_EQ(refusal("[pairs]\nradius = 3\n", read),
            "a.toml:2: there is no setting \"pairs.radius\"; expected one of tau, least_members");
  EXPECT_EQ(refusal("[pears]\n", read),
            "a.toml:1: there is no setting \"pears\"; did you mean \"pairs\"?");
  EXPECT_EQ(refusal("pairs = 3\n", read),
            "a.toml:1: pairs is 3; expected a table, written [pairs]");
}

TEST(TomlTable, NamesTheLineAndWhatWasExpected) {
  const auto real = [](TomlTable& table) {
    double value = 0;
    table.read("x", value, {0, 0.5});
  };
  const auto whole = [](TomlTable& table) {
    int value = 0;
    table.read("x", value, {1, 9});
  };
  const auto list = [](TomlTable& table) {
    std::vector<std::int64_t> values;
    table.read("x", values, {1, 9}, 1, 3);
  };
  const auto choice = [](TomlTable& table) {
    std::size_t value = 0;
    table.read("x", value, {"one", "two"});
  };

  EXPECT_EQ(refusal("\nx = 0.7", real), "a.toml:2: x is 0.7; expected a number from 0 to 0.5");
  EXPECT_EQ(refusal("x = nan", real), "a.toml:1: x is nan; expected a number from 0 to 0.5");
  EXPECT_EQ(refusal("x = \"0.1\"", real),
            "a.toml:1: x is \"0.1\"; expected a number from 0 to 0.5");
  EXPECT_EQ(refusal("x = true", real), "a.toml:1: x is true; expected a number from 0 to 0.5");
  EXPECT_EQ(refusal("x = 2.5", whole), "a.toml:1: x is 2.5; expected a whole number from 1 to 9");
  EXPECT_EQ(refusal("x = 0", whole), "a.toml:1: x is 0; expected a whole number from 1 to 9");
  EXPECT_EQ(refusal("x = []", list),
            "a.toml:1: x is an array; expected an array of 1 to 3 values, each a whole number from "
            "1 to 9");
  EXPECT_EQ(refusal("x = [1, \"2\"]", list),
            "a.toml:1: x is an array; expected an array of 1 to 3 values, each a whole number from "
            "1 to 9");
  EXPECT_EQ(refusal("x = \"three\"", choice),
            "a.toml:1: x is \"three\"; expected \"one\" or \"two\"");
  EXPECT_EQ(refusal("x = 1979-05-27", choice),
            "a.toml:1: x is a date or time; expected \"one\" or \"two\"");
}

TEST(TomlTable, RefusesWhatIsNoToml) {
  const auto nothing = [](TomlTable&) {};

  EXPECT_TRUE(refusal("a = 1\nb = = 2\n", nothing).starts_with("a.toml:2:5: this is no TOML: "));
  EXPECT_TRUE(refusal("a = 1\na = 2\n", nothing).starts_with("a.toml:2:"));
  EXPECT_TRUE(refusal("[ = a]\n", nothing).starts_with("a.toml: this is no TOML: "));
}

}  // namespace
}  // namespace kronite::io
