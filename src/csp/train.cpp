// Training runs: pairs, one network after the other, judgements, the model.
#include <algorithm>
#include <cmath>

#include "base/fail.hpp"               // for fail
#include "csp/describe_templates.hpp"  // for covered_templates, standardised_descriptors
#include "csp/model_card.hpp"          // for training_card
#include "csp/train_checkpoint.hpp"    // for TrainCheckpoint
#include "csp/train_config.hpp"        // for run_settings
#include "kronite/csp_training.hpp"    // for train

namespace kronite::csp {
namespace {

constexpr std::size_t kWidth = 290;

/// Weights and biases, layer by layer.
std::vector<float> values_of(const Network& network) {
  std::vector<float> values;
  for (const DenseLayer& layer : network.layers) {
    values.insert(values.end(), layer.weight.begin(), layer.weight.end());
    values.insert(values.end(), layer.bias.begin(), layer.bias.end());
  }
  return values;
}

/// The network of that shape whose values_of() they are.
Network network_of(const learn::NetworkShape& shape, const std::vector<float>& values) {
  Network network;
  std::size_t used = 0;
  const auto take = [&](std::int64_t count) {
    const auto n = static_cast<std::size_t>(count);
    if (n > values.size() - used)
      fail(Errc::corrupt, "the checkpoint holds a network of {} values, which are too few",
           values.size());
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(used);
    used += n;
    return std::vector<float>(begin, begin + count);
  };
  std::vector<std::int64_t> units = shape.hidden;
  units.push_back(2);
  for (const std::int64_t count : units) {
    DenseLayer layer;
    layer.inputs =
        network.layers.empty() ? static_cast<std::int64_t>(kWidth) : network.layers.back().units;
    layer.units = count;
    layer.weight = take(layer.inputs * layer.units);
    layer.bias = take(layer.units);
    layer.activation =
        network.layers.size() + 1 == units.size() ? Activation::none : Activation::relu;
    network.layers.push_back(std::move(layer));
  }
  return network;
}

class Training {
 public:
  Training(Device& device, const TemplateLibrary& library, const TrainOptions& options,
           const std::vector<std::string>& excluded, const TrainHooks& hooks)
      : device_(device),
        library_(library),
        options_(options),
        excluded_(excluded),
        hooks_(hooks),
        checkpoint_(hooks.checkpoint, run_settings(library, options, excluded)),
        mean_(library.descriptor_mean(), library.descriptor_mean() + kWidth),
        std_(library.descriptor_std(), library.descriptor_std() + kWidth),
        rows_(describe_all()) {}

  TrainResult run();

 private:
  std::vector<float> describe_all() const;
  MatrixView<const float> rows() const {
    return {rows_.data(), library_.size(), static_cast<std::int64_t>(kWidth)};
  }
  PairOptions pair_options(int member) const;
  learn::Fit fit(int member, const PairData& data);
  learn::Fit fit_or_take_up(int member, const PairData& data);
  Judgement judge(const Ensemble& ensemble, const PairData& data) const;

