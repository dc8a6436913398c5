// Parts of figures that reports on judged curves share.
#pragma once

#include <string>
#include <vector>

#include "io/plot.hpp"            // for Series, Panel
#include "krfd/judge_report.hpp"  // for JudgedSplit

namespace kronite::krfd {

io::Series plot_line(std::string label, io::Mark mark, int colour, std::vector<double> x,
                     std::vector<double> y);
/// Around `mean`, as many values as t, the band that holds `share` of a normal distribution.
io::Series plot_band(std::string label, const std::vector<double>& t, const double* mean,
                     const double* deviation, double share, int colour);
/// Residuals over their standard deviations, which are normal where the bands are right.
io::Panel standardised_panel(const std::vector<JudgedSplit>& splits);

/// More points than that hide each other and make large files.
inline constexpr std::size_t kMostPoints = 4000;

}  // namespace kronite::krfd
