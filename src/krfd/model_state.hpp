// What a fitted model holds, and how the two paths hand it over.
#pragma once

#include <memory>
#include <vector>

#include "krfd/data.hpp"      // for Data
#include "krfd/solution.hpp"  // for Solution
#include "krfd/spectra.hpp"   // for Spectra
#include "kronite/krfd.hpp"   // for Model

namespace kronite::krfd {

struct Model::State {
  Data data;
  Hyperparameters hyper;
  FitOptions options;
  FitPath path = FitPath::spectral;
  FitReport report;
  std::vector<double> centres;  ///< of a Nystrom fit, m x p; empty for the others
  // Of the different systems, with the roots of their weights as factors: what predictions are made
  // of; in a Nystrom fit those of the centres.
  std::vector<double> theta_rows;  ///< n x T
  std::vector<double> c_rows;      ///< n
  // Of the systems as given.
  std::vector<double> theta, c, residuals;
  double sigma2 = 0;
  std::vector<double> y;  ///< the curves as given, N x T, where equal systems were joined

  /// Rows whose kernel functions predictions are made of, and the factors of their Gram matrices.
  MatrixView<const double> basis_x() const {
    if (centres.empty()) return data.x_view();
    return {centres.data(), static_cast<std::int64_t>(centres.size()) / data.features,
            data.features};
  }
  const std::vector<double>& basis_root() const {
    static const std::vector<double> none;
    return centres.empty() ? data.root : none;
  }
};

/// The solution of one path, of the different systems, in their own basis, with weights.
struct FittedCoefficients {
  std::vector<double> theta;      ///< n x T
  std::vector<double> c;          ///< n
  std::vector<double> residuals;  ///< n x T
  double quad = 0;                ///< y' S^-1 y without `spread`
};

FittedCoefficients fit_spectral(Device& device, Spectra& spectra, const Hyperparameters& hyper);
FittedCoefficients fit_cholesky(Device& device, const Data& data, const Hyperparameters& hyper);

/// Operations of the two, and of the bands if they are asked for afterwards.
FitPath cheaper_path(const Data& data, const Hyperparameters& hyper, bool uncertainty);

}  // namespace kronite::krfd
