// What the commands of kernel mean descriptors share: components, settings, and mixtures batch by
// batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/device_option.hpp"  // for DeviceOption
#include "kronite/kmd.hpp"        // for Components, Settings, Weights, Unknown

namespace CLI {
class App;
}

namespace kronite::cli {

/// --components FILE; the elements inside without it.
struct ComponentsOption {
  std::string file;

  void add(CLI::App& command);
  kmd::Components read() const;
};

/// --layout, --kernel, --scaling, --n-grids, --sigma, --most-condition: what was given replaces
/// what is there.
struct SettingsOptions {
  std::optional<std::string> layout, kernel, scaling;
  std::optional<std::int64_t> n_grids;
  std::optional<double> sigma, most_condition;

  void add(CLI::App& command);
  bool any() const;
  void apply(kmd::Settings& settings) const;
};

/// FORMULA..., --file, --unknown, --skip-bad: where compositions come from.
struct FormulaOptions {
  std::vector<std::string> formulas;
  std::string file;
  std::optional<std::string> unknown;
  bool skip_bad = false;

  void add(CLI::App& command);
  bool any() const { return !formulas.empty() || !file.empty(); }
};

/// Rows that belong together: mixtures, what they are called, and a value of each where a column
/// was asked for (NaN where its cell is empty).
struct MixtureBatch {
  kmd::Weights weights;
  std::vector<std::string> names;
  std::vector<double> values;
};

/// Mixtures one batch after the other, any number of them in constant memory.
class MixtureSource {
 public:
  virtual ~MixtureSource() = default;
  /// Fills the batch with the next rows, at least one and at most `most`; false at the end.
  /// @throws Error parse, io.
  virtual bool next(std::size_t most, MixtureBatch& batch) = 0;
  /// How many there will be, after `done` of them: guessed by what is read of the file.
  virtual long long expected(long long done) const = 0;
};

/// Atomic fractions of formulas; `value_column`: of the list, or empty.
std::unique_ptr<MixtureSource> formula_source(const FormulaOptions& options,
                                              const kmd::Components& components,
                                              const std::string& value_column = {});
/// A table of weights.
std::unique_ptr<MixtureSource> weight_source(const std::string& path,
                                             const kmd::Components& components, bool normalise);

}  // namespace kronite::cli
