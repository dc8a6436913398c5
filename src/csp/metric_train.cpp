// Training runs of metrics: lists, members side by side or one after the other, judgements, the
// card.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "base/fail.hpp"               // for fail
#include "base/side_by_side.hpp"       // for side_by_side, require_devices
#include "csp/describe_templates.hpp"  // for covered_templates
#include "csp/metric_config.hpp"       // for run_settings, metric_settings
#include "csp/metric_data.hpp"         // for make_lists
#include "csp/metric_inputs.hpp"       // for MetricInputs
#include "csp/metric_judge.hpp"        // for MetricJudge
#include "csp/model_card.hpp"          // for begin_card, add_settings
#include "csp/train_members.hpp"       // for TrainMembers
#include "kronite/metric.hpp"          // for train_metric

namespace kronite::csp {
namespace {

constexpr std::size_t kWidth = 290;

constexpr const char* kNotGoodFor =
    "Ratios without templates: it orders known crystals and proposes no new structure type. "
    "Disordered, amorphous, molecular and organic crystals, metallic glasses and quasicrystals, "
    "which the training data hardly hold. Polymorphs: of a query it sees the composition only, so "
    "that all its polymorphs get one ranking. Stability: p says how alike structures are, not how "
    "low "
    "an energy is. p is of the library that it ranks: with other templates it is another one.";

PairOptions split_options(const MetricOptions& options) {
  PairOptions split;
  split.tau = options.tau;
  split.hold_out = options.hold_out;
  split.parts = options.parts;
  split.least_members = options.least_members;
  split.seed = options.split_seed;
  return split;
}

/// The layers of each part, and which columns of MetricInputs they read.
learn::MetricShape shape_of(const MetricParts& from, const MetricInputs& inputs) {
  const auto empty_shape = [&](std::int64_t width) {
    learn::EmbeddingShape shape;
    shape.inputs = width;
    shape.dropout = from.dropout;
    return shape;
  };
  learn::MetricShape shape{empty_shape(inputs.width()), empty_shape(kTraits), empty_shape(kTraits),
                           empty_shape(inputs.width())};
  auto& branches = shape.embedding.branches;
  const auto add = [&](const learn::BranchShape& branch) {
    if (branch.outputs > 0 && !branch.columns.empty()) branches.push_back(branch);
  };
  const std::int64_t all_vectors = inputs.slots() * inputs.vector();
  add({{0}, inputs.descriptor(), {}, from.descriptor_linear});
  add({{0}, inputs.descriptor() + all_vectors, from.descriptor_hidden, from.descriptor_outputs});
  std::vector<std::vector<std::int64_t>> readings;  // of one network each
  for (std::int64_t s = 0; s < from.slots; ++s) {
    if (s == 0 || !from.slots_share) readings.emplace_back();
    readings.back().push_back(inputs.slot(s));
  }
  for (const auto& columns : readings) {
    add({columns, inputs.features() + inputs.vector(), {}, from.slot_linear});
    // The 1 of a slot that is there stands for biases, so that an empty slot gives zeros.
    add({columns, inputs.slot_width(), from.slot_hidden, from.slot_outputs, false});
  }
  const bool read =
      from.slots > 0 && from.descriptor_outputs + from.slot_linear + from.slot_outputs > 0;
  if (from.vector > 0 && read) {
    learn::VectorShape& vectors = shape.embedding.vectors;
    vectors = {inputs.kinds(), from.vector, from.slots, {}};
    for (std::int64_t s = 0; s < from.slots; ++s) {
      vectors.places.push_back({s, inputs.descriptor() + s * from.vector});
      vectors.places.push_back({s, inputs.slot(s) + inputs.features()});
    }
  }
  const std::int64_t width = learn::EmbeddingLayout(shape.embedding).width;
  const auto add_part = [](learn::EmbeddingShape& part, std::int64_t read_values,
                           const std::vector<std::int64_t>& hidden, std::int64_t outputs) {
    constexpr double kSmall = 0.1;  // at first nearly as if the part were not there
    part.first_distance = kSmall;
    if (!hidden.empty()) part.branches.push_back({{0}, read_values, hidden, outputs});
  };
  add_part(shape.shift, kTraits, from.shift_hidden, width);
  add_part(shape.bias, kTraits, from.bias_hidden, 1);
  add_part(shape.none_of, inputs.descriptor(), from.none_hidden, 1);
  return shape;
}

void scale_outputs(EmbeddingNetwork& network, double factor) {
  for (EmbeddingBranch& branch : network.branches) {
    DenseLayer& last = branch.network.layers.back();
    for (auto* values : {&last.weight, &last.bias})
      for (float& value : *values) value = static_cast<float>(static_cast<double>(value) * factor);
  }
}

/// All logits over the temperature.
MetricNetwork cooled(MetricNetwork network, double temperature) {
  scale_outputs(network.embedding, 1 / std::sqrt(temperature));
  scale_outputs(network.shift, 1 / std::sqrt(temperature));
  scale_outputs(network.bias, 1 / temperature);
  scale_outputs(network.none_of, 1 / temperature);
  network.none /= temperature;
  return network;
}

std::vector<MetricNetwork> cooled(const std::vector<MetricNetwork>& networks, double temperature) {
  std::vector<MetricNetwork> all;
  for (const MetricNetwork& network : networks) all.push_back(cooled(network, temperature));
  return all;
}

/// Where f, which has one minimum, is least between low and high, to about 1 %: golden sections of
/// the logarithm.
template <class F>
double least_of(double low, double high, const F& f) {
  constexpr double kGolden = 0.6180339887498949;
  double a = std::log(low), b = std::log(high);
  double x = b - kGolden * (b - a), y = a + kGolden * (b - a);
  double at_x = f(std::exp(x)), at_y = f(std::exp(y));
  while (b - a > 0.01) {
    const bool left = at_x < at_y;
    (left ? b : a) = left ? y : x;
    (left ? y : x) = left ? x : y;
    (left ? at_y : at_x) = left ? at_x : at_y;
    double& moved = left ? x : y;
    moved = left ? b - kGolden * (b - a) : a + kGolden * (b - a);
    (left ? at_x : at_y) = f(std::exp(moved));
  }
  return std::exp((a + b) / 2);
}

class MetricTraining {
 public:
  MetricTraining(std::span<Device> devices, const TemplateLibrary& library,
                 const MetricOptions& options, const std::vector<std::string>& excluded,
                 const TrainHooks& hooks)
      : devices_(devices),
        library_(library),
        options_(options),
        excluded_(excluded),
        checkpoint_(hooks.checkpoint, run_settings(library, options, excluded)),
        members_("metric", options.members, options.fit, hooks, checkpoint_, devices.size()),
        inputs_(ElementTable::embedded(),
                {library.descriptor_mean(), library.descriptor_mean() + kWidth},
                {library.descriptor_std(), library.descriptor_std() + kWidth},
                options.parts_of.slots, options.parts_of.vector),
        shape_(shape_of(options.parts_of, inputs_)),
        rows_(describe_all()),
        data_(make_lists(devices.front(), library, split_options(options), excluded)) {
    if (options.fit.patience > 0 && !data_.validation.empty() && !validation_has_alike())
      fail(Errc::invalid_argument,
           "no validation query has an alike training template, so there is nothing to stop "
           "early by; set patience = 0");
    if (shape_.has_traits()) take_traits();
  }

