// How errors fall with the number of systems that a model learns from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "krfd/judge.hpp"  // for Judged

namespace kronite::krfd {

/// `size` of the systems to learn from, drawn at random; those of a smaller size are among those of
/// a larger one. Rows ascend. @throws Error invalid_argument when there are fewer.
std::vector<std::int64_t> learning_part(const std::vector<std::int64_t>& train, std::int64_t size,
                                        std::uint64_t seed);

/// What a model that has learned from `systems` of them says of the test part of a split.
struct LearningPoint {
  std::int64_t systems = 0;
  int split = 0;  ///< from 1
  Errors errors;
  double within_68 = 0, within_95 = 0;
};

/// A row for each point.
std::string learning_curve_csv(const std::vector<LearningPoint>& points);
/// MAE and RMSE over the number of systems: mean over the splits, and one standard deviation.
std::string learning_curve_svg(const std::vector<LearningPoint>& points);

}  // namespace kronite::krfd
