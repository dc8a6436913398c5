// Maps: settings read strictly, coordinates as the definition has them, a picture that says so.
#include "kmd/map.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "kmd/small_components.hpp"
#include "kronite/error.hpp"
#include "support/on_each_device.hpp"

namespace kronite::kmd {
namespace {

std::string refusal(const std::string& text) {
  try {
    parse_map_config(text, "m.toml");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::parse);
    return error.what();
  }
  return "nothing was refused";
}

TEST(MapConfig, ReadsEverySetting) {
  const MapSettings map = parse_map_config(R"(title = "T"
standardise = true
[descriptor]
kind = "statistics"
layout = "joint"
kernel = "matern52"
scaling = "z_score"
n_grids = 7
sigma = 0.5
most_condition = 1e4
[colour]
column = "energy"
label = "E / eV"
low = -1
high = 2.5
)",
                                           "m.toml");

  EXPECT_EQ(map.title, "T");
  EXPECT_EQ(map.standardise, true);
  EXPECT_EQ(map.descriptor, Kind::statistics);
  EXPECT_EQ(map.settings.layout, Layout::joint);
  EXPECT_EQ(map.settings.kernel, KernelKind::matern52);
  EXPECT_EQ(map.settings.scaling, Scaling::z_score);
  EXPECT_EQ(map.settings.n_grids, 7);
  EXPECT_EQ(map.settings.sigma, 0.5);
  EXPECT_EQ(map.settings.most_condition, 1e4);
  EXPECT_EQ(map.column, "energy");
  EXPECT_EQ(map.label, "E / eV");
  EXPECT_EQ(map.low, -1);
  EXPECT_EQ(map.high, 2.5);
}

TEST(MapConfig, StandardisesStatisticsUnlessItSaysOtherwise) {
  EXPECT_FALSE(parse_map_config("", "m.toml").standardised());
  EXPECT_TRUE(parse_map_config("[descriptor]\nkind = \"statistics\"", "m.toml").standardised());
  EXPECT_FALSE(
      parse_map_config("standardise = false\n[descriptor]\nkind = \"statistics\"", "m.toml")
          .standardised());
}

TEST(MapConfig, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(refusal("[descriptor]\nkernel = \"box\"").find("m.toml:2"), 0U);
  EXPECT_EQ(refusal("[descriptor]\nwidth = 3").find("m.toml:2"), 0U);
  EXPECT_EQ(refusal("colour = \"x\"").find("m.toml:1"), 0U);
  EXPECT_EQ(refusal("[descriptor]\nn_grids = 1001").find("m.toml:2"), 0U);
  EXPECT_EQ(refusal("[colour]\nlow = 2\nhigh = 2"),
            "m.toml:3: high is expected to be above low, 2");
}

TEST(MapConfig, OfTheRepositoryIsRead) {
  const MapSettings map = read_map_config(KRONITE_TEST_SOURCE "/../configs/kmd_map.toml");

  EXPECT_EQ(map.column, "formation_energy_per_atom");
  EXPECT_EQ(map.settings.n_grids, 10);
}

/// Rows between A and each other component.
MapData some_data(std::int64_t rows) {
  MapData data;
  data.weights.components = 5;
  for (std::int64_t i = 0; i < rows; ++i) {
    const double w = (static_cast<double>(i) + 0.5) / static_cast<double>(rows);
    data.weights.component.insert(data.weights.component.end(),
                                  {0, static_cast<std::int32_t>(1 + i % 4)});
    data.weights.weight.insert(data.weights.weight.end(), {w, 1 - w});
    data.weights.first.push_back(2 * (i + 1));
    data.names.push_back("row" + std::to_string(i));
    data.values.push_back(i == 3 ? std::nan("") : w);
  }
  return data;
}

class MapTest : public kronite::test::OnEachDevice {};

TEST_P(MapTest, PutsRowsWhereTheirDescriptorsProject) {
  const MapData data = some_data(3000);  // two tiles
  const Components components = test::five_components();
  MapSettings settings;
  settings.settings.n_grids = 6;

  const Map map = make_map(device, data, components, settings);

  const Descriptor descriptor(components, settings.settings);
  std::vector<double> phi(static_cast<std::size_t>(3000 * descriptor.width()));
  descriptor.transform(device, data.weights, {phi.data(), 3000, descriptor.width()});
  const std::int64_t d = descriptor.width();
  for (const std::int64_t i : {0, 3, 2047, 2048, 2999})
    for (std::int64_t k = 0; k < 2; ++k) {
      double score = 0;
      for (std::int64_t j = 0; j < d; ++j)
        score += (phi[i * d + j] - map.pca.mean[j]) * map.pca.axes[k * d + j];
      EXPECT_NEAR(map.scores[2 * i + k], score, 1e-13);
    }
}

TEST_P(MapTest, OfStatisticsUsesThem) {
  MapSettings settings;
  settings.descriptor = Kind::statistics;

  const Map map = make_map(device, some_data(50), test::five_components(), settings);

  EXPECT_EQ(map.pca.mean.size(), 8U);
  EXPECT_NEAR(map.pca.total_variance, 8, 1e-12);
}

TEST_P(MapTest, StopsWhenItIsAsked) {
  const auto stop = [](long long, long long) { return false; };
  try {
    make_map(device, some_data(50), test::five_components(), {}, stop);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::cancelled);
  }
}

TEST_P(MapTest, CountsItsProgressToTheEnd) {
  long long last = 0, all = 0;
  make_map(device, some_data(5000), test::five_components(), {},
           [&](long long done, long long total) {
             EXPECT_GE(done, last);
             EXPECT_LT(done, total);
             last = done;
             all = total;
             return true;
           });
  EXPECT_EQ(all, 15000);
}

TEST_P(MapTest, IsDrawnWithItsColoursAndNames) {
  MapSettings settings;
  settings.column = "energy";
  settings.label = "E / eV";
  settings.title = "Map";
  const MapData few = some_data(10), many = some_data(100);

  const std::string svg =
      map_svg(few, make_map(device, few, test::five_components(), settings), settings);
  const std::string large =
      map_svg(many, make_map(device, many, test::five_components(), settings), settings);

  EXPECT_NE(svg.find(">E / eV</text>"), std::string::npos);
  EXPECT_NE(svg.find(">row9</text>"), std::string::npos);
  EXPECT_NE(svg.find("principal component 1 ("), std::string::npos);
  EXPECT_EQ(large.find(">row9</text>"), std::string::npos);
}

KRONITE_ON_EACH_DEVICE(MapTest);

}  // namespace
}  // namespace kronite::kmd
