// Training of one network on rows: epochs of Adam, judged by the validation loss.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "base/fail.hpp"                // for fail
#include "device/backend.hpp"           // for training
#include "kernels/row_loss.hpp"         // for value_cost
#include "kronite/regression.hpp"       // for fit_rows
#include "learn/epochs.hpp"             // for Epochs, check_options, epoch_order
#include "learn/on_device.hpp"          // for MatrixOnDevice, upload, download
#include "learn/row_model.hpp"          // for network_outputs, add_softmax
#include "learn/rows.hpp"               // for check_parts, scaler_of, standardised
#include "learn/trainable_network.hpp"  // for TrainableNetwork

namespace kronite::learn {
namespace {

/// Targets of some rows: continuous ones, standardised (n x outputs), or classes (n).
struct Targets {
  std::vector<float> values;
  std::vector<std::int32_t> classes;
};

/// What is learned: the targets of both parts, the number of outputs, and the loss.
struct Task {
  std::int64_t outputs = 0;
  RowScaler scaler;  ///< empty for classes
  Targets training, validation;
  ValueLoss loss;
  std::vector<float> class_weights;

  bool classifies() const { return scaler.mean.empty(); }
  double weight(std::int32_t of_class) const {
    return class_weights.empty()
               ? 1.0
               : static_cast<double>(class_weights[static_cast<std::size_t>(of_class)]);
  }
};

ValidationScores judge_classes(const Task& task, const std::vector<float>& logits) {
  constexpr double kLeast = 1e-300;  // a probability of 0 is one that was rounded down
  const auto& classes = task.validation.classes;
  std::vector<double> p(static_cast<std::size_t>(task.outputs));
  double loss = 0, right = 0;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    std::fill(p.begin(), p.end(), 0.0);
    add_softmax(logits.data() + i * p.size(), task.outputs, 1, p.data());
    const auto of_class = static_cast<std::size_t>(classes[i]);
    loss -= task.weight(classes[i]) * std::log(std::max(kLeast, p[of_class]));
    right += std::max_element(p.begin(), p.end()) - p.begin() == classes[i];
  }
  const auto count = static_cast<double>(classes.size());
  return {loss / count, right / count};
}

ValidationScores judge_values(const Task& task, const std::vector<float>& values) {
  double loss = 0;
  for (std::size_t i = 0; i < values.size(); ++i)
    loss +=
        value_cost(task.loss.kind, task.loss.knee,
                   static_cast<double>(values[i]) - static_cast<double>(task.validation.values[i]))
            .cost;
  ValidationScores scores;
  scores.loss = loss / static_cast<double>(values.size());
  return scores;
}

/// One call of fit_rows().
class RowFitting {
 public:
  RowFitting(Device& device, const RowFitOptions& options, RowsView x, const RowParts& parts,
             const Task& task);

  RowFit run(const FitHooks& hooks);

 private:
  double train(int epoch);
  void send_epoch(int epoch);
  void step(std::int64_t first, std::int64_t count);
  ValidationScores judge(const std::vector<float>& parameters) const;

  Device& device_;
  Backend& backend_;
  const Task& task_;
  const RowScaler scaler_;
  const NetworkLayout layout_;
  const std::uint64_t seed_, dropout_seed_;
  const std::int64_t rows_, batches_, most_rows_;

