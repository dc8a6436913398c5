// Plots: whole documents, sound coordinates, safe labels.
#include "io/plot.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <regex>

#include "io/point_cloud.hpp"
#include "io/ticks.hpp"
#include "kronite/error.hpp"

namespace kronite::io {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// Every kind of mark in two panels.
Figure example() {
  const std::vector<double> x{1, 2, 3, 4}, y{0.2, 0.5, 0.4, 0.9};
  Figure figure{"Example", {}};
  figure.panels.push_back(
      {"Left",
       {"x / Å"},
       {"y", 0, 1},
       {{"line", Mark::line, 0, x, y, {}, {}},
        {"dashed", Mark::dashed, 1, x, {0.1, 0.2, 0.3, 0.4}, {}, {}},
        {"band", Mark::line_and_points, 2, x, y, {0, 0.3, 0.2, 0.6}, {0.4, 0.7, 0.6, 1.2}}},
       true});
  figure.panels.push_back(
      {"Right", {"x"}, {"count"}, {{"bars", Mark::bars, 3, x, {3, 1, 0, 2}, {}, {}}}, false});
  return figure;
}

std::ptrdiff_t count(const std::string& text, const std::string& pattern) {
  const std::regex expression(pattern);
  return std::distance(std::sregex_iterator(text.begin(), text.end(), expression), {});
}

/// Tags open and close in order, and there is one root.
void expect_well_formed(const std::string& svg) {
  std::vector<std::string> open;
  const std::regex tag("<(/?)([A-Za-z]+)[^<>]*?(/?)>");
  for (std::sregex_iterator i(svg.begin(), svg.end(), tag), end; i != end; ++i) {
    const std::string name = (*i)[2];
    if ((*i)[1].length() > 0) {
      ASSERT_FALSE(open.empty()) << name;
      ASSERT_EQ(open.back(), name);
      open.pop_back();
    } else if ((*i)[3].length() == 0) {
      open.push_back(name);
    }
  }
  EXPECT_TRUE(open.empty());
  EXPECT_EQ(count(svg, "<svg"), 1);
  EXPECT_EQ(count(svg, "[<>]"), 2 * count(svg, "<[^<>]*>"));
}

TEST(Plot, IsAWellFormedDocumentWithEveryMark) {
  const std::string svg = plot_svg(example());

  expect_well_formed(svg);
  EXPECT_EQ(count(svg, "stroke-dasharray=\"6 4\""), 2);  // the line and its place in the legend
  EXPECT_EQ(count(svg, "<circle"), 4 + 1);
  EXPECT_EQ(count(svg, "fill-opacity=\"0.18\""), 1);
  EXPECT_EQ(count(svg, "fill-opacity=\"0.75\""), 4 + 1);
  EXPECT_NE(svg.find("x / Å"), std::string::npos);
}

TEST(Plot, BreaksALineWhereAValueIsMissing) {
  Figure figure;
  figure.panels.push_back(
      {"", {}, {}, {{"", Mark::line, 0, {1, 2, 3, 4, 5}, {1, 2, kNaN, 4, 5}, {}, {}}}, false});

  const std::string svg = plot_svg(figure);

  EXPECT_EQ(count(svg, "d=\"M[0-9. ]+L[0-9. ]+M[0-9. ]+L[0-9. ]+\""), 1);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
}

TEST(Plot, DrawsNoNumberThatIsNone) {
  const std::vector<std::vector<double>> values = {
      {}, {7}, {0, 0}, {kNaN, kNaN}, {-1.7e308, 1.7e308}, {1, 1 + 1e-15}, {1, HUGE_VAL}};
  for (const auto& y : values) {
    Figure figure;
    const std::vector<double> x(y.size(), 1.0);
    figure.panels.push_back({"", {}, {}, {{"a", Mark::line_and_points, 0, x, y, y, y}}, false});
    figure.panels.push_back({"", {}, {}, {{"b", Mark::bars, 0, x, y, {}, {}}}, false});

    const std::string svg = plot_svg(figure);

    expect_well_formed(svg);
    EXPECT_EQ(count(svg, "=\"[^\"]*(nan|inf)[^\"]*\""), 0) << y.size();
  }
}

TEST(Plot, EscapesLabels) {
  Figure figure = example();
  figure.title = "a < b & \"c\"";
  figure.panels[0].series[0].label = "<script>";

  const std::string svg = plot_svg(figure);

  expect_well_formed(svg);
  EXPECT_NE(svg.find("a &lt; b &amp; &quot;c&quot;"), std::string::npos);
  EXPECT_EQ(svg.find("<script>"), std::string::npos);
}

TEST(Plot, NamesEachLabelOnceInTheLegend) {
  Figure figure = example();
  figure.panels[1].series[0].label = "line";

  const std::string svg = plot_svg(figure);

  EXPECT_EQ(count(svg, ">line</text>"), 1);
}

/// Three points, one of them without a value.
Figure cloud() {
  Figure figure;
  Series points{"", Mark::cloud, 0, {0, 1, 2}, {0, 1, 0}, {}, {}};
  points.value = {-1, kNaN, 3};
  figure.panels.push_back({"", {}, {}, {points}, false, {"energy / eV"}});
  return figure;
}

TEST(Plot, ColoursPointsByTheirValues) {
  const std::string svg = plot_svg(cloud());

  expect_well_formed(svg);
  // The ends of the scale, and grey; a path of one disc each.
  EXPECT_EQ(count(svg, "<path stroke=\"#[0-9a-f]{6}\" d=\"M[0-9.]+ [0-9.]+h0\"/>"), 3);
  EXPECT_EQ(count(svg, "<path stroke=\"#8b94a3\""), 1);
  EXPECT_EQ(count(svg, "<linearGradient id=\"scale0\""), 1);
  EXPECT_EQ(count(svg, "fill:url\\(#scale0\\)"), 1);
  for (const char* label : {">energy / eV</text>", ">\u22121</text>", ">3</text>"})
    EXPECT_NE(svg.find(label), std::string::npos) << label;
}

TEST(Plot, DrawsACloudWithoutValuesInOneColour) {
  Figure figure = cloud();
  figure.panels[0].series[0].value.clear();
  figure.panels[0].series[0].names = {"a", "<b>", "c"};

  const std::string svg = plot_svg(figure);

  expect_well_formed(svg);
  EXPECT_EQ(count(svg, "<path stroke=\"#3f7fd1\" d=\"(M[0-9.]+ [0-9.]+h0){3}\"/>"), 1);
  EXPECT_EQ(count(svg, "linearGradient"), 0);
  EXPECT_NE(svg.find(">&lt;b&gt;</text>"), std::string::npos);
}

TEST(Plot, DrawsManyPointsInLittleSpace) {
  constexpr std::size_t kPoints = 40'000;
  Figure figure;
  Series points{"", Mark::cloud, 0, {}, {}, {}, {}};
  for (std::size_t i = 0; i < kPoints; ++i) {
    points.x.push_back(static_cast<double>(i % 211));
    points.y.push_back(static_cast<double>(i % 199));
    points.value.push_back(static_cast<double>(i % 64));
  }
  figure.panels.push_back({"", {}, {}, {points}, false, {}});

  const std::string svg = plot_svg(figure);

  EXPECT_EQ(count(svg, "h0"), static_cast<std::ptrdiff_t>(kPoints));
  EXPECT_LT(svg.size(), 1'000'000U);
}

TEST(Plot, IsAsLargeAsTheFigureSays) {
  Figure figure = cloud();
  figure.width = 500;
  figure.height = 400;

  EXPECT_EQ(count(plot_svg(figure), "<rect class=\"frame\" [^>]*width=\"500\" height=\"400\"/>"),
            1);
}

TEST(Plot, RefusesValuesThatAreNotOfACloud) {
  Figure figure = cloud();
  figure.panels[0].series[0].value.pop_back();
  EXPECT_THROW(plot_svg(figure), Error);
  figure = cloud();
  figure.panels[0].series[0].mark = Mark::line;
  EXPECT_THROW(plot_svg(figure), Error);
  figure = cloud();
  figure.panels[0].series[0].names = {"one"};
  EXPECT_THROW(plot_svg(figure), Error);
}

TEST(ScaleOfColours, GrowsLighterAllTheWay) {
  const auto light = [](const std::string& colour) {
    const auto part = [&](std::size_t at) {  // of sRGB, as light
      const double c = std::stoi(colour.substr(at, 2), nullptr, 16) / 255.0;
      return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
    };
    return 0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5);
  };
  for (int i = 0; i < 50; ++i)
    EXPECT_LT(light(scale_colour(i / 50.0)), light(scale_colour((i + 1) / 50.0))) << i;
  EXPECT_EQ(scale_colour(-1), scale_colour(0));
  EXPECT_EQ(scale_colour(2), scale_colour(1));
}

TEST(Plot, RefusesSeriesOfUnequalSizes) {
  Figure figure = example();
  figure.panels[0].series[1].y.pop_back();

  EXPECT_THROW(plot_svg(figure), Error);
  EXPECT_THROW(plot_svg({}), Error);
}

TEST(Ticks, AreRoundNumbersInsideTheAxis) {
  const Ticks ticks = round_ticks(-0.013, 0.31, 5);

  EXPECT_EQ(ticks.labels, (std::vector<std::string>{"0", "0.1", "0.2", "0.3"}));
}

TEST(Ticks, WriteAsManyDecimalsAsTheStepHas) {
  EXPECT_EQ(round_ticks(0.97, 1, 5).labels,
            (std::vector<std::string>{"0.97", "0.98", "0.99", "1.00"}));
  EXPECT_EQ(round_ticks(-20, 20, 4).labels,
            (std::vector<std::string>{"−20", "−10", "0", "10", "20"}));
  EXPECT_EQ(round_ticks(0, 4e6, 2).labels, (std::vector<std::string>{"0", "2e+06", "4e+06"}));
}

}  // namespace
}  // namespace kronite::io
