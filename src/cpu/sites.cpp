// Fingerprints of sites on the CPU: threads take a few sites at a time.
#include <algorithm>

#include "base/parallel.hpp"             // for parallel_tiles
#include "cpu/cpu_backend.hpp"           // for CpuBackend
#include "device/scratch.hpp"            // for Scratch
#include "kernels/site_fingerprint.hpp"  // for site_fingerprint

namespace kronite {
namespace {

/// Far above what crystals need, for surfaces and clusters: pages that nobody touches cost nothing.
constexpr SiteCapacity kCapacity{8192, 2048, 8192};
constexpr std::int64_t kSitesPerTile = 8;

class CpuSites final : public SiteOps {
 public:
  explicit CpuSites(CpuBackend& backend) : backend_(backend) {}

  void site_fingerprints(const CrystalBatch& crystals, VectorView<const std::int64_t> sites,
                         MatrixView<double> values, VectorView<std::int32_t> status) override {
    const std::int64_t tiles = tiles_of(sites.size, kSitesPerTile);
    const auto threads = static_cast<int>(
        std::clamp<std::int64_t>(tiles, 1, static_cast<std::int64_t>(backend_.threads())));
    const auto per_thread = static_cast<std::int64_t>(SiteWorkspace::bytes(kCapacity));
    const Scratch<std::byte> memory(backend_, threads, per_thread);
    parallel_tiles(threads, tiles, [&](std::int64_t tile, int thread) {
      SiteWorkspace work(kCapacity, memory.data() + thread * per_thread);
      const std::int64_t end = std::min((tile + 1) * kSitesPerTile, sites.size);
      for (std::int64_t n = tile * kSitesPerTile; n < end; ++n)
        status.data[n] = static_cast<std::int32_t>(
            site_fingerprint(crystals, sites.data[n], work, values.row(n)));
    });
  }

  void site_statistics(MatrixView<const double> values, VectorView<const double> count,
                       VectorView<const std::int64_t> first, MatrixView<double> out) override {
    parallel_tiles(backend_.threads(), out.rows, [&](std::int64_t i, int) {
      for (std::int64_t f = 0; f < values.cols; ++f)
        column_statistics(values, count.data, first.data[i], first.data[i + 1], f,
                          out.row(i) + 4 * f);
    });
  }

 private:
  CpuBackend& backend_;
};

}  // namespace

std::unique_ptr<SiteOps> make_cpu_sites(CpuBackend& backend) {
  return std::make_unique<CpuSites>(backend);
}

}  // namespace kronite
