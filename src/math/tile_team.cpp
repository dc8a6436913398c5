// Threads of a team of devices, and the size of tiles.
#include "math/tile_team.hpp"

#include <algorithm>
#include <cmath>
#include <thread>
#include <utility>

#include "base/fail.hpp"       // for fail
#include "device/backend.hpp"  // for Backend

namespace kronite::math {

std::int64_t tile_rows(std::int64_t n, std::int64_t columns, double values) {
  constexpr std::int64_t kStep = 64, kLeast = 512, kMost = 16384;
  // 2 b^2 + n b <= values.
  const auto rows = static_cast<double>(n);
  const double fits = (std::sqrt(rows * rows + 8 * std::max(values, 0.0)) - rows) / 4;
  const std::int64_t wanted = std::clamp((n / 8 + kStep - 1) / kStep * kStep, kLeast, kMost);
  std::int64_t tile = std::min({wanted, n, static_cast<std::int64_t>(std::min(fits, 1e9))});
  if (tile > kStep && tile < n) tile = tile / kStep * kStep;
  while (tile > 0 && TileShape{n, tile, columns}.device_values() > values) --tile;
  return tile;
}

void TileWorker::load(const double* from, double* to, std::int64_t count) {
  const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(double);
  device.backend().copy(to, device.place(), from, Place{}, bytes);
  moved_bytes += static_cast<double>(bytes);
}

void TileWorker::store(MatrixView<const double> contiguous, double* to) {
  const std::size_t bytes =
      static_cast<std::size_t>(contiguous.rows * contiguous.cols) * sizeof(double);
  device.backend().copy(to, Place{}, contiguous.data, device.place(), bytes);
  moved_bytes += static_cast<double>(bytes);
  device.synchronize();
}

TileTeam::TileTeam(std::span<Device> devices, const TileShape& shape, Progress progress,
                   long long total)
    : shape_(shape), progress_(std::move(progress)), total_(total) {
  workers_.reserve(devices.size());
  for (Device& device : devices) workers_.emplace_back(device, workers_.size(), shape);
}

double TileTeam::moved_bytes() const {
  double total = 0;
  for (const TileWorker& worker : workers_) total += worker.moved_bytes;
  return total;
}

void TileTeam::keep(std::exception_ptr failure) {
  const std::lock_guard lock(guard_);
  if (!failure_) failure_ = std::move(failure);
  changed_.notify_all();
}

void TileTeam::work(TileWorker& worker, const Task& f) {
  try {
    for (;;) {
      std::int64_t task = 0;
      {
        const std::lock_guard lock(guard_);
        if (failure_ || next_ == tasks_) break;
        task = next_++;
      }
      f(worker, task);
    }
  } catch (const Stopped&) {
  } catch (...) {
    keep(std::current_exception());
  }
  // Nothing may still write into memory of the caller, and no failure be left on the device.
  try {
    worker.device.synchronize();
  } catch (...) {
    keep(std::current_exception());
  }
  const std::lock_guard lock(guard_);
  --active_;
  changed_.notify_all();
}

void TileTeam::run(std::int64_t tasks, const Task& f) {
  const auto count = static_cast<std::size_t>(
      std::min<std::int64_t>(tasks, static_cast<std::int64_t>(workers_.size())));
  next_ = 0;
  tasks_ = tasks;
  active_ = count;
  finished_.assign(static_cast<std::size_t>(tasks), 0);
  for (TileWorker& worker : workers_) worker.holds = -1;
  long long told = steps_;
  std::vector<std::jthread> threads;
  for (std::size_t k = 0; k < count; ++k)
    threads.emplace_back([this, k, &f] { work(workers_[k], f); });

  std::unique_lock lock(guard_);
  while (active_ > 0 || steps_ != told) {
    changed_.wait(lock, [&] { return active_ == 0 || steps_ != told; });
    if (steps_ == told) continue;
    told = steps_;
    if (!progress_ || failure_) continue;
    lock.unlock();
    try {
      if (!progress_(told, total_)) fail(Errc::cancelled, "stopped");
    } catch (...) {
      keep(std::current_exception());
    }
    lock.lock();
  }
  lock.unlock();
  threads.clear();
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void TileTeam::wait_for(std::int64_t task) {
  std::unique_lock lock(guard_);
  changed_.wait(lock, [&] { return failure_ || finished_[static_cast<std::size_t>(task)]; });
  if (failure_) throw Stopped{};
}

void TileTeam::finished(std::int64_t task) {
  const std::lock_guard lock(guard_);
  finished_[static_cast<std::size_t>(task)] = 1;
  changed_.notify_all();
}

void TileTeam::advance(long long steps) {
  const std::lock_guard lock(guard_);
  steps_ += steps;
  changed_.notify_all();
}

}  // namespace kronite::math
