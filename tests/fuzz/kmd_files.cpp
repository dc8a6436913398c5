// Tables of weights, settings and rows of mixture descriptors: what was read is written so that it
// reads back the same.
#include <cmath>

#include "fuzz/target.hpp"
#include "io/csv.hpp"  // for append_csv_header, append_csv_row
#include "kmd/descriptor_rows.hpp"
#include "kmd/file_settings.hpp"
#include "kmd/weight_table.hpp"

namespace kronite::fuzz {
namespace {

kmd::Components components() { return {{"O", "Mg", "Ca"}, {"size"}, {1, 2, 3}}; }

struct Table {
  kmd::Weights weights;
  std::vector<std::string> names;
};

bool read(const std::string& path, bool normalise, Table& table) {
  return accepts([&] {
    kmd::WeightTable reader(path, components(), normalise);
    while (reader.read(2, table.weights, table.names) > 0) {
    }
  });
}

void check_weights(const std::string& path, bool normalise) {
  Table table, again;
  if (!read(path, normalise, table)) return;
  const auto rows = static_cast<std::size_t>(table.weights.rows());
  promise(table.names.size() == rows, "every row has a name");
  std::string text;
  io::append_csv_header(text, "name", components().names);
  for (std::size_t i = 0; i < rows; ++i) {
    std::vector<double> dense(3, 0.0);
    double sum = 0;
    for (std::int64_t k = table.weights.first[i]; k < table.weights.first[i + 1]; ++k) {
      sum += table.weights.weight[k];
      dense[table.weights.component[k]] = table.weights.weight[k];
    }
    promise(std::abs(sum - 1) <= 1e-9, "rows add up to one", path);
    io::append_csv_row(text, table.names[i], dense);
  }
  promise(read(as_file("written.csv", text), false, again), "what is written is read", text);
  promise(again.weights.weight == table.weights.weight &&
              again.weights.component == table.weights.component,
          "written weights read back with the same bits", text);
}

void check_settings(std::string_view text) {
  kmd::FileSettings settings;
  if (!accepts([&] { settings = kmd::parse_file_settings(text, "input.json"); })) return;
  const std::string written = kmd::to_json(settings, false);
  const bool again = accepts([&] {
    promise(kmd::to_json(kmd::parse_file_settings(written, "written.json"), false) == written,
            "written settings read back the same", written);
  });
  promise(again, "written settings are read", written);
}

/// Rows under settings of four columns, or under those of the input.
void check_rows(const std::string& path, const std::string& settings) {
  std::vector<double> values;
  std::vector<std::string> names;
  const bool whole = accepts([&] {
    kmd::DescriptorRows rows(path, settings);
    while (rows.read(2, values, names) > 0) {
    }
    promise(values.size() == names.size() * static_cast<std::size_t>(rows.settings().width),
            "every row has as many values as the settings say");
  });
  if (!whole) return;
  for (const double value : values) promise(std::isfinite(value), "values are finite");
}

}  // namespace
}  // namespace kronite::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kronite;
  const std::string_view text = fuzz::as_text(data, size);
  const std::string csv = fuzz::as_file("input.csv", text);
  fuzz::check_weights(csv, false);
  fuzz::check_weights(csv, true);
  fuzz::check_settings(text);
  const std::string settings = fuzz::as_file(
      "settings.json", kmd::to_json(kmd::file_settings(fuzz::components(), false), false));
  fuzz::check_rows(csv, settings);
  const std::string lines = fuzz::as_file("input.jsonl", text);
  fuzz::check_rows(lines, settings);
  fuzz::check_rows(lines, "");
  return 0;
}
