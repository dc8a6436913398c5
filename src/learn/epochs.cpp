// The loop that trainings share.
#include "learn/epochs.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <span>

#include "base/fail.hpp"        // for fail
#include "learn/on_device.hpp"  // for upload, download
#include "math/random.hpp"      // for Random

namespace kronite::learn {
namespace {

/// Streams of the seed.
enum : std::uint64_t { kDropoutStream = 1, kOrderStream = std::uint64_t{1} << 32 };

}  // namespace

std::uint64_t dropout_seed(std::uint64_t seed) {
  return math::Random(seed, kDropoutStream).bits64();
}

std::vector<std::int32_t> epoch_order(std::uint64_t seed, int epoch, std::int64_t count) {
  std::vector<std::int32_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  math::Random(seed, kOrderStream + static_cast<std::uint64_t>(epoch)).shuffle(std::span(order));
  return order;
}

void check_options(const FitOptions& o) {
  if (!(o.learning_rate > 0 && std::isfinite(o.learning_rate)))
    fail(Errc::invalid_argument, "the learning rate is {}, expected a number above 0",
         o.learning_rate);
  if (o.max_epochs < 1)
    fail(Errc::invalid_argument, "at most {} epochs, expected at least 1", o.max_epochs);
  if (o.patience < 0)
    fail(Errc::invalid_argument, "the patience is {} epochs, expected at least 0", o.patience);
  if (!(o.warm_up >= 0 && o.warm_up < 1))
    fail(Errc::invalid_argument, "the warm-up is {}, expected a share of at least 0 and below 1",
         o.warm_up);
  if (!(o.weight_decay >= 0 && std::isfinite(o.weight_decay)))
    fail(Errc::invalid_argument, "the weight decay is {}, expected a number of at least 0",
         o.weight_decay);
}

Epochs::Epochs(Device& device, const FitOptions& options, VectorView<float> parameters,
               VectorView<const float> gradient, std::int64_t steps_per_epoch, BestBy best_by)
    : backend_(device.backend()),
      ops_(training<float>(device)),
      options_(options),
      parameters_(parameters),
      gradient_(gradient),
      steps_per_epoch_(steps_per_epoch),
      best_by_(best_by),
      moment1_(backend_, gradient.size),
      moment2_(backend_, gradient.size) {}

void Epochs::start(std::vector<float> initial, const FitState* resume) {
  const auto trained = static_cast<std::size_t>(gradient_.size);
  if (resume) {
    const auto size = static_cast<std::size_t>(parameters_.size);
    if (resume->parameters.size() != size || resume->best.size() != size ||
        resume->moment1.size() != trained || resume->moment2.size() != trained)
      fail(Errc::invalid_argument,
           "the state to go on from has {} parameters, this network has {}: it is of another shape",
           resume->parameters.size(), size);
    state_ = *resume;
  } else {
    state_.parameters = std::move(initial);
    state_.best = state_.parameters;
    state_.moment1.assign(trained, 0.0F);
    state_.moment2.assign(trained, 0.0F);
  }
  upload<float>(backend_, state_.parameters, parameters_.data);
  upload<float>(backend_, state_.moment1, moment1_.data());
  upload<float>(backend_, state_.moment2, moment2_.data());
}

FitState Epochs::run(const FitHooks& hooks, const std::function<double(int epoch)>& train,
                     const std::function<ValidationScores(const std::vector<float>&)>& judge) {
  while (!finished()) {
    const auto begin = std::chrono::steady_clock::now();
    EpochRecord record;
    record.epoch = epochs() + 1;
    record.loss = train(record.epoch);
    if (!std::isfinite(record.loss)) diverged();
    keep_state();
    // The losses are those before the last step, which may have been the one too far.
    if (!std::all_of(state_.parameters.begin(), state_.parameters.end(),
                     [](float v) { return std::isfinite(v); }))
      diverged();
    const ValidationScores scores = judge(state_.parameters);
    record.validation_loss = scores.loss;
    record.validation_accuracy = scores.accuracy;
    if (better(scores)) {
      state_.best = state_.parameters;
      state_.best_epoch = record.epoch;
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    record.seconds = took.count();
    state_.history.push_back(record);
    if (hooks.after_epoch && !hooks.after_epoch(state_))
      fail(Errc::cancelled, "training was stopped after epoch {}", epochs());
  }
  return std::move(state_);
}

void Epochs::step() {
  AdamStep adam;
  adam.learning_rate = learning_rate();
  adam.weight_decay = options_.weight_decay;
  adam.step = state_.steps;
  ops_.adam(adam, gradient_, moment1_.vector(), moment2_.vector(),
            {parameters_.data, gradient_.size, parameters_.place});
}

void Epochs::diverged() const {
  fail(Errc::numerical,
       "the loss is no longer finite in epoch {}: the learning rate {} is too large, or a "
       "descriptor is not a number",
       epochs() + 1, options_.learning_rate);
}

bool Epochs::finished() const {
  if (epochs() >= options_.max_epochs) return true;
  return options_.patience > 0 && state_.best_epoch > 0 &&
         epochs() - state_.best_epoch >= options_.patience;
}

bool Epochs::better(const ValidationScores& scores) const {
  if (options_.patience == 0 || state_.best_epoch == 0) return true;
  const auto best = static_cast<std::size_t>(state_.best_epoch) - 1;
  const EpochRecord& record = state_.history[best];
  return best_by_ == BestBy::loss ? scores.loss < record.validation_loss
                                  : scores.accuracy > record.validation_accuracy;
}

/// Of the step that state_.steps counts.
double Epochs::learning_rate() const {
  constexpr double kPi = 3.14159265358979;
  const auto done = static_cast<double>(state_.steps - 1);
  const auto all = static_cast<double>(steps_per_epoch_ * options_.max_epochs);
  const double rising = options_.warm_up * all;
  if (done < rising)
    return options_.learning_rate * 0.5 * (1 - std::cos(kPi * (done + 1) / (rising + 1)));
  if (!options_.cosine_decay) return options_.learning_rate;
  return options_.learning_rate * 0.5 * (1 + std::cos(kPi * (done - rising) / (all - rising)));
}

void Epochs::keep_state() {
  state_.parameters = download(backend_, parameters_);
  state_.moment1 = download(backend_, moment1_.vector());
  state_.moment2 = download(backend_, moment2_.vector());
}

}  // namespace kronite::learn
