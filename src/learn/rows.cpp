// Checks and standardisation of rows.
#include "learn/rows.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/fail.hpp"  // for fail

namespace kronite::learn {
namespace {

/// Columns that vary by less than this share of their size are constant but for rounding.
constexpr double kConstant = 1e-12;

/// Which part each row is in, from 1; 0 for none.
void mark(const std::vector<std::int64_t>& rows, const char* name, char part,
          std::vector<char>& marks) {
  for (const std::int64_t row : rows) {
    if (row < 0 || row >= static_cast<std::int64_t>(marks.size()))
      fail(Errc::invalid_argument, "the {} part has the row {}, but there are {} rows", name, row,
           marks.size());
    char& is = marks[static_cast<std::size_t>(row)];
    if (is != 0 && is != part)
      fail(Errc::invalid_argument, "row {} is in the {} part and in another one", row, name);
    is = part;
  }
}

double finite_at(RowsView x, std::int64_t i, std::int64_t j, const char* what) {
  const double value = x.at(i, j);
  if (!std::isfinite(value))
    fail(Errc::invalid_argument, "row {}, column {} of the {} is {}, expected a finite number", i,
         j, what, value);
  return value;
}

template <class T>
void append_standardised(const RowScaler& scaler, RowsView x, std::int64_t row, const char* what,
                         std::vector<T>& to) {
  for (std::int64_t j = 0; j < x.cols(); ++j) {
    const auto c = static_cast<std::size_t>(j);
    double value = finite_at(x, row, j, what);
    if (!scaler.low.empty()) value = std::clamp(value, scaler.low[c], scaler.high[c]);
    to.push_back(scaler.std[c] == 0 ? T{0}
                                    : static_cast<T>((value - scaler.mean[c]) / scaler.std[c]));
  }
}

}  // namespace

void check_parts(const RowParts& parts, RowsView x) {
  if (x.cols() < 1) fail(Errc::invalid_argument, "the rows have no columns to learn from");
  if (parts.training.empty()) fail(Errc::invalid_argument, "there are no training rows");
  std::vector<char> marks(static_cast<std::size_t>(std::max<std::int64_t>(0, x.rows())), 0);
  mark(parts.training, "training", 1, marks);
  mark(parts.validation, "validation", 2, marks);
  mark(parts.test, "test", 3, marks);
}

void check_targets(std::int64_t targets, RowsView x) {
  if (targets != x.rows())
    fail(Errc::invalid_argument, "{} rows have targets, but there are {} rows", targets, x.rows());
}

RowScaler scaler_of(RowsView x, const std::vector<std::int64_t>& rows, bool clip,
                    const char* what) {
  const auto cols = static_cast<std::size_t>(x.cols());
  const auto count = static_cast<double>(rows.size());
  RowScaler scaler{std::vector<double>(cols, 0.0), std::vector<double>(cols, 0.0), {}, {}};
  std::vector<double> low(cols, INFINITY), high(cols, -INFINITY);
  for (const std::int64_t row : rows)
    for (std::size_t c = 0; c < cols; ++c) {
      const double value = finite_at(x, row, static_cast<std::int64_t>(c), what);
      scaler.mean[c] += value;
      low[c] = std::min(low[c], value);
      high[c] = std::max(high[c], value);
    }
  for (double& mean : scaler.mean) mean /= count;
  for (const std::int64_t row : rows)
    for (std::size_t c = 0; c < cols; ++c) {
      const double off = x.at(row, static_cast<std::int64_t>(c)) - scaler.mean[c];
      scaler.std[c] += off * off;
    }
  for (std::size_t c = 0; c < cols; ++c) {
    const bool constant =
        high[c] - low[c] <= kConstant * std::max(std::abs(low[c]), std::abs(high[c]));
    scaler.std[c] = constant ? 0 : std::sqrt(scaler.std[c] / count);
    if (!std::isfinite(scaler.std[c]))
      fail(Errc::invalid_argument, "column {} of the {} is too large to be standardised", c, what);
  }
  if (clip) {
    scaler.low = std::move(low);
    scaler.high = std::move(high);
  }
  return scaler;
}

RowScaler target_scaler_of(RowsView values, const std::vector<std::int64_t>& rows) {
  if (values.cols() < 1) fail(Errc::invalid_argument, "there is no target to learn");
  RowScaler scaler = scaler_of(values, rows, false, "targets");
  for (std::size_t c = 0; c < scaler.std.size(); ++c)
    if (scaler.std[c] == 0)
      fail(Errc::invalid_argument,
           "target {} is {} in each of the {} training rows: there is nothing to learn", c,
           scaler.mean[c], rows.size());
  return scaler;
}

template <class T>
std::vector<T> standardised(const RowScaler& scaler, RowsView x,
                            const std::vector<std::int64_t>& rows, const char* what) {
  std::vector<T> values;
  values.reserve(rows.size() * static_cast<std::size_t>(x.cols()));
  for (const std::int64_t row : rows) append_standardised(scaler, x, row, what, values);
  return values;
}

template <class T>
std::vector<T> standardised(const RowScaler& scaler, RowsView x, std::int64_t first,
                            std::int64_t count, const char* what) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(count));
  std::iota(rows.begin(), rows.end(), first);
  return standardised<T>(scaler, x, rows, what);
}

template std::vector<float> standardised(const RowScaler&, RowsView,
                                         const std::vector<std::int64_t>&, const char*);
template std::vector<double> standardised(const RowScaler&, RowsView,
                                          const std::vector<std::int64_t>&, const char*);
template std::vector<float> standardised(const RowScaler&, RowsView, std::int64_t, std::int64_t,
                                         const char*);
template std::vector<double> standardised(const RowScaler&, RowsView, std::int64_t, std::int64_t,
                                          const char*);

void check_width(RowsView x, std::int64_t inputs) {
  if (x.cols() != inputs)
    fail(Errc::invalid_argument, "the rows have {} values, the model takes {}", x.cols(), inputs);
}

std::int32_t class_of(VectorView<const std::int32_t> classes, std::int64_t count,
                      std::int64_t row) {
  const std::int32_t of_class = classes.data[row];
  if (of_class < 0 || of_class >= count)
    fail(Errc::invalid_argument, "row {} has the class {}, expected 0 to {}", row, of_class,
         count - 1);
  return of_class;
}

std::vector<std::int64_t> class_sizes(VectorView<const std::int32_t> classes, std::int64_t count,
                                      const RowParts& parts) {
  if (count < 2) fail(Errc::invalid_argument, "there are {} classes, expected at least 2", count);
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(count), 0);
  for (const std::int64_t row : parts.training)
    ++sizes[static_cast<std::size_t>(class_of(classes, count, row))];
  for (std::size_t k = 0; k < sizes.size(); ++k)
    if (sizes[k] == 0)
      fail(Errc::invalid_argument,
           "none of the {} training rows is of class {}: a classifier needs rows of every class",
           parts.training.size(), k);
  return sizes;
}

std::vector<float> checked_class_weights(const std::vector<double>& weights, std::int64_t count) {
  if (!weights.empty() && static_cast<std::int64_t>(weights.size()) != count)
    fail(Errc::invalid_argument, "there are {} class weights for {} classes", weights.size(),
         count);
  for (const double weight : weights)
    if (!(weight > 0 && std::isfinite(weight)))
      fail(Errc::invalid_argument, "a class weight is {}, expected a number above 0", weight);
  return {weights.begin(), weights.end()};
}

}  // namespace kronite::learn
