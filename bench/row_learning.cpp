// How well networks and kernel ridge regression predict a column of a CSV file of formulas from the
// statistics of composition descriptors (mean, variance, maximum and minimum of 58 features), on
// random splits.
//   build/bench/bin/kronite_rows FORMULAS.csv TARGET [KEY=VALUE ...]
// Keys: splits, seed (of the first split), members, test (1: judge the test part), learner (network
// or ridge); hidden (256x256x256), batch_norm, dropout, batch, rate, epochs, patience, warm_up,
// decay, loss (squared, absolute, huber), knee; kernel (gaussian, laplacian, matern32, matern52),
// scales (factors x median: 0.5x1), ridges, centres; threads.
#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "base/fail.hpp"  // for fail
#include "io/csv.hpp"     // for CsvReader
#include "kronite/kronite.hpp"

namespace kronite {
namespace {

constexpr std::int64_t kFeatures = 58;

struct Table {
  std::vector<double> x, y;
  std::int64_t cols = 4 * kFeatures;
  std::int64_t rows() const { return static_cast<std::int64_t>(y.size()); }
};

std::size_t place_of(const std::vector<std::string>& cells, const std::string& name) {
  for (std::size_t i = 0; i < cells.size(); ++i)
    if (cells[i] == name) return i;
  fail(Errc::invalid_argument, "there is no column {}", name);
}

/// Columns of describe() are mean, sum, variance, maximum, minimum; the sum is left out.
Table read(const std::string& path, const std::string& target) {
  io::CsvReader reader(path);
  std::vector<std::string> cells;
  reader.next(cells);
  const std::size_t formula = place_of(cells, "formula_pretty"), value = place_of(cells, target);
  Table table;
  std::vector<double> row(static_cast<std::size_t>(5 * kFeatures));
  while (reader.next(cells)) {
    describe({Composition::parse(cells[formula])}, ElementTable::embedded(),
             {row.data(), 1, 5 * kFeatures});
    table.x.insert(table.x.end(), row.begin(), row.begin() + kFeatures);
    table.x.insert(table.x.end(), row.begin() + 2 * kFeatures, row.end());
    table.y.push_back(std::stod(cells[value]));
  }
  return table;
}

/// Settings as KEY=VALUE; every key must be asked for.
class Settings {
 public:
  Settings(int argc, char** argv) {
    for (int i = 3; i < argc; ++i) {
      const std::string text = argv[i];
      const auto equals = text.find('=');
      if (equals == std::string::npos) fail(Errc::invalid_argument, "{} is no KEY=VALUE", text);
      values_[text.substr(0, equals)] = text.substr(equals + 1);
    }
  }
  std::string text(const std::string& key, const std::string& otherwise) {
    const auto found = values_.find(key);
    if (found == values_.end()) return otherwise;
    const std::string value = found->second;
    values_.erase(found);
    return value;
  }
  double number(const std::string& key, double otherwise) {
    const std::string value = text(key, "");
    return value.empty() ? otherwise : std::stod(value);
  }
  std::int64_t count(const std::string& key, std::int64_t otherwise) {
    return std::llround(number(key, static_cast<double>(otherwise)));
  }
  /// Numbers with an x between them.
  std::vector<double> list(const std::string& key, const std::string& otherwise) {
    std::vector<double> numbers;
    std::string rest = text(key, otherwise);
    while (!rest.empty()) {
      std::size_t used = 0;
      numbers.push_back(std::stod(rest, &used));
      rest = used < rest.size() ? rest.substr(used + 1) : "";
    }
    return numbers;
  }
  /// Place of the word among `words`.
  int choice(const std::string& key, const std::vector<std::string>& words, int otherwise) {
    const std::string word = text(key, words[static_cast<std::size_t>(otherwise)]);
    return static_cast<int>(place_of(words, word));
  }
  void check_all_used() const {
    if (!values_.empty())
      fail(Errc::invalid_argument, "there is no setting {}", values_.begin()->first);
  }

