// The posterior covariance as few factors: what bands, covariances and samples are made of.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "krfd/fit_scale.hpp"    // for NystromModel
#include "krfd/model_state.hpp"  // for Model::State
#include "krfd/spectra.hpp"      // for Spectra

namespace kronite::krfd {

/// What a model keeps on a device.
class Posterior {
 public:
  Posterior(Spectra spectra, const Model::State& state)
      : spectra_(std::move(spectra)), hyper_(state.hyper) {}
  /// Waits.
  Posterior(Device& device, NystromModel nystrom, const Model::State& state)
      : nystrom_(std::move(nystrom)),
        g_(nystrom_->g(device)),
        m_(nystrom_->m(device)),
        hyper_(state.hyper) {}

  /// Of the constant: p = (k_M(x, X) range(M)) along, and of its covariance with the variation: w =
  /// k_G(x, X) across, n x k; without data where that is left out. X are the systems, or the
  /// centres of a Nystrom fit (State::basis_x()), here as below.
  struct Constant {
    Matrix along;   ///< k x k, or k x 1: the diagonal that it is
    Matrix across;  ///< n x k, or 0 x 0
  };
  const Constant& constant(Device& device, PosteriorForm form) const;

  const Spectrum& g() const { return nystrom_ ? *g_ : spectra_->g(); }
  const PointBasis& points() const { return nystrom_ ? nystrom_->points() : spectra_->points(); }
  const Spectrum& t() const { return points().spectrum; }
  const std::vector<double>& v() const { return points().v; }
  const Spectrum& m(Device& device) const { return nystrom_ ? *m_ : spectra_->m(device); }

  // Not for a Nystrom fit.
  /// U'MU x. Waits.
  std::vector<double> constant_times(Device& device, const std::vector<double>& x) const {
    return spectra_->constant_times(device, x);
  }
  /// The weights at these lambdas; computed on first use.
  const Solution& solution(Device& device) const;

 private:
  mutable std::optional<Spectra> spectra_;
  std::optional<NystromModel> nystrom_;
  std::optional<Spectrum> g_, m_;  // of the latter
  Hyperparameters hyper_;
  mutable std::optional<Solution> solution_;
  mutable std::optional<Constant> joint_, independent_;
};

/// Put what a fit has computed where posterior_of() finds it.
void keep_spectra(Device& device, const std::shared_ptr<const Model::State>& state,
                  Spectra spectra);
void keep_nystrom(Device& device, const std::shared_ptr<const Model::State>& state,
                  NystromModel nystrom);
/// Computed on the first call on a device, unless the fit left it there.
const Posterior& posterior_of(Device& device, const std::shared_ptr<const Model::State>& state);

/// The covariance between (x_i, t) and (x_j, t'), over sigma^2:
///   phi_i phi_j' F_t F_t'' + (p_i - beta_t w_i) (p_j - beta_t' w_j)',
/// plus, completed, what lies outside of the spans: `*_rest` are the Gram matrices of that.
struct SystemFactors {
  Matrix phi;  ///< N* x rank(G)
  Matrix p;    ///< N* x k
  Matrix w;    ///< N* x k
  /// Shares of the norms of k(x, .) outside of the span, over lambda: N*, not below zero; empty
  /// when not completed.
  std::vector<double> phi_rest, p_rest;
};
struct PointFactors {
  Matrix f;                    ///< T* x rank(T)
  std::vector<double> beta;    ///< T*
  std::vector<double> f_rest;  ///< as above
};
SystemFactors system_factors(Device& device, const Model::State& state, const Posterior& posterior,
                             MatrixView<const double> x, const PosteriorOptions& options);
PointFactors point_factors(Device& device, const Model::State& state, const Posterior& posterior,
                           MatrixView<const double> t, const PosteriorOptions& options);

/// What completion adds to phi phi', p p' or F F', as a whole matrix on the device.
Matrix rest_gram(Device& device, const Kernel& kernel, const Spectrum& spectrum, double lambda,
                 MatrixView<const double> x, MatrixView<const double> known,
                 const std::vector<double>& root);

/// f(first, count) for tiles of rows that fit the device, each row with so many values at a time.
void for_row_tiles(Device& device, std::int64_t rows, std::int64_t values,
                   const std::function<void(std::int64_t first, std::int64_t count)>& f);

/// Refuses what is asked of a Nystrom fit, in which no training curve has a coefficient of its own.
void check_exact(const Model::State& state, const char* what);
/// Checks x and t of a question to a model.
void check_question(const Model::State& state, MatrixView<const double> x,
                    MatrixView<const double> t);

}  // namespace kronite::krfd
