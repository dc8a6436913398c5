// Bars, a scale in percent and a legend, written out as SVG.
#include "materials/coordination_figure.hpp"

#include <fmt/format.h>  // for format_to

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "io/escape.hpp"  // for escape_markup

namespace kronite {
namespace {

constexpr double kLeft = 48, kTop = 34, kPlotHeight = 220, kBottom = 44;  // pixels
constexpr double kGroupWidth = 40, kGap = 8, kLeastWidth = 320;
constexpr double kLegendBox = 12, kLegendGap = 17;
constexpr double kLetter = 7;           // wider than letters of this size are
constexpr double kShownShare = 0.0005;  // of the sites; less is not drawn
/// Okabe and Ito's colours, which people with colour blindness tell apart.
constexpr std::array kColours = {"#0072b2", "#e69f00", "#009e73", "#cc79a7"};

class Figure {
 public:
  explicit Figure(const std::vector<NamedFingerprint>& crystals) : crystals_(crystals) {
    for (const auto& crystal : crystals) shares_.push_back(coordination_shares(crystal.values));
    for (const auto& shares : shares_)
      for (int number = 1; number <= kCoordinationNumbers; ++number)
        if (shares[number - 1] > kShownShare) {
          least_ = std::min(least_, number);
          most_ = std::max(most_, number);
        }
    if (least_ > most_) least_ = most_ = 1;  // nothing has neighbours
  }

  std::string write() {
    double legend = kLeft;
    for (const auto& crystal : crystals_) legend += legend_width(crystal);
    const double width =
        std::max({kLeastWidth, kLeft + kGroupWidth * (most_ - least_ + 1) + kGap, legend});
    put("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:g} {1:g}\" width=\"{0:g}\" "
        "height=\"{1:g}\" role=\"img\" font-family=\"system-ui,sans-serif\" font-size=\"12\" "
        "fill=\"currentColor\">\n<title>Share of sites by coordination number</title>\n",
        width, kTop + kPlotHeight + kBottom);
    write_scale(width);
    write_bars();
    write_legend();
    put("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">coordination "
        "number</text>\n</svg>\n",
        (kLeft + width) / 2, kTop + kPlotHeight + 36);
    return std::move(text_);
  }

 private:
  template <class... Args>
  void put(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
  }

  static double height_of(double share) { return kPlotHeight * std::clamp(share, 0.0, 1.0); }

  void write_scale(double width) {
    for (const int percent : {0, 25, 50, 75, 100}) {
      const double y = kTop + kPlotHeight - height_of(percent / 100.0);
      put("<path d=\"M{:g} {:.1f}H{:.1f}\" stroke=\"currentColor\" stroke-opacity=\"{}\"/>"
          "<text x=\"{:g}\" y=\"{:.1f}\" text-anchor=\"end\">{} %</text>\n",
          kLeft, y, width - kGap, percent == 0 ? ".8" : ".2", kLeft - 6, y + 4, percent);
    }
  }

  void write_bars() {
    const double bar = (kGroupWidth - kGap) / static_cast<double>(crystals_.size());
    for (int number = least_; number <= most_; ++number) {
      const double x = kLeft + kGroupWidth * (number - least_) + kGap;
      for (std::size_t i = 0; i < shares_.size(); ++i) {
        const double share = shares_[i][number - 1];
        if (share <= kShownShare) continue;
        put("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"{}\">"
            "<title>{}: {:.1f} % with {} neighbours</title></rect>\n",
            x + bar * static_cast<double>(i), kTop + kPlotHeight - height_of(share), bar,
            height_of(share), colour(i), io::escape_markup(crystals_[i].name), 100 * share, number);
      }
      put("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n",
          x + (kGroupWidth - kGap) / 2, kTop + kPlotHeight + 16, number);
    }
  }

  void write_legend() {
    double x = kLeft;
    for (std::size_t i = 0; i < crystals_.size(); ++i) {
      put("<rect x=\"{0:.1f}\" y=\"8\" width=\"{1:g}\" height=\"{1:g}\" fill=\"{2}\"/>"
          "<text x=\"{3:.1f}\" y=\"18\">{4}</text>\n",
          x, kLegendBox, colour(i), x + kLegendGap, io::escape_markup(crystals_[i].name));
      x += legend_width(crystals_[i]);
    }
  }

  static double legend_width(const NamedFingerprint& crystal) {
    return 2 * kLegendGap + kLetter * static_cast<double>(crystal.name.size());
  }

  static const char* colour(std::size_t crystal) { return kColours[crystal % kColours.size()]; }

  const std::vector<NamedFingerprint>& crystals_;
  std::vector<std::array<double, kCoordinationNumbers>> shares_;  ///< per crystal
  int least_ = kCoordinationNumbers, most_ = 1;
  std::string text_;
};

}  // namespace

std::string draw_coordination(const std::vector<NamedFingerprint>& crystals) {
  return Figure(crystals).write();
}

}  // namespace kronite
