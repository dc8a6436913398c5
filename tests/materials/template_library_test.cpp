// The template library file: what goes in comes out, and nothing damaged gets in.
#include "materials/template_library.hpp"

#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>  // for crc32_z

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>
#include <thread>

#include "kronite/error.hpp"

namespace kronite {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

Template crystal(const std::string& formula, const std::string& id, double edge) {
  Template t;
  t.composition = Composition::parse(formula).reduced();
  t.formula = t.composition.reduced_formula();
  t.ratio = t.composition.ratio_label();
  t.id = id;
  t.license = "CC0";
  t.source = "made for a test";
  t.space_group = 221;
  t.e_above_hull = 0.25;
  t.formation_energy = kUnknown;
  t.structure.lattice = {{{edge, 0, 0}, {0, edge, 0}, {0, 0, edge}}};
  double x = 0;
  for (const auto& [z, amount] : t.composition.parts())
    for (int k = 0; k < static_cast<int>(amount); ++k) {
      t.structure.z.push_back(static_cast<std::uint8_t>(z));
      t.structure.fractional.push_back({x, x / 2, 1 - x});
      x += 0.125;
    }
  return t;
}

std::vector<Template> crystals() {
  return {crystal("SrTiO3", "b", 3.9), crystal("NaCl", "salt", 4.5), crystal("CaTiO3", "a", 3.8),
          crystal("KBr", "kbr", 5.1), crystal("MgF2", "sellaite", 4.2)};
}

void remove(io::ArrayFileWriter& writer, const std::string& name) {
  std::erase_if(writer.parts, [&](const auto& part) { return part.name == name; });
}

class TemplateFile : public testing::Test {
 protected:
  TemplateFile() : path_(testing::TempDir() + "library_" + std::to_string(::getpid()) + ".ktl") {}
  ~TemplateFile() override { std::filesystem::remove(path_); }

  void write(const io::ArrayFileWriter& writer) { writer.write(path_); }
  std::string bytes() const {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void replace(const std::string& content) const {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << content;
  }
  /// The message of opening, or "" when it opens.
  std::string refusal() const {
    try {
      TemplateLibrary::open(path_);
      return "";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Errc::corrupt) << e.what();
      return e.what();
    }
  }

