// Descriptors out of CSV, .npy and JSON Lines.
#include "kmd/descriptor_rows.hpp"

#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>

#include "base/fail.hpp"       // for fail
#include "base/number.hpp"     // for to_number
#include "base/printable.hpp"  // for printable
#include "io/csv.hpp"          // for CsvReader
#include "io/input.hpp"        // for LineReader, plain_name, read_file
#include "io/npy.hpp"          // for NpyRows

namespace kronite::kmd {

struct DescriptorRows::Source {
  virtual ~Source() = default;
  /// Appends the next row to `values` and puts its name, which is empty where it has none, into
  /// `name`; false at the end.
  virtual bool next(std::vector<double>& values, std::string& name) = 0;
  virtual void require_columns(const std::vector<std::string>&) const {}
};

namespace {

namespace fs = std::filesystem;

[[noreturn]] void wrong_width(const std::string& where, std::int64_t found, std::int64_t expected) {
  fail(Errc::parse, "{}: {} values in a row, the settings of this file say {}", where, found,
       expected);
}

class CsvSource : public DescriptorRows::Source {
 public:
  CsvSource(const std::string& path, std::int64_t width)
      : csv_(path), width_(static_cast<std::size_t>(width)) {
    if (!csv_.next(headings_))
      fail(Errc::parse, "{}: a header with the names of columns is expected", csv_.where());
    header_ = csv_.where();
    if (headings_.size() < width_) wrong_width(header_, std::ssize(headings_), width);
    labels_ = headings_.size() - width_;
  }

  void require_columns(const std::vector<std::string>& names) const override {
    for (std::size_t j = 0; j < width_; ++j)
      if (headings_[labels_ + j] != names[j])
        fail(Errc::parse, "{}: column {} is called {}; by the settings it is {}", header_,
             labels_ + j + 1, printable(headings_[labels_ + j]), printable(names[j]));
  }

  bool next(std::vector<double>& values, std::string& name) override {
    if (!csv_.next(cells_)) return false;
    if (cells_.size() != headings_.size())
      fail(Errc::parse, "{}: {} cells, the header has {}", csv_.where(), cells_.size(),
           headings_.size());
    name = labels_ > 0 ? cells_.front() : "";
    for (std::size_t j = 0; j < width_; ++j) {
      const std::string& cell = cells_[labels_ + j];
      const auto value = to_number(cell);
      if (!value)
        fail(Errc::parse, "{}: column {} ({}): a number is expected, not \"{}\"", csv_.where(),
             labels_ + j + 1, printable(headings_[labels_ + j]), printable(cell));
      values.push_back(*value);
    }
    return true;
  }

 private:
  io::CsvReader csv_;
  std::vector<std::string> headings_, cells_;
  std::string header_;  // where it is
  std::size_t width_, labels_ = 0;
};

class NpySource : public DescriptorRows::Source {
 public:
  NpySource(const std::string& path, std::int64_t width) : path_(path), matrix_(path) {
    if (matrix_.cols() != width) wrong_width(path, matrix_.cols(), width);
    const std::string names =
        path.substr(0, path.size() - std::string_view(".npy").size()) + ".rows.csv";
    if (!fs::exists(names)) return;
    names_.emplace(names);
    if (!names_->next(cells_)) fail(Errc::parse, "{}: a header is expected", names_->where());
  }

  bool next(std::vector<double>& values, std::string& name) override {
    const bool named = names_ && names_->next(cells_);
    if (names_ && named != (read_ < matrix_.rows()))
      fail(Errc::parse, "{}: {} rows, but {} has {}", names_->where(),
           named ? "more" : fmt::format("{}", read_), path_, matrix_.rows());
    if (read_ == matrix_.rows()) return false;
    const std::size_t before = values.size();
    values.resize(before + static_cast<std::size_t>(matrix_.cols()));
    matrix_.read(read_++, {values.data() + before, 1, matrix_.cols()});
    name = named ? cells_.front() : "";
    for (std::size_t j = before; j < values.size(); ++j)
      if (!std::isfinite(values[j]))
        fail(Errc::parse, "{}: row {}, column {}: a number is expected, not {}", path_, read_,
             j - before + 1, values[j]);
    return true;
  }

