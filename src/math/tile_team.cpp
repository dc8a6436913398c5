// Tasks of a team of devices, and the size of tiles.
#include "math/tile_team.hpp"

#include <algorithm>
#include <cmath>
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
    : shape_(shape), progress_(std::move(progress)), shared_(progress_, total) {
  require_devices(devices.size());
  workers_.reserve(devices.size());
  for (Device& device : devices) workers_.emplace_back(device, workers_.size(), shape);
}

double TileTeam::moved_bytes() const {
  double total = 0;
  for (const TileWorker& worker : workers_) total += worker.moved_bytes;
  return total;
}

void TileTeam::run(std::int64_t tasks, const Task& f) {
  states_.assign(static_cast<std::size_t>(tasks), State::open);
  for (TileWorker& worker : workers_) worker.holds = -1;
  try {
    side_by_side(workers_.size(), tasks, [&](const Part& part) {
      try {
        f(workers_[part.worker()], part.number());
      } catch (...) {
        mark(part.number(), State::failed);
        throw;
      }
    });
  } catch (...) {
    // Nothing may still read or write memory of the caller, and no failure be left on a device.
    for (TileWorker& worker : workers_) {
      try {
        worker.device.synchronize();
      } catch (const Error&) {
      }
    }
    throw;
  }
}

void TileTeam::wait_for(std::int64_t task) {
  const State& state = states_[static_cast<std::size_t>(task)];
  std::unique_lock lock(guard_);
  changed_.wait(lock, [&] { return state != State::open; });
  // The error of the earlier task is the one that is thrown in the end.
  if (state == State::failed) fail(Errc::cancelled, "a tile that this one needs has failed");
}

void TileTeam::mark(std::int64_t task, State state) {
  const std::lock_guard lock(guard_);
  states_[static_cast<std::size_t>(task)] = state;
  changed_.notify_all();
}

void TileTeam::advance(long long steps) {
  shared_.add(steps);
  shared_.ask();
}

}  // namespace kronite::math
