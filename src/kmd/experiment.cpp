// Every learner on every descriptor of every split.
#include "kmd/experiment.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include "base/fail.hpp"  // for fail

namespace kronite::kmd {
namespace {

using Values = std::vector<double>;

/// A descriptor of all rows.
struct Described {
  DescriptorInfo info;
  Values x;  ///< n x width
};

Described describe(Device& device, const DescriptorSettings& settings, const Weights& weights,
                   const Components& components) {
  Described out;
  std::optional<Descriptor> descriptor;
  if (settings.kind == Kind::kernel_mean) {
    descriptor.emplace(components, settings.settings);
    out.info = {descriptor->width(), descriptor->settings(), descriptor->hash()};
  } else {
    out.info.width = std::ssize(summary_names(components, false));
  }
  out.x.resize(static_cast<std::size_t>(weights.rows() * out.info.width));
  const MatrixView<double> to{out.x.data(), weights.rows(), out.info.width};
  if (descriptor)
    descriptor->transform(device, weights, to);
  else
    summary_statistics(weights, components, false, to);
  return out;
}

/// Some rows of a matrix.
Values rows_of(const Values& all, std::int64_t width, const std::vector<std::int64_t>& rows) {
  Values some;
  some.reserve(rows.size() * static_cast<std::size_t>(width));
  for (const std::int64_t row : rows)
    some.insert(some.end(), all.begin() + row * width, all.begin() + (row + 1) * width);
  return some;
}

class Run {
 public:
  Run(Device& device, const ExperimentSettings& settings, const ExperimentData& data,
      const ExperimentHooks& hooks)
      : device_(device), settings_(settings), data_(data), hooks_(hooks) {}

  void trial(const Described& described, const learn::RowParts& parts, Trial& trial,
             std::size_t number, std::size_t of);

 private:
  std::int64_t classes() const { return std::ssize(data_.class_names); }
  std::int64_t targets() const { return std::ssize(settings_.data.targets); }
  VectorView<const std::int32_t> class_of_row() const {
    return {data_.classes.data(), std::ssize(data_.classes)};
  }
  MatrixView<const double> values() const { return {data_.values.data(), data_.rows(), targets()}; }
  Values class_weights(const LearnerSettings& learner, const learn::RowParts& parts) const;
  learn::Forest fit_forest(const LearnerSettings& learner, learn::RowsView x,
                           const learn::RowParts& parts, std::size_t split);
  learn::RowModel fit_networks(const LearnerSettings& learner, learn::RowsView x,
                               const learn::RowParts& parts, Trial& trial);
  Values judge(const Values& predicted, const std::vector<std::int64_t>& rows) const;

