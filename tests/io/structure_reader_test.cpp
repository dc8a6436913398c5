// Files and folders of any kind: formats told by content, and a sentence for what cannot be read.
#include <gtest/gtest.h>
#include <zlib.h>

#include <limits>

#include "base/fail.hpp"    // for fail
#include "base/number.hpp"  // for to_number
#include "io/input.hpp"     // for read_file
#include "io/structure_reader.hpp"
#include "kronite/error.hpp"
#include "support/crystals.hpp"
#include "support/data.hpp"
#include "support/temporary_folder.hpp"

namespace kronite {
namespace {

using test::halite;
using test::holds;
using test::read_all;
using test::ReadResult;
using test::TemporaryFolder;

std::string gzip(const std::string& path, const std::string& content) {
  gzFile file = ::gzopen(path.c_str(), "wb");
  EXPECT_EQ(::gzwrite(file, content.data(), static_cast<unsigned>(content.size())),
            static_cast<int>(content.size()));
  ::gzclose(file);
  return path;
}

std::string failure(const std::string& path, Errc code = Errc::parse) {
  try {
    read_all(path);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), code);
    return e.what();
  }
  return {};
}

TEST(ReadStructures, TellsTheFormatByTheContent) {
  const TemporaryFolder folder;
  const std::pair<std::string, std::string> files[] = {
      {"a.txt", to_cif(halite(), "x")},
      {"b.txt", to_poscar(halite(), "x")},
      {"c.txt", to_extxyz(halite())},
      {"d.txt", io::read_file(test::golden("structures/halite_pymatgen.json"))},
      {"e.txt", io::read_file(test::golden("structures/halite.csv"))}};
  for (const auto& [name, content] : files) {
    SCOPED_TRACE(name);

    EXPECT_EQ(read_all(folder.write(name, content)).records.size(), 1u);
    EXPECT_EQ(read_all(gzip(folder.path(name + ".gz"), content)).records.size(), 1u);
  }
}

TEST(ReadStructures, ReadsAFolderInTheOrderOfThePaths) {
  const TemporaryFolder folder;
  folder.write("b/one.cif", to_cif(halite(), "third"));
  folder.write("a/two.cif", to_cif(halite(), "first"));
  folder.write("a/z.cif", to_cif(halite(), "second"));
  folder.write("a/README", "nothing of ours\n");
  folder.write("picture.png", std::string("\x89PNG\0\0", 6));

  const ReadResult result = read_all(folder.path());

  ASSERT_EQ(result.records.size(), 3u);
  EXPECT_EQ(result.records[0].id, "first");
  EXPECT_EQ(result.records[1].id, "second");
  EXPECT_EQ(result.records[2].id, "third");
  EXPECT_TRUE(result.skipped.empty());
}

TEST(ReadStructures, OneBadCifAmongAThousandLeavesTheOthers) {
  const TemporaryFolder folder;
  const std::string good = to_cif(halite(), "good", false);
  for (int i = 0; i < 1000; ++i)
    folder.write(std::to_string(1000 + i) + ".cif", i == 321 ? std::string("\0\1\2", 3) : good);

  const ReadResult result = read_all(folder.path());

  EXPECT_EQ(result.records.size(), 999u);
  ASSERT_EQ(result.skipped.size(), 1u);
  EXPECT_TRUE(holds(result.skipped[0].first, "1321.cif"));
  EXPECT_EQ(result.skipped[0].second, "a binary file");
}

TEST(ReadStructures, WithoutASkipTheFirstBadRecordIsThrown) {
  const RecordSink sink = [](StructureRecord&&) { return true; };

  EXPECT_THROW(read_structures(test::golden("structures/prototypes.cif"), sink, {}), Error);
}

TEST(ReadStructures, StopsWhenTheSinkSaysSo) {
  int given = 0;

  read_structures(
      test::golden("structures"), [&](StructureRecord&&) { return ++given < 3; },
      [](const std::string&, const std::string&) {});

  EXPECT_EQ(given, 3);
}

TEST(ReadStructures, WhatTheSinkThrowsComesOutUnchanged) {
  const TemporaryFolder folder;
  folder.write("a.cif", to_cif(halite(), "x"));
  std::vector<std::string> skipped;
  const auto read = [&] {
    read_structures(
        folder.path(), [](StructureRecord&&) -> bool { throw Error(Errc::cancelled, "enough"); },
        [&](const std::string& where, const std::string&) { skipped.push_back(where); });
  };

  EXPECT_THROW(
      {
        try {
          read();
        } catch (const Error& e) {
          EXPECT_EQ(e.code(), Errc::cancelled);
          throw;
        }
      },
      Error);
  EXPECT_TRUE(skipped.empty());
}

TEST(ReadStructures, WhatSkipThrowsIsNoFaultOfTheFile) {
  const TemporaryFolder folder;
  folder.write("a.jsonl", "{}\n{}\n");
  int calls = 0;
  const SkipSink skip = [&](const std::string&, const std::string&) {
    ++calls;
    fail(Errc::io, "the disk is full");
  };

  EXPECT_THROW(read_structures(
                   folder.path(), [](StructureRecord&&) { return true; }, skip),
               Error);

  EXPECT_EQ(calls, 1);
}

