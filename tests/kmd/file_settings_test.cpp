// What descriptor files say of themselves: it reads back the same, and nothing else passes.
#include "kmd/file_settings.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "kmd/small_components.hpp"
#include "kronite/error.hpp"

namespace kronite::kmd {
namespace {

using test::five_components;

std::string refusal(const std::string& text) {
  try {
    parse_file_settings(text, "d.json");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::parse);
    return error.what();
  }
  return "nothing was refused";
}

/// The settings of a descriptor with one key changed; null takes it away.
std::string changed(const std::string& key, const nlohmann::ordered_json& value) {
  const Descriptor descriptor(five_components());
  auto json = nlohmann::ordered_json::parse(to_json(file_settings(descriptor), true));
  if (value.is_null())
    json.erase(key);
  else
    json[key] = value;
  return json.dump();
}

TEST(FileSettings, MakeTheSameDescriptorAgain) {
  for (const Layout layout : {Layout::grid, Layout::joint})
    for (const KernelKind kernel :
         {KernelKind::gaussian, KernelKind::laplacian, KernelKind::matern32, KernelKind::matern52})
      for (const double sigma : {0.0, 0.1234567890123456789})
        for (const bool one_line : {false, true}) {
          Settings settings;
          settings.layout = layout;
          settings.kernel = kernel;
          settings.sigma = sigma;
          settings.n_grids = layout == Layout::grid ? 5 : 0;
          const Descriptor descriptor(five_components(), settings);

          const FileSettings read =
              parse_file_settings(to_json(file_settings(descriptor), one_line), "d.json");
          const Descriptor again = descriptor_of(read, five_components(), "d.json");

          EXPECT_EQ(again.hash(), descriptor.hash());
          EXPECT_EQ(again.names(), descriptor.names());
          EXPECT_EQ(again.settings().sigma, descriptor.settings().sigma);
          EXPECT_EQ(read.condition.rank, descriptor.condition().rank);
          EXPECT_EQ(read.condition.of_p, descriptor.condition().of_p);
        }
}

TEST(FileSettings, KeepWhatWasChosen) {
  Settings settings;
  settings.most_condition = 1e9;
  const Descriptor descriptor(five_components(), settings);

  const FileSettings read =
      parse_file_settings(to_json(file_settings(descriptor), false), "d.json");

  EXPECT_EQ(read.settings.n_grids, descriptor.settings().n_grids);
  EXPECT_GE(read.settings.n_grids, 2);
  EXPECT_EQ(read.width, descriptor.width());
  EXPECT_EQ(descriptor_of(read, five_components(), "d.json").hash(), descriptor.hash());
}

TEST(FileSettings, OfStatisticsReadBack) {
  const FileSettings with_sum = file_settings(five_components(), true);
  const FileSettings without = file_settings(five_components(), false);

  const FileSettings read = parse_file_settings(to_json(with_sum, false), "d.json");

  EXPECT_EQ(read.kind, Kind::statistics);
  EXPECT_TRUE(read.sum);
  EXPECT_EQ(read.width, 10);
  EXPECT_EQ(read.hash, with_sum.hash);
  EXPECT_EQ(without.width, 8);
  EXPECT_NE(without.hash, with_sum.hash);
}

TEST(FileSettings, RefuseOtherComponents) {
  const FileSettings settings = file_settings(Descriptor(five_components()));
  Components other = five_components();
  other.values[3] += 1e-9;

  try {
    descriptor_of(settings, other, "d.json");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.what(), "d.json: made with 5 components of 2 features and the hash " +
                                five_components().hash() + ", these are 5 of 2 with the hash " +
                                other.hash());
  }
}

TEST(FileSettings, RefuseAnotherHash) {
  FileSettings settings = file_settings(Descriptor(five_components()));
  settings.settings.sigma = 0.7;  // as if somebody had edited the file

  try {
    descriptor_of(settings, five_components(), "d.json");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("it was changed, or made by another version"),
              std::string::npos)
        << error.what();
  }
}

TEST(FileSettings, RefuseStatisticsWhereKernelMeansAreExpected) {
  EXPECT_THROW(descriptor_of(file_settings(five_components(), false), five_components(), "d.json"),
               Error);
}

TEST(FileSettings, SayWhichKeyIsWrong) {
  EXPECT_EQ(refusal(changed("kernel", "box")),
            "d.json: one of gaussian, laplacian, matern32, matern52 is expected as \"kernel\", not "
            "\"box\"");
  EXPECT_EQ(refusal(changed("n_grids", 1)),
            "d.json: an integer from 2 to 1000 is expected as \"n_grids\", not 1");
  EXPECT_EQ(refusal(changed("n_grids", 2.5)),
            "d.json: an integer from 2 to 1000 is expected as \"n_grids\", not 2.5");
  EXPECT_EQ(refusal(changed("rank", 18446744073709551615U)),
            "d.json: an integer from 0 to 100000000 is expected as \"rank\", not "
            "18446744073709551615");
  EXPECT_EQ(refusal(changed("sigma", -1)),
            "d.json: a number that is not negative is expected as \"sigma\", not -1");
  EXPECT_EQ(refusal(changed("sigma", {{{"a", 1}}})),
            "d.json: a number that is not negative is expected as \"sigma\", not array");
  EXPECT_EQ(refusal(changed("hash", "0123")),
            "d.json: 16 hexadecimal digits is expected as \"hash\", not \"0123\"");
  EXPECT_EQ(refusal(changed("layout", nullptr)),
            "d.json: one of grid, joint is expected as \"layout\", but there is none");
  EXPECT_EQ(refusal(changed("width", 11)),
            "d.json: the width is 11, the other settings give " +
                std::to_string(Descriptor(five_components()).width()));
  EXPECT_EQ(refusal(changed("format_version", 2)),
            "d.json: an integer from 1 to 1 is expected as \"format_version\", not 2");
}

TEST(FileSettings, RefuseOtherTexts) {
  const std::string expected =
      "d.json: settings of descriptors are expected, an object with \"format\": \"kronite mixture "
      "descriptors\"";
  EXPECT_EQ(refusal("{}"), expected);
  EXPECT_EQ(refusal("[1]"), expected);
  EXPECT_EQ(refusal("{\"format\": 3}"), expected);
  EXPECT_EQ(refusal("{\"format\":").find("d.json: not JSON"), 0U);
  EXPECT_EQ(refusal("").find("d.json: not JSON"), 0U);
}

TEST(FileSettings, LieBesideTheFile) {
  EXPECT_EQ(settings_path("a/d.csv"), "a/d.csv.settings.json");
}

}  // namespace
}  // namespace kronite::kmd
