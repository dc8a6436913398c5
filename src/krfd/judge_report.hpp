// Figures and tables of judged curves.
#pragma once

#include <string>
#include <vector>

#include "krfd/judge.hpp"  // for Judged

namespace kronite::krfd {

/// A test part and what was predicted for it.
struct JudgedSplit {
  std::vector<std::string> names;  ///< of the systems
  std::vector<double> y;           ///< observed, systems x points
  Judged judged;
  std::vector<double> draws;  ///< functions from the posterior, count x systems x points; or empty
};

/// Predicted over observed values.
std::string parity_svg(const std::vector<JudgedSplit>& splits);
/// Curves of a split that are predicted well, middling and badly, with bands that hold 68 and
/// 95 % of measurements, what was observed, and draws. t: the points, of one coordinate.
std::string curves_svg(const JudgedSplit& split, const std::vector<double>& t);
/// Errors over the points, and how residuals in units of their deviations are distributed.
std::string residuals_svg(const std::vector<JudgedSplit>& splits, const std::vector<double>& t);

/// A row for each split, and their mean and deviation.
std::string metrics_csv(const std::vector<JudgedSplit>& splits);
/// A row for each point of each tested system; `points`: their names.
std::string predictions_csv(const std::vector<JudgedSplit>& splits,
                            const std::vector<std::string>& points);

}  // namespace kronite::krfd
