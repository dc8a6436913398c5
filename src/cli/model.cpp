// kronite model: the command, and what its parts share.
#include "cli/model.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>

#include "base/fail.hpp"            // for fail
#include "cli/commands.hpp"         // for add_model
#include "csp/embedded_models.hpp"  // for models
#include "csp/model_file.hpp"       // for names_a_file

namespace kronite::cli {

OpenedModel open_model(const std::string& name) {
  const auto inside = embedded::models();
  if (name.empty() && inside.empty())
    fail(Errc::invalid_argument, "this kronite was built without models: name a file");
  const std::string chosen = name.empty() ? std::string(inside.front().name) : name;
  OpenedModel opened{csp::open_model(chosen), chosen, 0};
  if (csp::names_a_file(chosen)) {
    opened.bytes = std::filesystem::file_size(chosen);
    return opened;
  }
  opened.name += " (inside kronite)";
  for (const auto& file : inside)
    if (file.name == chosen) opened.bytes = file.bytes.size();
  return opened;
}

std::string widths(const Network& network) {
  std::string text = fmt::format("{}", network.layers.front().inputs);
  for (const DenseLayer& layer : network.layers) text += fmt::format("-{}", layer.units);
  return text;
}

std::string words(const Ensemble& ensemble) {
  const std::string first = widths(ensemble.members.front());
  const bool same = std::all_of(ensemble.members.begin(), ensemble.members.end(),
                                [&](const Network& member) { return widths(member) == first; });
  const std::size_t count = ensemble.members.size();
  return fmt::format("{} network{} {}, {} parameters", count, count == 1 ? "" : "s",
                     same ? first : "of different shapes", ensemble.parameters());
}

void add_model_argument(CLI::App& command, std::string& name) {
  command
      .add_option("MODEL", name,
                  "A .safetensors file or a name inside kronite; without it the best inside")
      ->type_name("FILE|NAME");
}

void add_model(CLI::App& program) {
  auto* command = program.add_subcommand(
      "model", "Look into trained rankers of templates, import and export them");
  command->require_subcommand(1);
  command->footer("Example:  kronite model card");
  add_model_read(*command);
  add_model_convert(*command);
}

}  // namespace kronite::cli
