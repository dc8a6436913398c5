// Tables of compounds and mixtures with what is to be predicted.
#include <algorithm>
#include <unordered_map>

#include "base/ascii.hpp"        // for trimmed
#include "base/fail.hpp"         // for fail
#include "base/number.hpp"       // for to_number, to_any_number
#include "base/printable.hpp"    // for printable
#include "io/csv.hpp"            // for CsvReader
#include "kmd/experiment.hpp"    // for ExperimentData
#include "kmd/weight_table.hpp"  // for WeightTable

namespace kronite::kmd {
namespace {

double to_amount(std::string_view text, std::string_view whole) {
  const auto value = to_any_number(text);
  if (!value)
    fail(Errc::parse, "\"{}\" is no amount of an element in {}", printable(text), printable(whole));
  return *value;
}

/// "{'Zn': 58.0, 'Mg': 40.0}".
Composition parse_dictionary(std::string_view text) {
  const auto refuse = [&] {
    fail(Errc::parse, "{}: a dictionary such as {{'Si': 1, 'O': 2}} is expected", printable(text));
  };
  if (text.size() < 2 || text.back() != '}') refuse();
  std::string_view rest = text.substr(1, text.size() - 2);
  std::vector<ElementAmount> parts;
  while (!trimmed(rest).empty()) {
    const std::size_t comma = rest.find(',');
    const std::string_view item = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    const std::size_t colon = item.find(':');
    if (colon == std::string_view::npos) refuse();
    std::string_view symbol = trimmed(item.substr(0, colon));
    if (symbol.size() < 3 || (symbol.front() != '\'' && symbol.front() != '"') ||
        symbol.back() != symbol.front())
      refuse();
    symbol = symbol.substr(1, symbol.size() - 2);
    const int z = element_number(symbol);
    if (z == 0)
      fail(Errc::parse, "there is no element \"{}\" in {}", printable(symbol), printable(text));
    const double amount = to_amount(trimmed(item.substr(colon + 1)), text);
    if (amount != 0) parts.push_back({z, amount});
  }
  return Composition(std::move(parts));
}

/// Rows of `weights` in another order.
Weights selected(const Weights& weights, const std::vector<std::int64_t>& rows) {
  Weights part;
  part.components = weights.components;
  for (const std::int64_t row : rows) {
    const auto begin = weights.first[row], end = weights.first[row + 1];
    part.component.insert(part.component.end(), weights.component.begin() + begin,
                          weights.component.begin() + end);
    part.weight.insert(part.weight.end(), weights.weight.begin() + begin,
                       weights.weight.begin() + end);
    part.first.push_back(std::ssize(part.component));
  }
  return part;
}

/// Numbers of texts, in the order in which they come.
class Numbers {
 public:
  std::int64_t of(const std::string& text) {
    return numbers_.try_emplace(text, std::ssize(numbers_)).first->second;
  }
  std::vector<std::string> texts() const {
    std::vector<std::string> all(numbers_.size());
    for (const auto& [text, number] : numbers_) all[number] = text;
    return all;
  }

 private:
  std::unordered_map<std::string, std::int64_t> numbers_;
};

class DataReader {
 public:
  DataReader(const std::string& path, const DataSettings& settings, const Components& components)
      : path_(path), settings_(settings), components_(components), csv_(path) {}

  ExperimentData read(const std::string& weights);

 private:
  void read_header();
  std::size_t column(const std::vector<std::string>& header, const std::string& name) const;
  bool read_targets(const std::vector<std::string>& cells);
  void read_mixture(const std::string& cell);
  void weigh();
  void find_weights(const std::string& path);
  void keep(const std::vector<std::int64_t>& rows);

