// The logarithm of the evidence and its derivatives: one adjoint matrix per kernel, from which any
// number of its parameters follows (docs/krfd.md).
#include "krfd/evidence.hpp"

#include <cmath>
#include <functional>
#include <utility>

#include "krfd/solution.hpp"  // for solve

namespace kronite::krfd {
namespace {

/// Derivatives by the logarithms of a kernel's length scales: `adjoint` (n x n, in the basis of
/// `vectors`) is the derivative by its Gram matrix, whose rows and columns have factors `root`.
std::vector<double> by_length_scales(Device& device, const Kernel& kernel,
                                     MatrixView<const double> x, const std::vector<double>& root,
                                     MatrixView<const double> vectors,
                                     MatrixView<const double> adjoint) {
  const Matrix half = product(device, vectors, Op::none, adjoint, Op::none);
  Matrix whole = product(device, half.view(), Op::none, vectors, Op::transpose);
  if (!root.empty()) {
    const Matrix factor = on_device(device, root);
    functional(device).scale(1, factor.vector(), whole.view(), factor.vector(), 0, whole.view());
  }
  const Matrix rows = scaled_rows(device, kernel, x);
  Matrix sums(device, x.rows, x.cols);
  functional(device).length_scale_sums(kernel.kind, rows.view(), whole.view(), sums.view());
  const std::vector<double> per_row = sums.to_host();
  std::vector<double> result(kernel.length_scales.size(), 0.0);
  const auto features = static_cast<std::size_t>(x.cols);
  for (std::size_t at = 0; at < per_row.size(); ++at)
    result[result.size() == 1 ? 0 : at % features] += per_row[at];
  return result;
}

class Gradient {
 public:
  Gradient(Device& device, Spectra& spectra, const Hyperparameters& hyper, const Solution& solution,
           double kappa, Derivatives derivatives)
      : device_(device),
        spectra_(spectra),
        hyper_(hyper),
        solution_(solution),
        kappa_(kappa),
        by_lengths_(derivatives == Derivatives::all),
        inverse_(identity(spectra.data().systems)) {
    solution_.divide_rows(device_, inverse_);
    inverse_diagonal_ = diagonal(device_, inverse_.view());
    z_ = each(solution_.q, inverse_diagonal_,
              [&](double q, double b) { return (1 - solution_.theta * b) / q; });
    a_ = each(spectra_.g().values, [&](double s) { return s / (s + hyper_.lambda_g); });
    b_ = each(spectra_.t().values, [&](double d) { return d / (d + hyper_.lambda_t); });
  }

  EvidenceGradient take() {
    EvidenceGradient gradient;
    by_g(gradient);
    by_t(gradient);
    by_m(gradient);
    return gradient;
  }
  double freedom() const { return sum(a_) * sum(b_) + dot(z_, solution_.q2); }

 private:
  Matrix identity(std::int64_t n) {
    Matrix one(device_, std::vector<double>(static_cast<std::size_t>(n * n), 0.0), n, n);
    functional(device_).add_to_diagonal(1, {}, one.view());
    return one;
  }

  /// -lambda/2 diag(over h^2) + sB lambda/2 h Z h + kappa lambda/2 P diag(b) P', P = h E, with
  /// Z = Q^-1 - theta Q^-1/2 B^-1 Q^-1/2.
  void by_g(EvidenceGradient& gradient) {
    const double lambda = hyper_.lambda_g, theta = solution_.theta, share = solution_.share;
    const std::vector<double> h =
        each(spectra_.g().values, [&](double s) { return 1 / (s + lambda); });
    const Matrix h_there = on_device(device_, h), b = on_device(device_, b_),
                 side = on_device(device_, each(h, solution_.root_q, std::divides<>()));
    const Matrix p = scaled(device_, h_there.vector(), solution_.residual.view(), {});
    const Matrix p_b = scaled(device_, {}, p.view(), b.vector());
    const std::vector<double> squares = row_dots(device_, p_b.view(), p.view());
    std::vector<double> more;
    for (std::size_t i = 0; i < h.size(); ++i) {
      const double q = solution_.q[i];
      more.push_back(lambda / 2 * h[i] * h[i] * (share / q - solution_.over[i]));
      const double on_diagonal =
          more[i] + kappa_ * lambda / 2 * squares[i] -
          share * lambda * theta / 2 * h[i] * h[i] * inverse_diagonal_[i] / q;
      // A larger lambda is a smaller Gram matrix.
      gradient.lambda_g -= on_diagonal * spectra_.g().values[i];
    }
    if (!by_lengths_) return;
    Matrix adjoint(device_, spectra_.data().systems, spectra_.data().systems);
    functional(device_).scale(-share * lambda * theta / 2, side.vector(), inverse_.view(),
                              side.vector(), 0, adjoint.view());
    linalg<double>(device_).gemm(kappa_ * lambda / 2, p_b.view(), Op::none, p.view(), Op::transpose,
                                 1, adjoint.view());
    functional(device_).add_to_diagonal(0, on_device(device_, more).vector(), adjoint.view());
    gradient.g = by_length_scales(device_, hyper_.g, spectra_.data().x_view(), spectra_.data().root,
                                  spectra_.g().vectors.view(), adjoint.view());
  }

