// Rows as learners take them: checked, and standardised by their training part.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kronite/regression.hpp"  // for RowsView, RowParts, RowScaler

namespace kronite::learn {

/// @throws Error invalid_argument when there are no columns or no training rows, a part names a row
/// that is not there, or two parts share one.
void check_parts(const RowParts& parts, RowsView x);

/// @throws Error invalid_argument when the targets are not on as many rows, or there are none.
void check_targets(std::int64_t targets, RowsView x);

/// Mean and standard deviation (over n) of the columns over some rows. A column whose values differ
/// by no more than rounding has a standard deviation of 0. With `clip` the range over the rows
/// bounds what is standardised. `what` names the matrix in messages.
/// @throws Error invalid_argument naming the first value that is not finite.
RowScaler scaler_of(RowsView x, const std::vector<std::int64_t>& rows, bool clip, const char* what);

/// The scaler of targets, without bounds. @throws Error invalid_argument for a constant one, or as
/// scaler_of().
RowScaler target_scaler_of(RowsView values, const std::vector<std::int64_t>& rows);

/// The rows, standardised: rows.size() x cols. @throws Error invalid_argument as scaler_of().
template <class T>
std::vector<T> standardised(const RowScaler& scaler, RowsView x,
                            const std::vector<std::int64_t>& rows, const char* what);
/// The rows [first, first + count).
template <class T>
std::vector<T> standardised(const RowScaler& scaler, RowsView x, std::int64_t first,
                            std::int64_t count, const char* what);

/// @throws Error invalid_argument when the class of the row is not one of `count`.
std::int32_t class_of(VectorView<const std::int32_t> classes, std::int64_t count, std::int64_t row);

/// Training rows of each class.
/// @throws Error invalid_argument as class_of(), for fewer than two classes or one without rows.
std::vector<std::int64_t> class_sizes(VectorView<const std::int32_t> classes, std::int64_t count,
                                      const RowParts& parts);

/// @throws Error invalid_argument unless there are none, or `count` above 0.
std::vector<float> checked_class_weights(const std::vector<double>& weights, std::int64_t count);

/// @throws Error invalid_argument when rows to be predicted are not `inputs` wide.
void check_width(RowsView x, std::int64_t inputs);

}  // namespace kronite::learn
