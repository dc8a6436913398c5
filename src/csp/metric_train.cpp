// Training runs of metrics: lists, one member after the other, judgements, the card.
#include <algorithm>
#include <cmath>

#include "base/fail.hpp"               // for fail
#include "csp/describe_templates.hpp"  // for covered_templates
#include "csp/metric_config.hpp"       // for run_settings, metric_settings
#include "csp/metric_data.hpp"         // for make_lists
#include "csp/metric_inputs.hpp"       // for MetricInputs
#include "csp/model_card.hpp"          // for begin_card, add_settings
#include "csp/reliability.hpp"         // for ReliabilityCounter
#include "csp/train_checkpoint.hpp"    // for TrainCheckpoint
#include "kronite/metric.hpp"          // for train_metric

namespace kronite::csp {
namespace {

constexpr std::size_t kWidth = 290;

constexpr const char* kNotGoodFor =
    "Ratios without templates: it orders known crystals and proposes no new structure type. "
    "Disordered, amorphous, molecular and organic crystals, metallic glasses and quasicrystals, "
    "which the training data hardly hold. Polymorphs: it sees compositions only, so that it cannot "
    "tell templates of one formula apart. Stability: p says how alike structures are, not how low "
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

learn::EmbeddingShape embedding_shape(const MetricShape& from, const MetricInputs& inputs) {
  learn::EmbeddingShape shape;
  shape.inputs = inputs.width();
  shape.dropout = from.dropout;
  const auto add = [&](std::vector<std::int64_t> columns, std::int64_t width,
                       std::vector<std::int64_t> hidden, std::int64_t outputs) {
    if (outputs > 0 && !columns.empty())
      shape.branches.push_back({std::move(columns), width, std::move(hidden), outputs});
  };
  add({0}, inputs.slot(0), {}, from.descriptor_linear);
  add({0}, inputs.slot(0), from.descriptor_hidden, from.descriptor_outputs);
  std::vector<std::vector<std::int64_t>> readings;  // of one network each
  for (std::int64_t s = 0; s < from.slots; ++s) {
    if (s == 0 || !from.slots_share) readings.emplace_back();
    readings.back().push_back(inputs.slot(s));
  }
  for (const auto& columns : readings) {
    add(columns, inputs.slot_width(), {}, from.slot_linear);
    add(columns, inputs.slot_width(), from.slot_hidden, from.slot_outputs);
  }
  return shape;
}

/// Counts what queries say.
class Judge {
 public:
  void take(const learn::ListScores& scores, const CloseLists& alike) {
    ++judgement_.queries;
    judgement_.loss += scores.loss();
    const std::int64_t misses = scores.misses();
    judgement_.answerable += misses >= 0;
    judgement_.top1 += misses == 0;
    judgement_.top5 += misses >= 0 && misses < 5;
    judgement_.top10 += misses >= 0 && misses < 10;
    const auto relation = [&](std::size_t j) { return static_cast<Relation>(scores.relation[j]); };
    for (std::size_t j = 0; j < scores.p.size(); ++j) {
      if (relation(j) == Relation::left_out) continue;
      double p = scores.p[j];
      for (const std::int32_t k : alike[j])
        if (relation(static_cast<std::size_t>(k)) != Relation::left_out)
          p += scores.p[static_cast<std::size_t>(k)];
      counts_.add(p, relation(j) == Relation::alike);
    }
  }

  MetricJudgement judgement() const {
    MetricJudgement result = judgement_;
    if (result.queries == 0) return result;
    const auto queries = static_cast<double>(result.queries);
    for (double* mean : {&result.loss, &result.top1, &result.top5, &result.top10}) *mean /= queries;
    result.reliability = counts_.bins();
    return result;
  }

 private:
  MetricJudgement judgement_;
  ReliabilityCounter counts_;
};

class MetricTraining {
 public:
  MetricTraining(Device& device, const TemplateLibrary& library, const MetricOptions& options,
                 const std::vector<std::string>& excluded, const TrainHooks& hooks)
      : device_(device),
        library_(library),
        options_(options),
        excluded_(excluded),
        hooks_(hooks),
        checkpoint_(hooks.checkpoint, run_settings(library, options, excluded)),
        inputs_(ElementTable::embedded(),
                {library.descriptor_mean(), library.descriptor_mean() + kWidth},
                {library.descriptor_std(), library.descriptor_std() + kWidth}, options.shape.slots),
        shape_(embedding_shape(options.shape, inputs_)),
        rows_(describe_all()),
        data_(make_lists(device, library, split_options(options), excluded)) {}

  MetricResult run();

