// Regressions of functions on the same splits: KRFD beside kernel ridge regression at each point
// and the functional linear model.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "io/toml_table.hpp"                 // for TomlTable
#include "krfd/judge.hpp"                    // for Split, Judged
#include "kronite/functional_baselines.hpp"  // for KrrSearch, FlmOptions

namespace kronite::krfd {

struct CompareSettings {
  // Either files, or artificial curves.
  std::string x, y, t;
  std::int64_t systems = 1000, points = 51;
  std::uint64_t data_seed = 1122;

  int splits = 5;
  double test_share = 0.25;
  std::uint64_t seed = 0;
  std::string groups;  ///< file with the group of each system, which is not split; or empty

  KernelKind kernel_x = KernelKind::gaussian, kernel_t = kernel_x;  ///< of the evidence's climbs
  int starts = 3;            ///< of the climbs of KRFD's evidence
  std::int64_t tune_on = 0;  ///< systems that the evidence is climbed on; 0: all
  int trials = 0;            ///< of KRFD's search by cross-validation; 0: it is left out
  std::vector<double> krr_sigmas{0.5, 1, 2, 4, 8}, krr_lambdas{1e-5, 1e-4, 1e-3, 1e-2, 1e-1};
  int krr_folds = 5;
  KernelKind krr_kernel = KernelKind::gaussian;
  FlmOptions flm;
  std::vector<double>
      flm_lambdas;  ///< that of least error in cross-validation; empty: the one above
  int flm_folds = 5;
};

/// @throws Error io; parse, naming file and line.
CompareSettings read_compare_settings(const std::string& path);

/// What one method gave on one split.
struct ComparedSplit {
  std::string method;
  int split = 0;  ///< from 1
  Errors errors;
  double within_68 = 0, within_95 = 0;  ///< NaN without bands
  double seconds = 0;                   ///< to tune, fit and predict
};

/// Methods on one split, one after the other.
class ComparedMethods {
 public:
  /// Told the method and how far it is; false stops.
  using Listener = std::function<bool(const std::string&)>;
  ComparedMethods(int split, const Listener& progress) : split_(split), progress_(progress) {}

  /// @throws Error as the method; cancelled.
  void run(const std::string& method, const std::function<Judged(const Progress&)>& judged_by);
  std::vector<ComparedSplit> take() { return std::move(all_); }

 private:
  int split_;  // from 1
  const Listener& progress_;
  std::vector<ComparedSplit> all_;
};

/// Reads the name of a kernel function.
void read_kernel(io::TomlTable& table, const char* key, KernelKind& kind);

/// All methods on one split, in a fixed order. `groups`: as random_split() has them. `x`: systems x
/// features, `t`: points x coordinates, `y`: systems x points. @throws Error as the methods;
/// cancelled when `progress` says so.
std::vector<ComparedSplit> compare_on(Device& device, const CompareSettings& settings,
                                      MatrixView<const double> x, MatrixView<const double> t,
                                      MatrixView<const double> y,
                                      const std::vector<std::int64_t>& groups, int split,
                                      const std::function<bool(const std::string&)>& progress);

}  // namespace kronite::krfd
