// kronite krfd predict: expected curves of new systems, and bands around them.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <memory>

#include "base/fail.hpp"             // for fail
#include "cli/krfd.hpp"              // for add_krfd_predict
#include "cli/krfd_long.hpp"         // for LongNameOptions
#include "cli/krfd_options.hpp"      // for point_names
#include "cli/krfd_question.hpp"     // for QuestionOptions
#include "cli/row_writer.hpp"        // for RowWriter, check_row_file
#include "cli/terminal.hpp"          // for ProgressLine
#include "krfd/long_curves.hpp"      // for read_long_points
#include "math/normal_quantile.hpp"  // for deviations_of_share

namespace kronite::cli {
namespace {

/// Systems that are predicted and written at a time. Bands of curves with points of their own take
/// a factor of all that was learned from each time.
constexpr std::int64_t kBatch = 512, kLargeBatch = 16384;

struct PredictCommand {
  QuestionOptions question;
  LongNameOptions columns;
  std::string bands, out = "-", at;
  bool noise = false, within_span = false;

  void run() const;

 private:
  void write_means(Device& on, const Question& asked) const;
  void write_bands(Device& on, const Question& asked) const;
  void write_points(Device& on, const Question& asked) const;
  /// The columns of t, mean, std and bands.
  std::vector<std::string> column_names(std::int64_t coordinates) const;
  /// mean, std and bands, behind what is in the row.
  void append(std::vector<double>& row, double mean, double std) const;
};

/// The percentages of "68,95", in ascending order; none where there is one that is none.
std::vector<double> percentages(const std::string& text) {
  std::vector<double> values;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    double value = 0;
    const auto [stop, error] = std::from_chars(text.data() + begin, text.data() + end, value);
    if (error != std::errc() || stop != text.data() + end || !(value > 0 && value < 100)) return {};
    values.push_back(value);
    begin = end + 1;
  }
  std::sort(values.begin(), values.end());
  return values;
}

std::string check_bands(const std::string& text) {
  return percentages(text).empty() ? "percentages between 0 and 100 with commas between them are "
                                     "expected, such as 68,95"
                                   : "";
}

/// f(x of a batch, its first row), with a line of progress.
template <class F>
void for_batches(const Question& asked, const std::string& out, const F& f) {
  ProgressLine progress("predicting curves");
  const std::int64_t batch =
      std::holds_alternative<krfd::Model>(asked.saved.model) ? kBatch : kLargeBatch;
  for (std::int64_t first = 0; first < asked.x.rows; first += batch) {
    if (!progress(first, asked.x.rows))
      fail(Errc::cancelled, "{}", out == "-" ? "stopped" : "stopped; nothing was written");
    f(asked.x.view().rows_from(first, std::min(batch, asked.x.rows - first)), first);
  }
}

/// A row for each system.
void PredictCommand::write_means(Device& on, const Question& asked) const {
  RowWriter writer(out, {"id"}, point_names(asked.t.view()));
  const auto width = static_cast<std::size_t>(asked.t.rows);
  for_batches(asked, out, [&](MatrixView<const double> x, std::int64_t first) {
    const std::vector<double> mean = krfd::mean_of(on, asked.saved.model, x, asked.t.view());
    for (std::int64_t i = 0; i < x.rows; ++i)
      writer.add({asked.x.name_of(first + i)},
                 {mean.data() + static_cast<std::size_t>(i) * width, width});
  });
  writer.finish();
}

std::vector<std::string> PredictCommand::column_names(std::int64_t coordinates) const {
  std::vector<std::string> names;
  for (std::int64_t k = 0; k < coordinates; ++k)
    names.push_back(coordinates == 1 ? "t" : fmt::format("t{}", k + 1));
  names.push_back("mean");
  if (bands.empty()) return names;
  names.push_back("std");
  for (const double share : percentages(bands)) {
    names.push_back(fmt::format("low_{}", share));
    names.push_back(fmt::format("high_{}", share));
  }
  return names;
}

void PredictCommand::append(std::vector<double>& row, double mean, double std) const {
  row.insert(row.end(), {mean, std});
  for (const double share : percentages(bands)) {
    const double factor = math::deviations_of_share(share / 100);
    row.insert(row.end(), {mean - factor * std, mean + factor * std});
  }
}

/// A row for each point of each system.
void PredictCommand::write_bands(Device& on, const Question& asked) const {
  RowWriter writer(out, {"id"}, column_names(asked.t.cols));
  std::vector<double> row;
  for_batches(asked, out, [&](MatrixView<const double> x, std::int64_t first) {
    const krfd::MeanAndStd band =
        krfd::band_of(on, asked.saved.model, x, asked.t.view(), {noise, !within_span});
    for (std::size_t k = 0; k < band.mean.size(); ++k) {
      const auto i = static_cast<std::int64_t>(k) / asked.t.rows,
                 j = static_cast<std::int64_t>(k) % asked.t.rows;
      row.assign(asked.t.view().row(j), asked.t.view().row(j) + asked.t.cols);
      append(row, band.mean[k], band.std[k]);
      writer.add({asked.x.name_of(first + i)}, row);
    }
  });
  writer.finish();
}

/// A row for each point of --at, in its order.
void PredictCommand::write_points(Device& on, const Question& asked) const {
  const std::int64_t q = asked.shape().coordinates;
  const krfd::LongCurves wanted = krfd::read_long_points(asked.x, at, columns.names(), q);
  const krfd::MeanAndStd found =
      krfd::at_points(on, asked.saved.model, asked.x.view(), wanted.points(), !bands.empty(),
                      {noise, !within_span});
  stop_if_interrupted();
  RowWriter writer(out, {"id"}, column_names(q));
  std::vector<double> row;
  for (std::size_t n = 0; n < found.mean.size(); ++n) {
    const double* t = wanted.t.data() + n * static_cast<std::size_t>(q);
    row.assign(t, t + q);
    if (bands.empty())
      row.push_back(found.mean[n]);
    else
      append(row, found.mean[n], found.std[n]);
    writer.add({asked.x.name_of(wanted.curve[n])}, row);
  }
  writer.finish();
}

void PredictCommand::run() const {
  if (bands.empty() && (noise || within_span))
    fail(Errc::invalid_argument, "{} is for --bands", noise ? "--noise" : "--within-span");
  if (!at.empty() && !question.t.empty())
    fail(Errc::invalid_argument, "--at has points for each system, and --t for all: give one");
  const Question asked = question.read();
  const krfd::ModelShape shape = asked.shape();
  Device on = question.device.open(
      bands.empty() ? 2 * static_cast<double>(asked.x.rows * shape.systems * shape.features)
                    : shape.work);
  if (!at.empty())
    write_points(on, asked);
  else if (bands.empty())
    write_means(on, asked);
  else
    write_bands(on, asked);
}

}  // namespace

