// kronite model: the command, and what its parts share.
#include "cli/model.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>

#include "cli/commands.hpp"         // for add_model
#include "csp/embedded_models.hpp"  // for models, metrics
#include "csp/model_file.hpp"       // for names_a_file

namespace kronite::cli {

std::uintmax_t bytes_of(const std::string& model) {
  if (csp::names_a_file(model)) return std::filesystem::file_size(model);
  for (const auto& files : {embedded::metrics(), embedded::models()})
    for (const auto& file : files)
      if (file.name == model) return file.bytes.size();
  return 0;
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
