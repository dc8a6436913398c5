// Memory of a device that counts what is held.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>

#include "kronite/device.hpp"  // for Allocator

namespace kronite::krfd::test {

struct Counted {
  std::size_t now = 0, peak = 0;

  Allocator allocator() {
    return {[](void* context, std::size_t bytes, CUstream_st*) -> void* {
              auto& counted = *static_cast<Counted*>(context);
              counted.now += bytes;
              counted.peak = std::max(counted.peak, counted.now);
              return std::aligned_alloc(256, (bytes + 255) / 256 * 256);
            },
            [](void* context, void* pointer, std::size_t bytes, CUstream_st*) {
              static_cast<Counted*>(context)->now -= bytes;
              std::free(pointer);
            },
            this};
  }
};

}  // namespace kronite::krfd::test
