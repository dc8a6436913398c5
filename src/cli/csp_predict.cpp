// kronite csp predict: crystal structures from formulas.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_set>

#include "base/fail.hpp"          // for fail
#include "base/log.hpp"           // for notice
#include "cli/csp.hpp"            // for add_csp_predict
#include "cli/device_option.hpp"  // for add_device_option
#include "cli/formulas.hpp"       // for read_formulas
#include "cli/ranker.hpp"         // for RankerOptions, probability_below_one
#include "cli/terminal.hpp"       // for Table, ProgressLine, tolerance
#include "csp/record.hpp"         // for mapping_text, templates_used
#include "csp/run_folder.hpp"     // for RunFolder
#include "io/escape.hpp"          // for one_line
#include "io/input.hpp"           // for hash_of_file
#include "kronite/csp.hpp"        // for predict

namespace kronite::cli {
namespace {

using csp::VolumeMethod;

constexpr std::size_t kShownErrors = 10;
/// A page of more compositions than this would be too long to look through.
constexpr std::size_t kPageQueries = 50;

/// The options of `kronite csp predict`.
struct PredictCommand {
  std::vector<std::string> formulas;
  std::string list, templates, elements, out, device = "auto";
  RankerOptions ranker;
  std::optional<double> cutoff;
  csp::PredictOptions options;
  bool skip_bad = false, resume = false;
  std::optional<bool> page;

  void run();

