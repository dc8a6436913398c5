// Least squares on curves of different lengths on the CPU: threads take curves or rows.
#include <algorithm>

#include "base/parallel.hpp"    // for parallel_tiles
#include "cpu/cpu_backend.hpp"  // for CpuBackend
#include "device/scratch.hpp"   // for Scratch
#include "kernels/ragged.hpp"   // for ragged_value, ragged_transpose_value

namespace kronite {
namespace {

constexpr std::int64_t kTileRows = 64;

class CpuRagged final : public RaggedOps {
 public:
  explicit CpuRagged(CpuBackend& backend) : backend_(backend) {}

  void ragged_product(const RaggedRows& rows, MatrixView<const double> basis,
                      MatrixView<const double> z, MatrixView<double> out) override {
    for_rows(out.rows, [&](std::int64_t n) {
      for (std::int64_t s = 0; s < out.cols; ++s)
        out.row(n)[s] = ragged_value(basis, n, z, rows.curve.data[n], s);
    });
  }

  // Row by row of the basis, which is how it lies in memory; each sum in the order of the rows.
  void ragged_transpose_product(const RaggedRows& rows, MatrixView<const double> basis,
                                MatrixView<const double> r, MatrixView<double> out) override {
    for_rows(out.rows, [&](std::int64_t i) {
      std::fill_n(out.row(i), out.cols, 0.0);
      for (std::int64_t n = rows.first.data[i]; n < rows.first.data[i + 1]; ++n)
        for (std::int64_t s = 0; s < r.cols; ++s)
          for (std::int64_t k = 0; k < basis.cols; ++k)
            out.row(i)[s * basis.cols + k] += basis.row(n)[k] * r.row(n)[s];
    });
  }

  void block_dots(MatrixView<const double> a, MatrixView<const double> b,
                  VectorView<double> sums) override {
    std::fill_n(sums.data, sums.size, 0.0);
    if (sums.size == 0) return;
    const std::int64_t width = a.cols / sums.size, chunks = tiles_of(a.rows, kDotChunk);
    const Scratch<double> parts(backend_, chunks, sums.size);
    parallel_tiles(backend_.threads(), chunks, [&](std::int64_t chunk, int) {
      double* part = parts.data() + chunk * sums.size;
      std::fill_n(part, sums.size, 0.0);
      const std::int64_t end = std::min((chunk + 1) * kDotChunk, a.rows);
      for (std::int64_t i = chunk * kDotChunk; i < end; ++i)
        for (std::int64_t s = 0; s < sums.size; ++s) {
          double sum = 0;
          for (std::int64_t j = s * width; j < (s + 1) * width; ++j)
            sum += a.row(i)[j] * b.row(i)[j];
          part[s] += sum;
        }
    });
    for (std::int64_t chunk = 0; chunk < chunks; ++chunk)
      for (std::int64_t s = 0; s < sums.size; ++s)
        sums.data[s] += parts.data()[chunk * sums.size + s];
  }

  void combine_blocks(VectorView<const double> alpha, MatrixView<const double> x,
                      VectorView<const double> beta, MatrixView<double> y) override {
    if (alpha.size == 0) return;
    const std::int64_t width = y.cols / alpha.size;
    for_rows(y.rows, [&](std::int64_t i) {
      for (std::int64_t s = 0; s < alpha.size; ++s) {
        const double a = alpha.data[s], b = beta.data[s];
        for (std::int64_t j = s * width; j < (s + 1) * width; ++j)
          y.row(i)[j] = b == 0 ? a * x.row(i)[j] : a * x.row(i)[j] + b * y.row(i)[j];
      }
    });
  }

  void divide_by_spectrum(VectorView<const double> w, VectorView<const double> d, double lambda,
                          MatrixView<double> x) override {
    for_rows(x.rows, [&](std::int64_t i) {
      for (std::int64_t j = 0; j < x.cols; ++j)
        x.row(i)[j] /= w.data[i] * d.data[j % d.size] + lambda;
    });
  }

  void multiply_by_curves(VectorView<const std::int64_t> row, VectorView<const std::int64_t> column,
                          MatrixView<const double> c, MatrixView<double> b) override {
    for_rows(b.rows, [&](std::int64_t n) {
      const double* factors = c.row(row.data[n]);
      for (std::int64_t m = 0; m < b.cols; ++m) b.row(n)[m] *= factors[column.data[m]];
    });
  }

 private:
  template <class F>
  void for_rows(std::int64_t rows, const F& f) {
    parallel_tiles(backend_.threads(), tiles_of(rows, kTileRows), [&](std::int64_t tile, int) {
      const std::int64_t end = std::min((tile + 1) * kTileRows, rows);
      for (std::int64_t i = tile * kTileRows; i < end; ++i) f(i);
    });
  }

  CpuBackend& backend_;
};

}  // namespace

std::unique_ptr<RaggedOps> make_cpu_ragged(CpuBackend& backend) {
  return std::make_unique<CpuRagged>(backend);
}

}  // namespace kronite
