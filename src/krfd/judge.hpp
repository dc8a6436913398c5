// How well curves of systems that a model has not seen are predicted, and whether its bands hold.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "kronite/krfd.hpp"  // for Model, Errors

namespace kronite::krfd {

/// Rows of both parts ascend.
struct Split {
  std::vector<std::int64_t> train, test;
};
/// `share` of the systems for testing, at least one for either part, drawn at random. Systems of
/// one group fall into one part, so that the share is met to within a group; without `groups` each
/// system is one. groups: a number for each system, or empty.
/// @throws Error invalid_argument for fewer than two systems or groups.
Split random_split(std::int64_t systems, double share, std::uint64_t seed,
                   const std::vector<std::int64_t>& groups = {});

/// Groups of systems out of a file, the name of a group on each line, in the order of the systems.
/// @throws Error io; parse for an empty name; invalid_argument for another number of lines.
std::vector<std::int64_t> read_groups(const std::string& path, std::int64_t systems);
/// As random_folds(), with the systems of a group in one fold. groups: as random_split().
/// @throws Error invalid_argument for fewer groups than folds.
std::vector<std::int32_t> random_folds_of(const std::vector<std::int64_t>& groups,
                                          std::int64_t systems, int folds, std::uint64_t seed);

/// What a model says of systems, N* x T each.
struct Judged {
  Errors errors;
  /// Share of the observed values inside of the bands of 68 and 95 % for a measurement; NaN for
  /// methods without bands.
  double within_68 = std::numeric_limits<double>::quiet_NaN(), within_95 = within_68;
  std::vector<double> mean;
  std::vector<double> deviation;           ///< of the function; or empty
  std::vector<double> deviation_measured;  ///< with noise; or empty
};

/// y: the curves that were observed, N* x T, at the points of the model.
Judged judge(Device& device, const Model& model, MatrixView<const double> x,
             MatrixView<const double> y);
/// Adds the deviations of the function, those of a measurement with a noise of variance `noise`,
/// and the shares within the bands.
void judge_bands(Judged& judged, std::vector<double> deviation, double noise,
                 MatrixView<const double> y);
/// Of predictions alone.
Judged judge_means(std::vector<double> mean, MatrixView<const double> y);

/// Mean and standard deviation over splits; the deviation of one value is NaN.
struct MeanAndDeviation {
  double mean = 0, deviation = 0;
};
MeanAndDeviation over_splits(const std::vector<double>& values);

}  // namespace kronite::krfd
