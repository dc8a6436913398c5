// Rankers by their names on the command line.
#include "cli/ranker.hpp"

#include <fmt/format.h>  // for join

#include <CLI/CLI.hpp>
#include <utility>

#include "base/fail.hpp"            // for fail
#include "csp/model_file.hpp"       // for names_a_file
#include "io/structure_reader.hpp"  // for to_number

namespace kronite::cli {
namespace {

std::string models_inside() {
  const auto names = csp::embedded_models();
  if (names.empty()) return "(inside: none)";
  return fmt::format("(inside: {}; default: {})", fmt::join(names, ", "), names.front());
}

}  // namespace

bool RankerOptions::by_classifier() const {
  const bool has_model = !model.empty() || !csp::embedded_models().empty();
  const bool classifier = ranker == "classifier" || (ranker.empty() && has_model);
  if (classifier && !has_model)
    fail(Errc::invalid_argument,
         "--ranker classifier needs --model FILE: there is no model inside this kronite");
  if (!classifier && !model.empty())
    fail(Errc::invalid_argument, "--model is for --ranker classifier, which needs a model");
  return classifier;
}

ChosenRanker RankerOptions::choose(const ElementTable& table) const {
  // Subtract, square and add 290 values per template.
  if (!by_classifier()) return {csp::distance_ranker(table), 3.0 * 290, nullptr, ""};
  const bool file = !model.empty() && csp::names_a_file(model);
  const std::string name = model.empty() ? csp::embedded_models().front() : model;
  auto classifier = std::make_unique<csp::Classifier>(
      file ? csp::read_model(name) : csp::embedded_model(name), table);
  const csp::Model* opened = &classifier->model();
  // A multiplication and an addition per weight.
  const double work = 2.0 * static_cast<double>(opened->ensemble.parameters());
  return {std::move(classifier), work, opened, file ? name : name + " (inside kronite)"};
}

void RankerOptions::add_options(CLI::App& command) {
  command
      .add_option("--ranker", ranker,
                  "How templates are ordered: by a model's probability, or by distance of\n"
                  "descriptors (default: classifier where there is a model)")
      ->check(CLI::IsMember({"classifier", "distance"}).description(""))
      ->type_name("classifier|distance");
  command
      .add_option("--model", model,
                  "The classifier's model: a name inside kronite or a .safetensors file\n" +
                      models_inside())
      ->type_name("NAME|FILE");
}

std::string probability_below_one(const std::string& text) {
  const auto value = io::to_number(text);
  const bool good = value && *value >= 0 && *value < 1;  // no NaN
  return good ? "" : "\"" + text + "\" is no probability from 0 to below 1";
}

}  // namespace kronite::cli
