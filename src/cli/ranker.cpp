// Rankers by their names on the command line.
#include "cli/ranker.hpp"

#include <fmt/format.h>  // for join

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "base/fail.hpp"       // for fail
#include "base/log.hpp"        // for notice
#include "base/number.hpp"     // for to_number
#include "csp/model_file.hpp"  // for models_inside, names_a_file
#include "kronite/metric.hpp"  // for MetricRanker
#include "kronite/model.hpp"   // for Classifier

namespace kronite::cli {
namespace {

/// Of metrics or classifiers. @throws Error invalid_argument when there are none.
std::string best_inside(const std::vector<std::string>& names, const char* ranker) {
  if (names.empty())
    fail(Errc::invalid_argument, "--ranker {} needs --model FILE: this kronite has none inside",
         ranker);
  return names.front();
}

/// A multiplication and an addition per weight.
double work_of(std::int64_t parameters) { return 2.0 * static_cast<double>(parameters); }

ChosenRanker by_metric(const std::string& name, const ElementTable& table) {
  auto ranker = std::make_unique<csp::MetricRanker>(csp::open_metric(name), table);
  const csp::Metric& metric = ranker->metric();
  ChosenRanker chosen{nullptr, work_of(metric.parameters()), full_name(name), metric.hash(),
                      metric.tau};
  chosen.ranking = std::move(ranker);
  return chosen;
}

ChosenRanker by_classifier(const std::string& name, const ElementTable& table) {
  auto ranker = std::make_unique<csp::Classifier>(csp::open_model(name), table);
  const csp::Model& model = ranker->model();
  ChosenRanker chosen{nullptr, work_of(model.ensemble.parameters()), full_name(name), model.hash(),
                      model.tau};
  chosen.ranking = std::move(ranker);
  return chosen;
}

}  // namespace

std::string or_best_inside(const std::string& model) {
  if (!model.empty()) return model;
  const std::vector<std::string> inside = csp::models_inside();
  if (inside.empty())
    fail(Errc::invalid_argument, "this kronite was built without models: name a file");
  return inside.front();
}

std::string full_name(const std::string& model) {
  return csp::names_a_file(model) ? model : model + " (inside kronite)";
}

/// "classifier", "metric" or "distance".
std::string RankerOptions::kind(const TemplateLibrary& library) const {
  if (ranker == "distance" && !model.empty())
    fail(Errc::invalid_argument, "--model is for --ranker classifier and metric, not distance");
  if (!ranker.empty()) return ranker;
  if (!model.empty()) return csp::names_a_metric(model) ? "metric" : "classifier";
  if (csp::embedded_metrics().empty())
    return csp::embedded_models().empty() ? "distance" : "classifier";
  if (library.has_fingerprints()) return "metric";
  notice(fmt::format(
      "{} has no fingerprints, which the learned metric needs: ranked by the classifier instead",
      library.path()));
  return "classifier";
}

ChosenRanker RankerOptions::choose(const ElementTable& table,
                                   const TemplateLibrary& library) const {
  const std::string chosen = kind(library);
  if (chosen == "distance")  // subtract, square and add 290 values per template
    return {csp::distance_ranker(table), 3.0 * 290, "", "", 0};
  if (chosen == "metric")
    return by_metric(model.empty() ? best_inside(csp::embedded_metrics(), "metric") : model, table);
  return by_classifier(model.empty() ? best_inside(csp::embedded_models(), "classifier") : model,
                       table);
}

void RankerOptions::add_options(CLI::App& command) {
  command
      .add_option(
          "--ranker", ranker,
          "How templates are ordered: by a learned metric, by a classifier's probability, or\n"
          "by distance of descriptors (default: as --model says, else metric)")
      ->check(CLI::IsMember({"metric", "classifier", "distance"}).description(""))
      ->type_name("metric|classifier|distance");
  command
      .add_option("--model", model,
                  fmt::format("Metric or classifier: a .safetensors file or a name inside kronite\n"
                              "({}; default: the first)",
                              fmt::join(csp::models_inside(), ", ")))
      ->type_name("NAME|FILE");
}

void require_probabilities(const ChosenRanker& chosen) {
  if (!chosen.has_model())
    fail(Errc::invalid_argument, "--cutoff is for --ranker classifier and metric, which give a p");
}

std::string probability_below_one(const std::string& text) {
  const auto value = to_number(text);
  const bool good = value && *value >= 0 && *value < 1;  // no NaN
  return good ? "" : "\"" + text + "\" is no probability from 0 to below 1";
}

}  // namespace kronite::cli