 private:
  std::vector<float> describe_all() const;
  MatrixView<const float> rows() const { return {rows_.data(), library_.size(), inputs_.width()}; }
  learn::FittedParameters fit(int member);
  learn::FittedParameters fit_or_take_up(int member);
  MetricJudgement judge(std::span<const learn::ListModel> models,
                        const std::vector<learn::ListGroup>& groups,
                        const std::vector<CloseLists>& alike) const;
  MetricReport judge(std::span<const learn::ListModel> models) const;
  Card card(const MetricResult& result) const;

  Device& device_;
  const TemplateLibrary& library_;
  const MetricOptions& options_;
  const std::vector<std::string>& excluded_;
  const TrainHooks& hooks_;
  TrainCheckpoint checkpoint_;
  const MetricInputs inputs_;
  const learn::EmbeddingShape shape_;
  const std::vector<float> rows_;  ///< of all templates
  const MetricData data_;
};

/// Templates that cannot be described are in no list; their rows stay zero.
std::vector<float> MetricTraining::describe_all() const {
  const auto covered = covered_templates(library_, {0, library_.size()}, ElementTable::embedded());
  const auto values = inputs_.rows(covered.compositions);
  const auto width = static_cast<std::ptrdiff_t>(inputs_.width());
  std::vector<float> rows(static_cast<std::size_t>(library_.size() * width), 0.0F);
  for (std::size_t i = 0; i < covered.index.size(); ++i)
    std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(i) * width, width,
                rows.begin() + covered.index[i] * width);
  return rows;
}

learn::FittedParameters MetricTraining::fit(int member) {
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
  return learn::fit_lists(device_, shape_, options, rows(), data_.training, data_.validation,
                          hooks);
}

learn::FittedParameters MetricTraining::fit_or_take_up(int member) {
  const auto& finished = checkpoint_.finished();
  if (static_cast<std::size_t>(member) < finished.size())
    return finished[static_cast<std::size_t>(member)];
  try {
    auto made = fit(member);
    checkpoint_.finish(made);
    return made;
  } catch (const Error& e) {
    fail(e.code(), "metric {} of {}: {}", member + 1, options_.members, e.what());
  }
}

MetricJudgement MetricTraining::judge(std::span<const learn::ListModel> models,
                                      const std::vector<learn::ListGroup>& groups,
                                      const std::vector<CloseLists>& alike) const {
  const learn::ListScorer scorer(device_, models, inputs_.width());
  Judge judge;
  for (std::size_t g = 0; g < groups.size(); ++g)
    scorer.score(rows(), groups[g], [&](std::size_t, const learn::ListScores& scores) {
      judge.take(scores, alike[g]);
    });
  return judge.judgement();
}

MetricReport MetricTraining::judge(std::span<const learn::ListModel> models) const {
  MetricReport report;
  report.validation = judge(models, data_.validation, data_.validation_alike);
  report.test = judge(models, data_.test, data_.test_alike);
  return report;
}

Card MetricTraining::card(const MetricResult& result) const {
  Card card = begin_card(options_.name, options_.card, library_, excluded_.size());
  card.emplace_back("training_templates", fmt::format("{}", result.training_templates));
  std::vector<std::string> epochs;
  for (const MetricReport& member : result.members)
    epochs.push_back(fmt::format("{}", member.best_epoch));
  card.emplace_back("kept_epochs", fmt::format("{}", fmt::join(epochs, ", ")));
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
  std::vector<learn::ListModel> models;
  for (int m = 0; m < options_.members; ++m) {
    learn::FittedParameters made = fit_or_take_up(m);
    models.push_back(learn::list_model(shape_, made.parameters));
    MetricReport report = judge({&models.back(), 1});
    report.best_epoch = made.best_epoch;
    report.history = std::move(made.history);
    result.members.push_back(std::move(report));
  }
  result.all = judge(models);
  for (learn::ListModel& model : models)
    result.metric.members.push_back({std::move(model.embedding), model.none});
  result.metric.slots = options_.shape.slots;
  result.metric.mean.assign(library_.descriptor_mean(), library_.descriptor_mean() + kWidth);
  result.metric.std.assign(library_.descriptor_std(), library_.descriptor_std() + kWidth);
  result.metric.element_table = ElementTable::embedded().hash();
  result.metric.tau = options_.tau;
  result.metric.card = card(result);
  return result;
}

}  // namespace

MetricResult train_metric(Device& device, const TemplateLibrary& library,
                          const MetricOptions& options,
                          const std::vector<std::string>& excluded_formulas,
                          const TrainHooks& hooks) {
  if (options.members < 1)
    fail(Errc::invalid_argument, "{} metrics are to be trained, expected at least 1",
         options.members);
  return MetricTraining(device, library, options, excluded_formulas, hooks).run();
}

}  // namespace kronite::csp
