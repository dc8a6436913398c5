// Line, point and bar plots and clouds of points as SVG, for reports: axes with round ticks,
// several panels side by side, one legend, colours that suit light and dark pages.
#pragma once

#include <limits>
#include <string>
#include <vector>

namespace kronite::io {

enum class Mark {
  line,
  dashed,
  points,
  line_and_points,
  bars,
  cloud,  ///< discs that are smaller the more there are, coloured by `value` where it is given
};

/// y over x. A value that is not finite breaks the line and draws no point.
struct Series {
  std::string label;  ///< in the legend; equal labels share one entry, empty ones have none
  Mark mark = Mark::line;
  int colour = 0;  ///< of the palette, which repeats itself; -1: neutral grey
  std::vector<double> x, y;
  std::vector<double> low, high;  ///< of an area around y, such as an error band; or empty
  std::vector<double> value{};    ///< of each point of a cloud, coloured by Panel::value; or empty
  std::vector<std::string> names{};  ///< written beside the points of a cloud; or empty
};

struct Axis {
  static constexpr double kAutomatic = std::numeric_limits<double>::quiet_NaN();
  std::string label;
  double low = kAutomatic, high = kAutomatic;  ///< from the data where not given
};

struct Panel {
  std::string title;
  Axis x, y;
  std::vector<Series> series;
  bool diagonal = false;  ///< a grey line of equality
  Axis value{};           ///< of the colours, with a bar on the right where a cloud has values
};

struct Figure {
  std::string title;
  std::vector<Panel> panels;         ///< side by side
  double width = 300, height = 240;  ///< of the plot of each panel, in pixels
};

/// A whole SVG document.
/// @throws Error invalid_argument for a figure without panels, and for vectors of a series that are
/// not of one size.
std::string plot_svg(const Figure& figure);

}  // namespace kronite::io
