// Quadratic programs on the simplex: one block, which is one warp, a row
// (kernels/simplex_block.hpp).
#include <algorithm>

#include "cuda/cuda_backend.cuh"      // for CudaBackend
#include "device/scratch.hpp"         // for Scratch
#include "kernels/phases.hpp"         // for GpuThreads
#include "kernels/simplex_block.hpp"  // for simplex_block

namespace kronite::cuda {
namespace {

constexpr int kThreads = 32;
/// Up to here a row's vectors lie in shared memory, and up to there the factor of its support.
constexpr std::int64_t kSharedComponents = 128;
constexpr std::int64_t kSharedSupport = 32;
/// Blocks at work at a time: more than a large GPU keeps resident.
constexpr std::int64_t kMostBlocks = 1 << 12;

struct SimplexShared {
  SimplexState state;
  double factor[simplex_factor_size<1>(kSharedSupport)];
  double numbers[4 * kSharedComponents];
  std::int32_t indices[2 * kSharedComponents];
};

/// What a block needs of global memory: for n up to kSharedComponents only the large factor.
struct BlockMemory {
  double* numbers;
  std::int32_t* indices;
  double* factors;
  std::int64_t numbers_per_block, indices_per_block, factor_size;
};

/// w_i, outcome_i of row i.
/// Grid: one-dimensional; blocks of 32 threads stride over the rows. Bounds: row < w.rows; threads
/// stride over components and over rows of the factor. 64-bit index. Per step and row: P_FF and the
/// rows of P in F read from the caches (8 n |F| bytes); |F|^3 / 3 + 2 n |F| operations, 2 |F| + 6
/// barriers.
__global__ void __launch_bounds__(kThreads)
    simplex_kernel(MatrixView<const double> p, MatrixView<const double> q, SimplexOptions options,
                   MatrixView<double> w, SimplexOutcome* outcome, BlockMemory memory) {
  __shared__ SimplexShared shared;
  const std::int64_t n = p.rows, block = blockIdx.x;
  const bool fits = n <= kSharedComponents;
  double* numbers = fits ? shared.numbers : memory.numbers + block * memory.numbers_per_block;
  std::int32_t* indices = fits ? shared.indices : memory.indices + block * memory.indices_per_block;
  const SimplexMemory row_memory{
      numbers,         numbers + n,    numbers + 2 * n,
      numbers + 3 * n, indices,        indices + n,
      shared.factor,   kSharedSupport, memory.factors + block * memory.factor_size};
  GpuThreads<SimplexRegisters> threads{static_cast<int>(threadIdx.x), {}};
  for (std::int64_t i = block; i < w.rows; i += gridDim.x)
    simplex_block<kThreads, 1>(p, &element(q, i, 0), options, &element(w, i, 0), outcome[i],
                               row_memory, shared.state, threads);
}

class CudaSimplex final : public SimplexOps {
 public:
  explicit CudaSimplex(CudaBackend& backend) : backend_(backend) {}

  void minimise_on_simplex(MatrixView<const double> p, MatrixView<const double> q,
                           const SimplexOptions& options, MatrixView<double> w,
                           VectorView<SimplexOutcome> outcome) override {
    if (w.rows == 0) return;
    const CurrentDevice current(backend_.id());
    const std::int64_t n = p.rows;
    const bool fits = n <= kSharedComponents;
    BlockMemory memory{};
    memory.numbers_per_block = fits ? 0 : 4 * n;
    memory.indices_per_block = fits ? 0 : 2 * n;
    memory.factor_size = n <= kSharedSupport ? 0 : simplex_factor_size<1>(n);
    const std::int64_t per_block =
        8 * (memory.numbers_per_block + memory.factor_size) + 4 * memory.indices_per_block + 1;
    const auto room =
        static_cast<std::int64_t>((backend_.memory_limit() - backend_.memory_in_use()) / 2) /
        per_block;
    const std::int64_t blocks = std::max<std::int64_t>(1, std::min({w.rows, room, kMostBlocks}));
    const Scratch<double> numbers(backend_, blocks, memory.numbers_per_block);
    const Scratch<std::int32_t> indices(backend_, blocks, memory.indices_per_block);
    const Scratch<double> factors(backend_, blocks, memory.factor_size);
    memory.numbers = numbers.data();
    memory.indices = indices.data();
    memory.factors = factors.data();
    launch("simplex_kernel", simplex_kernel, blocks_for(blocks, 1), kThreads, backend_.stream(), p,
           q, options, w, outcome.data, memory);
  }

 private:
  CudaBackend& backend_;
};

}  // namespace

std::unique_ptr<SimplexOps> make_simplex(CudaBackend& backend) {
  return std::make_unique<CudaSimplex>(backend);
}

}  // namespace kronite::cuda
