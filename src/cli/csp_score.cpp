// kronite csp score: the most probable templates of many compositions, or of a library's own.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>

#include "base/fail.hpp"            // for fail
#include "cli/csp.hpp"              // for add_csp_score
#include "cli/device_option.hpp"    // for add_device_option
#include "cli/formulas.hpp"         // for read_formulas
#include "cli/ranker.hpp"           // for full_name, or_best_inside
#include "cli/row_writer.hpp"       // for RowWriter, check_row_file
#include "cli/terminal.hpp"         // for ProgressLine, interrupted
#include "csp/model_file.hpp"       // for models_inside
#include "csp/template_scores.hpp"  // for TemplateScores, best_by
#include "kronite/metric.hpp"       // for MetricRanker

namespace kronite::cli {
namespace {

using csp::BestTemplates;
using csp::TemplateScores;
using Clock = std::chrono::steady_clock;

/// Compositions that are described and scored at a time.
constexpr std::size_t kBatch = 1 << 14;
constexpr std::int64_t kCheckedPairs = 1'000'000;

/// What the rows of a table are: texts of a query.
struct Row {
  std::string name, formula;
};

struct ScoreCommand {
  std::string templates, queries, model, out, device = "auto", precision = "fp32";
  int top = 10;
  bool skip_bad = false, check = false;

  void run();

 private:
  bool by_metric() const;
  void run_metric();
  Precision chosen_precision() const {
    return precision == "bf16"   ? Precision::bf16
           : precision == "tf32" ? Precision::tf32
                                 : Precision::fp32;
  }
  void score(const TemplateScores& scores, const std::vector<Row>& rows,
             const TemplateLibrary& library, ProgressLine& progress, long long pairs_in_all,
             RowWriter& writer);
  [[noreturn]] void stop() const;
  void report(std::size_t rows) const;

  long long pairs_ = 0;
  double seconds_ = 0;
};

std::vector<Row> rows_of(const TemplateLibrary& library) {
  std::vector<Row> rows;
  for (std::int64_t i = 0; i < library.size(); ++i) {
    const TemplateInfo info = library.info(i);
    rows.push_back({std::string(info.id), std::string(info.formula)});
  }
  return rows;
}

/// One line per query and template found.
void write_rows(const BestTemplates& best, const std::vector<Row>& rows,
                const TemplateLibrary& library, RowWriter& writer) {
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::int64_t rank = 0; rank < best.k; ++rank) {
      const std::size_t at = i * static_cast<std::size_t>(best.k) + static_cast<std::size_t>(rank);
      if (best.index[at] < 0) break;
      const TemplateInfo info = library.info(best.index[at]);
      // Seven digits are all that a score has.
      const double numbers[] = {static_cast<double>(rank + 1), std::round(best.p[at] * 1e7) / 1e7,
                                static_cast<double>(best.index[at])};
      writer.add({rows[i].name, rows[i].formula, std::string(info.id), std::string(info.formula)},
                 numbers);
    }
}

void ScoreCommand::score(const TemplateScores& scores, const std::vector<Row>& rows,
                         const TemplateLibrary& library, ProgressLine& progress,
                         long long pairs_in_all, RowWriter& writer) {
  const auto begin = Clock::now();
  const BestTemplates best =
      scores.best(top, chosen_precision(), [&](long long done, long long total) {
        if (!progress(pairs_ + done, std::max(pairs_in_all, total))) stop();
        return true;
      });
  seconds_ += std::chrono::duration<double>(Clock::now() - begin).count();
  pairs_ += scores.pairs();
  write_rows(best, rows, library, writer);
  if (!check) return;
  const csp::PrecisionError error = scores.error_of(chosen_precision(), kCheckedPairs);
  const BestTemplates exact = scores.best(top, Precision::fp32, [&](long long, long long) {
    if (interrupted()) stop();
    return true;
  });
  const double shared = csp::shared_share(exact, best);
  fmt::print(
      stderr,
      "{} against fp32: |dp| at most {:.1e} and {:.1e} on average over {} pairs; {:.2f} % of "
      "the best {} are the same\n",
      precision, error.largest, error.mean, error.pairs, 100 * shared, top);
}

/// Rows on standard output are out already.
void ScoreCommand::stop() const {
  fail(Errc::cancelled, "{}", out == "-" ? "stopped" : "stopped; nothing was written");
}

void ScoreCommand::report(std::size_t rows) const {
  fmt::print(stderr, "{} pairs for {} {} in {:.2f} s: {:.3g} pairs per second\n", pairs_, rows,
             queries.empty() ? "templates" : "compositions", seconds_,
             static_cast<double>(pairs_) / seconds_);
}

/// @throws Error invalid_argument for options that are for classifiers only.
bool ScoreCommand::by_metric() const {
  if (!csp::names_a_metric(model)) return false;
  if (precision != "fp32" || check)
    fail(Errc::invalid_argument,
         "{} is for classifiers, such as --model best; {} is a metric, which is computed in fp32",
         check ? "--check-precision" : "--precision " + precision, full_name(model));
  return true;
}

void ScoreCommand::run_metric() {
  const csp::MetricRanker ranker(csp::open_metric(model));
  const TemplateLibrary library =
      templates.empty() ? TemplateLibrary::embedded() : TemplateLibrary::open(templates);
  const ElementTable& table = ElementTable::embedded();
  std::vector<Composition> compositions;
  std::vector<Row> rows;
  if (queries.empty()) {
    rows = rows_of(library);
    for (std::int64_t i = 0; i < library.size(); ++i)
      compositions.push_back(library.composition(i));
  } else {
    for (const auto& formula : read_formulas({}, queries, table, skip_bad)) {
      rows.push_back({formula.text, formula.composition.reduced_formula()});
      compositions.push_back(formula.composition);
    }
  }
  long long longest = 1;
  for (const auto& ratio : library.ratios())
    longest = std::max<long long>(longest, library.with_ratio(ratio).size());
  for (const auto& query : compositions) pairs_ += library.with_ratio(query.ratio_label()).size();
  const auto width = ranker.metric().members.front().embedding.width();
  std::vector<Device> on = Device::parse_all(device, 3.0 * static_cast<double>(width * pairs_));
  RowWriter writer(out, {"query", "query_formula", "template", "template_formula"},
                   {"rank", "p", "template_index"});
  ProgressLine progress("queries");
  const auto begin = Clock::now();
  const BestTemplates best =
      csp::best_by(ranker, on, library, compositions, queries.empty(),
                   std::min<long long>(top, longest), table, [&](long long done, long long total) {
                     if (!progress(done, total)) stop();
                     return true;
                   });
  seconds_ = std::chrono::duration<double>(Clock::now() - begin).count();
  write_rows(best, rows, library, writer);
  writer.finish();
  report(rows.size());
}

void ScoreCommand::run() {
  model = or_best_inside(model);
  if (by_metric()) return run_metric();
  const csp::Model opened = csp::open_model(model);
  const TemplateLibrary library =
      templates.empty() ? TemplateLibrary::embedded() : TemplateLibrary::open(templates);
  const double per_pair = 2.0 * static_cast<double>(opened.ensemble.parameters());
  const auto size = [&](const std::string& ratio) {
    return static_cast<long long>(library.with_ratio(ratio).size());
  };
  long long longest = 1;  // list; more places would take memory and stay empty
  for (const auto& ratio : library.ratios()) longest = std::max(longest, size(ratio));
  top = static_cast<int>(std::min<long long>(top, longest));
  long long pairs = 0;
  ProgressLine progress("pairs");
  const auto list = queries.empty()
                        ? std::vector<Formula>()
                        : read_formulas({}, queries, ElementTable::embedded(), skip_bad);
  RowWriter writer(out, {"query", "query_formula", "template", "template_formula"},
                   {"rank", "p", "template_index"});
  if (queries.empty()) {
    for (const auto& ratio : library.ratios()) pairs += size(ratio) * (size(ratio) - 1) / 2;
    std::vector<Device> on = Device::parse_all(device, per_pair * static_cast<double>(pairs));
    const auto rows = rows_of(library);
    score(TemplateScores(on, opened, library), rows, library, progress, pairs, writer);
    writer.finish();
    report(rows.size());
    return;
  }
  for (const auto& formula : list) pairs += size(formula.composition.ratio_label());
  std::vector<Device> on = Device::parse_all(device, per_pair * static_cast<double>(pairs));
  for (std::size_t begin = 0; begin < list.size(); begin += kBatch) {
    std::vector<Composition> batch;
    std::vector<Row> rows;
    for (std::size_t i = begin; i < std::min(begin + kBatch, list.size()); ++i) {
      batch.push_back(list[i].composition);
      rows.push_back({list[i].text, list[i].composition.reduced_formula()});
    }
    score(TemplateScores(on, opened, library, batch), rows, library, progress, pairs, writer);
  }
  writer.finish();
  report(list.size());
}

}  // namespace

