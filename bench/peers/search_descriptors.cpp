// Nearest neighbours of every row of a .npy file among the others and itself, for
// bench/peers/kmd_search.py: writes queries x 2 k values (rows, then distances) and says how many
// processor seconds the search took, and how many queries needed double precision or a scan.
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <vector>

#include "kronite/device.hpp"
#include "kronite/io.hpp"
#include "kronite/kmd_search.hpp"

int main(int argc, char** argv) try {
  if (argc != 4) {
    std::fprintf(stderr, "usage: %s DESCRIPTORS.npy NEIGHBOURS OUT.npy\n", argv[0]);
    return 2;
  }
  const kronite::NpyMatrix rows = kronite::read_npy(argv[1]);
  kronite::Device device = kronite::Device::cpu();
  kronite::kmd::SearchOptions options;
  options.top = std::atoi(argv[2]);
  const kronite::MatrixView<const double> view(rows.values.data(), rows.rows, rows.cols);
  const std::clock_t begin = std::clock();
  const kronite::kmd::Neighbours found = kronite::kmd::nearest(device, view, view, options);
  const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  std::vector<double> out;
  for (std::int64_t i = 0; i < rows.rows; ++i) {
    for (std::int64_t j = 0; j < found.k; ++j)
      out.push_back(static_cast<double>(found.index[static_cast<std::size_t>(i * found.k + j)]));
    for (std::int64_t j = 0; j < found.k; ++j)
      out.push_back(found.distance[static_cast<std::size_t>(i * found.k + j)]);
  }
  kronite::write_npy(argv[3], {out.data(), rows.rows, 2 * found.k});
  std::printf("%.3f %lld %lld\n", seconds, static_cast<long long>(found.in_double),
              static_cast<long long>(found.scanned));
} catch (const std::exception& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
