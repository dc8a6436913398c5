// Kernels as phases between barriers. A block function is written once, for one block of threads:
//
//   template <class Each> KRONITE_HD void some_block(..., Shared& shared, Each& each) {
//     each([&](int thread, Registers& r) { ... });  // every thread of the block does this,
//     each([&](int thread, Registers& r) { ... });  // then they meet, then this
//   }
//
// On the GPU `each` is GpuThreads: the calling thread does its part and waits at a barrier. On the
// CPU it is CpuBlock: a loop over all threads of the block, so that a test under AddressSanitizer
// sees every access of every thread, and a phase in which one thread reads what another writes
// gives different results in the two orders. What lies outside the phases is the same for all
// threads of a block and decides which phases run.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <type_traits>
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

/// All threads of a block, one after the other, and its shared memory; host only. Memory begins as
/// on the GPU, with no useful value in it: here all bits are set, which makes every number a NaN.
template <class Shared, class Registers>
class CpuBlock {
  static_assert(std::is_trivially_copyable_v<Shared> && std::is_trivially_copyable_v<Registers>);

 public:
  CpuBlock(int threads, ThreadOrder order)
      : shared_(std::make_unique<Shared>()),
        registers_(static_cast<std::size_t>(threads)),
        order_(order) {
    std::memset(static_cast<void*>(shared_.get()), 0xFF, sizeof(Shared));
    std::memset(static_cast<void*>(registers_.data()), 0xFF, registers_.size() * sizeof(Registers));
  }

  Shared& shared() { return *shared_; }

  template <class Phase>
  void operator()(Phase&& phase) {
    const int n = static_cast<int>(registers_.size());
    for (int k = 0; k < n; ++k) {
      const int thread = order_ == ThreadOrder::ascending ? k : n - 1 - k;
      phase(thread, registers_[static_cast<std::size_t>(thread)]);
    }
  }

 private:
  std::unique_ptr<Shared> shared_;
  std::vector<Registers> registers_;
  ThreadOrder order_;
};

}  // namespace kronite