void add_csp_score(CLI::App& parent) {
  CLI::App* command = parent.add_subcommand(
      "score",
      "Find the most probable templates of many compositions, or of every template among the\n"
      "others of its library: each unordered pair of one ratio is scored once");
  const auto job = std::make_shared<ScoreCommand>();
  command
      ->add_option("--templates", job->templates,
                   "Template library ('kronite templates build'); default: the demo set inside")
      ->type_name("FILE");
  command
      ->add_option("--queries", job->queries,
                   "List: one formula per line, or a .csv with a column called formula; may be\n"
                   "compressed (.gz, .xz, .zst, .bz2). Without it, the library's own templates")
      ->type_name("FILE");
  command->add_flag("--skip-bad", job->skip_bad,
                    "Leave out formulas that cannot be used instead of running nothing");
  command
      ->add_option(
          "--model", job->model,
          fmt::format("Metric or classifier: a .safetensors file or a name inside kronite\n"
                      "({}; default: the first)",
                      fmt::join(csp::models_inside(), ", ")))
      ->type_name("NAME|FILE");
  command->add_option("--top", job->top, "Templates per query")
      ->check(CLI::Range(1, 100000).description(""))
      ->type_name("N")
      ->capture_default_str();
  command
      ->add_option(
          "--out", job->out,
          "FILE.csv; FILE.npy, with FILE.columns.txt and FILE.rows.csv beside it; or - for\n"
          "CSV on standard output: a row per query and template")
      ->required()
      ->check(check_row_file)
      ->type_name("FILE");
  command
      ->add_option("--precision", job->precision,
                   "What factors are rounded to: fp32; bf16 on GPUs and on CPUs with AVX512_BF16;\n"
                   "tf32 on GPUs")
      ->check(CLI::IsMember({"fp32", "tf32", "bf16"}).description(""))
      ->type_name("fp32|tf32|bf16")
      ->capture_default_str();
  command->add_flag("--check-precision", job->check,
                    "Score in fp32 too and report how far both agree");
  add_device_option(*command, job->device, Devices::several);
  command->footer(
      "Example:  kronite csp score --templates lib.ktl --queries formulas.txt --top 10 --out "
      "best.csv");
  command->callback([job] { job->run(); });
}

}  // namespace kronite::cli
