// Compressed input: every format whole, in several members, cut off anywhere, damaged, and hostile.
// The files of golden/compressed were made of golden/structures/halite.jsonl and of 1 MiB of zeros
// by gzip -9n, xz -9, zstd -19 and bzip2 -9.
#include <gtest/gtest.h>

#include "base/hash.hpp"
#include "io/decoder.hpp"
#include "io/input.hpp"
#include "kronite/error.hpp"
#include "support/crystals.hpp"
#include "support/data.hpp"
#include "support/temporary_folder.hpp"

namespace kronite::io {
namespace {

using test::holds;
using test::TemporaryFolder;

/// Bytes as they are: read_file() would decompress them.
std::string raw_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class CompressedFile : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    plain_ = raw_bytes(test::golden("structures/halite.jsonl"));
    packed_ = raw_bytes(test::golden(std::string("compressed/halite.jsonl.") + GetParam()));
    try {
      make_decoder(compression_of(packed_));
    } catch (const Error& error) {
      GTEST_SKIP() << "this build has no library for ." << GetParam() << ": " << error.what();
    }
  }

  /// What reading these bytes as a file gives; the error's text when there is one.
  std::string read(const std::string& bytes) const {
    try {
      return read_file(folder_.write("file", bytes));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Errc::parse) << error.what();
      return error.what();
    }
  }

  TemporaryFolder folder_;
  std::string plain_, packed_;
};

TEST_P(CompressedFile, ReadsAsThePlainOne) {
  const std::string path = test::golden(std::string("compressed/halite.jsonl.") + GetParam());

  const test::ReadResult result = test::read_all(path);

  EXPECT_EQ(read_file(path), plain_);
  EXPECT_EQ(read_head(path, 100), plain_.substr(0, 100));
  EXPECT_EQ(hash_of_file(path), content_hash(plain_));
  ASSERT_EQ(result.records.size(), 3u);
  EXPECT_EQ(result.records[0].where, path + ":1");
}

TEST_P(CompressedFile, ReadsAllMembersOneBehindTheOther) {
  std::string members, expected;
  for (int i = 0; i < 500; ++i) members += packed_, expected += plain_;

  EXPECT_EQ(read(members), expected);
  EXPECT_EQ(hash_of_file(folder_.path("file")), content_hash(expected));
}

TEST_P(CompressedFile, ZerosBehindTheLastMemberArePadding) {
  EXPECT_EQ(read(packed_ + std::string(1024, '\0')), plain_);
  EXPECT_EQ(read(packed_ + std::string(200'000, '\0') + packed_), plain_ + plain_);
  EXPECT_TRUE(holds(read(packed_ + "more"), "other bytes follow the compressed data"));
}

TEST_P(CompressedFile, CutOffAnywhereIsOneSentence) {
  constexpr std::size_t kStep = 7;  // writing a file takes the time
  for (std::size_t bytes = kMagicBytes; bytes < packed_.size(); bytes += kStep)
    ASSERT_TRUE(
        holds(read(packed_.substr(0, bytes)), "file: the compressed data are damaged or cut"))
        << bytes << " of " << packed_.size() << " bytes";
}

TEST_P(CompressedFile, ADamagedByteIsASentenceOrWithoutEffect) {
  constexpr std::size_t kStep = 7;
  int sentences = 0;
  for (std::size_t at = kMagicBytes; at < packed_.size(); at += kStep) {
    std::string damaged = packed_;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);

    const std::string text = read(damaged);

    if (text == plain_) continue;  // the time stamp in a gzip header
    ++sentences;
    EXPECT_TRUE(holds(text, "file: ")) << "byte " << at << " changed the text unseen";
  }
  EXPECT_GT(sentences, 0);
}

TEST_P(CompressedFile, ThatExpandsWithoutEndIsRefused) {
  const std::string zeros = raw_bytes(test::golden(std::string("compressed/zeros.") + GetParam()));
  std::string bomb;
  for (int i = 0; i < 200; ++i) bomb += zeros;  // 200 MiB

  EXPECT_TRUE(holds(read(bomb), "it expands to more than 500 times its size"));
}

INSTANTIATE_TEST_SUITE_P(Kinds, CompressedFile, ::testing::Values("gz", "xz", "zst", "bz2"),
                         [](const auto& kind) { return std::string(kind.param); });

TEST(HashOfFile, IsThatOfAllItsBytes) {
  const TemporaryFolder folder;
  std::string text;  // of several pieces
  for (int i = 0; text.size() < 200'000; ++i) text += std::to_string(i);

  EXPECT_EQ(hash_of_file(folder.write("text", text)), content_hash(text));
  EXPECT_EQ(hash_of_file(folder.write("empty", "")), content_hash(""));
  EXPECT_THROW(hash_of_file(folder.path("nowhere")), Error);
}

TEST(Compression, IsToldByTheFirstBytes) {
  const auto kind = [](const char* ending) {
    return compression_of(
        raw_bytes(test::golden(std::string("compressed/halite.jsonl.") + ending)));
  };

  EXPECT_EQ(kind("gz"), Compression::gzip);
  EXPECT_EQ(kind("xz"), Compression::xz);
  EXPECT_EQ(kind("zst"), Compression::zstd);
  EXPECT_EQ(kind("bz2"), Compression::bzip2);
  EXPECT_EQ(compression_of(std::string("\x50\x2A\x4D\x18\0\0\0\0", 8)), Compression::zstd);
  for (const char* plain : {"", "\x1F", "BZh", "BZh9 is a comment", "data_x", "{\"a\":1}"})
    EXPECT_EQ(compression_of(plain), Compression::none) << plain;
}

TEST(Compression, EndingsOfNamesAreNotPartOfTheFormat) {
  EXPECT_EQ(plain_name("a/B.CSV.xz"), "b.csv");
  EXPECT_EQ(plain_name("x.jsonl.zst"), "x.jsonl");
  EXPECT_EQ(plain_name("x.cif"), "x.cif");
  EXPECT_EQ(plain_name("POSCAR.bz2"), "poscar");
}

TEST(LineReader, CountsLinesAcrossChunksAndKeepsAnUnfinishedLastLine) {
  const TemporaryFolder folder;
  const std::string wide(100'000, 'x');  // wider than a chunk
  LineReader lines(folder.write("file", "a\r\n\n" + wide + "\nlast"));
  std::string line;

  EXPECT_TRUE(lines.next(line) && line == "a");
  EXPECT_TRUE(lines.next(line) && line.empty());
  EXPECT_TRUE(lines.next(line) && line == wide);
  EXPECT_TRUE(lines.next(line) && line == "last");
  EXPECT_EQ(lines.line_number(), 4);
  EXPECT_FALSE(lines.next(line));
}

}  // namespace
}  // namespace kronite::io
