// What predictions and samples are asked for.
#include "cli/krfd_question.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/fail.hpp"       // for fail
#include "base/log.hpp"        // for notice
#include "base/printable.hpp"  // for printable

namespace kronite::cli {
namespace {

void check_features(const Question& question, const std::string& model) {
  const io::MatrixTable& x = question.x;
  const auto& names = question.saved.features;
  if (x.cols != question.shape().features)
    fail(Errc::invalid_argument, "{} has {} features; {} was fitted with {}", x.path, x.cols, model,
         question.shape().features);
  if (names.empty() || x.columns.empty()) return;
  for (std::size_t k = 0; k < names.size(); ++k)
    if (names[k] != x.columns[k])
      fail(Errc::invalid_argument, "{}: feature {} is called {}; {} was fitted with {} there",
           x.path, k + 1, printable(x.columns[k]), model, printable(names[k]));
}

/// Curves are continued outside of the points that they were learned at, but on no ground. Models
/// of curves with points of their own say so themselves.
void notice_outside(const krfd::Model& model, const io::MatrixTable& t) {
  const std::int64_t q = model.coordinates();
  for (std::int64_t k = 0; k < q; ++k) {
    double low = model.t()[static_cast<std::size_t>(k)], high = low;
    for (std::int64_t j = 0; j < model.points(); ++j) {
      const double value = model.t()[static_cast<std::size_t>(j * q + k)];
      low = std::min(low, value);
      high = std::max(high, value);
    }
    std::int64_t outside = 0, first = -1;
    for (std::int64_t j = 0; j < t.rows; ++j)
      if (const double value = t.view().row(j)[k]; value < low || value > high) {
        if (outside++ == 0) first = j;
      }
    if (outside > 0)
      notice(
          fmt::format("{}: {} of {} points lie outside of what the model was fitted to, {} to {} "
                      "(the first is {}): curves are extrapolated there",
                      t.path, outside, t.rows, low, high, t.view().row(first)[k]));
  }
}

}  // namespace

void QuestionOptions::add(CLI::App& command) {
  command.add_option("--model", model, "Model of 'kronite krfd fit'")
      ->required()
      ->type_name("FILE");
  command
      .add_option("--x", x,
                  "Features, a row for each system: .csv with a header and, if you like, a first\n"
                  "column called id, name or formula; or .npy")
      ->required()
      ->type_name("FILE");
  command
      .add_option(
          "--t", t,
          "Points, a row each (.csv or .npy); default: those that the model was fitted at, or\n"
          "its grid")
      ->type_name("FILE");
  device.add(command);
}

Question QuestionOptions::read() const {
  Question question{krfd::read_any_model(model), io::read_matrix_table(x), {}};
  check_features(question, model);
  const krfd::ModelShape shape = question.shape();
  if (t.empty()) {
    question.t = {
        model,        {}, {}, std::ssize(*shape.points) / shape.coordinates, shape.coordinates,
        *shape.points};
    return question;
  }
  question.t = io::read_matrix_table(t);
  if (question.t.cols != shape.coordinates)
    fail(Errc::invalid_argument, "{} has {} coordinates a point; {} was fitted with {}", t,
         question.t.cols, model, shape.coordinates);
  if (const auto* common = std::get_if<krfd::Model>(&question.saved.model))
    notice_outside(*common, question.t);
  return question;
}

}  // namespace kronite::cli
