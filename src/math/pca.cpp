// Mean, covariance and scores in three passes over tiles of rows.
#include "math/pca.hpp"

#include <algorithm>
#include <cmath>

#include "base/fail.hpp"       // for fail
#include "device/backend.hpp"  // for linalg
#include "device/scratch.hpp"  // for Scratch

namespace kronite::math {
namespace {

constexpr std::int64_t kTile = 2048;  // rows

using Tile = std::function<void(std::int64_t first, MatrixView<double> rows)>;

/// Tile after tile in memory of one.
void for_each_tile(const Rows& data, const Tile& f) {
  std::vector<double> values(static_cast<std::size_t>(std::min(kTile, data.rows) * data.cols));
  for (std::int64_t first = 0; first < data.rows; first += kTile) {
    const MatrixView<double> rows(values.data(), std::min(kTile, data.rows - first), data.cols);
    data.source(first, rows);
    f(first, rows);
  }
}

std::vector<double> column_means(const Rows& data) {
  std::vector<double> mean(static_cast<std::size_t>(data.cols), 0.0);
  for_each_tile(data, [&](std::int64_t, MatrixView<double> rows) {
    for (std::int64_t i = 0; i < rows.rows; ++i)
      for (std::int64_t j = 0; j < rows.cols; ++j) mean[j] += rows.row(i)[j];
  });
  for (double& m : mean) m /= static_cast<double>(data.rows);
  return mean;
}

/// (x - mean) factor on the device.
void upload_centred(Backend& backend, const Pca& pca, MatrixView<double> rows, double* to) {
  for (std::int64_t i = 0; i < rows.rows; ++i)
    for (std::int64_t j = 0; j < rows.cols; ++j)
      rows.row(i)[j] = (rows.row(i)[j] - pca.mean[j]) * pca.factor[j];
  backend.copy(to, backend.place(), rows.data, Place{},
               static_cast<std::size_t>(rows.rows * rows.cols) * sizeof(double));
}

std::vector<double> download(Backend& backend, const Scratch<double>& values, std::size_t count) {
  std::vector<double> host(count);
  backend.copy(host.data(), Place{}, values.data(), backend.place(), count * sizeof(double));
  backend.synchronize();
  return host;
}

/// d x d, over n - 1, of columns as pca.factor has them.
std::vector<double> covariance(Device& device, const Pca& pca, const Rows& data) {
  const std::int64_t d = data.cols;
  Backend& backend = device.backend();
  const Scratch<double> tile(backend, std::min(kTile, data.rows), d), sum(backend, d, d);
  for_each_tile(data, [&](std::int64_t first, MatrixView<double> rows) {
    upload_centred(backend, pca, rows, tile.data());
    const MatrixView<const double> x(tile.data(), rows.rows, d, backend.place());
    linalg<double>(device).gemm(1 / static_cast<double>(data.rows - 1), x, Op::transpose, x,
                                Op::none, first == 0 ? 0.0 : 1.0, sum.matrix());
  });
  return download(backend, sum, static_cast<std::size_t>(d * d));
}

/// Turns a covariance into the correlation and pca.factor into 1 over the standard deviations.
void standardise(Pca& pca, std::vector<double>& covariance) {
  constexpr double kConstant = 1e-12;  // of the mean: a standard deviation that is rounding
  const std::size_t d = pca.mean.size();
  for (std::size_t j = 0; j < d; ++j) {
    const double deviation = std::sqrt(covariance[j * d + j]);
    pca.factor[j] = deviation > kConstant * std::abs(pca.mean[j]) ? 1 / deviation : 0;
  }
  for (std::size_t i = 0; i < d; ++i)
    for (std::size_t j = 0; j < d; ++j) covariance[i * d + j] *= pca.factor[i] * pca.factor[j];
}

/// +1 or -1: what makes the largest coefficient positive.
double sign_of(const std::vector<double>& vectors, std::size_t column, std::size_t d) {
  constexpr double kEqual = 1 - 1e-9;
  double largest = 0;
  for (std::size_t j = 0; j < d; ++j)
    largest = std::max(largest, std::abs(vectors[j * d + column]));
  for (std::size_t j = 0; j < d; ++j) {
    const double value = vectors[j * d + column];
    if (std::abs(value) >= kEqual * largest) return value < 0 ? -1 : 1;
  }
  return 1;
}

}  // namespace

double Pca::explained(std::int64_t component) const {
  return total_variance > 0 ? variance[static_cast<std::size_t>(component)] / total_variance : 0;
}

Pca fit_pca(Device& device, const Rows& data, const PcaOptions& options) {
  if (data.rows < 2)
    fail(Errc::invalid_argument, "principal components need two rows at least, there {} {}",
         data.rows == 1 ? "is" : "are", data.rows);
  if (options.components < 1 || options.components > data.cols)
    fail(Errc::invalid_argument, "{} principal components of {} columns: 1 to {} are expected",
         options.components, data.cols, data.cols);
  const auto d = static_cast<std::size_t>(data.cols);
  Pca pca;
  pca.mean = column_means(data);
  pca.factor.assign(d, 1.0);
  std::vector<double> matrix = covariance(device, pca, data);
  if (options.standardise) standardise(pca, matrix);
  for (std::size_t j = 0; j < d; ++j) pca.total_variance += matrix[j * d + j];
  if (!std::isfinite(pca.total_variance))
    fail(Errc::numerical, "the variance of the data is not finite");

  Backend& backend = device.backend();
  const Scratch<double> vectors(backend, data.cols, data.cols), values(backend, data.cols);
  backend.copy(vectors.data(), backend.place(), matrix.data(), Place{},
               matrix.size() * sizeof(double));
  linalg<double>(device).eigh(vectors.matrix(), values.vector());
  const std::vector<double> v = download(backend, vectors, d * d), w = download(backend, values, d);
  for (std::int64_t k = 0; k < options.components; ++k) {
    const std::size_t column = d - 1 - static_cast<std::size_t>(k);  // eigenvalues ascend
    pca.variance.push_back(std::max(w[column], 0.0));
    const double sign = sign_of(v, column, d);
    for (std::size_t j = 0; j < d; ++j) pca.axes.push_back(sign * v[j * d + column]);
  }
  return pca;
}

void project(Device& device, const Pca& pca, const Rows& data, MatrixView<double> scores) {
  const std::int64_t d = data.cols, k = pca.components();
  if (static_cast<std::int64_t>(pca.mean.size()) != d || scores.rows != data.rows ||
      scores.cols != k)
    fail(Errc::invalid_argument,
         "{} x {} rows and {} x {} scores do not fit {} components of {} columns", data.rows, d,
         scores.rows, scores.cols, k, pca.mean.size());
  Backend& backend = device.backend();
  const std::int64_t most = std::min(kTile, data.rows);
  const Scratch<double> tile(backend, most, d), axes(backend, k, d), out(backend, most, k);
  backend.copy(axes.data(), backend.place(), pca.axes.data(), Place{},
               pca.axes.size() * sizeof(double));
  for_each_tile(data, [&](std::int64_t first, MatrixView<double> rows) {
    upload_centred(backend, pca, rows, tile.data());
    linalg<double>(device).gemm(1.0, {tile.data(), rows.rows, d, backend.place()}, Op::none,
                                axes.matrix(), Op::transpose, 0.0,
                                {out.data(), rows.rows, k, backend.place()});
    const auto host = download(backend, out, static_cast<std::size_t>(rows.rows * k));
    for (std::int64_t i = 0; i < rows.rows; ++i)
      std::copy_n(host.data() + i * k, k, scores.row(first + i));
  });
}

}  // namespace kronite::math
