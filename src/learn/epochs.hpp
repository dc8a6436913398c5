// What every training has: Adam on one vector of parameters, epochs that are judged, the best one
// kept, a state that it goes on from.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

#include "device/backend.hpp"  // for Backend
#include "device/scratch.hpp"  // for Scratch
#include "kronite/learn.hpp"   // for FitOptions, FitState, FitHooks

namespace kronite::learn {

/// @throws Error invalid_argument for options that make no sense, whatever is trained.
void check_options(const FitOptions& options);

/// What a judgement on validation data gives; NaN without any.
struct ValidationScores {
  double loss = std::numeric_limits<double>::quiet_NaN();
  double accuracy = std::numeric_limits<double>::quiet_NaN();
};

/// What the best epoch is chosen by.
enum class BestBy { accuracy, loss };

/// What a training leaves: of the best epoch.
struct FittedParameters {
  std::vector<float> parameters;
  int best_epoch = 0;
  std::vector<EpochRecord> history;
};

/// The seed of a training's dropout, and the order of `count` training data in an epoch.
std::uint64_t dropout_seed(std::uint64_t seed);
std::vector<std::int32_t> epoch_order(std::uint64_t seed, int epoch, std::int64_t count);

class Epochs {
 public:
  /// `parameters`: all of them, on the device; those that Adam moves come first and have the
  /// `gradient`, which is there when step() is called. Both must outlive this.
  Epochs(Device& device, const FitOptions& options, VectorView<float> parameters,
         VectorView<const float> gradient, std::int64_t steps_per_epoch,
         BestBy best_by = BestBy::accuracy);

  /// Begins with `initial`, or goes on. @throws Error invalid_argument for a state of another size.
  void start(std::vector<float> initial, const FitState* resume);
  /// Epochs until they are enough. train(): all steps of the epoch, returns its mean loss. judge():
  /// of the parameters after it. @throws Error numerical when a value is no longer finite;
  /// cancelled.
  FitState run(const FitHooks& hooks, const std::function<double(int epoch)>& train,
               const std::function<ValidationScores(const std::vector<float>&)>& judge);

  // --- for train() and judge() ------------------------------------------------------------------
  /// Number of the step that begins, from 1.
  std::int64_t begin_step() { return ++state_.steps; }
  /// Moves the parameters.
  void step();
  [[noreturn]] void diverged() const;

 private:
  int epochs() const { return static_cast<int>(state_.history.size()); }
  bool finished() const;
  bool better(const ValidationScores& scores) const;
  double learning_rate() const;
  void keep_state();

  Backend& backend_;
  TrainOps<float>& ops_;
  const FitOptions options_;
  const VectorView<float> parameters_;
  const VectorView<const float> gradient_;
  const std::int64_t steps_per_epoch_;
  const BestBy best_by_;
  Scratch<float> moment1_, moment2_;
  FitState state_;
};

}  // namespace kronite::learn
