// Quadratic programs on the simplex on the CPU: threads take tiles of rows, one thread a row.
#include <algorithm>

#include "base/parallel.hpp"          // for parallel_tiles
#include "cpu/cpu_backend.hpp"        // for CpuBackend
#include "cpu/simd.hpp"               // for kLanes
#include "device/scratch.hpp"         // for Scratch
#include "kernels/phases.hpp"         // for GpuThreads
#include "kernels/simplex_block.hpp"  // for simplex_block

namespace kronite {
namespace {

constexpr std::int64_t kRowsPerTile = 64;
constexpr int kWidth = kLanes<double>;

class CpuSimplex final : public SimplexOps {
 public:
  explicit CpuSimplex(CpuBackend& backend) : backend_(backend) {}

  void minimise_on_simplex(MatrixView<const double> p, MatrixView<const double> q,
                           const SimplexOptions& options, MatrixView<double> w,
                           VectorView<SimplexOutcome> outcome) override {
    const std::int64_t n = p.rows, tiles = tiles_of(w.rows, kRowsPerTile);
    const auto threads = static_cast<int>(
        std::clamp<std::int64_t>(tiles, 1, static_cast<std::int64_t>(backend_.threads())));
    // Rows of P that whole vectors can be read of.
    const std::int64_t padded = tiles_of(n, kWidth) * kWidth;
    const Scratch<double> wide(backend_, n, padded);
    for (std::int64_t i = 0; i < n; ++i) {
      double* row = wide.matrix().row(i);
      std::fill(std::copy_n(p.row(i), n, row), row + padded, 0.0);
    }
    const MatrixView<const double> matrix(wide.data(), n, n, padded, Place{});
    const Scratch<double> numbers(backend_, threads, 4 * n + simplex_factor_size<kWidth>(n));
    const Scratch<std::int32_t> indices(backend_, threads, 2 * n);
    parallel_tiles(threads, tiles, [&](std::int64_t tile, int thread) {
      double* x = numbers.matrix().row(thread);
      std::int32_t* support = indices.matrix().row(thread);
      double* factor = x + 4 * n;
      const SimplexMemory memory{x,           x + n,  x + 2 * n, x + 3 * n, support,
                                 support + n, factor, n,         factor};
      const std::int64_t end = std::min((tile + 1) * kRowsPerTile, w.rows);
      SimplexState state;
      GpuThreads<SimplexRegisters> alone{0, {}};  // on the CPU: a block of one thread
      for (std::int64_t i = tile * kRowsPerTile; i < end; ++i)
        simplex_block<1, kWidth>(matrix, q.row(i), options, w.row(i), outcome.data[i], memory,
                                 state, alone);
    });
  }

 private:
  CpuBackend& backend_;
};

}  // namespace

std::unique_ptr<SimplexOps> make_cpu_simplex(CpuBackend& backend) {
  return std::make_unique<CpuSimplex>(backend);
}

}  // namespace kronite
