// The inputs that the driver makes.
#include "fuzz/mutator.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace kronite::fuzz {
namespace {

TEST(Dictionary, ReadsWordsWithNamesCommentsAndEscapes) {
  const std::vector<std::string> words = read_dictionary(
      "# comment with a \"word\"\n\"plain\"\nname=\"a\\\\b\\\"c\\x00\\xFFd\"\n\nx\n");

  const std::vector<std::string> expected = {"plain", std::string("a\\b\"c\0\xFF"
                                                                  "d",
                                                                  8)};
  EXPECT_EQ(words, expected);
}

TEST(Mutator, GivesTheSameInputsForTheSameSeedOnly) {
  Mutator one({"some text 1.5", "other"}, {"word"}, 1),
      same({"some text 1.5", "other"}, {"word"}, 1);
  Mutator another({"some text 1.5", "other"}, {"word"}, 2);
  std::vector<std::string> first, second, third;

  for (int i = 0; i < 100; ++i) {
    first.push_back(one.next());
    second.push_back(same.next());
    third.push_back(another.next());
  }

  EXPECT_EQ(first, second);
  EXPECT_NE(first, third);
}

TEST(Mutator, PutsWordsOfTheDictionaryIn) {
  Mutator mutator({"a1b"}, {"dreaded"}, 1);
  int with_word = 0;

  for (int i = 0; i < 1000; ++i) with_word += mutator.next().find("dreaded") != std::string::npos;

  EXPECT_GT(with_word, 20);
}

TEST(Mutator, MakesInputsOutOfNothing) {
  Mutator mutator({}, {}, 1);
  std::size_t longest = 0;

  for (int i = 0; i < 100; ++i) longest = std::max(longest, mutator.next().size());

  EXPECT_GT(longest, 0u);
}

}  // namespace
}  // namespace kronite::fuzz
