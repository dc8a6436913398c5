// kronite kmd invert: the mixtures that descriptors were made of, or come nearest to.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/fail.hpp"            // for fail
#include "cli/kmd.hpp"              // for add_kmd_invert
#include "cli/kmd_options.hpp"      // for ComponentsOption, DeviceOption
#include "cli/row_writer.hpp"       // for RowWriter
#include "cli/terminal.hpp"         // for ProgressLine, Table
#include "io/atomic_file.hpp"       // for AtomicFile
#include "kmd/descriptor_rows.hpp"  // for DescriptorRows
#include "kmd/mixture_text.hpp"     // for MixtureText

namespace kronite::cli {
namespace {

/// Descriptors that a device inverts at a time.
constexpr std::int64_t kBatch = 4096;
constexpr std::size_t kShownRows = 50;

/// A batch of inverted rows, as the writers take it.
struct InvertedBatch {
  const std::vector<std::string>& names;
  const kmd::Inverted& result;
  const kmd::Components& components;
  const kmd::MixtureText& text;
};

/// Where mixtures go.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void add(const InvertedBatch& batch) = 0;
  virtual void finish() = 0;
};

std::string yes_or_no(bool value) { return value ? "yes" : "no"; }

class CsvSink : public Sink {
 public:
  explicit CsvSink(const std::string& out)
      : rows_(out, {"name", "formula", "mixture", "on_manifold"}, {"residual", "kkt", "steps"}) {}

  void add(const InvertedBatch& batch) override {
    for (std::size_t i = 0; i < batch.names.size(); ++i) {
      const auto row = static_cast<std::int64_t>(i);
      const kmd::Weights& weights = batch.result.weights;
      const kmd::Inverse& inverse = batch.result.rows[i];
      const double numbers[] = {inverse.residual, inverse.kkt, static_cast<double>(inverse.steps)};
      rows_.add({batch.names[i], batch.text.formula(weights, row),
                 batch.text.fractions(weights, row), yes_or_no(inverse.on_manifold)},
                numbers);
    }
  }
  void finish() override { rows_.finish(); }

 private:
  RowWriter rows_;
};

class JsonSink : public Sink {
 public:
  explicit JsonSink(const std::string& out) : file_(out) {}

  void add(const InvertedBatch& batch) override {
    using Json = nlohmann::ordered_json;
    for (std::size_t i = 0; i < batch.names.size(); ++i) {
      const auto row = static_cast<std::int64_t>(i);
      const kmd::Weights& weights = batch.result.weights;
      const kmd::Inverse& inverse = batch.result.rows[i];
      const std::string formula = batch.text.formula(weights, row);
      Json line = {
          {"name", batch.names[i]},    {"formula", formula.empty() ? Json(nullptr) : Json(formula)},
          {"weights", Json::object()}, {"residual", inverse.residual},
          {"kkt", inverse.kkt},        {"on_manifold", inverse.on_manifold},
          {"steps", inverse.steps}};
      for (std::int64_t k = weights.first[i]; k < weights.first[i + 1]; ++k)
        line["weights"][batch.components.names[weights.component[k]]] = weights.weight[k];
      file_.write(line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
    }
  }
  void finish() override { file_.commit(); }

 private:
  io::AtomicFile file_;
};

/// The first rows, for people.
class TableSink : public Sink {
 public:
  explicit TableSink(std::size_t top)
      : top_(top), table_({"name", "formula", "mixture", "residual", "KKT", "on manifold"}) {}

  void add(const InvertedBatch& batch) override {
    for (std::size_t i = 0; i < batch.names.size(); ++i, ++rows_) {
      if (rows_ >= kShownRows) continue;
      const auto row = static_cast<std::int64_t>(i);
      const kmd::Inverse& inverse = batch.result.rows[i];
      const std::string formula = batch.text.formula(batch.result.weights, row);
      table_.add({batch.names[i], formula.empty() ? "-" : formula,
                  batch.text.fractions(batch.result.weights, row, top_),
                  fmt::format("{:.1e}", inverse.residual), fmt::format("{:.1e}", inverse.kkt),
                  yes_or_no(inverse.on_manifold)});
    }
  }
  void finish() override {
    table_.print();
    if (rows_ > kShownRows)
      fmt::print("... and {} more; --out writes them all\n", rows_ - kShownRows);
  }

 private:
  std::size_t top_, rows_ = 0;
  Table table_;
};

struct InvertCommand {
  std::string file, settings, out, weights;
  ComponentsOption components;
  DeviceOption device;
  std::optional<int> top;
  bool compat = false;

  void run() const;

 private:
  std::unique_ptr<Sink> sink() const;
};

std::unique_ptr<Sink> InvertCommand::sink() const {
  constexpr std::size_t kTop = 6;
  if (out.empty()) return std::make_unique<TableSink>(top ? static_cast<std::size_t>(*top) : kTop);
  if (top) fail(Errc::invalid_argument, "--top is for the table on the screen; --out writes all");
  if (out.ends_with(".jsonl")) return std::make_unique<JsonSink>(out);
  return std::make_unique<CsvSink>(out);
}

/// Rows of weights as `kronite kmd transform --weights` reads them.
class WeightWriter {
 public:
  WeightWriter(const std::string& out, const kmd::Components& components)
      : rows_(out, {"name"}, components.names), dense_(components.names.size()) {}

