// Mixtures out of formulas and tables of weights, batch by batch.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <optional>
#include <utility>

#include "base/fail.hpp"         // for fail
#include "base/log.hpp"          // for notice, warning
#include "base/printable.hpp"    // for printable
#include "cli/kmd_options.hpp"   // for MixtureSource
#include "io/byte_stream.hpp"    // for last_read_position
#include "io/formula_list.hpp"   // for FormulaLines
#include "kmd/weight_table.hpp"  // for WeightTable

namespace kronite::cli {
namespace {

constexpr std::size_t kShown = 20;  // formulas that are reported one by one

double file_bytes(const std::string& path) {
  std::error_code error;
  const auto bytes = std::filesystem::file_size(path, error);
  return error ? 0 : static_cast<double>(bytes);
}

/// Rows of a file of which `done` have been read.
long long expected_rows(double bytes, long long done) {
  constexpr double kBytesPerRow = 10;  // before anything is known
  const auto position = static_cast<double>(io::last_read_position());
  const double rows = done > 0 && position > 0 ? static_cast<double>(done) * bytes / position
                                               : bytes / kBytesPerRow;
  return std::max(done, std::llround(rows));
}

kmd::Unknown policy(const std::string& name) {
  return name == "skip"          ? kmd::Unknown::skip
         : name == "renormalise" ? kmd::Unknown::renormalise
                                 : kmd::Unknown::refuse;
}

class FormulaSource : public MixtureSource {
 public:
  FormulaSource(const FormulaOptions& options, const kmd::Components& components,
                const std::string& value_column)
      : options_(options),
        components_(components),
        unknown_(policy(options.unknown.value_or("refuse"))) {
    if (!options.any())
      fail(Errc::invalid_argument, "no formula: give one such as SrTiO3, or --file with a list");
    if (!options.file.empty()) {
      lines_.emplace(options.file, value_column);
      bytes_ = file_bytes(options.file);
    }
  }

  bool next(std::size_t most, MixtureBatch& batch) override {
    do {
      gather(most);
      if (pending_.empty()) {
        finish();
        return false;
      }
      weigh(batch);
    } while (batch.names.empty());
    rows_ += std::ssize(batch.names);
    return true;
  }

  long long expected(long long done) const override {
    return static_cast<long long>(options_.formulas.size()) + expected_rows(bytes_, done);
  }

 private:
  struct Formula {
    std::string text, where;  ///< where: "file:line", empty for an argument
    Composition composition;
    double value = std::nan("");
  };

  void gather(std::size_t most);
  void read(std::string_view text, const std::string& where, std::string_view value);
  void weigh(MixtureBatch& batch);
  void drop_unusable();
  void reject(const std::string& where, const Error& error);
  void finish() const;

  const FormulaOptions& options_;
  const kmd::Components& components_;
  kmd::Unknown unknown_;
  std::optional<io::FormulaLines> lines_;
  double bytes_ = 0;
  std::size_t arguments_read_ = 0;
  std::vector<Formula> pending_;
  long long rows_ = 0, found_ = 0, rejected_ = 0, skipped_ = 0;
};

void FormulaSource::gather(std::size_t most) {
  pending_.clear();
  while (pending_.size() < most && arguments_read_ < options_.formulas.size())
    read(options_.formulas[arguments_read_++], "", "");
  while (pending_.size() < most && lines_ && lines_->next())
    read(lines_->text(), lines_->where(), lines_->value());
}

double value_of(std::string_view cell, const std::string& where) {
  if (cell.empty()) return std::nan("");
  double value = 0;
  const auto [stop, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc() || stop != cell.data() + cell.size())
    fail(Errc::parse, "{}: a number is expected in the column of values, not \"{}\"", where,
         printable(cell));
  return std::isfinite(value) ? value : std::nan("");
}

void FormulaSource::read(std::string_view text, const std::string& where, std::string_view value) {
  ++found_;
  std::vector<std::string> notices;
  try {
    Composition composition = Composition::parse(text, &notices);
    for (const std::string& message : notices)
      notice(where.empty() ? message : where + ": " + message);
    pending_.push_back({std::string(text), where, std::move(composition), value_of(value, where)});
  } catch (const Error& error) {
    reject(where, error);
  }
}

/// Formulas that cannot be used are found one by one: they are rare.
void FormulaSource::weigh(MixtureBatch& batch) {
  batch = {};
  std::vector<Composition> compositions;
  std::vector<std::int64_t> kept;
  const auto all = [&] {
    compositions.clear();
    for (const Formula& formula : pending_) compositions.push_back(formula.composition);
    kept.clear();
    batch.weights = kmd::weights_of(compositions, components_, unknown_, &kept);
  };
  try {
    all();
  } catch (const Error&) {
    drop_unusable();
    all();
  }
  skipped_ += std::ssize(pending_) - std::ssize(kept);
  for (const std::int64_t i : kept) {
    batch.names.push_back(std::move(pending_[i].text));
    batch.values.push_back(pending_[i].value);
  }
}

void FormulaSource::drop_unusable() {
  std::vector<Formula> usable;
  for (Formula& formula : pending_) {
    try {
      kmd::weights_of({formula.composition}, components_, unknown_);
      usable.push_back(std::move(formula));
    } catch (const Error& error) {
      reject(formula.where, error);
    }
  }
  pending_ = std::move(usable);
}

void FormulaSource::reject(const std::string& where, const Error& error) {
  const std::string message = where.empty() ? error.what() : where + ": " + error.what();
  if (!options_.skip_bad) throw Error(error.code(), message);  // with its caret
  if (++rejected_ <= static_cast<long long>(kShown)) warning(message);
}

void FormulaSource::finish() const {
  if (rejected_ > static_cast<long long>(kShown))
    warning(fmt::format("... and {} more like these", rejected_ - static_cast<long long>(kShown)));
  if (found_ == 0) fail(Errc::parse, "{}: there is no formula in this file", options_.file);
  if (rows_ == 0) fail(Errc::parse, "none of the {} formulas can be used", found_);
  if (rejected_ > 0) notice(fmt::format("{} of {} formulas left out", rejected_, found_));
  if (skipped_ > 0)
    notice(fmt::format("{} of {} formulas skipped for elements that are no component", skipped_,
                       found_));
}

class WeightSource : public MixtureSource {
 public:
  WeightSource(const std::string& path, const kmd::Components& components, bool normalise)
      : path_(path), table_(path, components, normalise), bytes_(file_bytes(path)) {}

  bool next(std::size_t most, MixtureBatch& batch) override {
    batch = {};
    const std::int64_t rows =
        table_.read(static_cast<std::int64_t>(most), batch.weights, batch.names);
    batch.values.assign(batch.names.size(), std::nan(""));
    any_ = any_ || rows > 0;
    if (!any_) fail(Errc::parse, "{}: there are no rows of weights in this file", path_);
    return rows > 0;
  }

  long long expected(long long done) const override { return expected_rows(bytes_, done); }

 private:
  std::string path_;
  kmd::WeightTable table_;
  double bytes_;
  bool any_ = false;
};

}  // namespace

std::unique_ptr<MixtureSource> formula_source(const FormulaOptions& options,
                                              const kmd::Components& components,
                                              const std::string& value_column) {
  return std::make_unique<FormulaSource>(options, components, value_column);
}

std::unique_ptr<MixtureSource> weight_source(const std::string& path,
                                             const kmd::Components& components, bool normalise) {
  return std::make_unique<WeightSource>(path, components, normalise);
}

}  // namespace kronite::cli
