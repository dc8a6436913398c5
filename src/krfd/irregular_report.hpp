// Figures and tables of judged curves with points of their own.
#pragma once

#include <string>
#include <vector>

#include "krfd/judge_report.hpp"  // for JudgedSplit
#include "krfd/long_curves.hpp"   // for LongCurves

namespace kronite::krfd {

/// A test part, and what was predicted for each of its observations: `split.y` and `split.judged`
/// have a value for each, in their order.
struct JudgedPoints {
  JudgedSplit split;
  LongCurves test;
};

/// A curve to look at, between its first and its last observation.
struct CurveView {
  std::string name;
  std::vector<double> t, mean, deviation_measured;  ///< as many of each
  std::vector<double> draws;                        ///< count x t; or empty
  std::vector<double> t_observed, y;
};

/// Systems whose mean absolute error is a tenth, a half and nine tenths up the order.
std::vector<std::int64_t> shown_systems(const JudgedPoints& judged);
std::string views_svg(const std::vector<CurveView>& views, const std::string& t_label);
/// Residuals along the first coordinate, and how they are distributed in units of their deviations.
std::string point_residuals_svg(const std::vector<JudgedPoints>& all);
/// A row for each observation of each tested system.
std::string point_predictions_csv(const std::vector<JudgedPoints>& all);
/// The same as JudgedSplit, for the tables and figures that know no points.
std::vector<JudgedSplit> splits_of(const std::vector<JudgedPoints>& all);

}  // namespace kronite::krfd
