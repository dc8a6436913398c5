// kronite templates sample: random lists of formulas, to be held out and predicted.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/fail.hpp"       // for fail
#include "cli/templates.hpp"   // for open_library, add_library_argument
#include "csp/held_out.hpp"    // for draw_formulas
#include "io/atomic_file.hpp"  // for write_file
#include "io/folder.hpp"       // for make_folder, holds_files

namespace kronite::cli {
namespace {

struct SampleCommand {
  std::string path, out;
  std::int64_t count = 0, lists = 1;
  std::uint64_t seed = 0;

  void run() const;

 private:
  std::string text_of(const TemplateLibrary& library, std::size_t list,
                      const std::vector<std::string>& formulas) const;
};

std::string SampleCommand::text_of(const TemplateLibrary& library, std::size_t list,
                                   const std::vector<std::string>& formulas) const {
  std::string text = fmt::format(
      "# List {} of {}: {} random formulas of a template library with the content {}, seed {}.\n",
      list, lists, formulas.size(), library.hash(), seed);
  for (const std::string& formula : formulas) text += formula + "\n";
  return text;
}

void SampleCommand::run() const {
  const TemplateLibrary library = open_library(path);
  const auto drawn = csp::draw_formulas(library, count, lists, seed);
  io::make_folder(out);
  if (io::holds_files(out))
    fail(Errc::invalid_argument, "{}: this folder is not empty; name a new one for the lists", out);
  for (std::size_t i = 0; i < drawn.size(); ++i)
    io::write_file(fmt::format("{}/list_{}.txt", out, i + 1), text_of(library, i + 1, drawn[i]));
  fmt::print("{} list{} of {} formulas in {}\n", lists, lists == 1 ? "" : "s", count, out);
}

}  // namespace

void add_templates_sample(CLI::App& templates) {
  CLI::App* command = templates.add_subcommand(
      "sample",
      "Draw random formulas of a library, in lists without a formula in common: to be left out\n"
      "of training (csp train --exclude-formulas) and predicted (csp evaluate --formulas)");
  const auto job = std::make_shared<SampleCommand>();
  add_library_argument(*command, job->path);
  command->add_option("--count", job->count, "Formulas in each list")
      ->required()
      ->check(CLI::Range(1, 1000000000).description(""))
      ->type_name("N");
  command->add_option("--lists", job->lists, "Number of lists")
      ->check(CLI::Range(1, 1000000).description(""))
      ->type_name("N")
      ->capture_default_str();
  command->add_option("--seed", job->seed, "Another seed, other lists")
      ->type_name("N")
      ->capture_default_str();
  command->add_option("--out", job->out, "New folder for list_1.txt, list_2.txt, ...")
      ->required()
      ->type_name("DIR");
  command->footer(
      "Example:  kronite templates sample mp_stable.ktl --count 3000 --lists 6 --out held_out");
  command->callback([job] { job->run(); });
}

}  // namespace kronite::cli