  const std::vector<float> training_values_, validation_values_;  // standardised, on the host
  const MatrixOnDevice training_, validation_;
  TrainableNetwork<float> network_;
  Epochs epochs_;
  Scratch<float> batch_, losses_, weights_;
  Scratch<std::int32_t> order_, classes_;  // of this epoch
  Scratch<float> targets_;
};

RowFitting::RowFitting(Device& device, const RowFitOptions& options, RowsView x,
                       const RowParts& parts, const Task& task)
    : device_(device),
      backend_(device.backend()),
      task_(task),
      scaler_(scaler_of(x, parts.training, options.clip, "descriptors")),
      layout_(options.shape, x.cols(), task.outputs),
      seed_(options.fit.seed),
      dropout_seed_(dropout_seed(options.fit.seed)),
      rows_(static_cast<std::int64_t>(parts.training.size())),
      batches_((rows_ - 1) / options.fit.batch + 1),
      most_rows_((rows_ + batches_ - 1) / batches_),
      training_values_(standardised<float>(scaler_, x, parts.training, "descriptors")),
      validation_values_(standardised<float>(scaler_, x, parts.validation, "descriptors")),
      training_(backend_, {training_values_.data(), rows_, x.cols()}),
      validation_(backend_, {validation_values_.data(),
                             static_cast<std::int64_t>(parts.validation.size()), x.cols()}),
      network_(device, layout_, most_rows_),
      epochs_(device, options.fit, network_.parameters(), network_.gradient(), batches_,
              BestBy::loss),
      batch_(backend_, most_rows_, x.cols()),
      losses_(backend_, rows_),
      weights_(backend_, static_cast<std::int64_t>(task.class_weights.size())),
      order_(backend_, rows_),
      classes_(backend_, task.classifies() ? rows_ : 0),
      targets_(backend_, task.classifies() ? 0 : rows_, task.outputs) {
  upload<float>(backend_, task.class_weights, weights_.data());
}

RowFit RowFitting::run(const FitHooks& hooks) {
  epochs_.start(initial_parameters(layout_, seed_), hooks.resume);
  FitState state = epochs_.run(
      hooks, [&](int epoch) { return train(epoch); },
      [&](const std::vector<float>& parameters) { return judge(parameters); });
  return {{folded(layout_, state.best), scaler_, task_.scaler},
          state.best_epoch,
          std::move(state.history)};
}

double RowFitting::train(int epoch) {
  send_epoch(epoch);
  for (std::int64_t b = 0; b < batches_; ++b) {
    const std::int64_t first = b * rows_ / batches_;
    step(first, (b + 1) * rows_ / batches_ - first);
  }
  const auto losses = download(backend_, losses_.vector());
  return std::accumulate(losses.begin(), losses.end(), 0.0) / static_cast<double>(rows_);
}

/// The order of the rows, and the targets in it.
void RowFitting::send_epoch(int epoch) {
  const auto order = epoch_order(seed_, epoch, rows_);
  upload<std::int32_t>(backend_, order, order_.data());
  if (task_.classifies()) {
    std::vector<std::int32_t> classes;
    for (const std::int32_t row : order)
      classes.push_back(task_.training.classes[static_cast<std::size_t>(row)]);
    upload<std::int32_t>(backend_, classes, classes_.data());
    return;
  }
  std::vector<float> targets;
  for (const std::int32_t row : order) {
    const auto from = task_.training.values.begin() + row * task_.outputs;
    targets.insert(targets.end(), from, from + task_.outputs);
  }
  upload<float>(backend_, targets, targets_.data());
}

void RowFitting::step(std::int64_t first, std::int64_t count) {
  const Place place = backend_.place();
  const MatrixView<float> x(batch_.data(), count, training_.view().cols, place);
  const VectorView<float> losses(losses_.data() + first, count, place);
  const DropoutKey key{dropout_seed_, static_cast<std::uint32_t>(epochs_.begin_step()), 0};
  training<float>(device_).gather_rows(training_.view(), {order_.data() + first, count, place}, x);
  if (task_.classifies())
    network_.forward(
        x, ClassTargets<float>{{classes_.data() + first, count, place}, weights_.vector()}, key,
        losses);
  else
    network_.forward(
        x,
        ValueTargets<float>{task_.loss,
                            {targets_.data() + first * task_.outputs, count, task_.outputs, place}},
        key, losses);
  network_.backward(x);
  network_.update_statistics();
  epochs_.step();
}

ValidationScores RowFitting::judge(const std::vector<float>& parameters) const {
  if (validation_.view().rows == 0) return {};
  const auto outputs = network_outputs(device_, folded(layout_, parameters), validation_.view());
  if (!std::all_of(outputs.begin(), outputs.end(), [](float v) { return std::isfinite(v); }))
    epochs_.diverged();
  return task_.classifies() ? judge_classes(task_, outputs) : judge_values(task_, outputs);
}

void check(const RowFitOptions& options, RowsView x, const RowParts& parts) {
  check_options(options.fit);
  check_parts(parts, x);
  if (options.fit.batch < 2)
    fail(Errc::invalid_argument, "the batch is {} rows, expected at least 2", options.fit.batch);
  if (!(options.knee > 0 && std::isfinite(options.knee)))
    fail(Errc::invalid_argument, "the knee of the Huber loss is {}, expected a number above 0",
         options.knee);
  if (options.fit.patience > 0 && parts.validation.empty())
    fail(Errc::invalid_argument,
         "there are no validation rows to stop early by; with a patience of 0 all {} epochs run",
         options.fit.max_epochs);
}

}  // namespace

RowFit fit_rows(Device& device, const RowFitOptions& options, RowsView x,
                MatrixView<const double> values, const RowParts& parts, const FitHooks& hooks) {
  check(options, x, parts);
  check_targets(values.rows, x);
  Task task;
  task.outputs = values.cols;
  task.scaler = target_scaler_of(values, parts.training);
  task.training.values = standardised<float>(task.scaler, values, parts.training, "targets");
  task.validation.values = standardised<float>(task.scaler, values, parts.validation, "targets");
  task.loss = {options.loss, options.knee};
  return RowFitting(device, options, x, parts, task).run(hooks);
}

RowFit fit_rows(Device& device, const RowFitOptions& options, RowsView x,
                VectorView<const std::int32_t> classes, std::int64_t count, const RowParts& parts,
                const FitHooks& hooks) {
  check(options, x, parts);
  check_targets(classes.size, x);
  class_sizes(classes, count, parts);
  Task task;
  task.outputs = count;
  for (const std::int64_t row : parts.training)
    task.training.classes.push_back(class_of(classes, count, row));
  for (const std::int64_t row : parts.validation)
    task.validation.classes.push_back(class_of(classes, count, row));
  task.class_weights = checked_class_weights(options.class_weights, count);
  return RowFitting(device, options, x, parts, task).run(hooks);
}

std::vector<double> balanced_class_weights(VectorView<const std::int32_t> classes,
                                           std::int64_t count, const RowParts& parts) {
  for (const std::int64_t row : parts.training)
    if (row < 0 || row >= classes.size)
      fail(Errc::invalid_argument, "the training part has the row {}, but there are {} rows", row,
           classes.size);
  std::vector<double> weights;
  for (const std::int64_t size : class_sizes(classes, count, parts))
    weights.push_back(static_cast<double>(parts.training.size()) /
                      static_cast<double>(count * size));
  return weights;
}

}  // namespace kronite::learn
