// kronite krfd predict: expected curves of new systems, and bands around them.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <memory>

#include "base/fail.hpp"             // for fail
#include "cli/krfd.hpp"              // for add_krfd_predict
#include "cli/krfd_options.hpp"      // for point_names
#include "cli/krfd_question.hpp"     // for QuestionOptions
#include "cli/row_writer.hpp"        // for RowWriter, check_row_file
#include "cli/terminal.hpp"          // for ProgressLine
#include "math/normal_quantile.hpp"  // for deviations_of_share

namespace kronite::cli {
namespace {

/// Systems that are predicted and written at a time.
constexpr std::int64_t kBatch = 512;

struct PredictCommand {
  QuestionOptions question;
  std::string bands, out = "-";
  bool noise = false, within_span = false;

  void run() const;

 private:
  void write_means(Device& on, const Question& asked) const;
  void write_bands(Device& on, const Question& asked) const;
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
  for (std::int64_t first = 0; first < asked.x.rows; first += kBatch) {
    if (!progress(first, asked.x.rows))
      fail(Errc::cancelled, "{}", out == "-" ? "stopped" : "stopped; nothing was written");
    f(asked.x.view().rows_from(first, std::min(kBatch, asked.x.rows - first)), first);
  }
}

/// A row for each system.
void PredictCommand::write_means(Device& on, const Question& asked) const {
  RowWriter writer(out, {"id"}, point_names(asked.t.view()));
  const auto width = static_cast<std::size_t>(asked.t.rows);
  for_batches(asked, out, [&](MatrixView<const double> x, std::int64_t first) {
    const std::vector<double> mean = asked.saved.model.mean(on, x, asked.t.view());
    for (std::int64_t i = 0; i < x.rows; ++i)
      writer.add({asked.x.name_of(first + i)},
                 {mean.data() + static_cast<std::size_t>(i) * width, width});
  });
  writer.finish();
}

/// A row for each point of each system.
void PredictCommand::write_bands(Device& on, const Question& asked) const {
  const std::vector<double> shares = percentages(bands);
  std::vector<std::string> columns;
  for (std::int64_t k = 0; k < asked.t.cols; ++k)
    columns.push_back(asked.t.cols == 1 ? "t" : fmt::format("t{}", k + 1));
  columns.insert(columns.end(), {"mean", "std"});
  std::vector<double> factors;
  for (const double share : shares) {
    columns.push_back(fmt::format("low_{}", share));
    columns.push_back(fmt::format("high_{}", share));
    factors.push_back(math::deviations_of_share(share / 100));
  }
  krfd::PosteriorOptions options;
  options.noise = noise;
  options.complete = !within_span;
  RowWriter writer(out, {"id"}, columns);
  std::vector<double> row;
  for_batches(asked, out, [&](MatrixView<const double> x, std::int64_t first) {
    const std::vector<double> mean = asked.saved.model.mean(on, x, asked.t.view());
    const std::vector<double> std = asked.saved.model.deviation(on, x, asked.t.view(), options);
    for (std::size_t k = 0; k < mean.size(); ++k) {
      const auto i = static_cast<std::int64_t>(k) / asked.t.rows,
                 j = static_cast<std::int64_t>(k) % asked.t.rows;
      row.assign(asked.t.view().row(j), asked.t.view().row(j) + asked.t.cols);
      row.insert(row.end(), {mean[k], std[k]});
      for (const double factor : factors)
        row.insert(row.end(), {mean[k] - factor * std[k], mean[k] + factor * std[k]});
      writer.add({asked.x.name_of(first + i)}, row);
    }
  });
  writer.finish();
}

void PredictCommand::run() const {
  if (bands.empty() && (noise || within_span))
    fail(Errc::invalid_argument, "{} is for --bands", noise ? "--noise" : "--within-span");
  const Question asked = question.read();
  Device on = question.device.open(
      bands.empty() ? 2 * static_cast<double>(asked.x.rows * asked.saved.model.systems() *
                                              asked.saved.model.features())
                    : fit_work(asked.saved.model.systems(), asked.saved.model.points()));
  if (bands.empty())
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
