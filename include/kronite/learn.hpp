// Training of networks on labelled pairs of descriptors, and the options that all trainings share.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "kronite/device.hpp"    // for Device
#include "kronite/ensemble.hpp"  // for Ensemble, Network
#include "kronite/view.hpp"      // for MatrixView

namespace kronite::learn {

/// Hidden layers in order, each: dense, batch normalisation if asked for, ReLU, dropout. Then a
/// dense layer to the outputs: for pairs two logits (unlike, alike).
struct NetworkShape {
  std::vector<std::int64_t> hidden{400, 400, 400};
  bool batch_norm = true;
  double dropout = 0.2;  ///< share of the hidden values dropped in a training step, in [0, 1)
};

/// Adam (beta1 0.9, beta2 0.999, epsilon 1e-7) on the mean loss of batches.
struct FitOptions {
  /// Pairs (of a metric: queries; else rows) of a step at most: an epoch is cut into as few batches
  /// as that takes, all of one size or one less.
  std::int64_t batch = 1024;
  double learning_rate = 1e-3;
  /// Let the learning rate fall to 0 along half a cosine over all max_epochs.
  bool cosine_decay = false;
  int max_epochs = 1000;
  /// Stop after so many epochs without a better validation accuracy (on rows: validation loss) and
  /// keep the best epoch; 0: run all max_epochs and keep the last.
  int patience = 50;
  std::uint64_t seed = 0;  ///< of the first weights, the order of pairs or rows, and dropout
  /// Let the learning rate rise from 0 along half a cosine over this share of all steps, [0, 1).
  double warm_up = 0;
  /// Share of itself, times the learning rate, that a parameter loses in each step.
  double weight_decay = 0;
};

/// Pairs of rows of a matrix of descriptors, and whether the two are alike.
struct LabelledPairs {
  std::vector<std::int32_t> first, second;
  std::vector<std::uint8_t> alike;  ///< 0 or 1
  std::int64_t size() const { return static_cast<std::int64_t>(first.size()); }
};

/// One epoch; validation values are NaN without validation data, the accuracy also where nothing is
/// classified.
struct EpochRecord {
  int epoch = 0;  ///< from 1
  double loss = 0;
  double validation_loss = 0, validation_accuracy = 0;
  double seconds = 0;
};

/// All that training goes on from after an epoch: resumed, it gives the same bits as a run that was
/// never interrupted.
struct FitState {
  std::int64_t steps = 0;
  std::vector<float> parameters;  ///< weights, normalisation and its running statistics
  std::vector<float> moment1, moment2;
  std::vector<float> best;  ///< parameters of the best epoch so far
  int best_epoch = 0;
  std::vector<EpochRecord> history;
};

struct Fit {
  Network network;  ///< of the kept epoch, batch normalisation folded into the weights
  int best_epoch = 0;
  std::vector<EpochRecord> history;
};

struct FitHooks {
  const FitState* resume = nullptr;
  /// Called after every epoch, with the state as it is then; false stops at once.
  /// fit() then throws Error cancelled.
  std::function<bool(const FitState&)> after_epoch;
};

/// Trains one network on |rows_first - rows_second|, formed batch by batch on `device`. rows: n x
/// d, host. Reproducible: the same bits from the same inputs on the CPU for any number of threads.
/// @throws Error invalid_argument for shapes, options or pairs that make no sense, pairs of one
/// class only, or a state of another shape; numerical when the loss is no longer finite, naming the
/// epoch; cancelled.
Fit fit(Device& device, const NetworkShape& shape, const FitOptions& options,
        MatrixView<const float> rows, const LabelledPairs& training,
        const LabelledPairs& validation, const FitHooks& hooks = {});

/// P(alike) of each pair, in tiles. rows: n x d, host. Waits.
std::vector<float> probabilities(Device& device, const Ensemble& ensemble,
                                 MatrixView<const float> rows, const LabelledPairs& pairs);

}  // namespace kronite::learn