  void add(const InvertedBatch& batch) {
    const kmd::Weights& weights = batch.result.weights;
    for (std::size_t i = 0; i < batch.names.size(); ++i) {
      std::fill(dense_.begin(), dense_.end(), 0.0);
      for (std::int64_t k = weights.first[i]; k < weights.first[i + 1]; ++k)
        dense_[weights.component[k]] = weights.weight[k];
      rows_.add({batch.names[i]}, dense_);
    }
  }
  void finish() { rows_.finish(); }

 private:
  RowWriter rows_;
  std::vector<double> dense_;
};

/// What is said of all rows at the end.
struct Summary {
  long long rows = 0, on_manifold = 0;
  double residual = 0, kkt = 0;  // largest
  int steps = 0;

  void add(const std::vector<kmd::Inverse>& inverses) {
    for (const kmd::Inverse& inverse : inverses) {
      ++rows;
      on_manifold += inverse.on_manifold ? 1 : 0;
      residual = std::max(residual, inverse.residual);
      kkt = std::max(kkt, inverse.kkt);
      steps = std::max(steps, inverse.steps);
    }
  }
  void print() const {
    Table table({"rows", "on manifold", "largest residual", "largest KKT", "most steps"});
    table.add({fmt::format("{}", rows), fmt::format("{}", on_manifold),
               fmt::format("{:.2e}", residual), fmt::format("{:.2e}", kkt),
               fmt::format("{}", steps)});
    table.print(stderr);
  }
};

void InvertCommand::run() const {
  kmd::DescriptorRows rows(file, settings);
  const kmd::Descriptor descriptor =
      descriptor_of(rows.settings(), components.read(), rows.settings_where());
  rows.require_columns(descriptor.names());
  const kmd::MixtureText text(descriptor.components());
  std::error_code no_size;  // then it is small
  const auto bytes = std::filesystem::file_size(file, no_size);
  constexpr double kBytesPerValue = 12, kPerValue = 2;  // operations per component
  std::vector<Device> on =
      device.open_all(no_size ? 0
                              : kPerValue * static_cast<double>(descriptor.components().size()) *
                                    static_cast<double>(bytes) / kBytesPerValue);
  const kmd::Inverter inverter(on, descriptor);
  const std::unique_ptr<Sink> mixtures = sink();
  std::optional<WeightWriter> table;
  if (!weights.empty()) table.emplace(weights, descriptor.components());

  kmd::InverseOptions options;
  options.compat = compat;
  Summary summary;
  ProgressLine progress("inverting descriptors");
  std::vector<double> values;
  std::vector<std::string> names;
  while (rows.read(kBatch * std::ssize(on), values, names) > 0) {
    if (!progress(summary.rows, 0))
      fail(Errc::cancelled, "{}", out == "-" ? "stopped" : "stopped; nothing was written");
    const kmd::Inverted result =
        inverter.invert({values.data(), std::ssize(names), descriptor.width()}, options);
    const InvertedBatch batch{names, result, descriptor.components(), text};
    mixtures->add(batch);
    if (table) table->add(batch);
    summary.add(result.rows);
    values.clear();
    names.clear();
  }
  if (summary.rows == 0) fail(Errc::parse, "{}: there are no descriptors in this file", file);
  mixtures->finish();
  if (table) table->finish();
  summary.print();
}

std::string check_mixture_file(const std::string& out) {
  return out == "-" || out.ends_with(".csv") || out.ends_with(".jsonl")
             ? ""
             : "a name that ends in .csv or .jsonl is expected, or - for CSV on standard output";
}

std::string check_weight_file(const std::string& out) {
  return out.ends_with(".csv") || out.ends_with(".npy")
             ? ""
             : "a name that ends in .csv or .npy is expected";
}

}  // namespace

void add_kmd_invert(CLI::App& kmd) {
  CLI::App* app = kmd.add_subcommand(
      "invert",
      "The mixture of each kernel mean descriptor: exactly that which it was made of; of any\n"
      "other vector, the mixture whose descriptor is nearest.");
  const auto command = std::make_shared<InvertCommand>();
  app->add_option("FILE", command->file,
                  "Descriptors as 'kronite kmd transform' writes them: .csv, .npy or .jsonl")
      ->required();
  app->add_option("--settings", command->settings,
                  "Settings that the descriptors were made with; default: FILE.settings.json, or\n"
                  "the first line of FILE.jsonl")
      ->type_name("FILE");
  command->components.add(*app);
  app->add_option("--out", command->out,
                  "FILE.csv, FILE.jsonl, or - for CSV on standard output; without it, a table of\n"
                  "the first rows is printed")
      ->check(check_mixture_file)
      ->type_name("FILE");
  app->add_option("--weights", command->weights,
                  "Write the weights too, one column per component: FILE.csv or FILE.npy, as\n"
                  "'kronite kmd transform --weights' reads them")
      ->check(check_weight_file)
      ->type_name("FILE");
  app->add_option("--top", command->top,
                  "Components that the printed table shows of a mixture, the largest first [6]")
      ->check(CLI::Range(1, 100000).description(""))
      ->type_name("N");
  app->add_flag("--compat", command->compat,
                "As the authors' program does it: weights rounded to 12 decimals");
  command->device.add(*app, Devices::several);
  app->footer("Example:  kronite kmd invert kmd.csv --out mixtures.csv");
  app->callback([command] { command->run(); });
}

}  // namespace kronite::cli
