// Fingerprints of sites: the arithmetic of the CPU (kernels/site_fingerprint.hpp), one thread a
// site.
#include <algorithm>

#include "cuda/cuda_backend.cuh"         // for CudaBackend
#include "device/scratch.hpp"            // for Scratch
#include "kernels/site_fingerprint.hpp"  // for site_fingerprint

namespace kronite::cuda {
namespace {

/// Enough for the sites of bulk crystals; a site that needs more gets the status no_room and is for
/// the CPU.
constexpr SiteCapacity kCapacity{512, 128, 384};
constexpr int kThreads = 64;
/// Threads at work at a time: several for each lane of a large GPU, to hide its memory's latency.
constexpr std::int64_t kMostThreads = 1 << 16;

/// values_n, status_n of site sites_n.
/// Grid: one-dimensional; threads stride over the sites, each in its own per_thread bytes of
/// memory. Bounds: n < sites.size; what does not fit that memory ends in a status. 64-bit index.
/// Per site: up to 48 KB of its own memory written and read, from the L2 cache where few threads
/// are at work, and 492 bytes of results; in the order of 10^5 operations. Branches follow each
/// site's own geometry.
__global__ void __launch_bounds__(kThreads)
    site_kernel(CrystalBatch crystals, VectorView<const std::int64_t> sites,
                MatrixView<double> values, VectorView<std::int32_t> status, std::byte* memory,
                std::size_t per_thread) {
  const std::int64_t stride = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  SiteWorkspace work(kCapacity, memory + static_cast<std::size_t>(global_thread()) * per_thread);
  for (std::int64_t n = global_thread(); n < sites.size; n += stride)
    status.data[n] = static_cast<std::int32_t>(
        site_fingerprint(crystals, sites.data[n], work, values.data + n * values.ld));
}

/// Mean, standard deviation, minimum and maximum of each column over a crystal's rows.
/// Grid: one thread per crystal and column, 256 per block, so that neighbours read neighbouring
/// columns. Bounds: threads past the last crystal return. 64-bit index. Per value: 8 bytes read
/// twice, the second time mostly from the caches, and its count; some 8 operations.
__global__ void __launch_bounds__(256)
    statistics_kernel(MatrixView<const double> values, const double* count,
                      const std::int64_t* first, MatrixView<double> out) {
  const std::int64_t i = global_thread() / values.cols, f = global_thread() % values.cols;
  if (i < out.rows)
    column_statistics(values, count, first[i], first[i + 1], f, out.data + i * out.ld + 4 * f);
}

class CudaSites final : public SiteOps {
 public:
  explicit CudaSites(CudaBackend& backend) : backend_(backend) {}

  void site_fingerprints(const CrystalBatch& crystals, VectorView<const std::int64_t> sites,
                         MatrixView<double> values, VectorView<std::int32_t> status) override {
    if (sites.size == 0) return;
    const CurrentDevice current(backend_.id());
    const std::size_t per_thread = SiteWorkspace::bytes(kCapacity);
    const auto room = static_cast<std::int64_t>(
        (backend_.memory_limit() - backend_.memory_in_use()) / 2 / per_thread);
    const std::int64_t threads =
        std::max<std::int64_t>(1, std::min({sites.size, room, kMostThreads}));
    const unsigned blocks = blocks_for(threads, kThreads);
    const Scratch<std::byte> memory(backend_, static_cast<std::int64_t>(blocks) * kThreads,
                                    static_cast<std::int64_t>(per_thread));
    launch("site_kernel", site_kernel, blocks, kThreads, backend_.stream(), crystals, sites, values,
           status, memory.data(), per_thread);
  }

  void site_statistics(MatrixView<const double> values, VectorView<const double> count,
                       VectorView<const std::int64_t> first, MatrixView<double> out) override {
    if (out.rows == 0) return;
    const CurrentDevice current(backend_.id());
    launch("statistics_kernel", statistics_kernel, blocks_for(out.rows * values.cols, 256), 256,
           backend_.stream(), values, count.data, first.data, out);
  }

 private:
  CudaBackend& backend_;
};

}  // namespace

std::unique_ptr<SiteOps> make_sites(CudaBackend& backend) {
  return std::make_unique<CudaSites>(backend);
}

}  // namespace kronite::cuda
