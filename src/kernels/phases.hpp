// Kernels as phases between barriers. A block function is written once, for one block of threads:
//
//   template <class Each> KRONITE_HD void some_block(..., Shared& shared, Each& each) {
//     each([&](int thread, Registers& r) { ... });  // every thread of the block does this,
//     each([&](int thread, Registers& r) { ... });  // then they meet, then this
//   }
//
// On the GPU `each` is GpuThreads: the calling thread does its part and waits at a barrier. On the
// CPU it is CpuThreads: a loop over all threads of the block, so that a test under AddressSanitizer
// sees every access of every thread, and a phase in which one thread reads what another writes
// gives different results in the two orders. What lies outside the phases is the same for all
// threads of a block and decides which phases run.
#pragma once

#include <cstddef>
#include <vector>

#include "kernels/host_device.hpp"  // for KRONITE_HD

namespace kronite {

/// One thread of a GPU block.
template <class Registers>
struct GpuThreads {
  int thread;
  Registers registers;

  template <class Phase>
  KRONITE_HD void operator()(Phase&& phase) {
    phase(thread, registers);
#ifdef __CUDA_ARCH__
    __syncthreads();
#endif
  }
};

enum class ThreadOrder { ascending, descending };

/// All threads of a block, one after the other; host only.
template <class Registers>
class CpuThreads {
 public:
  CpuThreads(int threads, ThreadOrder order)
      : registers_(static_cast<std::size_t>(threads)), order_(order) {}

  template <class Phase>
  void operator()(Phase&& phase) {
    const int n = static_cast<int>(registers_.size());
    for (int k = 0; k < n; ++k) {
      const int thread = order_ == ThreadOrder::ascending ? k : n - 1 - k;
      phase(thread, registers_[static_cast<std::size_t>(thread)]);
    }
  }

 private:
  std::vector<Registers> registers_;
  ThreadOrder order_;
};

}  // namespace kronite
