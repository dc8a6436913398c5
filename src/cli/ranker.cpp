// Rankers by their names on the command line.
#include "cli/ranker.hpp"

#include <fmt/format.h>  // for join

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "base/fail.hpp"            // for fail
#include "csp/model_file.hpp"       // for names_a_file
#include "io/structure_reader.hpp"  // for to_number
#include "kronite/metric.hpp"       // for MetricRanker
#include "kronite/model.hpp"        // for Classifier

namespace kronite::cli {
namespace {

std::string models_inside() {
  const auto names = csp::embedded_models();
  if (names.empty()) return "(inside: none)";
  return fmt::format("(inside: {}; default: {})", fmt::join(names, ", "), names.front());
}

/// Whether it names a model inside, which are classifiers.
bool is_inside(const std::string& model) {
  const auto names = csp::embedded_models();
  return !csp::names_a_file(model) && std::find(names.begin(), names.end(), model) != names.end();
}

}  // namespace

/// "classifier", "metric" or "distance".
std::string RankerOptions::kind() const {
  const bool inside = !csp::embedded_models().empty();
  if (ranker.empty()) {
    if (model.empty()) return inside ? "classifier" : "distance";
    return csp::names_a_file(model) && csp::holds_metric(model) ? "metric" : "classifier";
  }
  if (ranker == "classifier" && model.empty() && !inside)
    fail(Errc::invalid_argument,
         "--ranker classifier needs --model FILE: there is no model inside this kronite");
  if (ranker == "metric" && model.empty())
    fail(Errc::invalid_argument,
         "--ranker metric needs --model FILE, which 'kronite csp train --model metric' writes");
  if (ranker == "metric" && is_inside(model))
    fail(Errc::invalid_argument,
         "{}: this is a classifier inside kronite, no learned metric; --ranker classifier takes "
         "it, and --ranker metric a file that 'kronite csp train --model metric' writes",
         model);
  if (ranker == "distance" && !model.empty())
    fail(Errc::invalid_argument, "--model is for --ranker classifier and metric, not distance");
  return ranker;
}

ChosenRanker RankerOptions::choose(const ElementTable& table) const {
  const std::string chosen = kind();
  if (chosen == "distance")  // subtract, square and add 290 values per template
    return {csp::distance_ranker(table), 3.0 * 290, "", "", 0};
  if (chosen == "metric") {
    auto metric = std::make_unique<csp::MetricRanker>(csp::read_metric(model), table);
    const csp::Metric& opened = metric->metric();
    const std::string hash = opened.hash();
    const double tau = opened.tau, work = 2.0 * static_cast<double>(opened.parameters());
    return {std::move(metric), work, model, hash, tau};
  }
  const bool file = !model.empty() && csp::names_a_file(model);
  const std::string name = model.empty() ? csp::embedded_models().front() : model;
  auto classifier = std::make_unique<csp::Classifier>(
      file ? csp::read_model(name) : csp::embedded_model(name), table);
  const csp::Model& opened = classifier->model();
  const std::string hash = opened.hash();
  // A multiplication and an addition per weight.
  const double tau = opened.tau, work = 2.0 * static_cast<double>(opened.ensemble.parameters());
  return {std::move(classifier), work, file ? name : name + " (inside kronite)", hash, tau};
}

void RankerOptions::add_options(CLI::App& command) {
  command
      .add_option(
          "--ranker", ranker,
          "How templates are ordered: by a classifier's probability, by a learned metric, or\n"
          "by distance of descriptors (default: as --model says, else classifier)")
      ->check(CLI::IsMember({"classifier", "metric", "distance"}).description(""))
      ->type_name("classifier|metric|distance");
  command
      .add_option("--model", model,
                  "Of the classifier or metric: a name inside kronite or a .safetensors file\n" +
                      models_inside())
      ->type_name("NAME|FILE");
}

void require_probabilities(const ChosenRanker& chosen) {
  if (!chosen.has_model())
    fail(Errc::invalid_argument, "--cutoff is for --ranker classifier and metric, which give a p");
}

std::string probability_below_one(const std::string& text) {
  const auto value = io::to_number(text);
  const bool good = value && *value >= 0 && *value < 1;  // no NaN
  return good ? "" : "\"" + text + "\" is no probability from 0 to below 1";
}

}  // namespace kronite::cli
