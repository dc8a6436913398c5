// Weights as CSV and as .npy.
#include "kmd/weight_table.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_map>

#include "base/ascii.hpp"      // for trimmed
#include "base/fail.hpp"       // for fail
#include "base/number.hpp"     // for to_any_number
#include "base/printable.hpp"  // for printable
#include "io/csv.hpp"          // for CsvReader
#include "io/input.hpp"        // for plain_name
#include "io/npy.hpp"          // for NpyRows

namespace kronite::kmd {

/// Gives one row after the other; what both formats do with it is the same.
struct WeightTable::Source {
  Source(const Components& components, bool divide)
      : names(components.names), row(names.size()), normalise(divide) {}
  virtual ~Source() = default;
  /// Fills `row` and `name`; false at the end.
  virtual bool next() = 0;
  /// Place of the row, and of a weight in it, for messages.
  virtual std::string where() const = 0;
  virtual std::string where(std::size_t component) const = 0;

  void append_to(Weights& weights);

  std::vector<std::string> names;  ///< of components
  std::vector<double> row;
  std::string name;
  bool normalise;  ///< whether rows are divided by their sums
};

/// Checks the row and appends it.
void WeightTable::Source::append_to(Weights& weights) {
  constexpr double kRounding = 1e-9;  // what Weights allows
  double sum = 0;
  for (std::size_t c = 0; c < row.size(); ++c) {
    if (!(row[c] >= 0) || !std::isfinite(row[c]))
      fail(Errc::parse, "{}: a weight is expected, which is not negative, not {}", where(c),
           row[c]);
    sum += row[c];
  }
  if (sum == 0 || !std::isfinite(sum))
    fail(Errc::parse, "{}: the weights add up to {}", where(), sum);
  if (!normalise && !(std::abs(sum - 1) <= kRounding))
    fail(Errc::parse,
         "{}: the weights add up to {}; 1 is expected unless rows are normalised on reading",
         where(), sum);
  for (std::size_t c = 0; c < row.size(); ++c) {
    const double weight = normalise ? row[c] / sum : row[c];
    if (weight == 0) continue;
    weights.component.push_back(static_cast<std::int32_t>(c));
    weights.weight.push_back(weight);
  }
  weights.first.push_back(std::ssize(weights.component));
}

namespace {

class CsvSource : public WeightTable::Source {
 public:
  CsvSource(const std::string& path, const Components& components, bool divide)
      : Source(components, divide), csv_(path) {
    if (!csv_.next(cells_))
      fail(Errc::parse, "{}: a header with the names of components is expected", csv_.where());
    read_header();
  }

  bool next() override {
    if (!csv_.next(cells_)) return false;
    if (cells_.size() != headings_.size())
      fail(Errc::parse, "{}: {} cells, the header has {}", where(), cells_.size(),
           headings_.size());
    ++rows_;
    name = has_names_ ? std::string(trimmed(cells_.front())) : fmt::format("{}", rows_);
    if (rows_ == 1 && has_names_) check_names();
    for (std::size_t i = has_names_ ? 1 : 0; i < cells_.size(); ++i) {
      const auto value = to_any_number(trimmed(cells_[i]));
      if (!value)
        fail(Errc::parse, "{}: a weight is expected, not \"{}\"", where_column(i),
             printable(cells_[i]));
      row[component_[i]] = *value;
    }
    return true;
  }

  std::string where() const override { return csv_.where(); }
  std::string where(std::size_t component) const override {
    return where_column(static_cast<std::size_t>(
        std::find(component_.begin() + (has_names_ ? 1 : 0), component_.end(), component) -
        component_.begin()));
  }

 private:
  void read_header() {
    std::unordered_map<std::string_view, std::size_t> known;
    for (std::size_t c = 0; c < names.size(); ++c) known.emplace(names[c], c);
    std::vector<bool> seen(names.size());
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      headings_.emplace_back(trimmed(cells_[i]));
      const auto found = known.find(headings_.back());
      component_.push_back(found == known.end() ? names.size() : found->second);
      if (found == known.end() && i == 0) {
        has_names_ = true;
        continue;
      }
      if (found == known.end())
        fail(Errc::parse, "{}: there is no component {}", where_column(i),
             headings_.back().empty() ? "without a name" : printable(headings_.back()));
      if (seen[found->second])
        fail(Errc::parse, "{}: two columns are called {}", csv_.where(),
             printable(headings_.back()));
      seen[found->second] = true;
    }
    if (headings_.size() == (has_names_ ? 1 : 0))
      fail(Errc::parse, "{}: a header with the names of components is expected", csv_.where());
  }

  /// A column of numbers under a name is rather a component that is not there.
  void check_names() const {
    constexpr std::string_view kNumbered[] = {"", "id", "index", "name", "row"};
    if (to_any_number(name) && std::find(std::begin(kNumbered), std::end(kNumbered),
                                         headings_.front()) == std::end(kNumbered))
      fail(Errc::parse,
           "{}: there is no component {}, and a first column with the names of rows that are "
           "numbers is called id, index, name or row",
           where_column(0), printable(headings_.front()));
  }

  std::string where_column(std::size_t column) const {
    return fmt::format("{}: column {} ({})", csv_.where(), column + 1,
                       printable(headings_[column]));
  }

  io::CsvReader csv_;
  std::vector<std::string> cells_, headings_;
  std::vector<std::size_t> component_;  // of each column
  bool has_names_ = false;
  std::int64_t rows_ = 0;
};

class NpySource : public WeightTable::Source {
 public:
  NpySource(const std::string& path, const Components& components, bool divide)
      : Source(components, divide), path_(path), matrix_(path) {
    if (matrix_.cols() != components.size())
      fail(Errc::parse, "{}: {} columns, there are {} components", path, matrix_.cols(),
           components.size());
  }

  bool next() override {
    if (read_ == matrix_.rows()) return false;
    matrix_.read(read_++, {row.data(), 1, matrix_.cols()});
    name = fmt::format("{}", read_);
    return true;
  }
  std::string where() const override { return fmt::format("{}: row {}", path_, read_); }
  std::string where(std::size_t component) const override {
    return fmt::format("{}: row {}, column {} ({})", path_, read_, component + 1,
                       printable(names[component]));
  }

 private:
  std::string path_;
  io::NpyRows matrix_;
  std::int64_t read_ = 0;
};

}  // namespace

WeightTable::WeightTable(const std::string& path, const Components& components, bool normalise) {
  if (io::plain_name(path).ends_with(".npy"))
    source_ = std::make_unique<NpySource>(path, components, normalise);
  else
    source_ = std::make_unique<CsvSource>(path, components, normalise);
}
WeightTable::~WeightTable() = default;
WeightTable::WeightTable(WeightTable&&) noexcept = default;

std::int64_t WeightTable::read(std::int64_t most, Weights& weights,
                               std::vector<std::string>& names) {
  weights.components = std::ssize(source_->names);
  std::int64_t rows = 0;
  for (; rows < most && source_->next(); ++rows) {
    source_->append_to(weights);
    names.push_back(source_->name);
  }
  return rows;
}

}  // namespace kronite::kmd
