// Plots: whole documents, sound coordinates, safe labels.
#include "io/plot.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <regex>

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