  std::string path_;
};

/// Calls everything a library offers.
void use_all(const TemplateLibrary& library) {
  for (std::int64_t i = 0; i < library.size(); ++i) {
    library.info(i);
    library.structure(i);
    library.composition(i);
  }
  for (const std::string& ratio : library.ratios()) library.with_ratio(ratio);
  if (library.has_fingerprints()) library.fingerprints();
  library.descriptor_mean();
  library.descriptor_std();
  library.atomic_volumes();
}

TEST_F(TemplateFile, GivesBackWhatWentInSortedByRatioThenId) {
  write(pack_templates(crystals()));

  const TemplateLibrary library = TemplateLibrary::open(path_);

  ASSERT_EQ(library.size(), 5);
  EXPECT_EQ(library.ratios(), (std::vector<std::string>{"1:1", "2:1", "3:1:1"}));
  const TemplateRange range = library.with_ratio("3:1:1");
  ASSERT_EQ(range.begin, 3);
  ASSERT_EQ(range.end, 5);
  const TemplateInfo info = library.info(3);
  EXPECT_EQ(info.id, "a");
  EXPECT_EQ(info.formula, "CaTiO3");
  EXPECT_EQ(info.license, "CC0");
  EXPECT_EQ(info.source, "made for a test");
  EXPECT_EQ(info.space_group, 221);
  EXPECT_EQ(info.sites, 5);
  EXPECT_EQ(info.e_above_hull, 0.25);
  EXPECT_TRUE(std::isnan(info.formation_energy));
  const Structure expected = crystals()[2].structure;
  EXPECT_EQ(library.structure(3).lattice, expected.lattice);
  EXPECT_EQ(library.structure(3).fractional, expected.fractional);
  EXPECT_EQ(library.structure(3).z, expected.z);
  EXPECT_EQ(library.composition(3).parts(), Composition::parse("CaTiO3").parts());
}

TEST_F(TemplateFile, HasAnEmptyRangeForARatioItDoesNotHold) {
  write(pack_templates(crystals()));

  const TemplateLibrary library = TemplateLibrary::open(path_);

  EXPECT_EQ(library.with_ratio("7:2").size(), 0);
  EXPECT_EQ(library.with_ratio("").size(), 0);
}

TEST_F(TemplateFile, StoresMeanAndDeviationOfTheDescriptors) {
  write(pack_templates(crystals()));
  const TemplateLibrary library = TemplateLibrary::open(path_);
  std::vector<Composition> compositions;
  for (std::int64_t i = 0; i < library.size(); ++i) compositions.push_back(library.composition(i));
  std::vector<double> values(5 * 290);

  describe(compositions, ElementTable::embedded(), {values.data(), 5, 290});

  for (std::size_t j = 0; j < 290; ++j) {
    double mean = 0, squares = 0;
    for (std::size_t i = 0; i < 5; ++i) mean += values[i * 290 + j] / 5;
    for (std::size_t i = 0; i < 5; ++i) squares += std::pow(values[i * 290 + j] - mean, 2);
    const double deviation = std::sqrt(squares / 4);
    // Two orders of summation of five numbers: a few roundings apart.
    EXPECT_NEAR(library.descriptor_mean()[j], mean, 1e-12 * (1 + std::abs(mean)));
    EXPECT_NEAR(library.descriptor_std()[j], deviation <= 1e-9 * std::abs(mean) ? 1 : deviation,
                1e-9 * (1 + deviation));
    EXPECT_GT(library.descriptor_std()[j], 0);
  }
}

TEST_F(TemplateFile, IsTheSameBytesForTheSameTemplatesInAnyOrder) {
  std::vector<Template> templates = crystals();
  write(pack_templates(templates));
  const std::string first = bytes();

  std::reverse(templates.begin(), templates.end());
  write(pack_templates(templates));

  // The text pool follows the sorted templates, so nothing depends on the order of reading.
  EXPECT_TRUE(bytes() == first);
}

TEST_F(TemplateFile, IgnoresArraysOfALaterVersionAndDoesWithoutOptionalOnes) {
  io::ArrayFileWriter writer = pack_templates(crystals());
  writer.add("phonons", std::vector<double>(5 * 244, 0.5), 244);
  remove(writer, "license");
  remove(writer, "e_above_hull");
  remove(writer, "descriptor.mean");
  write(writer);

  const TemplateLibrary library = TemplateLibrary::open(path_);

  use_all(library);
  EXPECT_EQ(library.info(0).license, "");
  EXPECT_TRUE(std::isnan(library.info(0).e_above_hull));
  write(pack_templates(crystals()));
  const TemplateLibrary whole = TemplateLibrary::open(path_);
  EXPECT_EQ(library.descriptor_mean()[0], whole.descriptor_mean()[0]);
  EXPECT_NE(library.hash(), whole.hash());
}

TEST_F(TemplateFile, NamesAMissingArray) {
  io::ArrayFileWriter writer = pack_templates(crystals());
  remove(writer, "site.z");
  write(writer);

  EXPECT_NE(refusal().find("\"site.z\""), std::string::npos) << refusal();
}

TEST_F(TemplateFile, SaysWhatIsWrongWithAForeignNewerCutOrEmptyFile) {
  write(pack_templates(crystals()));
  const std::string good = bytes();

  replace("PK\x03\x04 some archive");
  EXPECT_NE(refusal().find("not a template library"), std::string::npos) << refusal();
  replace("");
  EXPECT_NE(refusal().find("empty"), std::string::npos) << refusal();
  std::string newer = good;
  newer[8] = 9;
  replace(newer);
  EXPECT_NE(refusal().find("format version 9"), std::string::npos) << refusal();
  std::string swapped = good;
  std::swap(swapped[12], swapped[15]);
  std::swap(swapped[13], swapped[14]);
  replace(swapped);
  EXPECT_NE(refusal().find("byte order"), std::string::npos) << refusal();
  replace(good.substr(0, good.size() - 1));
  EXPECT_NE(refusal().find("bytes where its header says"), std::string::npos) << refusal();
  replace(good.substr(0, 40));
  EXPECT_NE(refusal().find("cut off"), std::string::npos) << refusal();
  replace(good + "x");
  EXPECT_NE(refusal().find("bytes where its header says"), std::string::npos) << refusal();
}

TEST_F(TemplateFile, SaysThatAFileIsMissing) {
  EXPECT_THROW(
      {
        try {
          TemplateLibrary::open("/nowhere/library.ktl");
        } catch (const Error& e) {
          EXPECT_EQ(e.code(), Errc::io);
          EXPECT_NE(std::string(e.what()).find("/nowhere/library.ktl"), std::string::npos);
          throw;
        }
      },
      Error);
}

TEST_F(TemplateFile, RefusesEveryFlippedByteThatAnyoneReads) {
  write(pack_templates(crystals()));
  const std::string good = bytes();
  std::size_t unnoticed = 0;

  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x40);
    const std::vector<char> copy(bad.begin(), bad.end());
    try {
      use_all(library_in_memory(std::as_bytes(std::span(copy)), "mutated"));
      ++unnoticed;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Errc::corrupt) << at << ": " << e.what();
    }
  }

  EXPECT_EQ(unnoticed, 0u);
}

