// Training of one network: epochs of Adam, judged on the validation pairs.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/fail.hpp"                 // for fail
#include "device/backend.hpp"            // for network, training
#include "kronite/learn.hpp"             // for fit
#include "learn/epochs.hpp"              // for Epochs, check_options, epoch_order
#include "learn/on_device.hpp"           // for MatrixOnDevice, upload, download
#include "learn/pair_probabilities.hpp"  // for pair_probabilities, check_pairs
#include "learn/trainable_network.hpp"   // for TrainableNetwork

namespace kronite::learn {
namespace {

void check_classes(const LabelledPairs& pairs) {
  const auto alike = std::count(pairs.alike.begin(), pairs.alike.end(), std::uint8_t{1});
  if (alike == 0 || alike == pairs.size())
    fail(Errc::invalid_argument,
         "of {} training pairs {} are alike: a classifier needs pairs of both kinds", pairs.size(),
         alike);
}

bool finite(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
}

ValidationScores judge(const std::vector<float>& p, const std::vector<std::uint8_t>& alike) {
  if (p.empty()) return {};
  constexpr double kLeast = 1e-7;  // a probability of 0 in single precision is not a certainty
  double loss = 0;
  std::int64_t right = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    const double of_class = alike[i] ? p[i] : 1.0 - p[i];
    loss -= std::log(std::max(kLeast, of_class));
    right += (p[i] > 0.5F) == (alike[i] != 0);
  }
  const auto count = static_cast<double>(p.size());
  return {loss / count, static_cast<double>(right) / count};
}

/// One call of fit().
class Fitting {
 public:
  Fitting(Device& device, const NetworkShape& shape, const FitOptions& options,
          MatrixView<const float> rows, const LabelledPairs& pairs,
          const LabelledPairs& validation);

  Fit run(const FitHooks& hooks);

 private:
  double train(int epoch);
  void shuffle_pairs(int epoch);
  void step(std::int64_t first, std::int64_t count);
  double mean_loss();
  ValidationScores judge(const std::vector<float>& parameters) const;

  Device& device_;
  Backend& backend_;
  const NetworkLayout layout_;
  const std::uint64_t seed_, dropout_seed_;
  const LabelledPairs& pairs_;
  const LabelledPairs& validation_;
  const std::int64_t batches_, most_rows_;

  const MatrixOnDevice rows_;
  TrainableNetwork<float> network_;
  Epochs epochs_;
  Scratch<float> differences_, losses_;
  Scratch<std::int32_t> first_, second_;  // of this epoch, in its order
  Scratch<std::uint8_t> alike_;
};

Fitting::Fitting(Device& device, const NetworkShape& shape, const FitOptions& options,
                 MatrixView<const float> rows, const LabelledPairs& pairs,
                 const LabelledPairs& validation)
    : device_(device),
      backend_(device.backend()),
      layout_(shape, rows.cols),
      seed_(options.seed),
      dropout_seed_(dropout_seed(options.seed)),
      pairs_(pairs),
      validation_(validation),
      batches_((pairs.size() - 1) / options.batch + 1),
      most_rows_((pairs.size() + batches_ - 1) / batches_),
      rows_(backend_, rows),
      network_(device, layout_, most_rows_),
      epochs_(device, options, network_.parameters(), network_.gradient(), batches_),
      differences_(backend_, most_rows_, rows.cols),
      losses_(backend_, pairs.size()),
      first_(backend_, pairs.size()),
      second_(backend_, pairs.size()),
      alike_(backend_, pairs.size()) {}

Fit Fitting::run(const FitHooks& hooks) {
  epochs_.start(initial_parameters(layout_, seed_), hooks.resume);
  FitState state = epochs_.run(
      hooks, [&](int epoch) { return train(epoch); },
      [&](const std::vector<float>& parameters) { return judge(parameters); });
  return {folded(layout_, state.best), state.best_epoch, std::move(state.history)};
}

double Fitting::train(int epoch) {
  shuffle_pairs(epoch);
  for (std::int64_t b = 0; b < batches_; ++b) {
    const std::int64_t first = b * pairs_.size() / batches_;
    step(first, (b + 1) * pairs_.size() / batches_ - first);
  }
  return mean_loss();
}

void Fitting::shuffle_pairs(int epoch) {
  const auto order = epoch_order(seed_, epoch, pairs_.size());
  const auto send = [&]<class T>(const std::vector<T>& values, const Scratch<T>& to) {
    std::vector<T> shuffled(values.size());
    for (std::size_t i = 0; i < order.size(); ++i)
      shuffled[i] = values[static_cast<std::size_t>(order[i])];
    upload<T>(backend_, shuffled, to.data());
  };
  send(pairs_.first, first_);
  send(pairs_.second, second_);
  send(pairs_.alike, alike_);
}

void Fitting::step(std::int64_t first, std::int64_t count) {
  const Place place = backend_.place();
  const PairView batch{{first_.data() + first, count, place},
                       {second_.data() + first, count, place}};
  const MatrixView<float> x(differences_.data(), count, rows_.view().cols, place);
  const auto step = static_cast<std::uint32_t>(epochs_.begin_step());
  kronite::network<float>(device_).pair_differences(rows_.view(), rows_.view(), batch, x);
  network_.forward(x, {alike_.data() + first, count, place}, {dropout_seed_, step, 0},
                   {losses_.data() + first, count, place});
  network_.backward(x);
  network_.update_statistics();
  epochs_.step();
}

double Fitting::mean_loss() {
  const auto losses = download(backend_, losses_.vector());
  return std::accumulate(losses.begin(), losses.end(), 0.0) / static_cast<double>(losses.size());
}

ValidationScores Fitting::judge(const std::vector<float>& parameters) const {
  const Network network = folded(layout_, parameters);
  const auto p = pair_probabilities(device_, Ensemble{{network}}, rows_.view(), validation_);
  if (!finite(p)) epochs_.diverged();
  return learn::judge(p, validation_.alike);
}

}  // namespace

Fit fit(Device& device, const NetworkShape& shape, const FitOptions& options,
        MatrixView<const float> rows, const LabelledPairs& training,
        const LabelledPairs& validation, const FitHooks& hooks) {
  check_options(options);
  if (options.batch < 2)
    fail(Errc::invalid_argument, "the batch is {} pairs, expected at least 2", options.batch);
  check_pairs(training, rows.rows, "training");
  check_pairs(validation, rows.rows, "validation");
  check_classes(training);
  if (options.patience > 0 && validation.size() == 0)
    fail(Errc::invalid_argument,
         "there are no validation pairs to stop early by; with a patience of 0 all {} epochs run",
         options.max_epochs);
  return Fitting(device, shape, options, rows, training, validation).run(hooks);
}

}  // namespace kronite::learn
