// Kernel ridge regression at each point by itself. All points and all lambdas share one
// eigen-decomposition G = U diag(s) U' per sigma: theta = U [(U' y) / (s + lambda)], and, with
// K = (G + lambda)^-1, what training without the rows F would miss there by is K_FF^-1 (K y)_F.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "base/fail.hpp"       // for fail
#include "device/backend.hpp"  // for linalg
#include "krfd/krsfd_input.hpp"
#include "krfd/krsfd_kernel.hpp"
#include "krfd/krsfd_parts.hpp"  // for add_to_diagonal, for_input_rows
#include "kronite/functional_baselines.hpp"

namespace kronite::krfd {
namespace {

void check_data(MatrixView<const double> x, MatrixView<const double> y) {
  check_matrix("x", x);
  check_matrix("y", y);
  if (x.rows == 0) fail(Errc::invalid_argument, "x has no rows: there is nothing to learn from");
  if (y.rows != x.rows)
    fail(Errc::invalid_argument, "y has {} rows for {} rows of x", y.rows, x.rows);
}

KrrModel begin(MatrixView<const double> x, MatrixView<const double> y, KernelKind kernel) {
  KrrModel model;
  model.kernel = kernel;
  model.rows = x.rows;
  model.features = x.cols;
  model.points = y.cols;
  model.x = contiguous(x);
  model.sigma.resize(static_cast<std::size_t>(y.cols));
  model.lambda.resize(static_cast<std::size_t>(y.cols));
  return model;
}

/// Rows fold by fold. Without folds, each row is one.
struct Folds {
  std::vector<std::int64_t> order;  ///< row of each place
  std::vector<std::int64_t> first;  ///< place where each fold begins, then the number of rows
  bool leave_one_out = false;
};

Folds sort_folds(const std::vector<std::int64_t>& fold, std::int64_t rows) {
  Folds folds;
  folds.leave_one_out = fold.empty();
  folds.order.resize(static_cast<std::size_t>(rows));
  std::iota(folds.order.begin(), folds.order.end(), 0);
  if (folds.leave_one_out) {
    if (rows < 2) fail(Errc::invalid_argument, "leaving one out takes two rows at least");
    return folds;
  }
  if (static_cast<std::int64_t>(fold.size()) != rows)
    fail(Errc::invalid_argument, "there are {} numbers of folds for {} rows", fold.size(), rows);
  const auto of = [&](std::int64_t row) { return fold[static_cast<std::size_t>(row)]; };
  std::stable_sort(folds.order.begin(), folds.order.end(),
                   [&](std::int64_t a, std::int64_t b) { return of(a) < of(b); });
  for (std::int64_t n = 0; n < rows; ++n) {
    const std::int64_t row = folds.order[static_cast<std::size_t>(n)];
    if (of(row) < 0) fail(Errc::invalid_argument, "row {} is of fold {}", row, of(row));
    if (n == 0 || of(row) != of(folds.order[static_cast<std::size_t>(n - 1)]))
      folds.first.push_back(n);
  }
  if (folds.first.size() < 2) fail(Errc::invalid_argument, "all rows are of one fold");
  folds.first.push_back(rows);
  return folds;
}

std::vector<double> in_order(MatrixView<const double> m, const std::vector<std::int64_t>& order) {
  std::vector<double> values;
  for (const std::int64_t i : order) values.insert(values.end(), m.row(i), m.row(i) + m.cols);
  return values;
}

std::vector<double> transposed(const std::vector<double>& m, std::size_t rows, std::size_t cols) {
  std::vector<double> values(m.size());
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < cols; ++j) values[j * rows + i] = m[i * cols + j];
  return values;
}

/// The eigen-decomposition of one sigma, and what each lambda makes of it.
class Spectrum {
 public:
  Spectrum(Device& device, const TruncatedKernel& kernel, const std::vector<double>& x,
           std::int64_t features, MatrixView<const double> y)
      : device_(device),
        u_(kernel_matrix(device, kernel, x, x, features)),
        rotated_(device, y.rows, y.cols),
        s_(decompose()),
        ut_(device,
            transposed(u_.to_host(), static_cast<std::size_t>(y.rows),
                       static_cast<std::size_t>(y.rows)),
            y.rows, y.rows),
        one_(device, std::vector<double>{1}, 1, 1) {
    linalg<double>(device).gemm(1, ut_.view(), Op::none, y, Op::none, 0, rotated_.view());
  }

