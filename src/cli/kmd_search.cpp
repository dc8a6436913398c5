// kronite kmd search: the nearest materials in the space of descriptors.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/fail.hpp"            // for fail
#include "cli/kmd.hpp"              // for add_kmd_search
#include "cli/kmd_options.hpp"      // for ComponentsOption, SettingsOptions, formula_source
#include "cli/row_writer.hpp"       // for RowWriter
#include "cli/terminal.hpp"         // for ProgressLine, Table
#include "io/atomic_file.hpp"       // for AtomicFile
#include "kmd/descriptor_rows.hpp"  // for DescriptorRows
#include "kronite/kmd_search.hpp"   // for nearest

namespace kronite::cli {
namespace {

constexpr std::size_t kBatch = 4096;
constexpr std::int64_t kShownRows = 50;

/// Rows on one side of a search: mixtures, or descriptors out of a file.
struct Side {
  std::vector<std::string> names;
  kmd::Weights weights;
  std::vector<double> values;  ///< descriptors or coordinates

  std::int64_t rows() const { return std::ssize(names); }
};

void append(kmd::Weights& to, const kmd::Weights& from) {
  to.components = from.components;
  to.component.insert(to.component.end(), from.component.begin(), from.component.end());
  to.weight.insert(to.weight.end(), from.weight.begin(), from.weight.end());
  const std::int64_t begin = to.first.back();
  for (std::int64_t i = 1; i <= from.rows(); ++i) to.first.push_back(begin + from.first[i]);
}

Side read_formulas(const FormulaOptions& options, const kmd::Components& components) {
  Side side;
  const auto source = formula_source(options, components);
  ProgressLine progress("reading formulas", true);
  for (MixtureBatch batch; source->next(kBatch, batch);) {
    append(side.weights, batch.weights);
    side.names.insert(side.names.end(), batch.names.begin(), batch.names.end());
    if (!progress(side.rows(), source->expected(side.rows())))
      fail(Errc::cancelled, "stopped; nothing was written");
  }
  return side;
}

Side read_descriptors(kmd::DescriptorRows& rows, const std::string& file) {
  Side side;
  while (rows.read(kBatch, side.values, side.names) > 0) {
  }
  if (side.names.empty()) fail(Errc::parse, "{}: there are no descriptors in this file", file);
  return side;
}

/// Where neighbours go.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void add(const std::string& query, std::int64_t rank, const std::string& neighbour,
                   double distance, std::int64_t row) = 0;
  virtual void finish() = 0;
};

class CsvSink : public Sink {
 public:
  explicit CsvSink(const std::string& out)
      : rows_(out, {"query", "neighbour"}, {"rank", "distance", "row"}) {}

  void add(const std::string& query, std::int64_t rank, const std::string& neighbour,
           double distance, std::int64_t row) override {
    const double numbers[] = {static_cast<double>(rank), distance, static_cast<double>(row)};
    rows_.add({query, neighbour}, numbers);
  }
  void finish() override { rows_.finish(); }

 private:
  RowWriter rows_;
};

class JsonSink : public Sink {
 public:
  explicit JsonSink(const std::string& out) : file_(out) {}

  void add(const std::string& query, std::int64_t rank, const std::string& neighbour,
           double distance, std::int64_t row) override {
    const nlohmann::ordered_json line = {{"query", query},
                                         {"rank", rank},
                                         {"neighbour", neighbour},
                                         {"distance", distance},
                                         {"row", row}};
    file_.write(line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
  }
  void finish() override { file_.commit(); }

 private:
  io::AtomicFile file_;
};

/// The first rows, for people.
class TableSink : public Sink {
 public:
  void add(const std::string& query, std::int64_t rank, const std::string& neighbour,
           double distance, std::int64_t row) override {
    if (rows_++ < kShownRows)
      table_.add({query, fmt::format("{}", rank), neighbour, fmt::format("{:.6g}", distance),
                  fmt::format("{}", row)});
  }
  void finish() override {
    table_.print();
    if (rows_ > kShownRows)
      fmt::print("... and {} more; --out writes them all\n", rows_ - kShownRows);
  }

 private:
  Table table_{{"query", "rank", "neighbour", "distance", "row"}};
  std::int64_t rows_ = 0;
};

struct SearchCommand {
  FormulaOptions queries;
  std::string library, library_descriptors, query_descriptors, out;
  ComponentsOption components;
  SettingsOptions settings;
  DeviceOption device;
  std::int64_t top = 10;

  void run() const;