  Device& device_;
  const ExperimentSettings& settings_;
  const ExperimentData& data_;
  const ExperimentHooks& hooks_;
  ExperimentProgress now_;
};

/// Of classes; else none.
Values Run::class_weights(const LearnerSettings& learner, const learn::RowParts& parts) const {
  if (!settings_.classifies()) return {};
  Values weights = learn::balanced_class_weights(class_of_row(), classes(), parts);
  for (double& weight : weights) weight = std::pow(weight, learner.balance);
  return weights;
}

learn::Forest Run::fit_forest(const LearnerSettings& learner, learn::RowsView x,
                              const learn::RowParts& parts, std::size_t split) {
  learn::ForestOptions options = learner.forest;
  options.seed += split;
  options.class_weights = class_weights(learner, parts);
  options.after_tree = [&](int grown) {
    now_.epoch = grown;
    now_.epochs = options.trees;
    return !hooks_.progress || hooks_.progress(now_);
  };
  return settings_.classifies() ? learn::fit_forest(options, x, class_of_row(), classes(), parts)
                                : learn::fit_forest(options, x, values(), parts);
}

learn::RowModel Run::fit_networks(const LearnerSettings& learner, learn::RowsView x,
                                  const learn::RowParts& parts, Trial& trial) {
  learn::RowFitOptions options = learner.network;
  const VectorView<const std::int32_t> of_row = class_of_row();
  options.class_weights = class_weights(learner, parts);
  learn::RowModel model;
  for (int member = 0; member < learner.members; ++member) {
    options.fit.seed = learner.network.fit.seed +
                       static_cast<std::uint64_t>(trial.split) * learner.members + member;
    learn::FitHooks fit_hooks;
    fit_hooks.after_epoch = [&](const learn::FitState& state) {
      now_.epoch = member * options.fit.max_epochs + static_cast<int>(std::ssize(state.history));
      now_.epochs = learner.members * options.fit.max_epochs;
      return !hooks_.progress || hooks_.progress(now_);
    };
    learn::RowFit fit =
        settings_.classifies()
            ? learn::fit_rows(device_, options, x, of_row, classes(), parts, fit_hooks)
            : learn::fit_rows(device_, options, x, values(), parts, fit_hooks);
    trial.best_epochs.push_back(fit.best_epoch);
    model.members.push_back(std::move(fit.network));
  }
  return model;
}

Values Run::judge(const Values& predicted, const std::vector<std::int64_t>& rows) const {
  Values metrics;
  if (settings_.classifies()) {
    std::vector<std::int32_t> truth;
    for (const std::int64_t row : rows) truth.push_back(data_.classes[row]);
    const auto called = learn::most_probable({std::ssize(rows), classes(), predicted});
    const auto m = learn::class_metrics(truth, called, classes());
    for (std::int64_t k = 0; k < classes(); ++k)
      metrics.insert(metrics.end(), {m.recall[k], m.precision[k], m.f1[k]});
    metrics.insert(metrics.end(), {m.macro_f1, m.accuracy});
    return metrics;
  }
  const Values all = rows_of(data_.values, targets(), rows);
  for (std::int64_t t = 0; t < targets(); ++t) {
    Values truth, called;
    for (std::size_t i = t; i < all.size(); i += static_cast<std::size_t>(targets())) {
      truth.push_back(all[i]);
      called.push_back(predicted[i]);
    }
    const learn::ValueMetrics m = learn::value_metrics(truth, called);
    metrics.insert(metrics.end(), {m.mae, m.rmse, m.r2});
  }
  return metrics;
}

void Run::trial(const Described& described, const learn::RowParts& parts, Trial& trial,
                std::size_t number, std::size_t of) {
  const auto begun = std::chrono::steady_clock::now();
  now_ = {number, of, trial.split, trial.descriptor, trial.learner, 0, 0};
  if (hooks_.progress && !hooks_.progress(now_)) fail(Errc::cancelled, "stopped");
  const std::int64_t width = described.info.width;
  const MatrixView<const double> x{described.x.data(), data_.rows(), width};
  const LearnerSettings& learner = settings_.learners[trial.learner];
  std::function<Values(const Values&, std::int64_t)> predict;
  if (learner.kind == LearnerKind::network) {
    predict = [&, model = fit_networks(learner, x, parts, trial)](const Values& rows,
                                                                  std::int64_t n) {
      return model.predict(device_, MatrixView<const double>{rows.data(), n, width}).values;
    };
  } else if (learner.kind == LearnerKind::forest) {
    predict = [&, forest = fit_forest(learner, x, parts, trial.split)](const Values& rows,
                                                                       std::int64_t n) {
      return forest.predict(MatrixView<const double>{rows.data(), n, width}).values;
    };
  } else {
    auto fit = learn::fit_kernel_ridge(device_, learner.ridge, x, values(), parts);
    trial.length_scale = fit.model.length_scale;
    trial.ridge = fit.model.ridge;
    predict = [&, model = std::move(fit.model)](const Values& rows, std::int64_t n) {
      return model.predict(device_, MatrixView<const double>{rows.data(), n, width}).values;
    };
  }
  const auto of_rows = [&](const std::vector<std::int64_t>& rows) {
    return predict(rows_of(described.x, width, rows), std::ssize(rows));
  };
  trial.predicted = of_rows(parts.test);
  trial.metrics = judge(trial.predicted, parts.test);
  trial.validation = judge(of_rows(parts.validation), parts.validation);
  trial.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  if (hooks_.finished) hooks_.finished(trial);
}

}  // namespace

std::vector<std::string> metric_names(const ExperimentSettings& settings,
                                      const ExperimentData& data) {
  std::vector<std::string> names;
  const auto add = [&](const std::string& of, std::initializer_list<const char*> kinds) {
    for (const char* kind : kinds)
      names.push_back(of.empty() ? kind : fmt::format("{} {}", kind, of));
  };
  if (settings.classifies()) {
    for (const std::string& name : data.class_names) add(name, {"recall", "precision", "F1"});
    add("", {"macro F1", "accuracy"});
  } else if (settings.data.targets.size() == 1) {
    add("", {"MAE", "RMSE", "R2"});
  } else {
    for (const std::string& target : settings.data.targets) add(target, {"MAE", "RMSE", "R2"});
  }
  return names;
}

std::size_t main_metric(const ExperimentSettings& settings, const ExperimentData& data) {
  return settings.classifies() ? 3 * data.class_names.size() : 0;
}

Experiment run_experiment(Device& device, const ExperimentSettings& settings,
                          const ExperimentData& data, const Components& components,
                          const ExperimentHooks& hooks) {
  Experiment experiment;
  std::vector<std::int64_t> groups = data.groups;
  if (!settings.splits.by_formula)
    for (std::size_t i = 0; i < groups.size(); ++i) groups[i] = static_cast<std::int64_t>(i);
  experiment.splits = experiment_splits(settings.splits, groups, data.classes);
  std::vector<Described> described;
  for (const DescriptorSettings& descriptor : settings.descriptors) {
    described.push_back(describe(device, descriptor, data.weights, components));
    experiment.descriptors.push_back(described.back().info);
  }
  const std::size_t trials = experiment.splits.size() * described.size() * settings.learners.size();
  Run run(device, settings, data, hooks);
  for (std::size_t s = 0; s < experiment.splits.size(); ++s)
    for (std::size_t d = 0; d < described.size(); ++d)
      for (std::size_t l = 0; l < settings.learners.size(); ++l) {
        Trial trial;
        trial.split = s;
        trial.descriptor = d;
        trial.learner = l;
        run.trial(described[d], experiment.splits[s], trial, experiment.trials.size(), trials);
        experiment.trials.push_back(std::move(trial));
      }
  return experiment;
}

}  // namespace kronite::kmd
