// Kernel means of mixtures on the CPU: threads take tiles of rows; the values of a result are added
// up in registers, a group of columns at a time, so that H is read and the result written once.
#include <Eigen/Core>
#include <algorithm>
#include <cmath>

#include "base/parallel.hpp"            // for parallel_tiles
#include "cpu/cpu_backend.hpp"          // for CpuBackend
#include "cpu/simd.hpp"                 // for Simd
#include "device/scratch.hpp"           // for Scratch
#include "kernels/kernel_function.hpp"  // for KernelFunction

namespace kronite {
namespace {

constexpr std::int64_t kRowsPerTile = 64;
constexpr int kVectors = 4;  // of the result at a time
constexpr std::int64_t kColumns = kVectors * kLanes<double>;

/// One row of a mixture.
struct MixedRow {
  const std::int32_t* component;
  const double* weight;
  std::int64_t count;
};

/// sums_j = sum_e weight_e h_{component_e, column + j} for kColumns columns.
void mix(const MixedRow& w, MatrixView<const double> h, std::int64_t column,
         Simd<double> (&sums)[kVectors]) {
  for (auto& sum : sums) sum = Simd<double>{};
  for (std::int64_t e = 0; e < w.count; ++e) {
    const double* row = h.row(w.component[e]) + column;
    const double weight = w.weight[e];
    for (int v = 0; v < kVectors; ++v) sums[v] += weight * load(row + v * kLanes<double>);
  }
}

double mix_one(const MixedRow& w, MatrixView<const double> h, std::int64_t column) {
  double sum = 0;
  for (std::int64_t e = 0; e < w.count; ++e) sum += w.weight[e] * h.row(w.component[e])[column];
  return sum;
}

class CpuMixture final : public MixtureOps {
 public:
  explicit CpuMixture(CpuBackend& backend) : backend_(backend) {}

  void grid_kernels(KernelKind kind, MatrixView<const double> x, MatrixView<const double> grid,
                    VectorView<const double> s, MatrixView<double> out) override {
    with_kernel(kind, [&](auto constant) {
      using Function = KernelFunction<constant(), double>;
      parallel_tiles(backend_.threads(), x.rows, [&](std::int64_t i, int) {
        for (std::int64_t f = 0; f < x.cols; ++f) {
          const Function k(s.data[f]);
          double* to = out.row(i) + f * grid.cols;
          for (std::int64_t j = 0; j < grid.cols; ++j)
            to[j] = k(Function::step(x.row(i)[f] - grid.row(f)[j]));
        }
      });
    });
  }

  void mix_rows(const SparseRows& w, MatrixView<const double> h, MatrixView<double> out) override {
    parallel_tiles(backend_.threads(), tiles_of(out.rows, kRowsPerTile),
                   [&](std::int64_t tile, int) {
                     const std::int64_t end = std::min((tile + 1) * kRowsPerTile, out.rows);
                     for (std::int64_t i = tile * kRowsPerTile; i < end; ++i) {
                       const std::int64_t first = w.first.data[i] - w.first.data[0];
                       mix_row({w.column.data + first, w.value.data + first,
                                w.first.data[i + 1] - w.first.data[i]},
                               h, out.row(i));
                     }
                   });
  }

  void mixture_distances(MatrixView<const double> w, MatrixView<const double> h,
                         MatrixView<const double> phi, VectorView<double> distance,
                         VectorView<double> length) override {
    const Scratch<double> weights(backend_, backend_.threads(), w.cols);
    const Scratch<std::int32_t> components(backend_, backend_.threads(), w.cols);
    const Scratch<double> rows(backend_, backend_.threads(), phi.cols);
    parallel_tiles(backend_.threads(), tiles_of(phi.rows, kRowsPerTile),
                   [&](std::int64_t tile, int thread) {
                     double* weight = weights.matrix().row(thread);
                     std::int32_t* component = components.matrix().row(thread);
                     double* mean = rows.matrix().row(thread);
                     const std::int64_t end = std::min((tile + 1) * kRowsPerTile, phi.rows);
                     for (std::int64_t i = tile * kRowsPerTile; i < end; ++i) {
                       std::int64_t count = 0;
                       for (std::int64_t j = 0; j < w.cols; ++j) {
                         if (w.row(i)[j] == 0) continue;
                         weight[count] = w.row(i)[j];
                         component[count++] = static_cast<std::int32_t>(j);
                       }
                       mix_row({component, weight, count}, h, mean);
                       // Eigen adds up in vectors, in an order that depends on the length alone.
                       const Eigen::Map<const Eigen::VectorXd> target(phi.row(i), phi.cols);
                       const Eigen::Map<const Eigen::VectorXd> reached(mean, phi.cols);
                       distance.data[i] = std::sqrt((target - reached).squaredNorm());
                       length.data[i] = std::sqrt(target.squaredNorm());
                     }
                   });
  }

 private:
  static void mix_row(const MixedRow& w, MatrixView<const double> h, double* out) {
    std::int64_t column = 0;
    for (; column + kColumns <= h.cols; column += kColumns) {
      Simd<double> sums[kVectors];
      mix(w, h, column, sums);
      for (int v = 0; v < kVectors; ++v) store<double>(out + column + v * kLanes<double>, sums[v]);
    }
    for (; column < h.cols; ++column) out[column] = mix_one(w, h, column);
  }

  CpuBackend& backend_;
};

}  // namespace

std::unique_ptr<MixtureOps> make_cpu_mixture(CpuBackend& backend) {
  return std::make_unique<CpuMixture>(backend);
}

}  // namespace kronite
