// Discs as round ends of lines without length, a path for each colour.
#include "io/point_cloud.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <iterator>

#include "io/escape.hpp"  // for escape_markup

namespace kronite::io {
namespace {

constexpr std::size_t kClasses = 64;     // of colour
constexpr std::size_t kTogether = 1024;  // points that are sorted by colour
constexpr double kBarWidth = 14;         // pixels
constexpr const char* kGrey = "#8b94a3";

using Colour = std::array<int, 3>;
/// CIE lightness from 35 to 77.
constexpr std::array<Colour, 7> kScale = {{{0x40, 0x46, 0xAE},
                                           {0x35, 0x60, 0xB8},
                                           {0x21, 0x80, 0xAC},
                                           {0x22, 0x9A, 0x8E},
                                           {0x4F, 0xAE, 0x66},
                                           {0x9C, 0xBA, 0x45},
                                           {0xF0, 0xB6, 0x40}}};

std::size_t class_of(double value, double low, double high) {
  const double place = (value - low) / (high - low);
  const auto index = std::clamp(place, 0.0, 1.0) * static_cast<double>(kClasses);
  return std::min(static_cast<std::size_t>(index), kClasses - 1);
}

std::string class_colour(std::size_t index) {
  return scale_colour((static_cast<double>(index) + 0.5) / static_cast<double>(kClasses));
}

void append_disc(std::string& data, const CloudPoint& point) {
  fmt::format_to(std::back_inserter(data), "M{:.1f} {:.1f}h0", point.x, point.y);
}

void append_path(std::string& to, const std::string& colour, const std::string& data) {
  if (!data.empty())
    fmt::format_to(std::back_inserter(to), "<path stroke=\"{}\" d=\"{}\"/>\n", colour, data);
}

std::string in_group(const std::string& paths, double radius) {
  return fmt::format(
      "<g fill=\"none\" stroke-linecap=\"round\" stroke-width=\"{:.1f}\" "
      "stroke-opacity=\"0.8\">\n{}</g>\n",
      2 * radius, paths);
}

}  // namespace

std::string scale_colour(double place) {
  const double at = std::clamp(place, 0.0, 1.0) * static_cast<double>(kScale.size() - 1);
  const std::size_t below = std::min(static_cast<std::size_t>(at), kScale.size() - 2);
  const double part = at - static_cast<double>(below);
  std::array<int, 3> mixed{};
  for (std::size_t k = 0; k < 3; ++k)
    mixed[k] =
        static_cast<int>(std::lround((1 - part) * kScale[below][k] + part * kScale[below + 1][k]));
  return fmt::format("#{:02x}{:02x}{:02x}", mixed[0], mixed[1], mixed[2]);
}

std::string cloud_svg(const std::vector<CloudPoint>& points, double radius, double low,
                      double high) {
  std::string paths;
  std::array<std::string, kClasses + 1> data;  // of each class; without a value last
  for (std::size_t first = 0; first < points.size(); first += kTogether) {
    for (std::string& d : data) d.clear();
    for (std::size_t i = first; i < std::min(first + kTogether, points.size()); ++i) {
      const double value = points[i].value;
      append_disc(data[std::isfinite(value) ? class_of(value, low, high) : kClasses], points[i]);
    }
    for (std::size_t c = 0; c <= kClasses; ++c)
      append_path(paths, c == kClasses ? kGrey : class_colour(c), data[c]);
  }
  return in_group(paths, radius);
}

std::string cloud_svg(const std::vector<CloudPoint>& points, double radius,
                      const std::string& colour) {
  std::string paths, data;
  for (const CloudPoint& point : points) append_disc(data, point);
  append_path(paths, colour, data);
  return in_group(paths, radius);
}

std::string colour_bar_svg(const std::string& name, double x, double y, double height,
                           const Ticks& ticks, const std::string& label) {
  std::string svg =
      fmt::format("<linearGradient id=\"{}\" x1=\"0\" y1=\"1\" x2=\"0\" y2=\"0\">\n", name);
  for (std::size_t i = 0; i < kScale.size(); ++i) {
    const double place = static_cast<double>(i) / static_cast<double>(kScale.size() - 1);
    svg += fmt::format("<stop offset=\"{:.4g}\" stop-color=\"{}\"/>\n", place, scale_colour(place));
  }
  svg += fmt::format(
      "</linearGradient>\n<rect class=\"frame\" style=\"fill:url(#{})\" x=\"{:.1f}\" y=\"{:.1f}\" "
      "width=\"{}\" height=\"{}\"/>\n",
      name, x, y, kBarWidth, height);
  for (std::size_t i = 0; i < ticks.values.size(); ++i) {
    const double at = y + height * (1 - (ticks.values[i] - ticks.low) / (ticks.high - ticks.low));
    svg += fmt::format(
        "<path class=\"frame\" d=\"M{:.1f} {:.1f}h4\"/>\n<text x=\"{:.1f}\" "
        "y=\"{:.1f}\">{}</text>\n",
        x + kBarWidth, at, x + kBarWidth + 7, at + 4, ticks.labels[i]);
  }
  return svg + fmt::format(
                   "<text transform=\"translate({:.1f} {:.1f}) rotate(-90)\" "
                   "text-anchor=\"middle\">{}</text>\n",
                   x + kColourBarWidth - 10, y + height / 2, escape_markup(label));
}

}  // namespace kronite::io
