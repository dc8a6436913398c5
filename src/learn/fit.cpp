// Training of one network: epochs of Adam, judged on the validation pairs.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>

#include "base/fail.hpp"                 // for fail
#include "device/backend.hpp"            // for network, training
#include "kronite/learn.hpp"             // for fit
#include "learn/on_device.hpp"           // for MatrixOnDevice, upload, download
#include "learn/pair_probabilities.hpp"  // for pair_probabilities, check_pairs
#include "learn/trainable_network.hpp"   // for TrainableNetwork
#include "math/random.hpp"               // for Random

namespace kronite::learn {
namespace {

/// Streams of the seed.
enum : std::uint64_t { kDropoutStream = 1, kOrderStream = std::uint64_t{1} << 32 };

void check_options(const FitOptions& o) {
  if (o.batch < 2)
    fail(Errc::invalid_argument, "the batch is {} pairs, expected at least 2", o.batch);
  if (!(o.learning_rate > 0 && std::isfinite(o.learning_rate)))
    fail(Errc::invalid_argument, "the learning rate is {}, expected a number above 0",
         o.learning_rate);
  if (o.max_epochs < 1)
    fail(Errc::invalid_argument, "at most {} epochs, expected at least 1", o.max_epochs);
  if (o.patience < 0)
    fail(Errc::invalid_argument, "the patience is {} epochs, expected at least 0", o.patience);
}

void check_classes(const LabelledPairs& pairs) {
  const auto alike = std::count(pairs.alike.begin(), pairs.alike.end(), std::uint8_t{1});
  if (alike == 0 || alike == pairs.size())
    fail(Errc::invalid_argument,
         "of {} training pairs {} are alike: a classifier needs pairs of both kinds", pairs.size(),
         alike);
}

/// Loss and accuracy of probabilities.
struct Judgement {
  double loss = std::numeric_limits<double>::quiet_NaN();
  double accuracy = std::numeric_limits<double>::quiet_NaN();
};

bool finite(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
}

Judgement judge(const std::vector<float>& p, const std::vector<std::uint8_t>& alike) {
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
  void start(const FitState* resume);
  void run_epoch();
  void shuffle_pairs(int epoch);
  void step(std::int64_t first, std::int64_t count);
  double learning_rate() const;
  [[noreturn]] void diverged(int epoch) const;
  double mean_loss(int epoch);
  void keep_state();
  bool finished() const;

  int epochs() const { return static_cast<int>(state_.history.size()); }

  Device& device_;
  Backend& backend_;
  const NetworkLayout layout_;
  const FitOptions options_;
  const LabelledPairs& pairs_;
  const LabelledPairs& validation_;
  const std::uint64_t dropout_seed_;
  const std::int64_t batches_, most_rows_;

  const MatrixOnDevice rows_;
  TrainableNetwork<float> network_;
  Scratch<float> moment1_, moment2_, differences_, losses_;
  Scratch<std::int32_t> first_, second_;  // of this epoch, in its order
  Scratch<std::uint8_t> alike_;
  FitState state_;
};

Fitting::Fitting(Device& device, const NetworkShape& shape, const FitOptions& options,
                 MatrixView<const float> rows, const LabelledPairs& pairs,
                 const LabelledPairs& validation)
    : device_(device),
      backend_(device.backend()),
      layout_(shape, rows.cols),
      options_(options),
      pairs_(pairs),
      validation_(validation),
      dropout_seed_(math::Random(options.seed, kDropoutStream).bits64()),
      batches_((pairs.size() - 1) / options.batch + 1),
      most_rows_((pairs.size() + batches_ - 1) / batches_),
      rows_(backend_, rows),
      network_(device, layout_, most_rows_),
      moment1_(backend_, layout_.trained),
      moment2_(backend_, layout_.trained),
      differences_(backend_, most_rows_, rows.cols),
      losses_(backend_, pairs.size()),
      first_(backend_, pairs.size()),
      second_(backend_, pairs.size()),
      alike_(backend_, pairs.size()) {}

Fit Fitting::run(const FitHooks& hooks) {
  start(hooks.resume);
  while (!finished()) {
    run_epoch();
    if (hooks.after_epoch && !hooks.after_epoch(state_))
      fail(Errc::cancelled, "training was stopped after epoch {}", epochs());
  }
  return {folded(layout_, state_.best), state_.best_epoch, std::move(state_.history)};
}

void Fitting::start(const FitState* resume) {
  const auto trained = static_cast<std::size_t>(layout_.trained);
  if (resume) {
    const auto size = static_cast<std::size_t>(layout_.size);
    if (resume->parameters.size() != size || resume->best.size() != size ||
        resume->moment1.size() != trained || resume->moment2.size() != trained)
      fail(Errc::invalid_argument,
           "the state to go on from has {} parameters, this network has {}: it is of another shape",
           resume->parameters.size(), size);
    state_ = *resume;
  } else {
    state_.parameters = initial_parameters(layout_, options_.seed);
    state_.best = state_.parameters;
    state_.moment1.assign(trained, 0.0F);
    state_.moment2.assign(trained, 0.0F);
  }
  upload<float>(backend_, state_.parameters, network_.parameters().data);
  upload<float>(backend_, state_.moment1, moment1_.data());
  upload<float>(backend_, state_.moment2, moment2_.data());
}

void Fitting::run_epoch() {
  const auto begin = std::chrono::steady_clock::now();
  EpochRecord record;
  record.epoch = epochs() + 1;
  shuffle_pairs(record.epoch);
  for (std::int64_t b = 0; b < batches_; ++b) {
    const std::int64_t first = b * pairs_.size() / batches_;
    step(first, (b + 1) * pairs_.size() / batches_ - first);
  }
  record.loss = mean_loss(record.epoch);
  keep_state();
  // The losses are those before the last step, which may have been the one too far.
  if (!finite(state_.parameters)) diverged(record.epoch);
  const Network network = folded(layout_, state_.parameters);
  const auto p = pair_probabilities(device_, Ensemble{{network}}, rows_.view(), validation_);
  if (!finite(p)) diverged(record.epoch);
  const Judgement judgement = judge(p, validation_.alike);
  record.validation_loss = judgement.loss;
  record.validation_accuracy = judgement.accuracy;
  const bool better =
      options_.patience == 0 || state_.best_epoch == 0 ||
      judgement.accuracy >
          state_.history[static_cast<std::size_t>(state_.best_epoch) - 1].validation_accuracy;
  if (better) {
    state_.best = state_.parameters;
    state_.best_epoch = record.epoch;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  record.seconds = took.count();
  state_.history.push_back(record);
}

void Fitting::shuffle_pairs(int epoch) {
  std::vector<std::int32_t> order(pairs_.first.size());
  std::iota(order.begin(), order.end(), 0);
  math::Random(options_.seed, kOrderStream + static_cast<std::uint64_t>(epoch))
      .shuffle(std::span(order));
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
  ++state_.steps;
  kronite::network<float>(device_).pair_differences(rows_.view(), rows_.view(), batch, x);
  network_.forward(x, {alike_.data() + first, count, place},
                   {dropout_seed_, static_cast<std::uint32_t>(state_.steps), 0},
                   {losses_.data() + first, count, place});
  network_.backward(x);
  network_.update_statistics();
  AdamStep adam;
  adam.learning_rate = learning_rate();
  adam.step = state_.steps;
  kronite::training<float>(device_).adam(adam, network_.gradient(), moment1_.vector(),
                                         moment2_.vector(),
                                         {network_.parameters().data, layout_.trained, place});
}

/// Of the step that state_.steps counts.
double Fitting::learning_rate() const {
  if (!options_.cosine_decay) return options_.learning_rate;
  constexpr double kPi = 3.14159265358979;
  const auto done = static_cast<double>(state_.steps - 1);
  const auto all = static_cast<double>(batches_ * options_.max_epochs);
  return options_.learning_rate * 0.5 * (1 + std::cos(kPi * done / all));
}

void Fitting::diverged(int epoch) const {
  fail(Errc::numerical,
       "the loss is no longer finite in epoch {}: the learning rate {} is too large, or a "
       "descriptor is not a number",
       epoch, options_.learning_rate);
}

double Fitting::mean_loss(int epoch) {
  const auto losses = download(backend_, losses_.vector());
  const double mean =
      std::accumulate(losses.begin(), losses.end(), 0.0) / static_cast<double>(losses.size());
  if (!std::isfinite(mean)) diverged(epoch);
  return mean;
}

void Fitting::keep_state() {
  state_.parameters = download(backend_, network_.parameters());
  state_.moment1 = download(backend_, moment1_.vector());
  state_.moment2 = download(backend_, moment2_.vector());
}

bool Fitting::finished() const {
  if (epochs() >= options_.max_epochs) return true;
  return options_.patience > 0 && state_.best_epoch > 0 &&
         epochs() - state_.best_epoch >= options_.patience;
}

}  // namespace

Fit fit(Device& device, const NetworkShape& shape, const FitOptions& options,
        MatrixView<const float> rows, const LabelledPairs& training,
        const LabelledPairs& validation, const FitHooks& hooks) {
  check_options(options);
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
