// Errors of predictions.
#include <cmath>
#include <limits>

#include "base/fail.hpp"     // for fail
#include "kronite/krfd.hpp"  // for Errors

namespace kronite::krfd {

Errors errors(MatrixView<const double> predicted, MatrixView<const double> observed) {
  if (predicted.rows != observed.rows || predicted.cols != observed.cols)
    fail(Errc::invalid_argument, "{} x {} predicted values against {} x {} observed ones",
         predicted.rows, predicted.cols, observed.rows, observed.cols);
  const auto n = static_cast<double>(observed.rows) * static_cast<double>(observed.cols);
  if (!(n > 0)) fail(Errc::invalid_argument, "there is no value to judge predictions by");

  // About the first value, so that equal values have no spread at all.
  double mean_p = predicted.row(0)[0], mean_o = observed.row(0)[0];
  const double first_p = mean_p, first_o = mean_o;
  for (std::int64_t i = 0; i < observed.rows; ++i)
    for (std::int64_t j = 0; j < observed.cols; ++j) {
      mean_p += (predicted.row(i)[j] - first_p) / n;
      mean_o += (observed.row(i)[j] - first_o) / n;
    }
  double absolute = 0, squares = 0, of_p = 0, of_o = 0, of_both = 0;
  for (std::int64_t i = 0; i < observed.rows; ++i)
    for (std::int64_t j = 0; j < observed.cols; ++j) {
      const double p = predicted.row(i)[j], o = observed.row(i)[j];
      absolute += std::abs(p - o);
      squares += (p - o) * (p - o);
      of_p += (p - mean_p) * (p - mean_p);
      of_o += (o - mean_o) * (o - mean_o);
      of_both += (p - mean_p) * (o - mean_o);
    }
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  Errors result;
  result.mae = absolute / n;
  result.rmse = std::sqrt(squares / n);
  result.r2 = of_o > 0 ? 1 - squares / of_o : kNone;
  result.correlation2 = of_o > 0 && of_p > 0 ? of_both / of_o * (of_both / of_p) : kNone;
  return result;
}

}  // namespace kronite::krfd
