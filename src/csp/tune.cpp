// Trials of network shapes.
#include "csp/tune.hpp"

#include <limits>
#include <optional>

#include "base/fail.hpp"         // for fail
#include "base/log.hpp"          // for notice
#include "csp/model_card.hpp"    // for kMetrics
#include "csp/train_config.hpp"  // for run_settings
#include "learn/search.hpp"      // for Search

namespace kronite::csp {
namespace {

/// The order is that of shape_of().
learn::Space network_space() {
  return {learn::Dimension::integer("layers", 2, 4),
          learn::Dimension::integer("units", 200, 1000, 50),
          learn::Dimension::real("dropout", 0, 0.2)};
}

learn::NetworkShape shape_of(const learn::Point& point, const learn::NetworkShape& base) {
  learn::NetworkShape shape = base;
  shape.hidden.assign(static_cast<std::size_t>(point[0]), static_cast<std::int64_t>(point[1]));
  shape.dropout = point[2];
  return shape;
}

double PairMetrics::*metric_called(const std::string& name) {
  for (const auto& [key, metric] : kMetrics)
    if (name == key) return metric;
  fail(Errc::invalid_argument, "there is no metric \"{}\"; expected MAP, MACC, AP or ACC", name);
}

/// What a result depends on beside the network, on one line.
std::string subject(const TemplateLibrary& library, const TrainOptions& base,
                    const std::vector<std::string>& excluded, const TuneOptions& options) {
  std::string text = "csp: validation " + options.metric;
  for (const auto& [key, value] : run_settings(library, base, excluded)) {
    const bool fixed = key != "name" && key != "members" && key != "split_per_member" &&
                       key != "network.hidden" && key != "network.dropout" &&
                       !key.starts_with("card.");
    if (fixed) text += fmt::format(", {} = {}", key, value);
  }
  return text;
}

class Tuning {
 public:
  Tuning(Device& device, const TemplateLibrary& library, const TrainOptions& base,
         const std::vector<std::string>& excluded, const TuneOptions& options,
         const TuneHooks& hooks)
      : device_(device),
        library_(library),
        base_(base),
        excluded_(excluded),
        metric_(metric_called(options.metric)),
        hooks_(hooks),
        search_(network_space(), subject(library, base, excluded, options), options.seed,
                options.journal) {}

  TuneTrial run(int trials) {
    while (search_.finished() < trials) {
      const learn::Trial trial = search_.ask();
      const double metric = try_network(trial);
      search_.tell(trial, -metric);
      const auto best = this->best();
      if (hooks_.after_trial)
        hooks_.after_trial({trial.number, shape_of(trial.point, base_.network), metric},
                           best ? *best : TuneTrial{}, search_.finished());
    }
    const auto best = this->best();
    if (!best) fail(Errc::numerical, "all {} trials have failed", search_.finished());
    return *best;
  }

 private:
  /// NaN where the loss did not stay finite: a bad network, not a broken search.
  double try_network(const learn::Trial& trial) {
    TrainOptions options = base_;
    options.members = 1;
    options.network = shape_of(trial.point, base_.network);
    TrainHooks hooks;
    if (hooks_.progress)
      hooks.progress = [&](const TrainProgress& now) { return hooks_.progress(trial.number, now); };
    try {
      const auto result = train(device_, library_, options, excluded_, hooks);
      const PairMetrics& validation = result.members.front().validation;
      if (validation.pairs == 0)
        fail(Errc::invalid_argument,
             "networks are judged on the validation part, but no two of its templates are alike");
      return validation.*metric_;
    } catch (const Error& e) {
      if (e.code() != Errc::numerical) throw;
      notice(fmt::format("trial {}: {}", trial.number, e.what()));
      return std::numeric_limits<double>::quiet_NaN();
    }
  }

  std::optional<TuneTrial> best() const {
    const learn::Trial* best = search_.best();
    if (!best) return {};
    return TuneTrial{best->number, shape_of(best->point, base_.network), -*best->loss};
  }

  Device& device_;
  const TemplateLibrary& library_;
  const TrainOptions& base_;
  const std::vector<std::string>& excluded_;
  double PairMetrics::*metric_;
  const TuneHooks& hooks_;
  learn::Search search_;
};

}  // namespace

TuneTrial tune(Device& device, const TemplateLibrary& library, const TrainOptions& base,
               const std::vector<std::string>& excluded_formulas, const TuneOptions& options,
               const TuneHooks& hooks) {
  if (base.pairs.parts[1] == 0)
    fail(Errc::invalid_argument,
         "networks are judged on the validation part, but pairs.parts gives it no share");
  return Tuning(device, library, base, excluded_formulas, options, hooks).run(options.trials);
}

}  // namespace kronite::csp