void add_krfd_predict(CLI::App& krfd) {
  CLI::App* app = krfd.add_subcommand(
      "predict",
      "Expected curves of systems, a row each; with --bands a row for each point, with its\n"
      "standard deviation and the bands");
  const auto command = std::make_shared<PredictCommand>();
  command->question.add(*app);
  CLI::Option* at = app->add_option(
      "--at", command->at,
      "Points for each system of --x, in place of --t: .csv with a row for each, the name of the\n"
      "system and its point; the output has a row for each too");
  at->type_name("FILE");
  command->columns.add(*app, at, false);
  app->add_option("--bands", command->bands,
                  "Bands that hold these percentages of the posterior, such as 68,95")
      ->check(check_bands)
      ->type_name("P[,P...]");
  app->add_flag("--noise", command->noise, "Bands of the next measurement, not of the curve");
  app->add_flag("--within-span", command->within_span,
                "Bands as the original program's, of functions in the span of the training data\n"
                "alone: too narrow where data are few, closing far from them");
  app->add_option("--out", command->out,
                  "FILE.csv, FILE.npy (with FILE.columns.txt and FILE.rows.csv), or - for CSV on\n"
                  "standard output")
      ->check(check_row_file)
      ->type_name("FILE")
      ->capture_default_str();
  app->footer(
      "Example:  kronite krfd predict --model model.safetensors --x X_new.csv --bands 68,95 \\\n"
      "            --out curves.csv");
  app->callback([command] { command->run(); });
}

}  // namespace kronite::cli