  /// (G + lambda)^-1 y, rows x points.
  Array<double> solution(double lambda) {
    Array<double> divided = over_spectrum(rotated_.view(), lambda);
    Array<double> theta(device_, rotated_.view().rows, rotated_.view().cols);
    linalg<double>(device_).gemm(1, u_.view(), Op::none, divided.view(), Op::none, 0, theta.view());
    return theta;
  }

  /// Errors of each row by models that have not seen its fold. theta: solution(lambda). Waits.
  std::vector<double> held_out_errors(const Folds& folds, double lambda,
                                      const Array<double>& theta);

 private:
  Array<double> decompose() {
    Array<double> w(device_, u_.view().rows, 1);
    linalg<double>(device_).eigh(u_.view(), w.vector());
    std::vector<double> s = w.to_host();
    for (double& value : s) value = std::max(value, 0.0);  // below zero by rounding
    return {device_, s, w.view().rows, 1};
  }
  /// Row j over s_j + lambda.
  Array<double> over_spectrum(MatrixView<const double> m, double lambda) {
    Array<double> out(device_, m.rows, m.cols);
    device_.backend().copy(out.view().data, device_.place(), m.data, device_.place(),
                           static_cast<std::size_t>(m.rows * m.cols) * sizeof(double));
    device_.backend().ragged().divide_by_spectrum(s_.vector(), one_.vector(), lambda, out.view());
    return out;
  }

  Device& device_;
  Array<double> u_, rotated_;  // U, U'y
  Array<double> s_, ut_;       // s, U'
  Array<double> one_;
};

std::vector<double> Spectrum::held_out_errors(const Folds& folds, double lambda,
                                              const Array<double>& theta) {
  const auto [rows, points] = std::pair(theta.view().rows, theta.view().cols);
  const Array<double> divided = over_spectrum(ut_.view(), lambda);
  if (folds.leave_one_out) {
    Array<double> diagonal(device_, rows, 1);
    device_.backend().ragged().block_dots(ut_.view(), divided.view(), diagonal.vector());
    const std::vector<double> k = diagonal.to_host();
    std::vector<double> errors = theta.to_host();
    for (std::size_t n = 0; n < errors.size(); ++n)
      errors[n] /= k[n / static_cast<std::size_t>(points)];
    return errors;
  }
  LinalgOps<double>& la = linalg<double>(device_);
  Array<double> errors(device_, rows, points);
  device_.backend().copy(errors.view().data, device_.place(), theta.view().data, device_.place(),
                         static_cast<std::size_t>(rows * points) * sizeof(double));
  for (std::size_t f = 0; f + 1 < folds.first.size(); ++f) {
    const std::int64_t first = folds.first[f], size = folds.first[f + 1] - first;
    Array<double> block(device_, size, size);
    const MatrixView<const double> columns{divided.view().data + first, rows, size, rows,
                                           device_.place()};
    la.gemm(1, u_.view().rows_from(first, size), Op::none, columns, Op::none, 0, block.view());
    la.cholesky(block.view());
    la.cholesky_solve(Side::left, block.view(), errors.view().rows_from(first, size));
  }
  return errors.to_host();
}

/// Mean score of each point; errors: rows x points.
std::vector<double> scores_of(const std::vector<double>& errors, std::size_t points,
                              KrrScore score) {
  std::vector<double> sums(points, 0);
  for (std::size_t n = 0; n < errors.size(); ++n) {
    const double e = errors[n];
    sums[n % points] += score == KrrScore::absolute_error ? std::abs(e) : e * e;
  }
  for (double& sum : sums) sum /= static_cast<double>(errors.size() / points);
  return sums;
}

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// Takes over column j of theta, whose rows are in the order of the folds.
void take_point(KrrModel& model, std::size_t j, double sigma, double lambda,
                const std::vector<double>& theta, const std::vector<std::int64_t>& order) {
  model.sigma[j] = sigma;
  model.lambda[j] = lambda;
  const auto points = static_cast<std::size_t>(model.points);
  for (std::size_t n = 0; n < order.size(); ++n)
    model.theta[static_cast<std::size_t>(order[n]) * points + j] = theta[n * points + j];
}

}  // namespace

