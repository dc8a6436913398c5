// What a training run has reached, in one safetensors file that it can be taken up from.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "csp/train_settings.hpp"  // for TrainSettings
#include "learn/epochs.hpp"        // for FittedParameters, FitState

namespace kronite::csp {

class TrainCheckpoint {
 public:
  /// Takes up the file when it is there. With an empty path nothing is kept. `settings`: all that
  /// the result depends on.
  /// @throws Error io; corrupt; invalid_argument, naming the setting, when it was begun otherwise.
  TrainCheckpoint(std::string path, TrainSettings settings);

  /// Members that are trained, in order.
  const std::vector<learn::FittedParameters>& finished() const { return finished_; }
  /// State of the member after them; null at its beginning.
  const learn::FitState* current() const { return current_ ? &*current_ : nullptr; }

  /// Of the member in training: written when the last writing is some seconds ago, or at once.
  void keep(const learn::FitState& state, bool at_once);
  void finish(learn::FittedParameters fit);

 private:
  void read();
  void write(const learn::FitState* state);

  std::string path_;
  TrainSettings settings_;
  std::vector<learn::FittedParameters> finished_;
  std::optional<learn::FitState> current_;
  std::chrono::steady_clock::time_point written_ = std::chrono::steady_clock::now();
};

}  // namespace kronite::csp
