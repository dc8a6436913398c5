// Parts of plots that colour many points by a value: the scale of colours, the points, the bar.
#pragma once

#include <string>
#include <vector>

#include "io/ticks.hpp"  // for Ticks

namespace kronite::io {

/// "#rrggbb" of a place on the scale, 0 to 1: dark blue over green to orange, on light and dark
/// pages alike, of lightness that grows all the way, so that it can be read without colours.
std::string scale_colour(double place);

struct CloudPoint {
  double x = 0, y = 0;  ///< in pixels
  double value = 0;     ///< not finite: neutral grey
};
/// Discs of `radius` pixels, coloured by value from `low` to `high`, values outside as the ends.
/// Points of a colour share a path, so that each takes about ten bytes; later points come to lie
/// over earlier ones, whatever their colours, except that up to a thousand neighbours in the list
/// go by colour.
std::string cloud_svg(const std::vector<CloudPoint>& points, double radius, double low,
                      double high);
/// The same in one colour.
std::string cloud_svg(const std::vector<CloudPoint>& points, double radius,
                      const std::string& colour);

/// A bar of the scale with ticks, its upper left corner at (x, y); `name` is unique in the
/// document.
std::string colour_bar_svg(const std::string& name, double x, double y, double height,
                           const Ticks& ticks, const std::string& label);
/// Pixels that a bar takes from its left edge, with its labels.
inline constexpr double kColourBarWidth = 84;

}  // namespace kronite::io
