// Work in fixed tiles on OpenMP threads: results do not depend on how many there are.
#pragma once

#include <omp.h>

#include <cstdint>
#include <exception>

namespace kronite {

/// f(tile, thread) for every tile in [0, tiles), thread in [0, threads). An exception of one tile
/// skips the tiles not yet begun and is thrown to the caller, not out of an OpenMP region.
template <class F>
void parallel_tiles(int threads, std::int64_t tiles, const F& f) {
  if (tiles <= 1 || threads <= 1) {
    for (std::int64_t tile = 0; tile < tiles; ++tile) f(tile, 0);
    return;
  }
  std::exception_ptr failure;
  bool failed = false;
#pragma omp parallel for schedule(dynamic) num_threads(threads)
  for (std::int64_t tile = 0; tile < tiles; ++tile) {
    bool skip = false;
#pragma omp atomic read
    skip = failed;
    if (skip) continue;
    try {
      f(tile, omp_get_thread_num());
    } catch (...) {
#pragma omp critical(kronite_parallel_tiles)
      if (!failure) failure = std::current_exception();
#pragma omp atomic write
      failed = true;
    }
  }
  if (failure) std::rethrow_exception(failure);
}

/// Number of tiles of `size` that cover n.
constexpr std::int64_t tiles_of(std::int64_t n, std::int64_t size) { return (n + size - 1) / size; }

}  // namespace kronite