 private:
  std::map<std::string, std::string> values_;
};

struct Run {
  bool ridge = false;
  std::int64_t splits = 1, members = 1;
  std::uint64_t seed = 0;
  bool test = false;
  learn::RowFitOptions network;
  learn::KernelRidgeOptions kernel;
};

Run run_of(Settings& settings) {
  Run run;
  run.ridge = settings.choice("learner", {"network", "ridge"}, 0) == 1;
  run.splits = settings.count("splits", 1);
  run.members = settings.count("members", 1);
  run.seed = static_cast<std::uint64_t>(settings.count("seed", 0));
  run.test = settings.count("test", 0) != 0;
  auto& [shape, fit, loss, knee, weights] = run.network;
  if (const auto hidden = settings.list("hidden", ""); !hidden.empty())
    shape.hidden.assign(hidden.begin(), hidden.end());
  shape.batch_norm = settings.count("batch_norm", shape.batch_norm) != 0;
  shape.dropout = settings.number("dropout", shape.dropout);
  fit.batch = settings.count("batch", fit.batch);
  fit.learning_rate = settings.number("rate", fit.learning_rate);
  fit.max_epochs = static_cast<int>(settings.count("epochs", fit.max_epochs));
  fit.patience = static_cast<int>(settings.count("patience", fit.patience));
  fit.warm_up = settings.number("warm_up", fit.warm_up);
  fit.weight_decay = settings.number("decay", fit.weight_decay);
  loss = static_cast<ValueLossKind>(
      settings.choice("loss", {"squared", "absolute", "huber"}, static_cast<int>(loss)));
  knee = settings.number("knee", knee);
  run.kernel.kernel = static_cast<KernelKind>(
      settings.choice("kernel", {"gaussian", "laplacian", "matern32", "matern52"}, 0));
  run.kernel.length_scales = settings.list("scales", "");
  run.kernel.ridges = settings.list("ridges", "1e-6x1e-5x1e-4x1e-3x1e-2");
  run.kernel.centres = settings.count("centres", 0);
  return run;
}

void report(const char* part, const Table& table, const std::vector<std::int64_t>& rows,
            const learn::RowPrediction& predicted) {
  std::vector<double> truth, values;
  for (const std::int64_t i : rows) {
    truth.push_back(table.y[static_cast<std::size_t>(i)]);
    values.push_back(predicted.at(i, 0));
  }
  const learn::ValueMetrics m = learn::value_metrics(truth, values);
  fmt::print("  {}: MAE {:.4f}  RMSE {:.4f}  R2 {:.4f}", part, m.mae, m.rmse, m.r2);
}

void run_split(Device& device, const Run& run, const Table& table, std::uint64_t seed) {
  const auto begin = std::chrono::steady_clock::now();
  const learn::RowParts parts = learn::split_rows(table.rows(), {0.8, 0.1, 0.1}, seed);
  const MatrixView<const double> x(table.x.data(), table.rows(), table.cols);
  const MatrixView<const double> y(table.y.data(), table.rows(), 1);
  learn::RowPrediction predicted;
  fmt::print("split {}", seed);
  if (run.ridge) {
    const auto fit = learn::fit_kernel_ridge(device, run.kernel, x, y, parts);
    for (const auto& trial : fit.trials)
      fmt::print("\n  length scale {:.3f}, ridge {:.0e}: {:.5f}", trial.length_scale, trial.ridge,
                 trial.error);
    predicted = fit.model.predict(device, x);
  } else {
    learn::RowModel model;
    for (std::int64_t m = 0; m < run.members; ++m) {
      learn::RowFitOptions options = run.network;
      options.fit.seed = static_cast<std::uint64_t>(m);
      const learn::RowFit fit = learn::fit_rows(device, options, x, y, parts);
      double seconds = 0;
      for (const auto& epoch : fit.history) seconds += epoch.seconds;
      fmt::print("  {} epochs, best {} ({:.3f} / {:.3f}), {:.2f} s each", fit.history.size(),
                 fit.best_epoch, fit.history[static_cast<std::size_t>(fit.best_epoch - 1)].loss,
                 fit.history[static_cast<std::size_t>(fit.best_epoch - 1)].validation_loss,
                 seconds / static_cast<double>(fit.history.size()));
      model.members.push_back(fit.network);
    }
    predicted = model.predict(device, x);
  }
  report("validation", table, parts.validation, predicted);
  if (run.test) report("test", table, parts.test, predicted);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  fmt::print("  {:.0f} s\n", took.count());
  std::fflush(stdout);
}

int run(int argc, char** argv) {
  if (argc < 3)
    fail(Errc::invalid_argument, "usage: kronite_rows FORMULAS.csv TARGET [KEY=VALUE ...]");
  Settings settings(argc, argv);
  const Run run = run_of(settings);
  DeviceOptions options;
  options.threads = static_cast<int>(settings.count("threads", 0));
  Device device = Device::parse(settings.text("device", "cpu"), 1e300, options);
  settings.check_all_used();
  const Table table = read(argv[1], argv[2]);
  for (std::int64_t s = 0; s < run.splits; ++s)
    run_split(device, run, table, run.seed + static_cast<std::uint64_t>(s));
  return 0;
}

}  // namespace
}  // namespace kronite

int main(int argc, char** argv) {
  try {
    return kronite::run(argc, argv);
  } catch (const std::exception& e) {
    fmt::print(stderr, "kronite_rows: {}\n", e.what());
    return 1;
  }
}