 private:
  csp::RunInfo run_info(const std::vector<Device>& on, const TemplateLibrary& library,
                        const ChosenRanker& chosen) const;
  void print_all(std::vector<Device>& on, const std::vector<Composition>& queries,
                 const TemplateLibrary& library, const csp::Ranker& ranking) const;
  void write_all(std::vector<Device>& on, const std::vector<Composition>& queries,
                 const TemplateLibrary& library, const ChosenRanker& chosen) const;
};

std::string compositions(std::size_t count) {
  return fmt::format("{} composition{}", count, count == 1 ? "" : "s");
}

/// Each composition once, in order of first appearance.
std::vector<Composition> distinct(std::vector<Formula> formulas) {
  std::unordered_set<std::string> seen;
  std::vector<Composition> queries;
  for (auto& formula : formulas)
    if (seen.insert(formula.composition.reduced_formula()).second)
      queries.push_back(std::move(formula.composition));
  if (const auto repeated = formulas.size() - queries.size(); repeated > 0)
    notice(fmt::format("{} of {} formulas repeat a composition; each is predicted once", repeated,
                       formulas.size()));
  return queries;
}

std::string number(double value) { return std::isnan(value) ? "-" : fmt::format("{:.3f}", value); }

std::string heading(const csp::Prediction& prediction, double cutoff) {
  const auto crystals = static_cast<std::int64_t>(prediction.candidates.size());
  const std::int64_t used = csp::templates_used(prediction);
  std::string text = prediction.query + ": ";
  if (used > crystals)
    text += fmt::format("{} different crystal{} from ", crystals, crystals == 1 ? "" : "s");
  text +=
      fmt::format("{} of {} templates of the ratio {}", used, prediction.likely, prediction.ratio);
  if (prediction.likely < prediction.templates)
    text += fmt::format(" with p > {} ({} in all)", cutoff, prediction.templates);
  return text;
}

void print(const csp::Prediction& prediction, double cutoff) {
  if (prediction.candidates.empty()) {
    fmt::print("{}: {}\n", prediction.query, prediction.note);
    return;
  }
  const bool probabilities = !std::isnan(prediction.candidates.front().p);
  std::vector<std::string> header{"rank"};
  if (probabilities)
    header.insert(header.end(), {"p", "spread"});
  else
    header.emplace_back("distance");
  for (const char* name : {"space group", "No.", "template", "id", "elements", "volume", "known"})
    header.emplace_back(name);
  const bool merged = std::any_of(prediction.candidates.begin(), prediction.candidates.end(),
                                  [](const auto& c) { return !c.duplicates.empty(); });
  if (merged) header.emplace_back("same from");
  fmt::print("{}\n", heading(prediction, cutoff));
  Table table(std::move(header));
  for (const auto& c : prediction.candidates) {
    std::vector<std::string> row{fmt::format("{}", c.rank)};
    if (probabilities)
      row.insert(row.end(), {number(c.p), number(c.p_std)});
    else
      row.push_back(number(0 - c.score));
    row.insert(row.end(), {c.international, fmt::format("{}", c.space_group), c.template_formula,
                           io::one_line(c.template_id), csp::mapping_text(c),
                           fmt::format("{:.3f}", c.volume_factor), c.known ? "known" : ""});
    if (merged)
      row.push_back(c.duplicates.empty() ? "" : fmt::format("{} more", c.duplicates.size()));
    table.add(std::move(row));
  }
  table.print();
}

/// Of all pairs of a query and a template of its ratio.
double pairs(const std::vector<Composition>& queries, const TemplateLibrary& library) {
  double count = 0;
  for (const auto& query : queries)
    count += static_cast<double>(library.with_ratio(query.ratio_label()).size());
  return count;
}

csp::RunInfo PredictCommand::run_info(const std::vector<Device>& on, const TemplateLibrary& library,
                                      const ChosenRanker& chosen) const {
  csp::RunInfo info;
  info.command = command_line();
  info.device = description_of(on);
  info.options = options;
  info.ranker = chosen.ranking->name();
  info.model_hash = chosen.model_hash;
  info.library_hash = library.hash();
  info.inputs.emplace_back(library.path(), library.hash());
  if (chosen.has_model()) info.inputs.emplace_back(chosen.model_name, info.model_hash);
  for (const auto& path : {list, elements})
    if (!path.empty()) info.inputs.emplace_back(path, io::hash_of_file(path));
  return info;
}

void PredictCommand::run() {
  if (out.empty() && (resume || page))
    fail(Errc::invalid_argument, "{} needs --out DIR", resume ? "--resume" : "--page");
  std::optional<ElementTable> own_table;
  if (!elements.empty()) own_table = ElementTable::read_csv(elements);
  const ElementTable& table = own_table ? *own_table : ElementTable::embedded();
  options.table = &table;

  const auto queries = distinct(read_formulas(formulas, list, table, skip_bad));
  const TemplateLibrary library =
      templates.empty() ? TemplateLibrary::embedded() : TemplateLibrary::open(templates);
  const ChosenRanker chosen = ranker.choose(table, library);
  if (cutoff) require_probabilities(chosen);
  options.cutoff = cutoff.value_or(chosen.ranking->cutoff());
  std::vector<Device> on = Device::parse_all(device, chosen.work * pairs(queries, library));
  if (out.empty())
    print_all(on, queries, library, *chosen.ranking);
  else
    write_all(on, queries, library, chosen);
}

void PredictCommand::print_all(std::vector<Device>& on, const std::vector<Composition>& queries,
                               const TemplateLibrary& library, const csp::Ranker& ranking) const {
  csp::PredictOptions told = options;
  if (on.size() > 1 && queries.size() > 1) {
    ProgressLine progress("compositions");
    told.progress = std::ref(progress);
    csp::predict_all(on, queries, library, ranking, told,
                     [&](std::size_t i, csp::Prediction&& prediction) {
                       progress.clear();
                       if (i > 0) fmt::print("\n");
                       print(prediction, options.cutoff.value());
                     });
    return;
  }
  for (const auto& query : queries) {
    ProgressLine progress(query.reduced_formula() + ", templates tried");
    told.progress = std::ref(progress);
    const auto prediction = csp::predict(on.front(), query, library, ranking, told);
    progress.clear();
    if (&query != &queries.front()) fmt::print("\n");
    print(prediction, options.cutoff.value());
  }
}

void PredictCommand::write_all(std::vector<Device>& on, const std::vector<Composition>& queries,
                               const TemplateLibrary& library, const ChosenRanker& chosen) const {
  csp::RunFolder folder(out, run_info(on, library, chosen), resume);
  if (folder.finished() > 0)
    notice(fmt::format("{}: there already: {}", out, compositions(folder.finished())));
  std::vector<Composition> left;
  for (const auto& query : queries)
    if (!folder.finished(query.reduced_formula())) left.push_back(query);
  ProgressLine progress("compositions");
  csp::PredictOptions told = options;
  told.progress = [&](long long done, long long) {
    return progress(std::ssize(queries) - std::ssize(left) + done, std::ssize(queries));
  };
  std::size_t without = 0;
  const auto add = [&](std::size_t, csp::Prediction&& prediction) {
    folder.add(prediction);
    if (prediction.candidates.empty() && ++without <= kShownErrors)
      notice(fmt::format("{}: {}", prediction.query, prediction.note));
  };
  try {
    csp::predict_all(on, left, library, *chosen.ranking, told, add);
  } catch (const Error& e) {
    if (e.code() != Errc::cancelled) throw;
    fail(Errc::cancelled, "stopped with {} in {}; the same command with --resume goes on",
         compositions(folder.finished()), out);
  }
  const bool with_page = page.value_or(folder.finished() <= kPageQueries);
  folder.finish(with_page);
  if (without > kShownErrors)
    notice(fmt::format("{} compositions have no candidate; the notes are in {}/predictions.csv",
                       without, out));
  fmt::print("{} in {}\n", compositions(folder.finished()), with_page ? out + "/index.html" : out);
}

}  // namespace

void add_csp_predict(CLI::App& csp) {
  CLI::App* command = csp.add_subcommand(
      "predict",
      "Propose crystal structures: known crystals of the same ratio, their elements "
      "replaced");
  const auto job = std::make_shared<PredictCommand>();
  command->add_option("formulas", job->formulas, "Compositions, such as SrTiO3 or 'Ca(OH)2'")
      ->type_name("FORMULA");
  command
      ->add_option("--file", job->list,
                   "List: one formula per line, or a .csv with a column called formula; may be\n"
                   "compressed (.gz, .xz, .zst, .bz2)")
      ->type_name("FILE");
  command->add_flag("--skip-bad", job->skip_bad,
                    "Leave out formulas that cannot be used instead of running nothing");
  command
      ->add_option("--templates", job->templates,
                   "Template library ('kronite templates build'); default: the demo set inside")
      ->type_name("FILE");
  job->ranker.add_options(*command);
  command
      ->add_option(
          "--cutoff", job->cutoff,
          "Propose only templates with a probability above it; 0: all (default: 0.01 with a\n"
          "metric, 0.5 with a classifier)")
      ->check(probability_below_one)
      ->type_name("P");
  command->add_option("--top", job->options.top, "Candidates per composition")
      ->check(CLI::Range(1, 1000000).description(""))
      ->type_name("N")
      ->capture_default_str();
  command->add_flag("--exclude-known", job->options.exclude_known,
                    "Leave out templates of the composition itself");
  command->add_flag(
      "--keep-duplicates", job->options.keep_duplicates,
      "A candidate for each template; else equal crystals (kronite match) are merged\n"
      "into the best, and --top counts different ones");
  command
      ->add_option_function<std::string>(
          "--volume",
          [job](const std::string& method) {
            job->options.volume =
                method == "scaled" ? VolumeMethod::scaled : VolumeMethod::as_template;
          },
          "Cell volume: scaled by atomic volumes, or the template's own (default: scaled)")
      ->check(CLI::IsMember({"scaled", "template"}).description(""))
      ->type_name("scaled|template");
  command->add_option("--symprec", job->options.symprec, "Tolerance of the space group in Å")
      ->check(tolerance)
      ->type_name("LENGTH")
      ->capture_default_str();
  command
      ->add_option("--elements", job->elements,
                   "Element table as CSV; default: the 94 x 58 table inside")
      ->type_name("FILE");
  command
      ->add_option("--out", job->out,
                   "New folder for CIF, POSCAR, extxyz, tables and a page; "
                   "without it a table is printed")
      ->type_name("DIR");
  command->add_flag("--resume", job->resume, "Go on with a stopped run in --out");
  command->add_flag_callback(
      "--page", [job] { job->page = true; },
      "Write index.html with pictures (default: up to 50 compositions)");
  command->add_flag_callback(
      "--no-page", [job] { job->page = false; }, "Write no index.html");
  add_device_option(*command, job->device, Devices::several);
  command->footer("Example:  kronite csp predict SrTiO3 LiFePO4 --top 5 --out results");
  command->callback([job] { job->run(); });
}

}  // namespace kronite::cli