 private:
  std::string path_;
  io::NpyRows matrix_;
  std::optional<io::CsvReader> names_;
  std::vector<std::string> cells_;
  std::int64_t read_ = 0;
};

/// Lines with one object each; the first is {"settings": {...}}.
class JsonSource : public DescriptorRows::Source {
 public:
  explicit JsonSource(const std::string& path) : path_(path), lines_(path) {
    if (!next_line()) fail(Errc::parse, "{}: this file is empty", path_);
  }

  std::string where() const { return fmt::format("{}:{}", path_, lines_.line_number()); }

  /// What the first line says; empty when it holds a descriptor.
  std::string settings_text() {
    const simdjson::dom::object object = parse();
    simdjson::dom::element settings;
    if (object["settings"].get(settings) != simdjson::SUCCESS) return "";
    waiting_ = false;
    return simdjson::minify(settings);
  }
  void set_width(std::int64_t width) { width_ = width; }

  bool next(std::vector<double>& values, std::string& name) override {
    if (!waiting_ && !next_line()) return false;
    waiting_ = false;
    const simdjson::dom::object object = parse();
    name.clear();
    for (const char* key : {"formula", "name"}) {
      std::string_view text;
      if (object[key].get(text) == simdjson::SUCCESS) name = text;
    }
    simdjson::dom::array array;
    if (object["descriptor"].get(array) != simdjson::SUCCESS)
      fail(Errc::parse, "{}: an array is expected as \"descriptor\"", where());
    std::int64_t count = 0;
    for (const simdjson::dom::element element : array) {
      double value = 0;
      if (element.get(value) != simdjson::SUCCESS)
        fail(Errc::parse, "{}: \"descriptor\" has a value that is no number, the {}. one", where(),
             count + 1);
      if (count < width_) values.push_back(value);
      ++count;
    }
    if (count != width_) wrong_width(where(), count, width_);
    return true;
  }

 private:
  /// Goes on to the next line that is not blank.
  bool next_line() {
    while (lines_.next(line_))
      if (line_.find_first_not_of(" \t\r") != std::string::npos) return waiting_ = true;
    return false;
  }
  simdjson::dom::object parse() {
    line_.reserve(line_.size() + simdjson::SIMDJSON_PADDING);  // else the parser copies the text
    simdjson::dom::element value;
    simdjson::dom::object object;
    if (const auto error = parser_.parse(line_).get(value))
      fail(Errc::parse, "{}: not one JSON value on this line: {}", where(),
           simdjson::error_message(error));
    if (value.get(object) != simdjson::SUCCESS)
      fail(Errc::parse, "{}: an object is expected", where());
    return object;
  }

  std::string path_;
  io::LineReader lines_;
  std::string line_;
  bool waiting_ = false;  // the line has not been taken
  simdjson::dom::parser parser_;
  std::int64_t width_ = 0;
};

}  // namespace

DescriptorRows::DescriptorRows(const std::string& path, const std::string& settings_file) {
  const std::string name = io::plain_name(path);
  std::unique_ptr<JsonSource> lines;
  std::string text;
  if (name.ends_with(".jsonl") || name.ends_with(".ndjson")) {
    lines = std::make_unique<JsonSource>(path);
    settings_where_ = lines->where();
    text = lines->settings_text();
  }
  if (text.empty() || !settings_file.empty()) {
    settings_where_ = settings_file.empty() ? settings_path(path) : settings_file;
    if (settings_file.empty() && !fs::exists(settings_where_))
      fail(Errc::parse, "{}: there are no settings beside these descriptors: {} is expected", path,
           settings_where_);
    text = io::read_file(settings_where_);
  }
  settings_ = parse_file_settings(text, settings_where_);
  if (lines) {
    lines->set_width(settings_.width);
    source_ = std::move(lines);
  } else if (name.ends_with(".npy")) {
    source_ = std::make_unique<NpySource>(path, settings_.width);
  } else {
    source_ = std::make_unique<CsvSource>(path, settings_.width);
  }
}
DescriptorRows::~DescriptorRows() = default;
DescriptorRows::DescriptorRows(DescriptorRows&&) noexcept = default;

void DescriptorRows::require_columns(const std::vector<std::string>& names) const {
  source_->require_columns(names);
}

std::int64_t DescriptorRows::read(std::int64_t most, std::vector<double>& values,
                                  std::vector<std::string>& names) {
  std::int64_t rows = 0;
  for (std::string name; rows < most && source_->next(values, name); ++rows) {
    ++rows_read_;
    names.push_back(name.empty() ? fmt::format("{}", rows_read_) : name);
  }
  return rows;
}

}  // namespace kronite::kmd
