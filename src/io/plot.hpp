// Line, point and bar plots as SVG, for reports: axes with round ticks, several panels side by
// side, one legend, colours that suit light and dark pages.
#pragma once

#include <limits>
#include <string>
#include <vector>

namespace kronite::io {

enum class Mark { line, dashed, points, line_and_points, bars };

/// y over x. A value that is not finite breaks the line and draws no point.
struct Series {
  std::string label;  ///< in the legend; equal labels share one entry, empty ones have none
  Mark mark = Mark::line;
  int colour = 0;  ///< of the palette, which repeats itself; -1: neutral grey
  std::vector<double> x, y;
  std::vector<double> low, high;  ///< of an area around y, such as an error band; or empty
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
};

struct Figure {
  std::string title;
  std::vector<Panel> panels;  ///< side by side
};

/// A whole SVG document.
/// @throws Error invalid_argument for a figure without panels, and for vectors of a series that are
/// not of one size.
std::string plot_svg(const Figure& figure);

}  // namespace kronite::io
