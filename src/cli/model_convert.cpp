// kronite model convert: models out of Keras weights, and ONNX files out of models.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/fail.hpp"       // for fail
#include "base/number.hpp"     // for to_number
#include "base/printable.hpp"  // for printable
#include "cli/model.hpp"       // for words
#include "cli/templates.hpp"   // for open_library
#include "io/atomic_file.hpp"  // for require_writable, write_file
#include "io/csv.hpp"          // for CsvReader
#include "kronite/io.hpp"      // for read_npy
#include "learn/keras.hpp"     // for network_from_keras, read_keras_weights
#include "learn/onnx.hpp"      // for to_onnx

namespace kronite::cli {
namespace {

struct ConvertCommand {
  std::vector<std::string> in;
  std::string out, statistics, templates;
  learn::KerasOptions keras;
  double tau = 0.3;
  std::vector<std::string> card;  ///< "KEY=VALUE"

  void run() const;

 private:
  csp::Model model() const;
  csp::Model import() const;
  void read_statistics(csp::Model& model) const;
  void change_card(csp::Model& model) const;
};

bool is_keras(const std::string& path) {
  static constexpr std::string_view kEndings[] = {".npz", ".h5", ".hdf5", ".keras"};
  return std::any_of(std::begin(kEndings), std::end(kEndings),
                     [&](std::string_view ending) { return path.ends_with(ending); });
}

bool is_onnx(const std::string& path) { return path.ends_with(".onnx"); }

std::string output_name(const std::string& path) {
  return is_onnx(path) || path.ends_with(".safetensors")
             ? ""
             : "the ending of the output says what is written: .safetensors or .onnx";
}

/// A table with rows called mean and std, and one column per value of the descriptor.
void read_csv_statistics(const std::string& path, csp::Model& model) {
  io::CsvReader csv(path);
  std::vector<std::string> cells;
  while (csv.next(cells)) {
    auto* row = cells.front() == "mean"  ? &model.mean
                : cells.front() == "std" ? &model.std
                                         : nullptr;
    if (!row) continue;
    row->clear();
    for (std::size_t j = 1; j < cells.size(); ++j) {
      const auto value = to_number(cells[j]);
      if (!value)
        fail(Errc::parse, "{}: column {}: a number is expected, not \"{}\"", csv.where(), j + 1,
             printable(cells[j]));
      row->push_back(*value);
    }
  }
  if (model.mean.empty() || model.std.empty())
    fail(Errc::parse, "{}: rows whose first cells are mean and std are expected", path);
}

void ConvertCommand::read_statistics(csp::Model& model) const {
  if (!templates.empty()) {
    const TemplateLibrary library = TemplateLibrary::open(templates);
    const std::size_t width = 5 * ElementTable::embedded().features().size();
    model.mean.assign(library.descriptor_mean(), library.descriptor_mean() + width);
    model.std.assign(library.descriptor_std(), library.descriptor_std() + width);
  } else if (statistics.ends_with(".npy")) {
    const NpyMatrix rows = read_npy(statistics);
    if (rows.rows != 2)
      fail(Errc::parse, "{}: two rows are expected, means and standard deviations, not {}",
           statistics, rows.rows);
    model.mean.assign(rows.values.begin(), rows.values.begin() + rows.cols);
    model.std.assign(rows.values.begin() + rows.cols, rows.values.end());
  } else {
    read_csv_statistics(statistics, model);
  }
}

csp::Model ConvertCommand::import() const {
  if (statistics.empty() && templates.empty())
    fail(Errc::invalid_argument,
         "weights of Keras do not say how descriptors are standardised: give --statistics FILE, or "
         "--templates LIBRARY where they were the library's");
  csp::Model model;
  std::string names;
  for (const std::string& path : in) {
    model.ensemble.members.push_back(
        learn::network_from_keras(learn::read_keras_weights(path), keras, path));
    names += fmt::format("{}{}", names.empty() ? "" : ", ",
                         std::filesystem::path(path).filename().string());
  }
  read_statistics(model);
  for (std::size_t i = 0; i < in.size(); ++i)
    if (const auto inputs = model.ensemble.members[i].layers.front().inputs;
        inputs != std::ssize(model.mean))
      fail(Errc::parse, "{}: this network takes {} inputs, and {} gives {} means", in[i], inputs,
           statistics.empty() ? templates : statistics, model.mean.size());
  model.element_table = ElementTable::embedded().hash();
  model.tau = tau;
  model.card = {{"name", std::filesystem::path(out).stem().string()},
                {"origin", "weights of Keras, imported from " + names}};
  return model;
}

csp::Model ConvertCommand::model() const {
  const auto from_keras = std::count_if(in.begin(), in.end(), is_keras);
  if (from_keras == static_cast<std::ptrdiff_t>(in.size())) return import();
  if (in.size() > 1)
    fail(Errc::invalid_argument,
         "several inputs are the members of one ensemble: weights of Keras, each in a .npz or .h5 "
         "file");
  if (!statistics.empty() || !templates.empty())
    fail(Errc::invalid_argument,
         "--statistics and --templates are for weights of Keras; {} has its own", in.front());
  return csp::open_model(in.front());
}

void ConvertCommand::change_card(csp::Model& model) const {
  for (const std::string& entry : card) {
    const std::size_t at = entry.find('=');
    if (at == std::string::npos || at == 0)
      fail(Errc::invalid_argument, "--card: KEY=VALUE is expected, not \"{}\"", printable(entry));
    const std::string key = entry.substr(0, at), value = entry.substr(at + 1);
    const auto same = [&](const auto& known) { return known.first == key; };
    const auto found = std::find_if(model.card.begin(), model.card.end(), same);
    if (found == model.card.end())
      model.card.emplace_back(key, value);
    else
      found->second = value;
  }
}

void ConvertCommand::run() const {
  io::require_writable(out);
  csp::Model converted = model();
  change_card(converted);
  if (is_onnx(out)) {
    std::vector<double> scale;
    for (const double std : converted.std) scale.push_back(1 / std);
    io::write_file(out, learn::to_onnx(converted.ensemble, scale, converted.card));
  } else {
    csp::write_model(converted, out);
  }
  fmt::print("{}: {}\n", out, words(converted.ensemble));
}

}  // namespace

void add_model_convert(CLI::App& model) {
  const auto convert = std::make_shared<ConvertCommand>();
  auto* command =
      model.add_subcommand("convert", "Make a model of Keras weights, or an ONNX file of a model");
  command
      ->add_option("IN", convert->in,
                   "Weights of Keras (.npz of get_weights(), .h5), one file per network of the\n"
                   "ensemble; or one model, a file or a name inside kronite")
      ->required()
      ->type_name("FILE|NAME");
  command->add_option("--out", convert->out, "What is written: FILE.safetensors or FILE.onnx")
      ->required()
      ->check(output_name)
      ->type_name("FILE");
  auto* statistics = command->add_option(
      "--statistics", convert->statistics,
      "For weights of Keras: means and standard deviations of the descriptors, .npy with\n"
      "two rows, or CSV with rows called mean and std");
  statistics->type_name("FILE");
  command
      ->add_option("--templates", convert->templates,
                   "For weights of Keras: take these from the library that they were trained on")
      ->excludes(statistics)
      ->type_name("FILE");
  command->add_option("--epsilon", convert->keras.epsilon, "Of batch normalisation")
      ->check(CLI::NonNegativeNumber.description(""))
      ->type_name("NUMBER")
      ->capture_default_str();
  command->add_flag("--normalised-after-activation", convert->keras.normalised_after_activation,
                    "Batch normalisation stands behind the ReLU, not before it");
  command
      ->add_option("--tau", convert->tau, "Dissimilarity up to which structures counted as alike")
      ->check(CLI::PositiveNumber.description(""))
      ->type_name("NUMBER")
      ->capture_default_str();
  command->add_option("--card", convert->card, "What the card shall say; may be given often")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
  command->footer(
      "Examples:\n"
      "  kronite model convert a.h5 b.h5 --templates mine.ktl --out mine.safetensors \\\n"
      "      --card 'licence=CC-BY-4.0'\n"
      "  kronite model convert mine.safetensors --out mine.onnx");
  command->callback([convert] { convert->run(); });
}

}  // namespace kronite::cli
