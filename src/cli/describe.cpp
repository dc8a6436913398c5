// kronite describe: composition descriptors of formulas, as a table, CSV or .npy.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/fail.hpp"            // for fail
#include "cli/commands.hpp"         // for add_describe
#include "cli/formulas.hpp"         // for read_formulas
#include "cli/row_writer.hpp"       // for RowWriter
#include "cli/terminal.hpp"         // for ProgressLine, Table
#include "kronite/composition.hpp"  // for describe

namespace kronite::cli {
namespace {

/// Compositions that are described and written at a time.
constexpr std::size_t kBatch = 4096;

struct DescribeCommand {
  std::vector<std::string> formulas;
  std::string file, out, elements;
  bool skip_bad = false;

  void run() const;
};

/// Called for a formula, its composition reduced, with its descriptor.
using RowSink = std::function<void(const Formula& formula, std::span<const double> values)>;

/// Describes batch after batch, so that any number of formulas needs little memory.
void for_each_descriptor(const std::vector<Formula>& formulas, const ElementTable& table,
                         const RowSink& sink) {
  const std::size_t columns = descriptor_names(table).size(), count = formulas.size();
  ProgressLine progress("describing formulas");
  std::vector<Composition> batch;
  std::vector<double> values(std::min(kBatch, count) * columns);
  for (std::size_t first = 0; first < count; first += kBatch) {
    if (!progress(static_cast<long long>(first), static_cast<long long>(count)))
      fail(Errc::cancelled, "stopped; nothing was written");
    batch.clear();
    for (std::size_t i = first; i < std::min(first + kBatch, count); ++i)
      batch.push_back(formulas[i].composition);
    describe(batch, table, {values.data(), std::ssize(batch), static_cast<std::int64_t>(columns)});
    for (std::size_t i = 0; i < batch.size(); ++i)
      sink(formulas[first + i], {values.data() + i * columns, columns});
  }
}

/// One row per formula: as given, reduced, values.
void write_rows(const std::vector<Formula>& formulas, const ElementTable& table,
                const std::string& out) {
  RowWriter writer(out, {"formula", "reduced_formula"}, descriptor_names(table));
  for_each_descriptor(formulas, table, [&](const Formula& formula, std::span<const double> values) {
    writer.add({formula.text, formula.composition.reduced_formula()}, values);
  });
  writer.finish();
}

/// One sheet per formula: a row per feature, a column per statistic.
void print_sheets(const std::vector<Formula>& formulas, const ElementTable& table) {
  const std::size_t features = table.features().size();
  for_each_descriptor(formulas, table, [&](const Formula& formula, std::span<const double> values) {
    const Composition& composition = formula.composition;
    const std::string ratio = composition.ratio_label();
    fmt::print("{}{}, ratio {}, {} atoms\n\n", &formula == &formulas.front() ? "" : "\n",
               composition.reduced_formula(), ratio.empty() ? "-" : ratio, composition.total());
    Table sheet({"feature", "ave", "sum", "var", "max", "min"});
    for (std::size_t j = 0; j < features; ++j) {
      std::vector<std::string> row = {table.features()[j]};
      for (std::size_t k = j; k < values.size(); k += features)
        row.push_back(fmt::format("{:.6g}", values[k]));
      sheet.add(std::move(row));
    }
    sheet.print();
  });
}

void DescribeCommand::run() const {
  const ElementTable own = elements.empty() ? ElementTable() : ElementTable::read_csv(elements);
  const ElementTable& table = elements.empty() ? ElementTable::embedded() : own;
  std::vector<Formula> list = read_formulas(formulas, file, table, skip_bad);
  for (Formula& formula : list) formula.composition = formula.composition.reduced();

  if (out.empty())
    print_sheets(list, table);
  else
    write_rows(list, table, out);
}

}  // namespace

void add_describe(CLI::App& program) {
  CLI::App* app = program.add_subcommand(
      "describe",
      "Composition descriptors: weighted mean (ave), weighted sum, weighted variance, maximum and\n"
      "minimum of 58 element features, 290 numbers. Formulas are reduced first: Si2O4 is\n"
      "described as SiO2.");
  const auto command = std::make_shared<DescribeCommand>();
  app->add_option("FORMULA", command->formulas, "Formulas such as \"Ca(OH)2\" or La1.85Sr0.15CuO4");
  app->add_option(
      "--file", command->file,
      "List of formulas: one per line (# begins a comment), or a .csv file with a\n"
      "column such as formula or formula_pretty; may be compressed (.gz, .xz, .zst, .bz2)");
  app->add_option(
         "--out", command->out,
         "FILE.csv; FILE.npy, with FILE.columns.txt and FILE.rows.csv beside it; or - for\n"
         "CSV on standard output. Without it, a table is printed for every formula")
      ->check(check_row_file);
  app->add_option("--elements", command->elements,
                  "Element table of your own: CSV with a header of feature names and a row\n"
                  "\"symbol,value,...\" per element");
  app->add_flag("--skip-bad", command->skip_bad,
                "Report formulas that cannot be read or described, and go on");
  app->footer("Example:  kronite describe --file formulas.txt --out descriptors.csv");
  app->callback([command] { command->run(); });
}

}  // namespace kronite::cli
