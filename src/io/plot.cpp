// Drawing figures: panels in a row, the legend below.
#include "io/plot.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "base/fail.hpp"       // for fail
#include "base/printable.hpp"  // for continues_character
#include "io/escape.hpp"       // for escape_markup
#include "io/point_cloud.hpp"  // for cloud_svg, colour_bar_svg
#include "io/ticks.hpp"        // for round_ticks

namespace kronite::io {
namespace {

// Pixels.
constexpr double kLeft = 66, kRight = 22, kBelow = 52, kPanelTitle = 30;
constexpr double kBarGap = 18;  // between the plot and the bar of its colours
constexpr double kFigureTitle = 40, kLegendRow = 22, kMargin = 14;
constexpr double kLetter = 6.3;  // mean width of a letter of the labels
constexpr double kSwatch = 24;   // the mark in front of a label of the legend

/// Dark enough for white pages, light enough for dark ones; told apart by the colour-blind.
constexpr std::array<const char*, 8> kPalette = {"#3f7fd1", "#e0822b", "#2f9e77", "#c4518e",
                                                 "#7b68c9", "#9a8419", "#3aa6b9", "#d1504b"};

constexpr const char* kStyle = R"(<style>
text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; fill: #4a5361; }
.title { font-size: 15px; font-weight: 600; fill: #1c2330; }
.panel { font-size: 13px; font-weight: 600; fill: #1c2330; }
.page { fill: #ffffff; }
.grid { stroke: #e4e7ec; stroke-width: 1; }
.frame { stroke: #8b94a3; stroke-width: 1; fill: none; }
@media (prefers-color-scheme: dark) {
  text { fill: #a9b3c1; }
  .title, .panel { fill: #e8ebf0; }
  .page { fill: #171b21; }
  .grid { stroke: #2c333d; }
  .frame { stroke: #667181; }
}
</style>
)";

const char* colour(int index) {
  if (index < 0) return "#8b94a3";
  return kPalette[static_cast<std::size_t>(index) % kPalette.size()];
}

double text_width(const std::string& text) {
  return kLetter * static_cast<double>(std::count_if(
                       text.begin(), text.end(), [](char c) { return !continues_character(c); }));
}

/// The smallest interval that holds the finite values and has a length.
class Extent {
 public:
  void take(double value) {
    if (!std::isfinite(value)) return;
    low_ = std::min(low_, std::max(value, -kMost));
    high_ = std::max(high_, std::min(value, kMost));
  }
  /// Ends that the axis gives stay; others get a little room.
  std::pair<double, double> fit(const Axis& axis, double room_part = 0.03) const {
    const bool empty = low_ > high_;
    double low = empty ? 0 : low_, high = empty ? 1 : high_;
    const double room = room_part * (high - low);
    low = std::isfinite(axis.low) ? axis.low : low - room;
    high = std::isfinite(axis.high) ? axis.high : high + room;
    const double least = kLeastPart * std::max(std::abs(low), std::abs(high));
    if (high - low > least) return {low, high};
    const double half = std::max(std::abs(low) / 2, 1e-12);
    return {low - half, low + half};
  }

 private:
  static constexpr double kMost = 1e300;      // the length of an axis must be finite
  static constexpr double kLeastPart = 1e-9;  // of an axis' values that its length must be
  double low_ = std::numeric_limits<double>::infinity();
  double high_ = -std::numeric_limits<double>::infinity();
};

/// Narrow enough that bars at neighbouring x do not touch.
double bar_width(const Series& series) {
  double gap = std::numeric_limits<double>::infinity();
  for (std::size_t i = 1; i < series.x.size(); ++i)
    gap = std::min(gap, std::abs(series.x[i] - series.x[i - 1]));
  return std::isfinite(gap) && gap > 0 ? 0.86 * gap : 1;
}

bool has_values(const Panel& panel) {
  return std::any_of(panel.series.begin(), panel.series.end(),
                     [](const Series& s) { return !s.value.empty(); });
}

/// One panel, its upper left corner at (left, top).
class PanelDrawing {
 public:
  PanelDrawing(const Panel& panel, double left, double top, const Figure& figure, std::string& out)
      : panel_(panel),
        left_(left + kLeft),
        top_(top + kPanelTitle),
        width_(figure.width),
        height_(figure.height),
        out_(out) {
    Extent x, y, value;
    for (const Series& s : panel.series) gather(s, x, y, value);
    const auto [x0, x1] = x.fit(panel.x);
    const auto [y0, y1] = y.fit(panel.y);
    x_ = round_ticks(x0, x1, 5);
    y_ = round_ticks(y0, y1, 5);
    const auto [v0, v1] = value.fit(panel.value, 0);
    value_ = round_ticks(v0, v1, 5);
  }

  void draw(int number) {
    write(
        "<g>\n<clipPath id=\"plot{}\"><rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{}\" "
        "height=\"{}\"/></clipPath>\n",
        number, left_, top_, width_, height_);
    draw_axes();
    write("<g clip-path=\"url(#plot{})\">\n", number);
    if (panel_.diagonal) draw_diagonal();
    for (const Series& s : panel_.series) draw_band(s);
    for (const Series& s : panel_.series) draw_series(s);
    write("</g>\n");
    if (has_values(panel_))
      out_ += colour_bar_svg(fmt::format("scale{}", number), left_ + width_ + kBarGap, top_,
                             height_, value_, panel_.value.label);
    write("</g>\n");
  }

 private:
  template <class... Args>
  void write(fmt::format_string<Args...> text, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), text, std::forward<Args>(args)...);
  }
  /// Far outside is as good as outside, and keeps the numbers short.
  static double near(double pixels) { return std::clamp(pixels, -1e5, 1e5); }
  double px(double x) const { return near(left_ + width_ * (x - x_.low) / (x_.high - x_.low)); }
  double py(double y) const {
    return near(top_ + height_ * (1 - (y - y_.low) / (y_.high - y_.low)));
  }

  void gather(const Series& s, Extent& x, Extent& y, Extent& value) const;
  void draw_axes();
  void draw_diagonal();
  void draw_band(const Series& s);
  void draw_series(const Series& s);
  void draw_line(const Series& s);
  void draw_points(const Series& s);
  void draw_bars(const Series& s);
  void draw_cloud(const Series& s);

  const Panel& panel_;
  const double left_, top_, width_, height_;  // of the plot, inside its labels
  std::string& out_;
  Ticks x_, y_, value_;
};

void PanelDrawing::gather(const Series& s, Extent& x, Extent& y, Extent& value) const {
  const double half = s.mark == Mark::bars ? bar_width(s) / 2 : 0;
  for (const double at : s.x) {
    x.take(at - half);
    x.take(at + half);
  }
  for (const auto* values : {&s.y, &s.low, &s.high})
    for (const double at : *values) y.take(at);
  if (s.mark == Mark::bars) y.take(0);
  for (const double v : s.value) value.take(v);
}

void PanelDrawing::draw_axes() {
  const double bottom = top_ + height_, right = left_ + width_;
  for (std::size_t i = 0; i < x_.values.size(); ++i) {
    const double at = px(x_.values[i]);
    write("<line class=\"grid\" x1=\"{0:.1f}\" y1=\"{1:.1f}\" x2=\"{0:.1f}\" y2=\"{2:.1f}\"/>\n",
          at, top_, bottom);
    write("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n", at, bottom + 17,
          x_.labels[i]);
  }
  for (std::size_t i = 0; i < y_.values.size(); ++i) {
    const double at = py(y_.values[i]);
    write("<line class=\"grid\" x1=\"{1:.1f}\" y1=\"{0:.1f}\" x2=\"{2:.1f}\" y2=\"{0:.1f}\"/>\n",
          at, left_, right);
    write("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n", left_ - 7, at + 4,
          y_.labels[i]);
  }
  write("<rect class=\"frame\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{}\" height=\"{}\"/>\n", left_,
        top_, width_, height_);
  write("<text class=\"panel\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", left_, top_ - 10,
        escape_markup(panel_.title));
  write("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n", left_ + width_ / 2,
        bottom + 38, escape_markup(panel_.x.label));
  write(
      "<text transform=\"translate({:.1f} {:.1f}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
      left_ - 48, top_ + height_ / 2, escape_markup(panel_.y.label));
}

void PanelDrawing::draw_diagonal() {
  const double low = std::max(x_.low, y_.low), high = std::min(x_.high, y_.high);
  write("<path d=\"M{:.1f} {:.1f}L{:.1f} {:.1f}\" stroke=\"{}\" stroke-dasharray=\"3 4\"/>\n",
        px(low), py(low), px(high), py(high), colour(-1));
}

/// The area between low and high, piece by piece where values are missing.
void PanelDrawing::draw_band(const Series& s) {
  const auto whole = [&](std::size_t i) {
    return std::isfinite(s.x[i]) && std::isfinite(s.low[i]) && std::isfinite(s.high[i]);
  };
  for (std::size_t begin = 0; begin < s.low.size(); ++begin) {
    if (!whole(begin)) continue;
    std::size_t end = begin;
    write("<path fill=\"{}\" fill-opacity=\"0.18\" d=\"", colour(s.colour));
    for (; end < s.low.size() && whole(end); ++end)
      write("{}{:.1f} {:.1f}", end == begin ? "M" : "L", px(s.x[end]), py(s.high[end]));
    for (std::size_t i = end; i-- > begin;) write("L{:.1f} {:.1f}", px(s.x[i]), py(s.low[i]));
    write("Z\"/>\n");
    begin = end;
  }
}

void PanelDrawing::draw_series(const Series& s) {
  if (s.mark == Mark::bars) draw_bars(s);
  if (s.mark == Mark::cloud) draw_cloud(s);
  if (s.mark == Mark::line || s.mark == Mark::dashed || s.mark == Mark::line_and_points)
    draw_line(s);
  if (s.mark == Mark::points || s.mark == Mark::line_and_points) draw_points(s);
}

void PanelDrawing::draw_line(const Series& s) {
  std::string path;
  bool pen_up = true;
  for (std::size_t i = 0; i < s.x.size(); ++i) {
    const bool drawn = std::isfinite(s.x[i]) && std::isfinite(s.y[i]);
    if (drawn) path += fmt::format("{}{:.1f} {:.1f}", pen_up ? "M" : "L", px(s.x[i]), py(s.y[i]));
    pen_up = !drawn;
  }
  if (path.empty()) return;
  write(
      "<path fill=\"none\" stroke=\"{}\" stroke-width=\"1.7\" stroke-linejoin=\"round\"{} "
      "d=\"{}\"/>\n",
      colour(s.colour), s.mark == Mark::dashed ? " stroke-dasharray=\"6 4\"" : "", path);
}

void PanelDrawing::draw_points(const Series& s) {
  for (std::size_t i = 0; i < s.x.size(); ++i)
    if (std::isfinite(s.x[i]) && std::isfinite(s.y[i]))
      write("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3.4\" fill=\"{}\"/>\n", px(s.x[i]), py(s.y[i]),
            colour(s.colour));
}

void PanelDrawing::draw_bars(const Series& s) {
  const double width = bar_width(s);
  for (std::size_t i = 0; i < s.x.size(); ++i) {
    if (!std::isfinite(s.x[i]) || !std::isfinite(s.y[i])) continue;
    const double left = px(s.x[i] - width / 2), right = px(s.x[i] + width / 2);
    const double from = py(std::max(s.y[i], 0.0)), to = py(std::min(s.y[i], 0.0));
    write(
        "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"{}\" "
        "fill-opacity=\"0.75\"/>\n",
        left, from, right - left, to - from, colour(s.colour));
  }
}

void PanelDrawing::draw_cloud(const Series& s) {
  std::vector<CloudPoint> points;
  for (std::size_t i = 0; i < s.x.size(); ++i)
    if (std::isfinite(s.x[i]) && std::isfinite(s.y[i]))
      points.push_back({px(s.x[i]), py(s.y[i]), s.value.empty() ? 0 : s.value[i]});
  constexpr double kLeast = 1, kMost = 3.4;  // pixels
  const double radius =
      std::clamp(60 / std::sqrt(static_cast<double>(points.size()) + 1), kLeast, kMost);
  out_ += s.value.empty() ? cloud_svg(points, radius, colour(s.colour))
                          : cloud_svg(points, radius, value_.low, value_.high);
  for (std::size_t i = 0; i < s.names.size(); ++i)
    if (std::isfinite(s.x[i]) && std::isfinite(s.y[i]))
      write("<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", px(s.x[i]) + radius + 3, py(s.y[i]) + 4,
            escape_markup(s.names[i]));
}

/// The series that the legend names, each label once.
std::vector<const Series*> legend_of(const Figure& figure) {
  std::vector<const Series*> entries;
  for (const Panel& panel : figure.panels)
    for (const Series& s : panel.series)
      if (!s.label.empty() && std::none_of(entries.begin(), entries.end(),
                                           [&](const Series* e) { return e->label == s.label; }))
        entries.push_back(&s);
  return entries;
}

/// Draws the legend from `y` downwards; returns its height.
double draw_legend(const Figure& figure, double y, double width, std::string& out) {
  const auto entries = legend_of(figure);
  if (entries.empty()) return 0;
  double x = kLeft, row = 0;
  for (const Series* s : entries) {
    const double wide = kSwatch + 6 + text_width(s->label) + 18;
    if (x > kLeft && x + wide > width) {
      x = kLeft;
      ++row;
    }
    const double at = y + row * kLegendRow + kLegendRow / 2;
    const auto add = [&](const std::string& mark) { out += mark; };
    if (s->mark == Mark::bars)
      add(
          fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{}\" height=\"10\" fill=\"{}\" "
                      "fill-opacity=\"0.75\"/>\n",
                      x, at - 5, kSwatch, colour(s->colour)));
    else if (s->mark != Mark::points && s->mark != Mark::cloud)
      add(fmt::format("<path d=\"M{:.1f} {:.1f}h{}\" stroke=\"{}\" stroke-width=\"2\"{}/>\n", x, at,
                      kSwatch, colour(s->colour),
                      s->mark == Mark::dashed ? " stroke-dasharray=\"6 4\"" : ""));
    if (s->mark == Mark::points || s->mark == Mark::line_and_points || s->mark == Mark::cloud)
      add(fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3.4\" fill=\"{}\"/>\n",
                      x + kSwatch / 2, at, colour(s->colour)));
    add(fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", x + kSwatch + 6, at + 4,
                    escape_markup(s->label)));
    x += wide;
  }
  return (row + 1) * kLegendRow;
}

void check(const Figure& figure) {
  require(!figure.panels.empty(), "a figure needs a panel");
  for (const Panel& panel : figure.panels)
    for (const Series& s : panel.series)
      if (s.y.size() != s.x.size() || s.low.size() != s.high.size() ||
          (!s.low.empty() && s.low.size() != s.x.size()))
        fail(
            Errc::invalid_argument,
            "the series \"{}\" has {} x, {} y, {} low and {} high values, expected as many of each",
            s.label, s.x.size(), s.y.size(), s.low.size(), s.high.size());
  for (const Panel& panel : figure.panels)
    for (const Series& s : panel.series)
      for (const std::size_t size : {s.value.size(), s.names.size()})
        if (size != 0 && (size != s.x.size() || s.mark != Mark::cloud))
          fail(Errc::invalid_argument,
               "the series \"{}\" has {} values or names for {} points; a cloud takes as many",
               s.label, size, s.x.size());
}

}  // namespace

std::string plot_svg(const Figure& figure) {
  check(figure);
  const double top = figure.title.empty() ? kMargin : kFigureTitle;
  const double legend_at = top + kPanelTitle + figure.height + kBelow;
  std::string body;
  if (!figure.title.empty())
    body += fmt::format("<text class=\"title\" x=\"{}\" y=\"26\">{}</text>\n", kLeft,
                        escape_markup(figure.title));
  double width = 0;
  for (std::size_t i = 0; i < figure.panels.size(); ++i) {
    const Panel& panel = figure.panels[i];
    PanelDrawing(panel, width, top, figure, body).draw(static_cast<int>(i));
    width += kLeft + figure.width + kRight + (has_values(panel) ? kColourBarWidth : 0);
  }
  width += kMargin;
  const double height = legend_at + draw_legend(figure, legend_at, width, body) + kMargin;
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 "
      "0 "
      "{0:.0f} {1:.0f}\">\n{2}<rect class=\"page\" width=\"100%\" height=\"100%\"/>\n{3}</svg>\n",
      width, height, kStyle, body);
}

}  // namespace kronite::io
