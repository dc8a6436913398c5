// Pictures of crystals: what is drawn, and that any text in them is harmless.
#include "materials/drawing.hpp"

#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <string>

#include "kronite/error.hpp"             // for Error
#include "materials/element_colour.hpp"  // for element_colour

namespace kronite {
namespace {

Structure perovskite() {
  Structure structure;
  structure.lattice = {{{3.9, 0, 0}, {0, 3.9, 0}, {0, 0, 3.9}}};
  structure.z = {38, 22, 8, 8, 8};
  structure.fractional = {{0, 0, 0}, {.5, .5, .5}, {.5, .5, 0}, {.5, 0, .5}, {0, .5, .5}};
  return structure;
}

int count(const std::string& text, const std::string& pattern) {
  const std::regex regex(pattern);
  return static_cast<int>(
      std::distance(std::sregex_iterator(text.begin(), text.end(), regex), std::sregex_iterator()));
}

DrawingOptions without_legend() {
  DrawingOptions options;
  options.legend = false;
  return options;
}

TEST(Drawing, RepeatsAtomsOnCornersAndFaces) {
  const std::string svg = draw_svg(perovskite(), without_legend());

  EXPECT_EQ(count(svg, "<circle[^>]*crystal-Sr"), 8);
  EXPECT_EQ(count(svg, "<circle[^>]*crystal-Ti"), 1);
  EXPECT_EQ(count(svg, "<circle[^>]*crystal-O"), 6);
}

TEST(Drawing, TakesCoordinatesOutsideTheCellAsTheirImagesInside) {
  Structure moved = perovskite();
  moved.fractional[0] = {-1, 2, 1 - 1e-9};
  moved.fractional[1] = {1.5, -0.5, 2.5};

  EXPECT_EQ(count(draw_svg(moved, without_legend()), "<circle"), 15);
}

TEST(Drawing, BondsTitaniumToItsSixOxygensOnly) {
  const std::string svg = draw_svg(perovskite(), without_legend());

  // Two halves per bond; strontium has twelve neighbours and gets none.
  EXPECT_EQ(count(svg, "stroke-width=\"[0-9.]+\"/>") - count(svg, "<circle"), 12);
}

TEST(Drawing, NamesEachElementInTheLegend) {
  const std::string svg = draw_svg(perovskite());

  for (const char* symbol : {"O", "Ti", "Sr"})
    EXPECT_NE(svg.find(std::string(">") + symbol + "</text>"), std::string::npos) << symbol;
}

TEST(Drawing, EscapesTitleAndDescription) {
  DrawingOptions options;
  options.title = "<script>alert('a')</script>";
  options.description = "a & \"b\"";

  const std::string svg = draw_svg(perovskite(), options);

  EXPECT_EQ(svg.find("<script"), std::string::npos);
  EXPECT_NE(svg.find("&lt;script&gt;"), std::string::npos);
  EXPECT_NE(svg.find("a &amp; &quot;b&quot;"), std::string::npos);
}

TEST(Drawing, StaysInsideThePicture) {
  Structure needle = perovskite();
  needle.lattice[2][2] = 60;  // lies down
  for (const Structure& structure : {perovskite(), needle}) {
    const std::string svg = draw_svg(structure);

    const std::regex circle("cx=\"([-0-9.]+)\" cy=\"([-0-9.]+)\" r=\"([0-9.]+)\" fill");
    int circles = 0;
    for (std::sregex_iterator at(svg.begin(), svg.end(), circle), end; at != end; ++at, ++circles) {
      const double x = std::stod((*at)[1]), y = std::stod((*at)[2]), r = std::stod((*at)[3]);
      EXPECT_TRUE(x - r >= 0 && x + r <= 360 && y - r >= 0 && y + r <= 320) << at->str();
    }
    EXPECT_GT(circles, 0);
  }
}

TEST(Drawing, RefusesAStructureWithoutSites) { EXPECT_THROW(draw_svg(Structure{}), Error); }

TEST(ElementColour, DiffersBetweenAnyTwoElements) {
  std::set<std::string> colours;

  for (int z = 1; z <= 118; ++z) colours.insert(element_colour(z).hex());

  EXPECT_EQ(colours.size(), 118u);
}

TEST(ElementColour, IsWhatChemistsExpectOfOxygenAndNitrogen) {
  const Colour oxygen = element_colour(8), nitrogen = element_colour(7);

  EXPECT_GT(oxygen.red, 2 * oxygen.blue);
  EXPECT_GT(nitrogen.blue, 2 * nitrogen.red);
}

}  // namespace
}  // namespace kronite
