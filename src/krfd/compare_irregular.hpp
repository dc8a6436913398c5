// Regressions of functions on the same splits of curves with points of their own: KRFD and KRSFD
// beside the functional linear model and kernel ridge regression on interpolated curves.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "krfd/compare.hpp"           // for ComparedSplit
#include "krfd/irregular_method.hpp"  // for IrregularSettings
#include "krfd/judge.hpp"             // for Split, Judged
#include "krfd/long_curves.hpp"       // for LongCurves, LongNames

namespace kronite::krfd {

struct IrregularCompareSettings {
  // Either files, or artificial curves.
  std::string x, path;
  LongNames names;
  std::int64_t systems = 500;
  std::uint64_t data_seed = 1122;
  std::string grid;               ///< a file; empty: points that cover the observations
  std::int64_t grid_points = 30;  ///< as many

  int splits = 5;
  double test_share = 0.25;
  std::uint64_t seed = 0;
  std::string test_ids;  ///< a file with the names of the systems to test on: one split

  bool krfd = true;          ///< by evidence
  bool krsfd = true;         ///< by evidence
  int starts = 3;            ///< of their climbs
  std::int64_t tune_on = 0;  ///< systems that the evidence is climbed on; 0: all
  bool complete = true;      ///< bands of KRFD as IrregularBandOptions::complete
  bool given = false;        ///< KRSFD with `krsfd_given` too
  KrsfdOptions krsfd_given;
  std::vector<double> krr_sigmas{0.5, 1, 2, 4, 8}, krr_lambdas{1e-5, 1e-4, 1e-3, 1e-2, 1e-1};
  std::vector<double> flm_sigmas{1}, flm_lambdas{1};
  int folds = 5;  ///< that the baselines are tuned on; systems of equal features in one
};

/// Whether the data of a comparison are curves with points of their own. @throws Error io; parse.
bool is_irregular_comparison(const std::string& path);
/// @throws Error io; parse, naming file and line.
IrregularCompareSettings read_irregular_settings(const std::string& path);

/// Systems with equal features in one part, about `share` of the systems for testing.
/// @throws Error invalid_argument where there are fewer than two different systems.
Split split_by_features(MatrixView<const double> x, double share, std::uint64_t seed);
/// Folds of systems, those of equal features in one.
std::vector<std::int64_t> folds_by_features(MatrixView<const double> x, int folds,
                                            std::uint64_t seed);
/// The systems whose names are in the file, one a line, for testing.
/// @throws Error parse, naming file and line, for a name that no system has; invalid_argument where
/// a part would be empty.
Split named_split(const std::vector<std::string>& names, const std::string& known_from,
                  const std::string& path);

/// Values and bands at what was measured of systems that a model has not seen. `complete` as in
/// Ask, for models that have it.
Judged judge_points(Device& device, const AnyModel& model, const LongCurves& test,
                    bool complete = true);

/// Values at the points of a grid (one coordinate, ascending), one row for each system: straight
/// lines between what was measured, constant beyond its ends.
std::vector<double> interpolated(const LongCurves& curves, const std::vector<double>& grid);

/// The value at t of a curve whose points (t, y) ascend, in the same way.
double value_between(const std::vector<std::pair<double, double>>& curve, double t);

/// All methods on one split. KRRs are for t of one coordinate and left out with several.
/// @throws Error as the methods; cancelled when `progress` says so.
std::vector<ComparedSplit> compare_irregular(
    Device& device, const IrregularCompareSettings& settings, const LongCurves& curves,
    const std::vector<double>& grid, const Split& split, int number,
    const std::function<bool(const std::string&)>& progress);

}  // namespace kronite::krfd
