// A crystal as an SVG picture that needs nothing else: no script, no font, no other file.
#pragma once

#include <string>

#include "kronite/structure.hpp"  // for Structure

namespace kronite {

struct DrawingOptions {
  double width = 360, height = 320;  ///< of the picture, in pixels
  bool legend = true;                ///< element symbols with their colours, below the cell
  std::string title;                 ///< read out by screen readers and shown on hovering
  std::string description;
  /// Begins every id of the picture, so that several can stand in one HTML page. Letters, digits
  /// and dashes.
  std::string id_prefix = "crystal";
};

/// One unit cell: its edges, shaded spheres (radius after the covalent radius), atoms on faces,
/// edges and corners repeated, and bonds to nearest neighbours, all in order of depth and in mild
/// perspective. c points up and a towards the viewer; a cell over twice as long as wide lies down.
/// Lines and letters take the surrounding text colour, so the picture suits light and dark pages.
std::string draw_svg(const Structure& structure, const DrawingOptions& options = {});

}  // namespace kronite
