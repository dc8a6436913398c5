// Regression of functions on the CPU: threads take rows.
#include <algorithm>
#include <cmath>

#include "base/parallel.hpp"            // for parallel_tiles
#include "cpu/cpu_backend.hpp"          // for CpuBackend
#include "kernels/kernel_function.hpp"  // for KernelFunction
#include "kernels/smoothing.hpp"        // for scaled, smoothing_omega, add_smoothing, band_value

namespace kronite {
namespace {

/// Values that make a tile worth a thread's while.
constexpr std::int64_t kTileValues = 1 << 14;

template <KernelKind kind>
void length_scale_row(MatrixView<const double> x, const double* weight, std::int64_t i,
                      double* out) {
  using Function = KernelFunction<kind, double>;
  std::fill_n(out, x.cols, 0.0);
  const double* xi = x.row(i);
  for (std::int64_t j = 0; j < x.rows; ++j) {
    const double* xj = x.row(j);
    double distance = 0;
    for (std::int64_t k = 0; k < x.cols; ++k) distance += Function::step(xi[k] - xj[k]);
    const double q = Function(1.0).exponent(distance);
    const double w = weight[j] * Function::slope(q, std::exp(-q));
    for (std::int64_t k = 0; k < x.cols; ++k) out[k] += w * Function::step(xi[k] - xj[k]);
  }
}

class CpuFunctional final : public FunctionalOps {
 public:
  explicit CpuFunctional(CpuBackend& backend) : backend_(backend) {}

  void scale(double alpha, VectorView<const double> row, MatrixView<const double> x,
             VectorView<const double> column, double beta, MatrixView<double> out) override {
    for_rows(x.rows, x.cols, [&](std::int64_t i) {
      const double factor = row.size == 0 ? alpha : alpha * row.data[i];
      for (std::int64_t j = 0; j < x.cols; ++j)
        out.row(i)[j] = scaled(factor, x.row(i)[j], column, j, beta, out.row(i)[j]);
    });
  }

  void add_to_diagonal(double alpha, VectorView<const double> v, MatrixView<double> x) override {
    for (std::int64_t i = 0; i < x.rows; ++i)
      x.row(i)[i] += alpha + (v.size == 0 ? 0.0 : v.data[i]);
  }

  void diagonal(MatrixView<const double> x, VectorView<double> out) override {
    for (std::int64_t i = 0; i < x.rows; ++i) out.data[i] = x.row(i)[i];
  }

  void row_dots(MatrixView<const double> x, MatrixView<const double> y,
                VectorView<double> out) override {
    for_rows(x.rows, x.cols, [&](std::int64_t i) {
      double sum = 0;
      for (std::int64_t k = 0; k < x.cols; ++k) sum += x.row(i)[k] * y.row(i)[k];
      out.data[i] = sum;
    });
  }

  void smoothing_sums(const Smoothing& smoothing, VectorView<const double> v,
                      MatrixView<const double> y, MatrixView<double> out) override {
    for_rows(smoothing.s.size, smoothing.d.size, [&](std::int64_t i) {
      double sums[kSmoothingSums] = {};
      for (std::int64_t j = 0; j < smoothing.d.size; ++j)
        add_smoothing(smoothing, v.data, y, i, j, sums);
      std::copy_n(sums, static_cast<int>(kSmoothingSums), out.row(i));
    });
  }

  void smoothing_residual(const Smoothing& smoothing, MatrixView<const double> y,
                          MatrixView<double> out) override {
    for_rows(y.rows, y.cols, [&](std::int64_t i) {
      for (std::int64_t j = 0; j < y.cols; ++j)
        out.row(i)[j] = smoothing_omega(smoothing, i, j) * y.row(i)[j];
    });
  }

  void band(const BandView& band, MatrixView<double> out) override {
    for_rows(out.rows, out.cols, [&](std::int64_t i) {
      for (std::int64_t j = 0; j < out.cols; ++j) out.row(i)[j] = band_value(band, i, j);
    });
  }

  void length_scale_sums(KernelKind kind, MatrixView<const double> x,
                         MatrixView<const double> weight, MatrixView<double> out) override {
    with_kernel(kind, [&](auto constant) {
      for_rows(x.rows, x.rows * (x.cols + 1), [&](std::int64_t i) {
        length_scale_row<constant()>(x, weight.row(i), i, out.row(i));
      });
    });
  }

 private:
  /// f(i) for every row; a row has so many values.
  template <class F>
  void for_rows(std::int64_t rows, std::int64_t values, const F& f) {
    const std::int64_t height =
        std::max<std::int64_t>(1, kTileValues / std::max<std::int64_t>(1, values));
    parallel_tiles(backend_.threads(), tiles_of(rows, height), [&](std::int64_t tile, int) {
      const std::int64_t end = std::min((tile + 1) * height, rows);
      for (std::int64_t i = tile * height; i < end; ++i) f(i);
    });
  }

  CpuBackend& backend_;
};

}  // namespace

std::unique_ptr<FunctionalOps> make_cpu_functional(CpuBackend& backend) {
  return std::make_unique<CpuFunctional>(backend);
}

}  // namespace kronite
