// kronite describe: composition descriptors of formulas, as a table, CSV or .npy.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/fail.hpp"            // for fail
#include "cli/commands.hpp"         // for add_describe
#include "cli/formulas.hpp"         // for read_formulas
#include "cli/terminal.hpp"         // for ProgressLine, Table
#include "io/atomic_file.hpp"       // for AtomicFile
#include "io/csv.hpp"               // for append_csv_row
#include "io/npy.hpp"               // for npy_header
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

/// Header, then one row per formula: as given, reduced, values.
void write_csv(const std::vector<Formula>& formulas, const ElementTable& table,
               const std::function<void(std::string_view)>& write) {
  std::string text = "formula,";
  io::append_csv_header(text, "reduced_formula", descriptor_names(table));
  write(text);
  for_each_descriptor(formulas, table, [&](const Formula& formula, std::span<const double> values) {
    text.clear();
    io::append_csv_cell(text, formula.text);
    text += ',';
    io::append_csv_row(text, formula.composition.reduced_formula(), values);
    write(text);
  });
}

void write_csv_file(const std::vector<Formula>& formulas, const ElementTable& table,
                    const std::string& path) {
  io::AtomicFile file(path);
  write_csv(formulas, table, [&](std::string_view text) { file.write(text); });
  file.commit();
}

/// d.npy, and beside it d.columns.txt and d.rows.csv, which name its columns and rows.
void write_npy_files(const std::vector<Formula>& formulas, const ElementTable& table,
                     const std::string& path) {
  const std::vector<std::string> names = descriptor_names(table);
  const std::string stem = path.substr(0, path.size() - std::string_view(".npy").size());
  io::AtomicFile file(path), columns(stem + ".columns.txt"), rows(stem + ".rows.csv");
  for (const std::string& name : names) columns.write(name + "\n");
  rows.write("formula,reduced_formula\n");
  file.write(io::npy_header(std::ssize(formulas), std::ssize(names)));
  std::string text;
  for_each_descriptor(formulas, table, [&](const Formula& formula, std::span<const double> values) {
    file.write(values.data(), values.size_bytes());
    text.clear();
    io::append_csv_cell(text, formula.text);
    text += "," + formula.composition.reduced_formula() + "\n";
    rows.write(text);
  });
  columns.commit();
  rows.commit();
  file.commit();
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

std::string check_out(const std::string& out) {
  return out == "-" || out.ends_with(".csv") || out.ends_with(".npy")
             ? ""
             : "a name that ends in .csv or .npy is expected, or - for CSV on standard output";
}

void DescribeCommand::run() const {
  const ElementTable own = elements.empty() ? ElementTable() : ElementTable::read_csv(elements);
  const ElementTable& table = elements.empty() ? ElementTable::embedded() : own;
  std::vector<Formula> list = read_formulas(formulas, file, table, skip_bad);
  for (Formula& formula : list) formula.composition = formula.composition.reduced();

  if (out.empty())
    print_sheets(list, table);
  else if (out == "-")
    write_csv(list, table,
              [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); });
  else if (out.ends_with(".csv"))
    write_csv_file(list, table, out);
  else
    write_npy_files(list, table, out);
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
  app->add_option("--file", command->file,
                  "List of formulas: one per line (# begins a comment), or a .csv file with a\n"
                  "column such as formula or formula_pretty; may be compressed (.gz)");
  app->add_option(
         "--out", command->out,
         "FILE.csv; FILE.npy, with FILE.columns.txt and FILE.rows.csv beside it; or - for\n"
         "CSV on standard output. Without it, a table is printed for every formula")
      ->check(check_out);
  app->add_option("--elements", command->elements,
                  "Element table of your own: CSV with a header of feature names and a row\n"
                  "\"symbol,value,...\" per element");
  app->add_flag("--skip-bad", command->skip_bad,
                "Report formulas that cannot be read or described, and go on");
  app->footer("Example:  kronite describe --file formulas.txt --out descriptors.csv");
  app->callback([command] { command->run(); });
}

}  // namespace kronite::cli
