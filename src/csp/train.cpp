// Training runs: pairs, networks side by side or one after the other, judgements, the model.
#include <algorithm>
#include <cmath>
#include <span>

#include "base/fail.hpp"               // for fail
#include "base/side_by_side.hpp"       // for side_by_side, require_devices
#include "csp/describe_templates.hpp"  // for covered_templates, standardised_descriptors
#include "csp/model_card.hpp"          // for training_card
#include "csp/train_config.hpp"        // for run_settings
#include "csp/train_members.hpp"       // for TrainMembers
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
  Training(std::span<Device> devices, const TemplateLibrary& library, const TrainOptions& options,
           const std::vector<std::string>& excluded, const TrainHooks& hooks)
      : devices_(devices),
        library_(library),
        options_(options),
        excluded_(excluded),
        checkpoint_(hooks.checkpoint, run_settings(library, options, excluded)),
        members_("network", options.members, options.fit, hooks, checkpoint_, devices.size()),
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
  learn::FittedParameters fit(const Part& part, const PairData& data);
  void train_member(const Part& part);
  Judgement judge(Device& device, const Ensemble& ensemble, const PairData& data) const;

  std::span<Device> devices_;
  const TemplateLibrary& library_;
  const TrainOptions& options_;
  const std::vector<std::string>& excluded_;
  TrainCheckpoint checkpoint_;
  TrainMembers members_;
  const std::vector<double> mean_, std_;
  const std::vector<float> rows_;  ///< standardised descriptors of all templates
  std::vector<MemberReport> reports_;
  std::vector<Network> networks_;
  PairData first_;  ///< of the first member
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

learn::FittedParameters Training::fit(const Part& part, const PairData& data) {
  learn::FitOptions options = options_.fit;
  options.seed += static_cast<std::uint64_t>(part.number());
  return members_.train(part, [&](const learn::FitHooks& hooks) {
    auto made = learn::fit(devices_[part.worker()], options_.network, options, rows(),
                           data.training.pairs, data.validation.pairs, hooks);
    return learn::FittedParameters{values_of(made.network), made.best_epoch,
                                   std::move(made.history)};
  });
}

Judgement Training::judge(Device& device, const Ensemble& ensemble, const PairData& data) const {
  const auto p = [&](const PairPart& part) {
    return learn::probabilities(device, ensemble, rows(), part.pairs);
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

void Training::train_member(const Part& part) {
  const auto m = static_cast<std::size_t>(part.number());
  Device& device = devices_[part.worker()];
  const PairOptions pairs = pair_options(static_cast<int>(m));
  PairData data = make_pairs(device, library_, pairs, excluded_);
  learn::FittedParameters made = fit(part, data);
  Network network = network_of(options_.network, made.parameters);
  MemberReport report;
  const auto& alike = data.training.pairs.alike;
  report.training_pairs = data.training.pairs.size();
  report.alike_training_pairs = std::count(alike.begin(), alike.end(), std::uint8_t{1});
  if (options_.pairs.unlike_per_alike != 1)
    speak_of_balanced_pairs(network, report.alike_training_pairs, report.training_pairs);
  static_cast<Judgement&>(report) = judge(device, {{network}}, data);
  report.split_seed = pairs.seed;
  report.best_epoch = made.best_epoch;
  report.history = std::move(made.history);
  reports_[m] = std::move(report);
  networks_[m] = std::move(network);
  if (m == 0) first_ = std::move(data);
}

TrainResult Training::run() {
  reports_.resize(static_cast<std::size_t>(options_.members));
  networks_.resize(reports_.size());
  side_by_side(devices_.size(), options_.members, [&](const Part& part) { train_member(part); });
  TrainResult result;
  result.members = std::move(reports_);
  result.model.ensemble.members = std::move(networks_);
  if (!options_.split_per_member)
    result.ensemble = judge(devices_.front(), result.model.ensemble, first_);
  result.model.mean = mean_;
  result.model.std = std_;
  result.model.element_table = ElementTable::embedded().hash();
  result.model.tau = options_.pairs.tau;
  result.model.card = training_card(library_, options_, excluded_, result);
  return result;
}

TrainResult train_on(std::span<Device> devices, const TemplateLibrary& library,
                     const TrainOptions& options, const std::vector<std::string>& excluded,
                     const TrainHooks& hooks) {
  require_devices(devices.size());
  if (options.members < 1)
    fail(Errc::invalid_argument, "{} networks are to be trained, expected at least 1",
         options.members);
  return Training(devices, library, options, excluded, hooks).run();
}

}  // namespace

TrainResult train(Device& device, const TemplateLibrary& library, const TrainOptions& options,
                  const std::vector<std::string>& excluded_formulas, const TrainHooks& hooks) {
  return train_on({&device, 1}, library, options, excluded_formulas, hooks);
}

TrainResult train(std::vector<Device>& devices, const TemplateLibrary& library,
                  const TrainOptions& options, const std::vector<std::string>& excluded_formulas,
                  const TrainHooks& hooks) {
  return train_on(devices, library, options, excluded_formulas, hooks);
}

}  // namespace kronite::csp