  std::string path_;
  const DataSettings& settings_;
  const Components& components_;
  io::CsvReader csv_;
  std::size_t width_ = 0, formula_ = 0;
  std::vector<std::size_t> targets_;
  bool formulas_ = true;
  ExperimentData data_;
  std::vector<Composition> compositions_;
  std::vector<std::string> where_;
  Numbers classes_, groups_;
};

std::size_t DataReader::column(const std::vector<std::string>& header,
                               const std::string& name) const {
  const auto found = std::find(header.begin(), header.end(), name);
  if (found == header.end())
    fail(Errc::parse, "{}: there is no column \"{}\"; the header has {}", csv_.where(), name,
         printable(fmt::format("{}", fmt::join(header, ", "))));
  return static_cast<std::size_t>(found - header.begin());
}

void DataReader::read_header() {
  std::vector<std::string> header;
  if (!csv_.next(header)) fail(Errc::parse, "{}: a header is expected", path_);
  width_ = header.size();
  formula_ = column(header, settings_.formula);
  for (const std::string& target : settings_.targets) targets_.push_back(column(header, target));
  if (!settings_.classes.empty()) targets_.push_back(column(header, settings_.classes));
}

/// False where a cell is empty.
bool DataReader::read_targets(const std::vector<std::string>& cells) {
  for (const std::size_t target : targets_)
    if (trimmed(cells[target]).empty()) return false;
  if (!settings_.classes.empty()) {
    data_.classes.push_back(
        static_cast<std::int32_t>(classes_.of(std::string(trimmed(cells[targets_.front()])))));
    return true;
  }
  for (std::size_t t = 0; t < targets_.size(); ++t) {
    const std::string_view cell = trimmed(cells[targets_[t]]);
    const auto value = to_number(cell);
    if (!value)
      fail(Errc::parse, "{}: a number is expected in the column {}, not \"{}\"", csv_.where(),
           settings_.targets[t], printable(cell));
    data_.values.push_back(*value);
  }
  return true;
}

void DataReader::read_mixture(const std::string& cell) {
  const std::string text(trimmed(cell));
  data_.names.push_back(text);
  where_.push_back(csv_.where());
  if (!formulas_) {
    data_.groups.push_back(groups_.of(text));
    return;
  }
  try {
    compositions_.push_back(parse_amounts(text));
  } catch (const Error& error) {
    throw Error(error.code(), csv_.where() + ": " + error.what());  // with its caret
  }
  data_.groups.push_back(groups_.of(compositions_.back().reduced_formula()));
}

void DataReader::keep(const std::vector<std::int64_t>& rows) {
  const auto keep = [&](auto& of, std::size_t width) {
    std::decay_t<decltype(of)> kept;
    for (const std::int64_t row : rows)
      kept.insert(kept.end(), of.begin() + row * static_cast<std::int64_t>(width),
                  of.begin() + (row + 1) * static_cast<std::int64_t>(width));
    of = std::move(kept);
  };
  keep(data_.names, 1);
  keep(data_.groups, 1);
  if (settings_.classes.empty())
    keep(data_.values, targets_.size());
  else
    keep(data_.classes, 1);
}

void DataReader::weigh() {
  std::vector<std::int64_t> kept;
  try {
    data_.weights = weights_of(compositions_, components_, settings_.unknown, &kept);
  } catch (const Error&) {  // which line it is
    for (std::size_t i = 0; i < compositions_.size(); ++i) {
      try {
        weights_of({compositions_[i]}, components_, settings_.unknown);
      } catch (const Error& error) {
        fail(error.code(), "{}: {}", where_[i], error.what());
      }
    }
    throw;
  }
  data_.unknown = data_.rows() - std::ssize(kept);
  if (data_.unknown > 0) keep(kept);
}

void DataReader::find_weights(const std::string& path) {
  Weights all;
  all.components = components_.size();
  std::vector<std::string> names;
  WeightTable table(path, components_, false);
  constexpr std::int64_t kBatch = 4096;
  while (table.read(kBatch, all, names) > 0) {
  }
  std::unordered_map<std::string, std::int64_t> rows;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (!rows.try_emplace(names[i], i).second)
      fail(Errc::parse, "{}: two rows are called {}", path, printable(names[i]));
  std::vector<std::int64_t> order;
  for (std::size_t i = 0; i < data_.names.size(); ++i) {
    const auto found = rows.find(data_.names[i]);
    if (found == rows.end())
      fail(Errc::parse, "{}: there is no row \"{}\" in {}", where_[i], printable(data_.names[i]),
           path);
    order.push_back(found->second);
  }
  data_.weights = selected(all, order);
}

ExperimentData DataReader::read(const std::string& weights) {
  formulas_ = weights.empty();
  read_header();
  std::vector<std::string> cells;
  while (csv_.next(cells)) {
    if (cells.size() != width_)
      fail(Errc::parse, "{}: {} cells, the header has {}", csv_.where(), cells.size(), width_);
    if (read_targets(cells))
      read_mixture(cells[formula_]);
    else
      ++data_.without_target;
  }
  if (data_.names.empty()) fail(Errc::parse, "{}: no row has all that is asked for", path_);
  if (formulas_)
    weigh();
  else
    find_weights(weights);
  data_.class_names = classes_.texts();
  if (!settings_.classes.empty() && data_.class_names.size() < 2)
    fail(Errc::parse, "{}: all rows are of one class, {}", path_,
         printable(data_.class_names.front()));
  return std::move(data_);
}

}  // namespace

Composition parse_amounts(std::string_view text) {
  return text.starts_with('{') ? parse_dictionary(text) : Composition::parse(text);
}

ExperimentData read_experiment_data(const std::string& path, const DataSettings& settings,
                                    const Components& components, const std::string& weights) {
  return DataReader(path, settings, components).read(weights);
}

}  // namespace kronite::kmd
