// Threads that take parts from one queue, and the error that comes out of it.
#include "base/side_by_side.hpp"

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <limits>
#include <system_error>
#include <thread>
#include <vector>

#include "base/fail.hpp"  // for fail

namespace kronite {

class PartQueue {
 public:
  explicit PartQueue(std::int64_t parts) : parts_(parts) {}

  void work(std::size_t worker, const std::function<void(const Part&)>& work) {
    // In order: when a part has failed, all before it were begun, so that the first error is known
    // once these are done.
    for (std::int64_t n; !failed() && (n = next_.fetch_add(1)) < parts_;) {
      try {
        work(Part(*this, n, worker));
      } catch (...) {
        keep(n, std::current_exception());
      }
    }
  }

  std::int64_t first_failed() const { return first_failed_.load(); }
  void rethrow() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  bool failed() const { return first_failed() != kNone; }

  void keep(std::int64_t part, std::exception_ptr failure) {
    const std::lock_guard lock(guard_);
    if (part > first_failed_.load()) return;
    first_failed_ = part;
    failure_ = std::move(failure);
  }

  static constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::max();
  const std::int64_t parts_;
  std::atomic<std::int64_t> next_{0}, first_failed_{kNone};
  std::mutex guard_;
  std::exception_ptr failure_;
};

bool Part::needless() const { return queue_.first_failed() < number_; }

namespace {

/// OpenMP threads of this thread's parallel regions; as before at the end of the scope.
class OpenMpThreads {
 public:
  explicit OpenMpThreads(int threads) : before_(omp_get_max_threads()) {
    omp_set_num_threads(threads);
  }
  OpenMpThreads(const OpenMpThreads&) = delete;
  OpenMpThreads& operator=(const OpenMpThreads&) = delete;
  ~OpenMpThreads() { omp_set_num_threads(before_); }

 private:
  int before_;
};

/// Joined at the end of the scope, however it ends.
class Threads {
 public:
  Threads() = default;
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;
  ~Threads() {
    for (std::thread& thread : threads_) thread.join();
  }

  /// False where the system has no thread left; those that run do all the work.
  template <class F>
  bool start(F&& f) {
    try {
      threads_.emplace_back(std::forward<F>(f));
      return true;
    } catch (const std::system_error&) {
      return false;
    }
  }

 private:
  std::vector<std::thread> threads_;
};

}  // namespace

void require_devices(std::size_t devices) {
  if (devices == 0) fail(Errc::invalid_argument, "no device is given to work on");
}

void side_by_side(std::size_t workers, std::int64_t parts,
                  const std::function<void(const Part&)>& work) {
  require_devices(workers);
  const auto needed = static_cast<std::size_t>(std::max<std::int64_t>(1, parts));
  workers = std::min(workers, needed);
  PartQueue queue(parts);
  if (workers <= 1) {
    queue.work(0, work);
  } else {
    const int share = std::max(1, omp_get_max_threads() / static_cast<int>(workers));
    const OpenMpThreads own(share);
    Threads others;
    for (std::size_t worker = 1; worker < workers; ++worker)
      if (!others.start([&queue, &work, worker, share] {
            omp_set_num_threads(share);
            queue.work(worker, work);
          }))
        break;
    queue.work(0, work);
  }
  queue.rethrow();
}

void SharedProgress::add(long long more) {
  const std::lock_guard lock(guard_);
  done_ += more;
}

void SharedProgress::ask() {
  const std::lock_guard lock(guard_);
  if (!asked_to_stop_ && progress_) asked_to_stop_ = !progress_(done_, total_);
  if (asked_to_stop_) fail(Errc::cancelled, "{}", stopped_);
}

}  // namespace kronite
