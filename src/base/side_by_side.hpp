// Independent parts of a job on several host threads, one for each device that takes part. Which
// thread takes which part is left to the clock; what comes out is not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "kronite/log.hpp"  // for Progress

namespace kronite {

class PartQueue;

/// What a worker has in hand.
class Part {
 public:
  Part(const PartQueue& queue, std::int64_t number, std::size_t worker)
      : queue_(queue), number_(number), worker_(worker) {}

  std::int64_t number() const { return number_; }
  /// In [0, workers): which device to work on.
  std::size_t worker() const { return worker_; }
  /// An earlier part has failed, so nobody will look at this one: a long part may end with any
  /// error.
  bool needless() const;

 private:
  const PartQueue& queue_;
  std::int64_t number_;
  std::size_t worker_;
};

/// @throws Error invalid_argument for no device at all.
void require_devices(std::size_t devices);

/// work(part) once for each part in [0, parts), handed out in order to `workers` threads, of which
/// the caller's is one; with one worker there is no other. Each thread's share of OpenMP threads is
/// its part of the caller's. Where parts fail, the error of the first of them is thrown, the same
/// for any number of workers, after all parts before it are done; parts that were not begun are
/// left out.
/// @throws Error as require_devices(workers); whatever `work` throws.
void side_by_side(std::size_t workers, std::int64_t parts,
                  const std::function<void(const Part&)>& work);

/// A caller's Progress over parts: one call at a time, and none after it has asked to stop.
class SharedProgress {
 public:
  /// `stopped`: the sentence of the Error cancelled. Both must outlive this.
  SharedProgress(const Progress& progress, long long total, std::string stopped = "stopped")
      : progress_(progress), total_(total), stopped_(std::move(stopped)) {}

  void add(long long more);
  /// Tells the caller how far the job is. @throws Error cancelled.
  void ask();
  /// Tells that all is done; it is too late to stop then.
  void finish() {
    if (progress_) progress_(total_, total_);
  }

 private:
  const Progress& progress_;
  const long long total_;
  const std::string stopped_;
  std::mutex guard_;
  long long done_ = 0;
  bool asked_to_stop_ = false;
};

/// Results of parts, given on in the order of the parts whatever order they come in.
template <class Result>
class InOrder {
 public:
  using Take = std::function<void(std::int64_t, Result&&)>;
  /// `take` is called by one thread at a time; once it has thrown, never again.
  explicit InOrder(Take take) : take_(std::move(take)) {}

  /// Gives on what is now complete from the front. @throws whatever `take` does.
  void put(std::int64_t part, Result result) {
    const std::lock_guard lock(guard_);
    waiting_.emplace(part, std::move(result));
    while (!broken_ && !waiting_.empty() && waiting_.begin()->first == next_) {
      auto first = waiting_.extract(waiting_.begin());
      broken_ = true;
      take_(next_, std::move(first.mapped()));
      broken_ = false;
      ++next_;
    }
  }

 private:
  Take take_;
  std::mutex guard_;
  std::map<std::int64_t, Result> waiting_;
  std::int64_t next_ = 0;
  bool broken_ = false;  ///< `take` has thrown
};

}  // namespace kronite
