// Cross-validation of hyper-parameters one after the other, on the same folds of the same data.
#pragma once

#include <cstdint>
#include <vector>

#include "krfd/spectra.hpp"  // for Spectra

namespace kronite::krfd {

/// Systems in the order of their folds; fold f is the rows [first_f, first_{f+1}).
struct Folds {
  std::vector<std::size_t> order;
  std::vector<std::int64_t> first;
};

/// What trials share is computed once: the systems in the order of their folds, their distances,
/// and the eigenvalues of a kernel that a trial has in common with the one before.
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
  Data data_;
  Folds folds_;
  Spectra spectra_;
};

}  // namespace kronite::krfd
