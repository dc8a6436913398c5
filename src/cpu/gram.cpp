// Distances and Gram matrices on the CPU: differences are formed in registers, values of y along
// the lanes, so nothing cancels and nothing but the result is written.
#include <Eigen/Core>
#include <algorithm>

#include "base/parallel.hpp"            // for parallel_tiles
#include "cpu/cpu_backend.hpp"          // for CpuBackend
#include "cpu/simd.hpp"                 // for Simd
#include "device/scratch.hpp"           // for Scratch
#include "kernels/kernel_function.hpp"  // for KernelFunction

namespace kronite {
namespace {

constexpr int kVectors = 2;                            // vectors of y per panel
constexpr int kRows = kVectorRegisters == 32 ? 8 : 4;  // rows of x in registers
constexpr std::int64_t kTileRows = 512;                // rows of x per packed panel of y
template <class T>
constexpr std::int64_t kPanel = kVectors* kLanes<T>;  // columns of the result per panel

/// panel[k][j] = y_{first + j, k}; columns past the end of y are zero.
template <class T>
void pack_panel(MatrixView<const T> y, std::int64_t first, T* panel) {
  const std::int64_t count = std::min(kPanel<T>, y.rows - first);
  for (std::int64_t j = 0; j < kPanel<T>; ++j) {
    const T* row = j < count ? y.row(first + j) : nullptr;
    for (std::int64_t k = 0; k < y.cols; ++k) panel[k * kPanel<T> + j] = row ? row[k] : T{0};
  }
}

/// distances[r][j] = sum_k step(x_rk - panel[k][j]) for `rows` rows of x.
template <class Function, int rows, class T>
void distance_block(const T* x, std::int64_t ld, std::int64_t features, const T* panel,
                    T (*distances)[kPanel<T>]) {
  Simd<T> sum[rows][kVectors] = {};
  for (std::int64_t k = 0; k < features; ++k) {
    Simd<T> y[kVectors];
    for (int v = 0; v < kVectors; ++v) y[v] = load(panel + k * kPanel<T> + v * kLanes<T>);
    for (int r = 0; r < rows; ++r)
      for (int v = 0; v < kVectors; ++v) {
        const Simd<T> difference = x[r * ld + k] - y[v];
        sum[r][v] += Function::step(difference);
      }
  }
  for (int r = 0; r < rows; ++r)
    for (int v = 0; v < kVectors; ++v) store<T>(distances[r] + v * kLanes<T>, sum[r][v]);
}

/// out_ij = finish(distances of row i and columns of the panel), tile by tile.
template <class Function, class T, class Finish>
void distance_tiles(CpuBackend& backend, MatrixView<const T> x, MatrixView<const T> y,
                    MatrixView<T> out, const Finish& finish) {
  const std::int64_t panels = tiles_of(y.rows, kPanel<T>);
  const std::int64_t bands = tiles_of(x.rows, kTileRows);
  const Scratch<T> packed(backend, backend.threads(), y.cols * kPanel<T>);
  parallel_tiles(backend.threads(), panels * bands, [&](std::int64_t tile, int thread) {
    const std::int64_t column = tile % panels * kPanel<T>;
    const std::int64_t begin = tile / panels * kTileRows;
    const std::int64_t end = std::min(begin + kTileRows, x.rows);
    T* panel = packed.data() + thread * y.cols * kPanel<T>;
    pack_panel(y, column, panel);
    const std::int64_t count = std::min(kPanel<T>, y.rows - column);
    T distances[kRows][kPanel<T>];
    for (std::int64_t i = begin; i < end;) {
      const int rows = end - i >= kRows ? kRows : 1;
      if (rows == kRows)
        distance_block<Function, kRows>(x.row(i), x.ld, x.cols, panel, distances);
      else
        distance_block<Function, 1>(x.row(i), x.ld, x.cols, panel, distances);
      for (int r = 0; r < rows; ++r) finish(distances[r], out.row(i + r) + column, count);
      i += rows;
    }
  });
}

/// to[j] = k of distances[j] for `count` values of a panel, which is read as a whole.
template <class Function, class T>
void kernel_panel(const Function& k, const T* distances, T* to, std::int64_t count) {
  Eigen::Array<T, kPanel<T>, 1> q, e;  // Eigen's exponential works on whole vectors
  for (int j = 0; j < kPanel<T>; ++j) q[j] = k.exponent(distances[j]);
  e = (-q).exp();
  for (int j = 0; j < count; ++j) to[j] = k.value(q[j], e[j]);
}

template <class T>
class CpuKernels final : public KernelOps<T> {
 public:
  explicit CpuKernels(CpuBackend& backend) : backend_(backend) {}

  void squared_distances(MatrixView<const T> x, MatrixView<const T> y, MatrixView<T> out) override {
    distance_tiles<KernelFunction<KernelKind::gaussian, T>>(
        backend_, x, y, out,
        [](const T* distances, T* to, std::int64_t count) { std::copy_n(distances, count, to); });
  }

  void gram(KernelKind kind, T s, MatrixView<const T> x, MatrixView<const T> y,
            MatrixView<T> out) override {
    with_kernel(kind, [&](auto constant) {
      using Function = KernelFunction<constant(), T>;
      const Function k(s);
      distance_tiles<Function>(backend_, x, y, out,
                               [k](const T* distances, T* to, std::int64_t count) {
                                 kernel_panel(k, distances, to, count);
                               });
    });
  }

  void kernel_distances(KernelKind kind, MatrixView<const T> x, MatrixView<const T> y,
                        MatrixView<T> out) override {
    with_kernel(kind, [&](auto constant) {
      distance_tiles<KernelFunction<constant(), T>>(
          backend_, x, y, out,
          [](const T* distances, T* to, std::int64_t count) { std::copy_n(distances, count, to); });
    });
  }

  void gram_of_distances(KernelKind kind, T s, MatrixView<const T> distances,
                         MatrixView<T> out) override {
    constexpr std::int64_t kHeight = 16;
    with_kernel(kind, [&](auto constant) {
      const KernelFunction<constant(), T> k(s);
      parallel_tiles(backend_.threads(), tiles_of(out.rows, kHeight), [&](std::int64_t tile, int) {
        const std::int64_t end = std::min((tile + 1) * kHeight, out.rows);
        T panel[kPanel<T>] = {};  // past the end of a row are distances of another one
        for (std::int64_t i = tile * kHeight; i < end; ++i)
          for (std::int64_t j = 0; j < out.cols; j += kPanel<T>) {
            const std::int64_t count = std::min(kPanel<T>, out.cols - j);
            std::copy_n(distances.row(i) + j, count, panel);
            kernel_panel(k, panel, out.row(i) + j, count);
          }
      });
    });
  }

 private:
  CpuBackend& backend_;
};

}  // namespace

template <class T>
std::unique_ptr<KernelOps<T>> make_cpu_kernels(CpuBackend& backend) {
  return std::make_unique<CpuKernels<T>>(backend);
}
template std::unique_ptr<KernelOps<float>> make_cpu_kernels(CpuBackend&);
template std::unique_ptr<KernelOps<double>> make_cpu_kernels(CpuBackend&);

}  // namespace kronite