TEST(ReadStructures, SaysWhyAFileCannotBeRead) {
  const TemporaryFolder folder;

  EXPECT_TRUE(holds(failure(folder.path("missing.cif"), Errc::io), "missing.cif: cannot read"));
  EXPECT_TRUE(holds(failure(folder.write("empty.cif", "")), "empty.cif: the file is empty"));
  EXPECT_TRUE(holds(failure(folder.write("b.cif", std::string(5000, '\0'))), "a binary file"));
  EXPECT_TRUE(holds(failure(folder.write("text", "hello\nworld\n")), "none of the formats"));
  EXPECT_TRUE(holds(failure(folder.write("a.zip", "PK\x03\x04...")), "a zip archive"));
  EXPECT_TRUE(holds(failure(folder.write("a.parquet", "PAR1...")), "a Parquet table"));
  EXPECT_TRUE(holds(failure(folder.write("a.pkl", "\x80\x04\x95...")), "a Python pickle"));
  EXPECT_TRUE(holds(failure(folder.write("a.cif", "data_x\n_a 1\n")), "there is no structure"));
}

TEST(ReadStructures, AFolderWithoutStructuresIsAnError) {
  const TemporaryFolder folder;
  folder.write("README", "nothing\n");

  EXPECT_TRUE(holds(failure(folder.path()), "no file below this folder holds a structure"));
}

TEST(ReadStructures, ATruncatedGzipGivesWhatItHoldsAndSaysSo) {
  const TemporaryFolder folder;
  std::string lines;
  const std::string line = io::read_file(test::golden("structures/halite.jsonl"));
  for (int i = 0; i < 2000; ++i) lines += line.substr(0, line.find('\n') + 1);
  const std::string whole = io::read_file(gzip(folder.path("whole.jsonl.gz"), lines));
  ASSERT_EQ(whole, lines);
  const auto bytes = std::filesystem::file_size(folder.path("whole.jsonl.gz"));
  std::filesystem::resize_file(folder.path("whole.jsonl.gz"), bytes / 2);

  std::size_t records = 0;
  const auto read = [&] {
    read_structures(folder.path("whole.jsonl.gz"), [&](StructureRecord&&) { return ++records > 0; },
                    {});
  };

  EXPECT_THROW(read(), Error);
  // A folder reports it and goes on.
  folder.write("z.cif", to_cif(halite(), "x"));
  const ReadResult result = read_all(folder.path());
  EXPECT_FALSE(result.records.empty());
  EXPECT_EQ(result.records.back().id, "x");
  ASSERT_EQ(result.skipped.size(), 1u);
  EXPECT_TRUE(holds(result.skipped[0].second, "damaged or cut off"));
}

TEST(Species, SymbolsMayCarryCharges) {
  EXPECT_EQ(io::element_of("Fe3+"), 26);
  EXPECT_EQ(io::element_of("O2-"), 8);
  EXPECT_EQ(io::element_of("Na+"), 11);
  EXPECT_EQ(io::element_of("Fe2.67+"), 26);
  EXPECT_EQ(io::element_of("T"), 1);
  for (const char* bad : {"", "X", "Xx", "Fex", "Na(1)", "1", "+"})
    EXPECT_EQ(io::element_of(bad), 0);
}

TEST(Species, LicencesByNameAndAddress) {
  EXPECT_EQ(io::license_of("CC-BY-4.0"), "BY-C");
  EXPECT_EQ(io::license_of("BY-C"), "BY-C");
  EXPECT_EQ(io::license_of("https://creativecommons.org/licenses/by/4.0/"), "BY-C");
  EXPECT_EQ(io::license_of("CC BY-NC 4.0"), "BY-NC");
  EXPECT_EQ(io::license_of("BY-NC"), "BY-NC");
  EXPECT_EQ(io::license_of("https://creativecommons.org/licenses/by-nc/4.0"), "BY-NC");
  EXPECT_EQ(io::license_of("CC-BY-NC-SA-4.0"), "BY-NC-SA");
  EXPECT_EQ(io::license_of("https://creativecommons.org/licenses/by-sa/4.0/"), "BY-SA");
  EXPECT_EQ(io::license_of("Creative Commons BY-ND 4.0"), "BY-ND");
  EXPECT_EQ(io::license_of("by-nc 4.0"), "BY-NC");
  EXPECT_EQ(io::license_of("Creative Commons Attribution 4.0 International"), "BY-C");
  EXPECT_EQ(io::license_of("Creative Commons Attribution-NonCommercial 4.0"), "BY-NC");
  EXPECT_EQ(io::license_of("Attribution-NonCommercial-ShareAlike 3.0"), "BY-NC-SA");
  EXPECT_EQ(io::license_of("CC0-1.0"), "CC0");
  EXPECT_EQ(io::license_of("https://creativecommons.org/publicdomain/zero/1.0/"), "CC0");
  EXPECT_EQ(io::license_of("public domain"), "PD");
  EXPECT_EQ(io::license_of(""), "unknown");
}

TEST(Species, OtherShortLicenceIdentifiersStay) {
  for (const char* name : {"Apache-2.0", "MIT", "GPL-3.0+", "ODbL-1.0", "unknown"})
    EXPECT_EQ(io::license_of(name), name);
  for (const char* text : {"see the publisher", "https://example.org/terms", "2.0", "-MIT", "N/A"})
    EXPECT_EQ(io::license_of(text), "unknown") << text;
  EXPECT_EQ(io::license_of(std::string(41, 'a')), "unknown");
}

TEST(Numbers, AreWholeWordsAndFinite) {
  EXPECT_EQ(to_number("+1.5e-3"), 1.5e-3);
  EXPECT_EQ(to_number("-.5"), -0.5);
  for (const char* bad : {"", "1x", " 1", "nan", "inf", "1e999", "0x10", "+-1", "1,5"})
    EXPECT_FALSE(to_number(bad)) << bad;
}

}  // namespace
}  // namespace kronite
