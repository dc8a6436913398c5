// kronite csp evaluate: how often known crystals are found by what ranks templates.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <optional>

#include "base/fail.hpp"            // for fail
#include "base/log.hpp"             // for notice
#include "base/number.hpp"          // for to_number
#include "cli/csp.hpp"              // for add_csp_evaluate
#include "cli/device_option.hpp"    // for add_device_option, description_of
#include "cli/known_crystals.hpp"   // for read_known_crystals, formulas_of
#include "cli/ranker.hpp"           // for RankerOptions, probability_below_one
#include "cli/structures.hpp"       // for add_match_options, add_species_option
#include "cli/templates.hpp"        // for open_library
#include "cli/terminal.hpp"         // for Table, ProgressLine, tolerance
#include "csp/evaluate_report.hpp"  // for write_evaluation
#include "csp/train_report.hpp"     // for prepare_report_folder
#include "io/input.hpp"             // for hash_of_file

namespace kronite::cli {
namespace {

using csp::EvaluatedQuery;
using csp::Share;

constexpr std::size_t kShownErrors = 10;

// --- tables --------------------------------------------------------------------------------------

std::string percent(double share) { return fmt::format("{:.1f}", 100 * share); }
std::string value_cell(const Share& share) { return share.of == 0 ? "-" : percent(share.value); }
std::string interval_cell(const Share& share) {
  return share.of == 0 ? "-" : percent(share.low) + "-" + percent(share.high);
}

/// Of each row the values, and below them the intervals.
void print_success(const std::vector<csp::NamedRow>& rows, csp::Listing listing, double cutoff,
                   bool probabilities) {
  std::vector<std::string> header{"dissimilarity"};
  for (const int top : csp::kTops) header.push_back(fmt::format("top {}", top));
  header.emplace_back("all");
  if (probabilities) header.push_back(cutoff > 0 ? fmt::format("p > {}", cutoff) : "any p");
  Table table(std::move(header));
  for (const csp::NamedRow& named : rows) {
    if (named.listing != listing) continue;
    const auto cells = [&](std::string first, const auto& text_of) {
      std::vector<std::string> line{std::move(first)};
      for (const Share& share : named.row.top) line.push_back(text_of(share));
      line.push_back(text_of(named.row.all));
      if (probabilities) line.push_back(text_of(named.row.likely));
      table.add(std::move(line));
    };
    cells(named.label(), value_cell);
    cells("", interval_cell);
  }
  table.print();
}

void print_groups(const std::vector<EvaluatedQuery>& queries, const csp::EvaluateOptions& options) {
  constexpr std::size_t kStrict = 0;  // the first of kHitLimits
  std::vector<std::string> header{"group", "", "queries", "any template", "top 1", "top 10", "all"};
  if (options.match) header.insert(header.end(), {"match 1", "match 20"});
  Table table(std::move(header));
  std::string kind;
  for (const csp::QueryGroup& group : csp::group_queries(queries)) {
    const auto part = csp::members(queries, group);
    const csp::SuccessRow row = csp::success(part, kStrict, csp::Listing::plain);
    std::vector<std::string> cells{group.kind == kind ? "" : group.kind,
                                   group.name,
                                   fmt::format("{}", part.size()),
                                   percent(csp::with_candidates(part).value),
                                   percent(row.top[0].value),
                                   percent(row.top[2].value),
                                   percent(row.all.value)};
    const csp::SuccessRow matches = csp::match_success(part, csp::Listing::plain, options.cutoff);
    if (options.match)
      cells.insert(cells.end(), {percent(matches.top[0].value), percent(matches.top[3].value)});
    table.add(std::move(cells));
    kind = group.kind;
  }
  table.print();
}

// --- the command ---------------------------------------------------------------------------------

std::string share_above_zero(const std::string& text) {
  const auto value = to_number(text);
  const bool good = value && *value > 0 && *value <= 1;  // no NaN
  return good ? "" : "\"" + text + "\" is no share above 0 and up to 1";
}

struct EvaluateCommand {
  std::string queries, formulas, exclude, templates, elements, ranking, out, device = "auto";
  RankerOptions ranker;
  ReadOptions reading;
  std::optional<double> cutoff;
  csp::EvaluateOptions options;

  void run();

