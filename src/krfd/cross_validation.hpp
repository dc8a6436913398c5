// Cross-validation of hyper-parameters one after the other, on the same folds of the same data.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "krfd/left_out.hpp"  // for LeftOut
#include "krfd/spectra.hpp"   // for Spectra

namespace kronite::krfd {

/// Systems in the order of their folds; fold f is the rows [first_f, first_{f+1}).
struct Folds {
  std::vector<std::size_t> order;
  std::vector<std::int64_t> first;
};

/// What trials share is computed once: the systems in the order of their folds, their distances,
/// and, where many trials have the same kernels, eigenvalues.
class FoldTrials {
 public:
  /// @throws Error as cross_validate().
  FoldTrials(MatrixView<const double> x, MatrixView<const double> t, MatrixView<const double> y,
             const std::vector<std::int32_t>& fold, Spectra::Distances distances);
  FoldTrials(const FoldTrials&) = delete;  // the spectra look at the data beside them
  FoldTrials& operator=(const FoldTrials&) = delete;

  /// As cross_validate(). All calls must be with one device.
  std::vector<double> predictions(Device& device, const Hyperparameters& hyper);

 private:
  /// Whether this trial and those that may follow it are cheaper by eigenvalues.
  bool eigenvalues_pay(const Hyperparameters& hyper);
  /// Predictions in the order of the folds.
  std::vector<double> leave_out(Device& device, LeftOut left_out) const;
  std::vector<double> in_given_order(const std::vector<double>& values) const;

  Data data_;
  Folds folds_;
  Spectra spectra_;
  std::optional<Hyperparameters> last_;
  int repeats_ = 0;  // trials in a row with these kernels before this one
};

}  // namespace kronite::krfd
