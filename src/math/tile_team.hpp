// Devices that work on one matrix of tiles: a thread and fixed working memory for each, and tasks
// that wait for others.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <vector>

#include "base/side_by_side.hpp"  // for SharedProgress
#include "kronite/array.hpp"      // for Array
#include "kronite/device.hpp"     // for Device
#include "kronite/log.hpp"        // for Progress

namespace kronite::math {

/// How a matrix of n x n values is cut.
struct TileShape {
  std::int64_t n = 0;
  std::int64_t tile = 0;     ///< rows of a tile, 1 to n
  std::int64_t columns = 1;  ///< the longest row of right-hand sides: one of them fits the panel

  std::int64_t panel_values() const { return n * tile > columns ? n * tile : columns; }
  /// What a device holds, in values.
  double device_values() const {
    return static_cast<double>(panel_values()) + 2 * static_cast<double>(tile * tile);
  }
};

/// Rows of a tile so that device_values() stays within `values`: an eighth of n, at least 512 and
/// at most 16384, where that fits, and fewer otherwise; 0 where nothing does.
std::int64_t tile_rows(std::int64_t n, std::int64_t columns, double values);

/// One device at work, with its memory.
struct TileWorker {
  TileWorker(Device& device_, std::size_t number_, const TileShape& shape)
      : device(device_),
        number(number_),
        panel(device_, shape.panel_values(), 1),
        first(device_, shape.tile, shape.tile),
        second(device_, shape.tile, shape.tile) {}

  Device& device;
  std::size_t number;
  Array<double> panel;          // n x tile values: a row or a column of tiles, right-hand sides
  Array<double> first, second;  // one tile each
  std::int64_t holds = -1;      // what of a run the panel holds, as the run counts it
  std::int64_t loaded = 0;      // and how many pieces of it
  double moved_bytes = 0;       // to the device and from it

  MatrixView<double> panel_view(std::int64_t rows, std::int64_t cols) {
    return {panel.view().data, rows, cols, device.place()};
  }
  /// `count` values of the host to the device. Returns when they were read.
  void load(const double* from, double* to, std::int64_t count);
  /// Values of the device to the host, where they are on return. Waits.
  void store(MatrixView<const double> contiguous, double* to);
};

class TileTeam {
 public:
  /// `total`: steps of all runs together, for the progress. Devices outlive the team. Its memory is
  /// taken here, once. @throws Error invalid_argument without a device; out_of_memory.
  TileTeam(std::span<Device> devices, const TileShape& shape, Progress progress = {},
           long long total = 0);

  const TileShape& shape() const { return shape_; }
  TileWorker& first_worker() { return workers_.front(); }
  /// Of all devices, to them and from them.
  double moved_bytes() const;

  /// f(worker, task) for every task in [0, tasks), which workers take in their order, as
  /// side_by_side() has it.
  using Task = std::function<void(TileWorker&, std::int64_t)>;
  void run(std::int64_t tasks, const Task& f);

  // Called by tasks.
  /// Waits until that task of this run was finished(); it comes before the one that waits.
  void wait_for(std::int64_t task);
  void finished(std::int64_t task) { mark(task, State::finished); }
  /// @throws Error cancelled where the progress asks to stop.
  void advance(long long steps);

 private:
  enum class State : char { open, finished, failed };
  void mark(std::int64_t task, State state);

  TileShape shape_;
  std::vector<TileWorker> workers_;
  const Progress progress_;
  SharedProgress shared_;

  std::mutex guard_;
  std::condition_variable changed_;
  std::vector<State> states_;  // of the tasks of this run
};

}  // namespace kronite::math