 private:
  ChosenRanker choose_ranker(const TemplateLibrary& library, const ElementTable& table) const;
  std::string ranker_name(const ChosenRanker& chosen) const;
  csp::Evaluation evaluate(const TemplateLibrary& library, const ChosenRanker& chosen,
                           std::vector<Device>& on, const std::vector<csp::KnownCrystal>& crystals);
  void print(const csp::Evaluation& evaluation, const TemplateLibrary& library,
             const ChosenRanker& chosen) const;
  void write(const csp::Evaluation& evaluation, const TemplateLibrary& library,
             const ChosenRanker& chosen, const std::vector<Device>& on) const;
};

ChosenRanker EvaluateCommand::choose_ranker(const TemplateLibrary& library,
                                            const ElementTable& table) const {
  if (ranking.empty()) {
    ChosenRanker chosen = ranker.choose(table, library);
    if (cutoff) require_probabilities(chosen);
    return chosen;
  }
  if (!ranker.ranker.empty() || !ranker.model.empty())
    fail(Errc::invalid_argument, "--ranking is a ranker of its own: leave {} away",
         ranker.model.empty() ? "--ranker" : "--model");
  return {csp::listed_ranker(ranking, library), 0, "", "", 0};
}

std::string EvaluateCommand::ranker_name(const ChosenRanker& chosen) const {
  const auto file_name = [](const std::string& path) {
    return std::filesystem::path(path).filename().string();
  };
  if (!ranking.empty()) return file_name(ranking);
  return chosen.has_model() ? "the model " + file_name(chosen.model_name) : chosen.ranking->name();
}

csp::Evaluation EvaluateCommand::evaluate(const TemplateLibrary& library,
                                          const ChosenRanker& chosen, std::vector<Device>& on,
                                          const std::vector<csp::KnownCrystal>& crystals) {
  ProgressLine progress("queries");
  options.progress = [&](long long done, long long total) { return progress(done, total); };
  if (chosen.has_model()) options.alike_limit = chosen.tau;
  csp::Evaluation evaluation = csp::evaluate(on, crystals, library, *chosen.ranking, options);
  options.progress = {};
  for (std::size_t i = 0; i < std::min(evaluation.left_out.size(), kShownErrors); ++i)
    notice(fmt::format("{} ({}) is left out: {}", evaluation.left_out[i].id,
                       evaluation.left_out[i].formula, evaluation.left_out[i].why));
  if (evaluation.left_out.size() > kShownErrors)
    notice(fmt::format("... and {} more", evaluation.left_out.size() - kShownErrors));
  if (evaluation.queries.empty()) fail(Errc::numerical, "{}: no crystal can be judged", queries);
  return evaluation;
}

void EvaluateCommand::print(const csp::Evaluation& evaluation, const TemplateLibrary& library,
                            const ChosenRanker& chosen) const {
  const auto& all = evaluation.queries;
  double candidates = 0;
  std::int64_t ranked = 0;
  for (const EvaluatedQuery& query : all) {
    candidates += static_cast<double>(query.candidates);
    ranked += query.ranked > 0 ? 1 : 0;
  }
  const Share some = csp::with_candidates(all);
  fmt::print("{}, {} templates of {}, ranked by {}\n", csp::queries_text(std::ssize(all)),
             evaluation.templates, library.path(), ranker_name(chosen));
  fmt::print("{:.1f} % of the queries have a template of their ratio, {:.0f} on average",
             100 * some.value, candidates / static_cast<double>(all.size()));
  if (ranked < some.hits) fmt::print("; {} ranked", csp::queries_text(ranked));
  const auto rows = csp::success_rows(all, options);
  const bool probabilities = !evaluation.reliability.empty();
  fmt::print(
      "\n\nQueries with a candidate at such a dissimilarity{} among the best, in % of all, and "
      "below\nthe 95 % interval:\n",
      options.match ? ", or a match," : "");
  print_success(rows, csp::Listing::plain, options.cutoff, probabilities);
  fmt::print("\nThe same over distinct structures, more than {} from all better ones:\n",
             options.distinct);
  print_success(rows, csp::Listing::distinct, options.cutoff, probabilities);
  fmt::print("\nCoverage, and success at {}, in %:\n", csp::kHitLimits.front());
  print_groups(all, options);
  fmt::print(
      "\nThe best candidate has the query's space group in {} % of the queries; its volume is off "
      "by {} % (median).\n",
      percent(csp::same_space_group(all).value),
      std::isnan(csp::median_volume_error(all)) ? "-" : percent(csp::median_volume_error(all)));
  if (options.match)
    fmt::print("The first match has it in {} % of the queries that are matched.\n",
               value_cell(csp::match_has_space_group(all)));
  if (probabilities)
    fmt::print("Calibration error of p: {:.3f} over all candidates, {:.3f} over the best ones.\n",
               csp::calibration_error(evaluation.reliability),
               csp::calibration_error(evaluation.reliability_of_best));
}

void EvaluateCommand::write(const csp::Evaluation& evaluation, const TemplateLibrary& library,
                            const ChosenRanker& chosen, const std::vector<Device>& on) const {
  csp::EvaluationRun run{
      command_line(), description_of(on), ranker_name(chosen), {{library.path(), library.hash()}}};
  if (chosen.has_model()) run.inputs.emplace_back(chosen.model_name, chosen.model_hash);
  for (const auto& path : {queries, formulas, exclude, elements, ranking})
    if (std::filesystem::is_regular_file(path))
      run.inputs.emplace_back(path, io::hash_of_file(path));
  csp::write_evaluation(out, evaluation, library, options, run);
  fmt::print("Tables and figures are in {}\n", out);
}

void EvaluateCommand::run() {
  std::optional<ElementTable> own_table;
  if (!elements.empty()) own_table = ElementTable::read_csv(elements);
  const ElementTable& table = own_table ? *own_table : ElementTable::embedded();
  options.table = &table;
  if (options.match) check_match_options(options.matching);
  for (const std::string& formula : formulas_of(exclude))
    options.exclude_formulas.push_back(formula);
  if (!out.empty()) csp::prepare_report_folder(out);

  const TemplateLibrary library = open_library(templates);
  const ChosenRanker chosen = choose_ranker(library, table);
  options.cutoff = cutoff.value_or(chosen.ranking->cutoff());
  const auto crystals = read_known_crystals(queries, formulas, reading);
  double pairs = 0;
  for (const auto& crystal : crystals)
    pairs += static_cast<double>(
        library.with_ratio(crystal.structure.composition().ratio_label()).size());
  std::vector<Device> on = Device::parse_all(device, chosen.work * pairs);
  const csp::Evaluation evaluation = evaluate(library, chosen, on, crystals);
  print(evaluation, library, chosen);
  if (!out.empty()) write(evaluation, library, chosen, on);
}

}  // namespace

void add_csp_evaluate(CLI::App& csp) {
  CLI::App* command = csp.add_subcommand(
      "evaluate",
      "Predict crystals whose structures are known as if they were not, and count how often the\n"
      "right structure is among the best candidates");
  const auto job = std::make_shared<EvaluateCommand>();
  command
      ->add_option("--queries", job->queries,
                   "Known crystals: any file or folder that 'kronite templates build' reads, or a\n"
                   "template library (.ktl)")
      ->required()
      ->check(CLI::ExistingPath.description(""))
      ->type_name("FILE");
  command
      ->add_option("--formulas", job->formulas,
                   "Only queries of these formulas: one per line, or a .csv with a column called\n"
                   "formula")
      ->check(CLI::ExistingFile.description(""))
      ->type_name("FILE");
  command
      ->add_option("--templates", job->templates,
                   "Template library with fingerprints; default: the demo set inside")
      ->type_name("FILE");
  command
      ->add_option("--exclude-formulas", job->exclude,
                   "Formulas whose templates are not used for any query; those of a query's own\n"
                   "formula never are")
      ->check(CLI::ExistingFile.description(""))
      ->type_name("FILE");
  command->add_flag("--disjoint", job->options.disjoint,
                    "Use no template of any query's formula, so that queries and templates have\n"
                    "no formula in common");
  job->ranker.add_options(*command);
  command
      ->add_option("--ranking", job->ranking,
                   "Instead of a ranker: a ranking made elsewhere, .csv with a line per query and\n"
                   "template (columns query, template_id or template_index, score)")
      ->check(CLI::ExistingFile.description(""))
      ->type_name("FILE");
  command
      ->add_option(
          "--cutoff", job->cutoff,
          "What a prediction keeps: candidates with p above it; default: 0.01 with a metric,\n"
          "else 0.5")
      ->check(probability_below_one)
      ->type_name("P");
  command
      ->add_option("--distinct", job->options.distinct,
                   "Dissimilarity up to which two candidates count as one structure")
      ->check(CLI::NonNegativeNumber.description(""))
      ->type_name("D")
      ->capture_default_str();
  command
      ->add_option("--library-share", job->options.library_share,
                   "Use a random share of the templates")
      ->check(share_above_zero)
      ->type_name("SHARE")
      ->capture_default_str();
  command->add_option("--seed", job->options.seed, "Of the random share")
      ->type_name("N")
      ->capture_default_str();
  CLI::Option* no_match = command->add_flag_callback(
      "--no-match", [job] { job->options.match = false; },
      "Compare fingerprints only, without the structure matcher");
  for (CLI::Option* option : add_match_options(*command, job->options.matching))
    no_match->excludes(option);
  command
      ->add_option("--symprec", job->options.symprec, "Tolerance of the queries' space groups in Å")
      ->check(tolerance)
      ->type_name("LENGTH")
      ->capture_default_str();
  command
      ->add_option("--elements", job->elements,
                   "Element table as CSV; default: the 94 x 58 table inside")
      ->type_name("FILE");
  add_species_option(*command, job->reading);
  command
      ->add_option("--out", job->out,
                   "New folder for a table of all queries, the tables, and figures")
      ->type_name("DIR");
  add_device_option(*command, job->device, Devices::several);
  command->add_option("--threads", job->options.threads, "Threads on the CPU; 0: all")
      ->check(CLI::Range(0, 4096).description(""))
      ->type_name("N")
      ->capture_default_str();
  command->footer(
      "What is counted and how: docs/evaluation.md.\n\n"
      "Example:\n"
      "  kronite templates sample lib.ktl --count 3000 --out held_out\n"
      "  kronite csp train --templates lib.ktl --config configs/shipped_2022.toml \\\n"
      "    --exclude-formulas held_out/list_1.txt --out m.safetensors\n"
      "  kronite csp evaluate --queries lib.ktl --formulas held_out/list_1.txt \\\n"
      "    --templates lib.ktl --disjoint --model m.safetensors --out evaluation");
  command->callback([job] { job->run(); });
}

}  // namespace kronite::cli