  MetricResult run();

 private:
  MetricInputs::Rows describe_all() const;
  void take_traits();
  learn::ListRows rows() const {
    return {rows_.view(),
            rows_.kinds_view(),
            {traits_.data(), traits_.empty() ? 0 : library_.size(), traits_.empty() ? 0 : kTraits}};
  }
  learn::FittedParameters fit(const Part& part);
  MetricJudgement judge(std::span<const MetricNetwork> metrics,
                        const std::vector<learn::ListGroup>& groups) const;
  MetricReport judge(std::span<const MetricNetwork> metrics) const;
  bool validation_has_alike() const;
  double temperature(const std::vector<MetricNetwork>& metrics) const;
  Card card(const MetricResult& result) const;

  Device& device() const { return devices_.front(); }  ///< of all but the fits

  std::span<Device> devices_;
  const TemplateLibrary& library_;
  const MetricOptions& options_;
  const std::vector<std::string>& excluded_;
  TrainCheckpoint checkpoint_;
  TrainMembers members_;
  const MetricInputs inputs_;
  const learn::MetricShape shape_;
  const MetricInputs::Rows rows_;  ///< of all templates
  const MetricData data_;
  std::vector<float> traits_;  ///< of all templates, standardised by the training part
  TraitStatistics trait_statistics_;
};

/// Templates that cannot be described are in no list; their rows stay zero.
MetricInputs::Rows MetricTraining::describe_all() const {
  const auto covered = covered_templates(library_, {0, library_.size()}, ElementTable::embedded());
  const auto described = inputs_.rows(covered.compositions);
  MetricInputs::Rows rows{library_.size(), described.width, described.slots, {}, {}};
  rows.values.resize(static_cast<std::size_t>(rows.count * rows.width), 0.0F);
  rows.kinds.resize(static_cast<std::size_t>(rows.count * rows.slots), -1);
  for (std::int64_t i = 0; i < described.count; ++i) {
    const std::int64_t to = covered.index[static_cast<std::size_t>(i)];
    std::copy_n(described.values.begin() + i * rows.width, rows.width,
                rows.values.begin() + to * rows.width);
    std::copy_n(described.kinds.begin() + i * rows.slots, rows.slots,
                rows.kinds.begin() + to * rows.slots);
  }
  return rows;
}

void MetricTraining::take_traits() {
  std::vector<std::int64_t> all(static_cast<std::size_t>(library_.size()));
  std::iota(all.begin(), all.end(), 0);
  traits_ = template_traits(library_, all);
  std::vector<float> of_training;
  for (const learn::ListGroup& group : data_.training)
    for (const std::int32_t i : group.candidates)
      of_training.insert(of_training.end(), traits_.begin() + i * kTraits,
                         traits_.begin() + (i + 1) * kTraits);
  trait_statistics_ = trait_statistics(of_training);
  standardise(traits_, trait_statistics_);
}

learn::FittedParameters MetricTraining::fit(const Part& part) {
  learn::FitOptions options = options_.fit;
  options.seed += static_cast<std::uint64_t>(part.number());
  return members_.train(part, [&](const learn::FitHooks& hooks) {
    return learn::fit_lists(devices_[part.worker()], shape_, options, rows(), data_.training,
                            data_.validation, hooks);
  });
}

MetricJudgement MetricTraining::judge(std::span<const MetricNetwork> metrics,
                                      const std::vector<learn::ListGroup>& groups) const {
  const learn::ListScorer scorer(device(), metrics, rows());
  MetricJudge judge;
  for (const learn::ListGroup& group : groups)
    scorer.score(group,
                 [&](std::size_t, const learn::ListScores& scores) { judge.take(scores, group); });
  return judge.judgement();
}

MetricReport MetricTraining::judge(std::span<const MetricNetwork> metrics) const {
  MetricReport report;
  report.validation = judge(metrics, data_.validation);
  report.test = judge(metrics, data_.test);
  return report;
}

bool MetricTraining::validation_has_alike() const {
  return std::any_of(data_.validation.begin(), data_.validation.end(),
                     [](const learn::ListGroup& group) { return group.any_alike(); });
}

double MetricTraining::temperature(const std::vector<MetricNetwork>& metrics) const {
  if (options_.temperature > 0) return options_.temperature;
  if (!validation_has_alike()) return 1;  // where all answers are "none", the loss says nothing
  constexpr double kLeast = 0.2, kMost = 10;
  return least_of(kLeast, kMost, [&](double t) {
    const learn::ListScorer scorer(device(), cooled(metrics, t), rows());
    double loss = 0;
    for (const learn::ListGroup& group : data_.validation)
      scorer.score(group,
                   [&](std::size_t, const learn::ListScores& scores) { loss += scores.loss(); });
    return loss;
  });
}

Card MetricTraining::card(const MetricResult& result) const {
  Card card = begin_card(options_.name, options_.card, library_, excluded_.size());
  card.emplace_back("training_templates", fmt::format("{}", result.training_templates));
  std::vector<std::string> epochs;
  for (const MetricReport& member : result.members)
    epochs.push_back(fmt::format("{}", member.best_epoch));
  card.emplace_back("kept_epochs", fmt::format("{}", fmt::join(epochs, ", ")));
  card.emplace_back("temperature", fmt::format("{:.3f}", result.temperature));
  add_settings(card, metric_settings(options_));
  const auto add = [&](const char* part, const MetricJudgement& judgement) {
    if (judgement.queries == 0) return;
    card.emplace_back(fmt::format("{}_top1", part), fmt::format("{:.3f}", judgement.top1));
    card.emplace_back(fmt::format("{}_top10", part), fmt::format("{:.3f}", judgement.top10));
    card.emplace_back(fmt::format("{}_queries", part), fmt::format("{}", judgement.queries));
  };
  add("validation", result.all.validation);
  add("test", result.all.test);
  card.emplace_back("not_good_for", kNotGoodFor);
  return card;
}

MetricResult MetricTraining::run() {
  MetricResult result;
  result.training_templates = data_.templates();
  result.pairs = data_.pairs();
  const learn::MetricLayout layout(shape_);
  auto& metrics = result.metric.members;
  std::vector<learn::FittedParameters> fitted(static_cast<std::size_t>(options_.members));
  side_by_side(devices_.size(), options_.members, [&](const Part& part) {
    fitted[static_cast<std::size_t>(part.number())] = fit(part);
  });
  for (learn::FittedParameters& made : fitted) {
    metrics.push_back(learn::network_of(layout, made.parameters));
    MetricReport& report = result.members.emplace_back();
    report.best_epoch = made.best_epoch;
    report.history = std::move(made.history);
  }
  result.temperature = temperature(metrics);
  metrics = cooled(metrics, result.temperature);
  for (std::size_t m = 0; m < metrics.size(); ++m) {
    const MetricReport judged = judge({&metrics[m], 1});
    result.members[m].validation = judged.validation;
    result.members[m].test = judged.test;
  }
  result.all = judge(metrics);
  result.metric.slots = options_.parts_of.slots;
  result.metric.vector = options_.parts_of.vector;
  result.metric.trait_mean = trait_statistics_.mean;
  result.metric.trait_std = trait_statistics_.std;
  result.metric.mean.assign(library_.descriptor_mean(), library_.descriptor_mean() + kWidth);
  result.metric.std.assign(library_.descriptor_std(), library_.descriptor_std() + kWidth);
  result.metric.element_table = ElementTable::embedded().hash();
  result.metric.tau = options_.tau;
  result.metric.card = card(result);
  return result;
}

MetricResult train_on(std::span<Device> devices, const TemplateLibrary& library,
                      const MetricOptions& options, const std::vector<std::string>& excluded,
                      const TrainHooks& hooks) {
  require_devices(devices.size());
  if (options.members < 1)
    fail(Errc::invalid_argument, "{} metrics are to be trained, expected at least 1",
         options.members);
  const MetricParts& parts = options.parts_of;
  if (parts.slots < 0 || parts.slots > kMostSlots || parts.vector < 0 || parts.vector > kMostVector)
    fail(Errc::invalid_argument,
         "a metric of {} slots and vectors of {} values is to be trained, expected 0 to {} and 0 "
         "to {}",
         parts.slots, parts.vector, kMostSlots, kMostVector);
  if (!(options.temperature >= 0 && std::isfinite(options.temperature)))  // no NaN
    fail(Errc::invalid_argument, "the temperature is {}, expected a number above 0, or 0 to fit it",
         options.temperature);
  return MetricTraining(devices, library, options, excluded, hooks).run();
}

}  // namespace

MetricResult train_metric(Device& device, const TemplateLibrary& library,
                          const MetricOptions& options,
                          const std::vector<std::string>& excluded_formulas,
                          const TrainHooks& hooks) {
  return train_on({&device, 1}, library, options, excluded_formulas, hooks);
}

MetricResult train_metric(std::vector<Device>& devices, const TemplateLibrary& library,
                          const MetricOptions& options,
                          const std::vector<std::string>& excluded_formulas,
                          const TrainHooks& hooks) {
  return train_on(devices, library, options, excluded_formulas, hooks);
}

}  // namespace kronite::csp
