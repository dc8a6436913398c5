// What a training run has reached, in one safetensors file that it can be taken up from.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "csp/train_settings.hpp"  // for TrainSettings
#include "learn/epochs.hpp"        // for FittedParameters, FitState

namespace kronite::csp {

/// Members, from 0, may be trained in any order and side by side: each call is safe from any
/// thread.
class TrainCheckpoint {
 public:
  /// Takes up the file when it is there. With an empty path nothing is kept. `settings`: all that
  /// the result depends on.
  /// @throws Error io; corrupt; invalid_argument, naming the setting, when it was begun otherwise.
  TrainCheckpoint(std::string path, TrainSettings settings);

  /// Of a member that is trained; null when it is not.
  const learn::FittedParameters* finished(int member) const;
  /// Where the training of a member stands; nothing at its beginning, and once it is finished.
  std::optional<learn::FitState> current(int member) const;

  /// Of a member in training: written when the last writing is some seconds ago, or at once.
  void keep(int member, const learn::FitState& state, bool at_once);
  void finish(int member, learn::FittedParameters fit);

 private:
  void read();
  void write();

  std::string path_;
  TrainSettings settings_;
  mutable std::mutex guard_;  ///< of all below
  std::map<int, learn::FittedParameters> finished_;
  std::map<int, learn::FitState> current_;
  std::chrono::steady_clock::time_point written_ = std::chrono::steady_clock::now();
};

}  // namespace kronite::csp
