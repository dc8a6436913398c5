// Scores of many labelled pairs, with the descriptors on the device already.
#pragma once

#include <vector>

#include "kronite/learn.hpp"  // for LabelledPairs

namespace kronite::learn {

/// P(alike) of each pair; rows: n x d, on the device. Waits.
std::vector<float> pair_probabilities(Device& device, const Ensemble& ensemble,
                                      MatrixView<const float> rows, const LabelledPairs& pairs);

/// @throws Error invalid_argument when the three vectors differ in length, an index is not below
/// `rows` or a label is neither 0 nor 1; `name` says which pairs they are.
void check_pairs(const LabelledPairs& pairs, std::int64_t rows, const char* name);

}  // namespace kronite::learn