  Device& device_;
  const TemplateLibrary& library_;
  const TrainOptions& options_;
  const std::vector<std::string>& excluded_;
  const TrainHooks& hooks_;
  TrainCheckpoint checkpoint_;
  const std::vector<double> mean_, std_;
  const std::vector<float> rows_;  ///< standardised descriptors of all templates
};

/// Templates that cannot be described are in no pair; their rows stay zero.
std::vector<float> Training::describe_all() const {
  const ElementTable& table = ElementTable::embedded();
  const auto covered = covered_templates(library_, {0, library_.size()}, table);
  const auto values = standardised_descriptors(covered.compositions, table, mean_, std_);
  std::vector<float> rows(static_cast<std::size_t>(library_.size()) * kWidth, 0.0F);
  for (std::size_t i = 0; i < covered.index.size(); ++i)
    std::transform(values.begin() + static_cast<std::ptrdiff_t>(i * kWidth),
                   values.begin() + static_cast<std::ptrdiff_t>((i + 1) * kWidth),
                   rows.begin() + covered.index[i] * static_cast<std::ptrdiff_t>(kWidth),
                   [](double value) { return static_cast<float>(value); });
  return rows;
}

PairOptions Training::pair_options(int member) const {
  PairOptions pairs = options_.pairs;
  if (options_.split_per_member)
    pairs.seed += static_cast<std::uint64_t>(member);
  else
    pairs.draw += static_cast<std::uint32_t>(member);
  return pairs;
}

learn::Fit Training::fit(int member, const PairData& data) {
  learn::FitOptions options = options_.fit;
  options.seed += static_cast<std::uint64_t>(member);
  learn::FitHooks hooks;
  hooks.resume = checkpoint_.current();
  hooks.after_epoch = [&](const learn::FitState& state) {
    const TrainProgress now{member + 1,       options_.members, &state.history.back(),
                            state.best_epoch, options.patience, options.max_epochs};
    const bool go_on = !hooks_.progress || hooks_.progress(now);
    checkpoint_.keep(state, !go_on);
    return go_on;
  };
  return learn::fit(device_, options_.network, options, rows(), data.training.pairs,
                    data.validation.pairs, hooks);
}

learn::Fit Training::fit_or_take_up(int member, const PairData& data) {
  const auto& finished = checkpoint_.finished();
  if (static_cast<std::size_t>(member) < finished.size()) {
    const auto& fit = finished[static_cast<std::size_t>(member)];
    return {network_of(options_.network, fit.parameters), fit.best_epoch, fit.history};
  }
  try {
    auto made = fit(member, data);
    checkpoint_.finish({values_of(made.network), made.best_epoch, made.history});
    return made;
  } catch (const Error& e) {
    fail(e.code(), "network {} of {}: {}", member + 1, options_.members, e.what());
  }
}

Judgement Training::judge(const Ensemble& ensemble, const PairData& data) const {
  const auto p = [&](const PairPart& part) {
    return learn::probabilities(device_, ensemble, rows(), part.pairs);
  };
  Judgement judgement;
  if (data.validation.pairs.size() > 0) {
    const auto on_validation = p(data.validation);
    judgement.validation = pair_metrics(data.validation, on_validation);
    judgement.reliability = reliability(data.validation, on_validation);
  }
  if (data.test.pairs.size() > 0) judgement.test = pair_metrics(data.test, p(data.test));
  return judgement;
}

/// Moves the bias of the last layer so that p speaks of pairs half of which are alike, whatever
/// share of the training pairs was: odds change by the ratio of the two prior odds (Elkan, IJCAI
/// 2001).
void speak_of_balanced_pairs(Network& network, std::int64_t alike, std::int64_t pairs) {
  const double odds = static_cast<double>(alike) / static_cast<double>(pairs - alike);
  network.layers.back().bias.back() -= static_cast<float>(std::log(odds));
}

TrainResult Training::run() {
  TrainResult result;
  PairData first;
  for (int m = 0; m < options_.members; ++m) {
    const PairOptions pairs = pair_options(m);
    PairData data = make_pairs(device_, library_, pairs, excluded_);
    learn::Fit made = fit_or_take_up(m, data);
    MemberReport report;
    const auto& alike = data.training.pairs.alike;
    report.training_pairs = data.training.pairs.size();
    report.alike_training_pairs = std::count(alike.begin(), alike.end(), std::uint8_t{1});
    if (options_.pairs.unlike_per_alike != 1)
      speak_of_balanced_pairs(made.network, report.alike_training_pairs, report.training_pairs);
    static_cast<Judgement&>(report) = judge({{made.network}}, data);
    report.split_seed = pairs.seed;
    report.best_epoch = made.best_epoch;
    report.history = std::move(made.history);
    result.members.push_back(std::move(report));
    result.model.ensemble.members.push_back(std::move(made.network));
    if (m == 0) first = std::move(data);
  }
  if (!options_.split_per_member) result.ensemble = judge(result.model.ensemble, first);
  result.model.mean = mean_;
  result.model.std = std_;
  result.model.element_table = ElementTable::embedded().hash();
  result.model.tau = options_.pairs.tau;
  result.model.card = training_card(library_, options_, excluded_, result);
  return result;
}

}  // namespace

TrainResult train(Device& device, const TemplateLibrary& library, const TrainOptions& options,
                  const std::vector<std::string>& excluded_formulas, const TrainHooks& hooks) {
  if (options.members < 1)
    fail(Errc::invalid_argument, "{} networks are to be trained, expected at least 1",
         options.members);
  return Training(device, library, options, excluded_formulas, hooks).run();
}

}  // namespace kronite::csp
