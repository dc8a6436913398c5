// Damaged copies of good files: every reader must give records that pass the check, or one
// sentence.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "io/input.hpp"  // for read_file
#include "kronite/error.hpp"
#include "support/crystals.hpp"
#include "support/data.hpp"
#include "support/temporary_folder.hpp"

namespace kronite {
namespace {

/// One to four small damages: bytes changed, removed, doubled, or words put in that readers dread.
std::string damaged(std::string text, std::mt19937& random) {
  static const char* const kWords[] = {"nan",  "-1",    "1e999", "99999999999999999999",
                                       "{",    "[",     "\"",    "'",
                                       ";",    "loop_", "?",     "data_",
                                       "null", "1e9",   "0",     "\xFF",
                                       "\n",   ","};
  const auto below = [&](std::size_t n) { return random() % std::max<std::size_t>(n, 1); };
  for (std::size_t times = 1 + below(4); times > 0; --times) {
    const std::size_t at = below(text.size());
    switch (below(5)) {
      case 0:
        if (!text.empty()) text[at] = static_cast<char>(random() % 256);
        break;
      case 1:
        text.erase(at, 1 + below(40));
        break;
      case 2:
        text.insert(at, text.substr(below(text.size()), below(40)));
        break;
      case 3:
        text.insert(at, kWords[below(std::size(kWords))]);
        break;
      default: {  // a number becomes another word
        const std::size_t digit = std::min(text.find_first_of("0123456789", at), text.size());
        const std::size_t end = std::min(text.find_first_not_of("0123456789.", digit), text.size());
        text.replace(digit, end - digit, kWords[below(std::size(kWords))]);
      }
    }
  }
  return text;
}

class DamagedFile : public ::testing::TestWithParam<const char*> {};

TEST_P(DamagedFile, GivesSoundRecordsOrASentence) {
  constexpr int kCopies = 400;  // about a second under AddressSanitizer
  const std::string good = io::read_file(test::golden(std::string("structures/") + GetParam()));
  const test::TemporaryFolder folder;
  std::mt19937 random(20110723);
  int records = 0, sentences = 0;
  for (int i = 0; i < kCopies; ++i) {
    // Without an ending that promises a format: that is told by what is left of the content.
    const std::string path = folder.write(i % 2 == 0 ? GetParam() : "file", damaged(good, random));
    try {
      const test::ReadResult result = test::read_all(path);
      for (const StructureRecord& record : result.records) {
        ++records;
        EXPECT_NO_THROW(check_structure(record.structure));
      }
      for (const auto& [where, why] : result.skipped) {
        ++sentences;
        EXPECT_FALSE(where.empty() || why.empty());
      }
    } catch (const Error& error) {
      ++sentences;
      EXPECT_EQ(error.code(), Errc::parse) << error.what();
    }
  }

  EXPECT_GT(records, 0);
  EXPECT_GT(sentences, 0);
}

INSTANTIATE_TEST_SUITE_P(Structures, DamagedFile,
                         ::testing::Values("prototypes.cif", "halite.poscar", "halite.extxyz",
                                           "halite.csv", "halite.jsonl", "halite_list.json",
                                           "halite_table.json", "halite_optimade.jsonl"),
                         [](const auto& file) {
                           std::string name = file.param;
                           std::replace(name.begin(), name.end(), '.', '_');
                           return name;
                         });

}  // namespace
}  // namespace kronite