TEST_F(TemplateFile, RefusesEveryTruncation) {
  write(pack_templates(crystals()));
  const std::string good = bytes();

  for (std::size_t size = 0; size < good.size(); size += 7) {
    const std::vector<char> copy(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_THROW(library_in_memory(std::as_bytes(std::span(copy)), "cut"), Error) << size;
  }
}

TEST_F(TemplateFile, SurvivesContentsThatLieUnderGoodChecksums) {
  std::mt19937 random(3);
  const io::ArrayFileWriter honest = pack_templates(crystals());

  for (std::size_t part = 0; part < honest.parts.size(); ++part)
    for (int k = 0; k < 40; ++k) {
      io::ArrayFileWriter writer = honest;
      const auto bytes = honest.parts[part].bytes;
      std::vector<std::byte> content(bytes.begin(), bytes.end());
      content[random() % content.size()] = static_cast<std::byte>(random());
      writer.parts[part].bytes = content;
      write(writer);
      try {
        use_all(TemplateLibrary::open(path_));
      } catch (const Error& e) {
        EXPECT_EQ(e.code(), Errc::corrupt) << writer.parts[part].name << ": " << e.what();
      }
    }
}

TEST_F(TemplateFile, RefusesAnEmptyArrayThatLiesBehindTheEnd) {
  write(pack_templates(crystals()));
  std::string bad = bytes();
  const auto put = [&](std::size_t at, auto value) { std::memcpy(&bad[at], &value, sizeof value); };
  const auto arrays = static_cast<std::size_t>(bad[24]);
  const std::size_t last = 64 * arrays;  // where its entry begins: name, type, checksum, rows, ...
  put(last + 40, std::uint64_t{0});
  put(last + 56, std::uint64_t{1} << 60);
  const auto* header = reinterpret_cast<const unsigned char*>(bad.data());
  put(60,
      static_cast<std::uint32_t>(::crc32_z(::crc32_z(0, header, 60), header + 64, 64 * arrays)));
  replace(bad);

  EXPECT_NE(refusal().find("index is damaged"), std::string::npos) << refusal();
}

TEST_F(TemplateFile, ChecksTheDamagedPartOfAnArrayOnlyWhenItIsUsed) {
  std::vector<Template> templates;
  for (int i = 0; i < 3000; ++i)  // 120 bytes of coordinates each: several blocks
    templates.push_back(crystal("SrTiO3", std::to_string(10000 + i), 3.9));
  write(pack_templates(templates));
  std::string bad = bytes();
  const double damaged = templates[0].structure.fractional[1][0];
  const std::string coordinate(reinterpret_cast<const char*>(&damaged), sizeof damaged);
  const auto first = bad.find(coordinate);
  ASSERT_NE(first, std::string::npos);
  const std::size_t at = first + 1500 * 5 * sizeof(Vector3);
  ASSERT_EQ(bad.substr(at, sizeof damaged), coordinate);
  bad[at] = static_cast<char>(bad[at] ^ 1);
  replace(bad);

  const TemplateLibrary library = TemplateLibrary::open(path_);

  EXPECT_EQ(library.info(1500).sites, 5);
  EXPECT_EQ(library.structure(0).size(), 5u);
  EXPECT_EQ(library.structure(2999).size(), 5u);
  EXPECT_THROW(library.structure(1500), Error);
  EXPECT_THROW(library.structure(1500), Error);
}

TEST_F(TemplateFile, RefusesAnIndexOutOfRange) {
  write(pack_templates(crystals()));
  const TemplateLibrary library = TemplateLibrary::open(path_);

  EXPECT_THROW(library.info(-1), Error);
  EXPECT_THROW(library.structure(5), Error);
  EXPECT_THROW(library.composition(5), Error);
}

TEST_F(TemplateFile, CanBeUsedByManyThreadsFromTheFirstMoment) {
  write(pack_templates(crystals()));
  const TemplateLibrary library = TemplateLibrary::open(path_);
  std::vector<std::size_t> sites(8);

  std::vector<std::thread> threads;
  for (std::size_t& count : sites)
    threads.emplace_back([&library, &count] {
      for (std::int64_t i = 0; i < library.size(); ++i) count += library.structure(i).size();
    });
  for (std::thread& thread : threads) thread.join();

  for (const std::size_t count : sites) EXPECT_EQ(count, 2u + 2 + 3 + 5 + 5);
}

}  // namespace
}  // namespace kronite