KrrModel fit_krr(Device& device, MatrixView<const double> x, MatrixView<const double> y,
                 const KrrOptions& options) {
  check_positive("sigma", options.sigma);
  check_positive("lambda", options.lambda);
  check_data(x, y);
  KrrModel model = begin(x, y, options.kernel);
  std::fill(model.sigma.begin(), model.sigma.end(), options.sigma);
  std::fill(model.lambda.begin(), model.lambda.end(), options.lambda);
  Array<double> g =
      kernel_matrix(device, {options.kernel, options.sigma}, model.x, model.x, model.features);
  add_to_diagonal(device, options.lambda, g.view());
  Array<double> theta(device, contiguous(y), y.rows, y.cols);
  linalg<double>(device).cholesky(g.view());
  linalg<double>(device).cholesky_solve(Side::left, g.view(), theta.view());
  model.theta = theta.to_host();
  return model;
}

KrrTuned tune_krr(Device& device, MatrixView<const double> x, MatrixView<const double> y,
                  const KrrSearch& search) {
  check_data(x, y);
  if (search.sigmas.empty() || search.lambdas.empty())
    fail(Errc::invalid_argument, "a search takes one sigma and one lambda at least");
  for (const double sigma : search.sigmas) check_positive("sigma", sigma);
  for (const double lambda : search.lambdas) check_positive("lambda", lambda);
  const Folds folds = sort_folds(search.fold, x.rows);
  const auto points = static_cast<std::size_t>(y.cols);

  KrrTuned tuned{begin(x, y, search.kernel), {}, std::numeric_limits<double>::infinity()};
  tuned.score.assign(points, std::numeric_limits<double>::infinity());
  tuned.model.theta.resize(static_cast<std::size_t>(x.rows) * points);
  const std::vector<double> inputs = in_order(x, folds.order);
  const Array<double> values(device, in_order(y, folds.order), y.rows, y.cols);
  for (const double sigma : search.sigmas) {
    Spectrum spectrum(device, {search.kernel, sigma}, inputs, x.cols, values.view());
    for (const double lambda : search.lambdas) {
      const Array<double> solution = spectrum.solution(lambda);
      const std::vector<double> scores =
          scores_of(spectrum.held_out_errors(folds, lambda, solution), points, search.score);
      const std::vector<double> theta = solution.to_host();
      const bool all_better = !search.per_point && mean_of(scores) < tuned.mean_score;
      if (all_better) tuned.mean_score = mean_of(scores);
      for (std::size_t j = 0; j < points; ++j)
        if (all_better || (search.per_point && scores[j] < tuned.score[j])) {
          tuned.score[j] = scores[j];
          take_point(tuned.model, j, sigma, lambda, theta, folds.order);
        }
    }
  }
  tuned.mean_score = mean_of(tuned.score);
  return tuned;
}

std::vector<double> KrrModel::predict(Device& device, MatrixView<const double> x_new) const {
  check_matrix("x", x_new);
  check_columns("x", x_new.cols, features);
  std::vector<double> out(static_cast<std::size_t>(x_new.rows * points));
  std::vector<double> distinct = sigma;
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  for (const double s : distinct) {
    std::vector<std::size_t> columns;
    for (std::size_t j = 0; j < sigma.size(); ++j)
      if (sigma[j] == s) columns.push_back(j);
    const auto width = static_cast<std::int64_t>(columns.size());
    std::vector<double> some_theta;
    for (std::int64_t i = 0; i < rows; ++i)
      for (const std::size_t j : columns)
        some_theta.push_back(theta[static_cast<std::size_t>(i * points) + j]);
    const Array<double> coefficients(device, some_theta, rows, width);
    for_input_rows(x_new, rows, [&](MatrixView<const double> some, std::int64_t first) {
      const Array<double> k = kernel_matrix(device, {kernel, s}, contiguous(some), x, features);
      Array<double> values(device, some.rows, width);
      linalg<double>(device).gemm(1, k.view(), Op::none, coefficients.view(), Op::none, 0,
                                  values.view());
      const std::vector<double> host = values.to_host();
      for (std::size_t n = 0; n < host.size(); ++n)
        out[(static_cast<std::size_t>(first) + n / columns.size()) * sigma.size() +
            columns[n % columns.size()]] = host[n];
    });
  }
  return out;
}

}  // namespace kronite::krfd
