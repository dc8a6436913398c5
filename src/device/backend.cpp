// Accounting of device memory: the limit, the lent allocator, and the one message when it is not
// enough.
#include "device/backend.hpp"

#include "base/fail.hpp"  // for fail

namespace kronite {

Backend::Backend(const DeviceOptions& options, CUstream_st* stream)
    : allocator_(options.allocator), limit_(options.memory_limit), stream_(stream) {
  require((allocator_.allocate == nullptr) == (allocator_.release == nullptr),
          "a lent allocator needs both of its functions, allocate and release");
}

void* Backend::allocate(std::size_t bytes) {
  if (bytes == 0) return nullptr;
  if (limit_ != 0 && (bytes > limit_ || in_use_ > limit_ - bytes))
    fail(Errc::out_of_memory,
         "{} needs {} MiB more working memory; {} of its limit of {} MiB are in use", description(),
         (bytes >> 20) + 1, in_use_ >> 20, limit_ >> 20);
  void* pointer =
      allocator_.allocate ? allocator_.allocate(allocator_.context, bytes, stream_) : take(bytes);
  if (!pointer)
    fail(Errc::out_of_memory, "{} has no {} MiB of memory left ({} MiB in use here)", description(),
         (bytes >> 20) + 1, in_use_ >> 20);
  in_use_ += bytes;
  return pointer;
}

void Backend::release(void* pointer, std::size_t bytes) noexcept {
  if (!pointer) return;
  in_use_ -= bytes;
  if (allocator_.release)
    allocator_.release(allocator_.context, pointer, bytes, stream_);
  else
    give_back(pointer);
}

}  // namespace kronite
