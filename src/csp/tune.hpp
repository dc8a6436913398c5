// A search for the shape of the network, judged on the validation part.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "kronite/csp_training.hpp"  // for TrainOptions, PairMetrics

namespace kronite::csp {

struct TuneOptions {
  int trials = 50;
  std::string journal;         ///< see learn::Search
  std::string metric = "MAP";  ///< of the validation part: MAP, MACC, AP or ACC
  std::uint64_t seed = 0;      ///< of the search
};

/// A network that was tried.
struct TuneTrial {
  std::int64_t number = 0;  ///< from 1
  learn::NetworkShape network;
  double metric = 0;  ///< NaN when the training failed
};

struct TuneHooks {
  std::function<bool(std::int64_t trial, const TrainProgress&)> progress;  ///< false: stop
  std::function<void(const TuneTrial&, const TuneTrial& best, std::int64_t finished)> after_trial;
};

/// Trains one network per trial, with the settings of `base` but for its shape: 200 to 1,000 units
/// in steps of 50 in each of 2 to 4 hidden layers, dropout 0 to 0.2 (the space of the 2024
/// notebook). Goes on until the journal holds `trials` results; several processes may share it.
/// Returns the best one; the test part is not looked at.
/// @throws Error as train() and learn::Search; invalid_argument without a validation part or for
/// another metric; numerical when every trial has failed.
TuneTrial tune(Device& device, const TemplateLibrary& library, const TrainOptions& base,
               const std::vector<std::string>& excluded_formulas, const TuneOptions& options,
               const TuneHooks& hooks = {});

}  // namespace kronite::csp