  /// kappa lambda/2 P' diag(a) P - lambda/2 diag(g_B h^2) + lambda/2 (a'z) w w', P = E h, w = h v.
  void by_t(EvidenceGradient& gradient) {
    const double lambda = hyper_.lambda_t;
    const std::int64_t points = spectra_.width();
    const std::vector<double> h =
        each(spectra_.t().values, [&](double d) { return 1 / (d + lambda); });
    // The sums over systems are those over points with the sides exchanged.
    Smoothing exchanged = smoothing_of(spectra_, hyper_);
    std::swap(exchanged.s, exchanged.d);
    std::swap(exchanged.lambda_s, exchanged.lambda_d);
    Matrix sums(device_, points, kSmoothingSums);
    functional(device_).smoothing_sums(exchanged, exchanged.d, {}, sums.view());
    const std::vector<double> over = sums.to_host();

    const Matrix h_there = on_device(device_, h), a = on_device(device_, a_);
    const Matrix p = scaled(device_, {}, solution_.residual.view(), h_there.vector());
    const Matrix a_p = scaled(device_, a.vector(), p.view(), {});
    const Matrix w = on_device(device_, each(h, spectra_.v(), std::multiplies<>()));
    Matrix adjoint = product(device_, w.view(), Op::none, w.view(), Op::transpose);
    linalg<double>(device_).gemm(kappa_ * lambda / 2, a_p.view(), Op::transpose, p.view(), Op::none,
                                 lambda / 2 * dot(a_, z_), adjoint.view());
    std::vector<double> more;
    for (std::size_t j = 0; j < h.size(); ++j)
      more.push_back(-lambda / 2 * h[j] * h[j] * over[j * kSmoothingSums + kSumOver]);
    functional(device_).add_to_diagonal(0, on_device(device_, more).vector(), adjoint.view());
    gradient.lambda_t = -dot(diagonal(device_, adjoint.view()), spectra_.t().values);
    if (!by_lengths_) return;
    gradient.t = by_length_scales(device_, hyper_.t, spectra_.data().t_view(), {},
                                  spectra_.t().vectors.view(), adjoint.view());
  }

  /// -K^-1 / 2 + kappa theta / 2 c c', K^-1 = Q^1/2 B^-1 Q^1/2.
  void by_m(EvidenceGradient& gradient) {
    const double theta = solution_.theta;
    gradient.lambda_m = (static_cast<double>(solution_.c.size()) - theta * sum(inverse_diagonal_) -
                         kappa_ * theta * dot(solution_.c, solution_.mu)) /
                        2;
    if (!by_lengths_) return;
    const Matrix root = on_device(device_, solution_.root_q), c = on_device(device_, solution_.c);
    Matrix adjoint(device_, c.view().rows, c.view().rows);
    functional(device_).scale(-0.5, root.vector(), inverse_.view(), root.vector(), 0,
                              adjoint.view());
    linalg<double>(device_).gemm(kappa_ * theta / 2, c.view(), Op::none, c.view(), Op::transpose, 1,
                                 adjoint.view());
    gradient.m = by_length_scales(device_, hyper_.m, spectra_.data().x_view(), spectra_.data().root,
                                  spectra_.g().vectors.view(), adjoint.view());
  }

  Device& device_;
  Spectra& spectra_;
  const Hyperparameters& hyper_;
  const Solution& solution_;
  double kappa_;
  bool by_lengths_;
  Matrix inverse_;  // B^-1
  std::vector<double> inverse_diagonal_, z_, a_, b_;
};

}  // namespace

Evidence evidence_of(Device& device, Spectra& spectra, const Hyperparameters& hyper,
                     const NoisePrior& prior, Derivatives derivatives) {
  constexpr double kLog2Pi = 1.8378770664093454836;
  spectra.use(device, hyper);
  const Solution solution = solve(device, spectra, hyper);
  const double n = spectra.data().values(), shape = prior.alpha + n / 2;

  Evidence result;
  result.quad = solution.residual_quad + spectra.outside() + spectra.data().spread;
  // S = (I - A x B)^-1 + M x 11' / theta.
  result.logdet = solution.log_det_factor() - solution.log_omega -
                  static_cast<double>(spectra.data().systems) * std::log(solution.theta);
  const double rate = prior.beta + result.quad / 2;
  result.log = std::lgamma(shape) - std::lgamma(prior.alpha) + prior.alpha * std::log(prior.beta) -
               n / 2 * kLog2Pi - result.logdet / 2 - shape * std::log(rate);
  if (derivatives != Derivatives::none) {
    Gradient of(device, spectra, hyper, solution, shape / rate, derivatives);
    result.gradient = of.take();
    result.freedom = of.freedom();
  }
  return result;
}

Evidence evidence(Device& device, MatrixView<const double> x, MatrixView<const double> t,
                  MatrixView<const double> y, const Hyperparameters& hyper, const NoisePrior& prior,
                  bool gradient) {
  const Data data = prepare(x, t, y, EqualRows::join);
  check(hyper, x.cols, t.cols);
  check(prior);
  Spectra spectra(data);
  return evidence_of(device, spectra, hyper, prior,
                     gradient ? Derivatives::all : Derivatives::none);
}

}  // namespace kronite::krfd