 private:
  void refuse_what_does_nothing() const;
  kmd::Descriptor descriptor(const std::optional<kmd::DescriptorRows>& of_library,
                             const std::optional<kmd::DescriptorRows>& of_queries) const;
  std::unique_ptr<Sink> sink() const;
};

void SearchCommand::refuse_what_does_nothing() const {
  if (library.empty() == library_descriptors.empty())
    fail(Errc::invalid_argument,
         "give --library with formulas or --library-descriptors, one of them");
  if (!query_descriptors.empty() && queries.any())
    fail(Errc::invalid_argument,
         "--query-descriptors and formulas are two kinds of queries: give one of them");
  if ((!library_descriptors.empty() || !query_descriptors.empty()) && settings.any())
    fail(Errc::invalid_argument,
         "files of descriptors have their settings: leave out --layout, --kernel, --scaling, "
         "--n-grids, --sigma and --most-condition");
}

kmd::Descriptor SearchCommand::descriptor(
    const std::optional<kmd::DescriptorRows>& of_library,
    const std::optional<kmd::DescriptorRows>& of_queries) const {
  if (!of_library && !of_queries) {
    kmd::Settings chosen;
    settings.apply(chosen);
    return {components.read(), chosen};
  }
  const kmd::DescriptorRows& rows = of_library ? *of_library : *of_queries;
  kmd::Descriptor made = descriptor_of(rows.settings(), components.read(), rows.settings_where());
  rows.require_columns(made.names());
  if (of_library && of_queries) {
    if (of_queries->settings().hash != made.hash())
      fail(Errc::invalid_argument, "{} and {} were made with different settings",
           library_descriptors, query_descriptors);
    of_queries->require_columns(made.names());
  }
  return made;
}

std::unique_ptr<Sink> SearchCommand::sink() const {
  if (out.empty()) return std::make_unique<TableSink>();
  if (out.ends_with(".jsonl")) return std::make_unique<JsonSink>(out);
  return std::make_unique<CsvSink>(out);
}

void SearchCommand::run() const {
  refuse_what_does_nothing();
  std::optional<kmd::DescriptorRows> of_library, of_queries;
  if (!library_descriptors.empty()) of_library.emplace(library_descriptors);
  if (!query_descriptors.empty()) of_queries.emplace(query_descriptors);
  const kmd::Descriptor made = descriptor(of_library, of_queries);
  FormulaOptions listed = queries;
  listed.formulas.clear();
  listed.file = library;
  Side in_library = of_library ? read_descriptors(*of_library, library_descriptors)
                               : read_formulas(listed, made.components());
  const bool self = !of_queries && !queries.any();
  Side asked;
  if (of_queries)
    asked = read_descriptors(*of_queries, query_descriptors);
  else if (!self)
    asked = read_formulas(queries, made.components());

  // Mixtures on both sides need no descriptors: their distances come from fewer coordinates.
  const bool mixtures =
      !of_library && !of_queries && made.invertible() && made.components().size() < made.width();
  const std::int64_t width = mixtures ? made.components().size() : made.width();
  const Side& query_side = self ? in_library : asked;
  std::vector<Device> on =
      device.open_all(2.0 * static_cast<double>(width) * static_cast<double>(query_side.rows()) *
                      static_cast<double>(in_library.rows()));
  const auto fill = [&](Side& side) {
    if (!side.values.empty() || side.names.empty()) return;
    if (mixtures) {
      side.values = distance_coordinates(made, side.weights);
      return;
    }
    side.values.resize(side.names.size() * static_cast<std::size_t>(width));
    made.transform(on, side.weights, {side.values.data(), side.rows(), width});
  };
  fill(in_library);
  fill(asked);

  const std::unique_ptr<Sink> rows = sink();
  ProgressLine progress("pairs compared");
  kmd::SearchOptions options;
  options.top = top;
  options.self = self;
  options.progress = [&](long long done, long long total) { return progress(done, total); };
  const kmd::Neighbours found =
      nearest(on, {query_side.values.data(), query_side.rows(), width},
              {in_library.values.data(), in_library.rows(), width}, options);
  for (std::int64_t i = 0; i < query_side.rows(); ++i)
    for (std::int64_t j = 0; j < found.k; ++j) {
      const auto at = static_cast<std::size_t>(i * found.k + j);
      rows->add(query_side.names[i], j + 1, in_library.names[found.index[at]], found.distance[at],
                found.index[at] + 1);
    }
  rows->finish();
}

std::string check_neighbour_file(const std::string& out) {
  return out == "-" || out.ends_with(".csv") || out.ends_with(".jsonl")
             ? ""
             : "a name that ends in .csv or .jsonl is expected, or - for CSV on standard output";
}

}  // namespace

void add_kmd_search(CLI::App& kmd) {
  CLI::App* app = kmd.add_subcommand(
      "search",
      "The materials of a library whose descriptors are nearest to those of the queries, by\n"
      "Euclidean distance, exactly. Without queries: the neighbours of every material of the\n"
      "library in it.");
  const auto command = std::make_shared<SearchCommand>();
  command->queries.add(*app);
  app->add_option("--query-descriptors", command->query_descriptors,
                  "Queries as descriptors: .csv, .npy or .jsonl of 'kronite kmd transform'")
      ->type_name("FILE");
  app->add_option("--library", command->library,
                  "Materials to search: a list of formulas, as --file takes it")
      ->type_name("FILE");
  app->add_option("--library-descriptors", command->library_descriptors,
                  "Materials to search, as descriptors")
      ->type_name("FILE");
  app->add_option("--top", command->top, "Neighbours of a query")
      ->check(CLI::Range(1, 1000000).description(""))
      ->type_name("N")
      ->capture_default_str();
  app->add_option(
         "--out", command->out,
         "FILE.csv, FILE.jsonl, or - for CSV on standard output: a row per neighbour, with\n"
         "its row in the library, from 1; without it, the first rows are printed")
      ->check(check_neighbour_file)
      ->type_name("FILE");
  command->components.add(*app);
  command->settings.add(*app);
  command->device.add(*app, Devices::several);
  app->footer("Example:  kronite kmd search SrTiO3 LiFePO4 --library formulas.csv --top 5");
  app->callback([command] { command->run(); });
}

}  // namespace kronite::cli
