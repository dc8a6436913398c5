// The maximum of the posterior by conjugate gradients: products with Gram matrices whose rows are
// formed as they are needed, and preconditioners by functions of few systems.
//
// In the basis V of the points the curves separate: each component E_j of the curves without their
// constants has an equation (G + lambda_G) Z_j = E_j of its own. The constants come first, from the
// equations in chi = theta c and psi of docs/krfd.md, which are products with G and M, too.
#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <utility>

#include "krfd/conjugate_gradients.hpp"  // for conjugate_gradients
#include "krfd/fit_scale.hpp"            // for draw_centres
#include "krfd/gram_operator.hpp"        // for GramOperator, centre_functions
#include "krfd/krsfd_parts.hpp"          // for warn_unless_converged

namespace kronite::krfd {
namespace {

/// A symmetric 2 x 2 matrix that acts on two vectors under each other.
struct Pair {
  double first, both, second;
};

/// [1/tm, 1/tm; 1/tm, 1/tm + 1/sB]^-1/2, where the inverse is [sB + tm, -sB; -sB, sB].
Pair inverse_root(double share, double remainder) {
  const double root_of_determinant = std::sqrt(share * remainder);
  const double length = std::sqrt(2 * share + remainder + 2 * root_of_determinant);
  return {(share + remainder + root_of_determinant) / length, -share / length,
          (share + root_of_determinant) / length};
}

/// The values of one vector of two under each other.
template <class T>
MatrixView<T> half(MatrixView<T> x, int which) {
  return x.rows_from(which * x.rows / 2, x.rows / 2);
}

class ConjugateGradientFit {
 public:
  ConjugateGradientFit(Device& device, const Data& data, const Hyperparameters& hyper,
                       const FitOptions& options, FitReport& report)
      : device_(device),
        la_(linalg<double>(device)),
        ops_(functional(device)),
        data_(data),
        hyper_(hyper),
        options_(options),
        report_(report),
        n_(data.systems),
        points_(
            point_basis(device, gram(device, hyper.t, data.t_view(), {}), options.rank_tolerance)) {
    const std::vector<double>&v = points_.v, &d = points_.spectrum.values;
    for (std::size_t j = 0; j < v.size(); ++j) {
      share_ += v[j] * v[j] * (d[j] / (d[j] + hyper.lambda_t));
      remainder_ += v[j] * v[j] * (hyper.lambda_t / (d[j] + hyper.lambda_t));
    }
    theta_ = static_cast<double>(data.points) * hyper.lambda_m;
    root_ = inverse_root(share_, remainder_);
    make_operators();
    make_preconditioners();
  }

  FittedCoefficients take();

 private:
  void make_operators();
  void make_preconditioners();
  /// Sums over t of the curves in the basis, with these weights of the components; n x 1.
  Matrix weighed_sum(const Matrix& curves, const std::vector<double>& weight);
  void solve_constants(const Matrix& curves);
  /// out <- the pair times x.
  void mix(MatrixView<const double> x, MatrixView<double> out);
  void precondition_pair(MatrixView<const double> r, MatrixView<double> z);
  void precondition_curves(MatrixView<const double> r, MatrixView<double> z);
  /// The curves n x K of a basis as values at all points, n x T.
  Matrix at_points(const Matrix& x) {
    return product(device_, x.view(), Op::none, points_.spectrum.vectors.view(), Op::transpose);
  }
  void note(const SolverReport& solved);
  std::vector<double> of_components(const std::function<double(double)>& f) const {
    return each(points_.spectrum.values, f);
  }
  GramOperator& of_m() { return m_ ? *m_ : *g_; }
  const Matrix& functions_m() const { return functions_m_ ? *functions_m_ : *functions_g_; }

  Device& device_;
  LinalgOps<double>& la_;
  FunctionalOps& ops_;
  const Data& data_;
  const Hyperparameters& hyper_;
  const FitOptions& options_;
  FitReport& report_;
  std::int64_t n_;
  PointBasis points_;
  double share_ = 0, remainder_ = 0, theta_ = 0;  // docs/krfd.md: sB, tm, theta
  Pair root_{};
  std::optional<GramOperator> g_, m_;                  // m_: where it is another kernel
  std::optional<Matrix> functions_g_, functions_m_;    // of the centres
  std::optional<Matrix> factor_pair_, factor_curves_;  // of I + F'F
  std::optional<Matrix> c_, mu_;
};

void ConjugateGradientFit::make_operators() {
  const bool same = same_kernel(hyper_.g, hyper_.m, data_.features);
  const FitShape shape{n_,   data_.features,      data_.points, points_.size(),
                       same, memory_left(device_)};
  const auto whole = static_cast<std::size_t>(n_ * n_) * sizeof(double);
  const std::size_t kept =
      static_cast<std::size_t>(kept_gram_values(shape, options_)) * sizeof(double);
  const std::size_t of_g = std::min(kept, whole);
  g_.emplace(device_, hyper_.g, data_.x_view(), data_.root, of_g);
  if (!same) m_.emplace(device_, hyper_.m, data_.x_view(), data_.root, kept - of_g);
}

void ConjugateGradientFit::make_preconditioners() {
  const std::int64_t count = std::min(options_.scale.centres, n_);
  const std::vector<std::int64_t> numbers = draw_centres(n_, count, options_.scale.seed);
  const std::vector<double> rows = rows_of(data_, numbers);
  const MatrixView<const double> centres(rows.data(), count, data_.features);
  const auto functions = [&](const Kernel& kernel, const GramOperator& gram) {
    const KernelRows there(device_, kernel, centres, {});
    const Matrix basis = centre_basis(device_, there);
    return centre_functions(device_, gram.rows(), there, basis.view());
  };
  functions_g_.emplace(functions(hyper_.g, *g_));
  if (m_) functions_m_.emplace(functions(hyper_.m, *m_));

  const MatrixView<const double> f_g = functions_g_->view(), f_m = functions_m().view();
  factor_curves_.emplace(device_, f_g.cols, f_g.cols);
  la_.gemm(1 / hyper_.lambda_g, f_g, Op::transpose, f_g, Op::none, 0, factor_curves_->view());
  // F'F of F = pair^1/2 (F_M theta^-1/2, F_G (lambda_G sB)^-1/2): the lower triangle is enough.
  factor_pair_.emplace(device_, f_m.cols + f_g.cols, f_m.cols + f_g.cols);
  const MatrixView<double> all = factor_pair_->view();
  const auto block = [&](std::int64_t i, std::int64_t rows_there, std::int64_t j,
                         std::int64_t cols) {
    return MatrixView<double>(all.row(i) + j, rows_there, cols, all.ld, all.place);
  };
  la_.gemm((share_ + remainder_) / theta_, f_m, Op::transpose, f_m, Op::none, 0,
           block(0, f_m.cols, 0, f_m.cols));
  la_.gemm(-std::sqrt(share_ / (theta_ * hyper_.lambda_g)), f_g, Op::transpose, f_m, Op::none, 0,
           block(f_m.cols, f_g.cols, 0, f_m.cols));
  ops_.scale(1, {}, factor_curves_->view(), {}, 0, block(f_m.cols, f_g.cols, f_m.cols, f_g.cols));
  for (Matrix* factor : {&*factor_curves_, &*factor_pair_}) {
    ops_.add_to_diagonal(1, {}, factor->view());
    la_.cholesky(factor->view());
  }
  device_.synchronize();
}

void ConjugateGradientFit::mix(MatrixView<const double> x, MatrixView<double> out) {
  ops_.scale(root_.first, {}, half(x, 0), {}, 0, half(out, 0));
  ops_.scale(root_.both, {}, half(x, 1), {}, 1, half(out, 0));
  ops_.scale(root_.both, {}, half(x, 0), {}, 0, half(out, 1));
  ops_.scale(root_.second, {}, half(x, 1), {}, 1, half(out, 1));
}

/// z <- r - F (I + F'F)^-1 F'r.
void ConjugateGradientFit::precondition_curves(MatrixView<const double> r, MatrixView<double> z) {
  const MatrixView<const double> f = functions_g_->view();
  Matrix in = product(device_, f, Op::transpose, r, Op::none);
  la_.cholesky_solve(Side::left, factor_curves_->view(), in.view());
  ops_.scale(1, {}, r, {}, 0, z);
  la_.gemm(-1 / hyper_.lambda_g, f, Op::none, in.view(), Op::none, 1, z);
}

void ConjugateGradientFit::precondition_pair(MatrixView<const double> r, MatrixView<double> z) {
  const MatrixView<const double> f_g = functions_g_->view(), f_m = functions_m().view();
  const double of_m = 1 / std::sqrt(theta_), of_g = 1 / std::sqrt(hyper_.lambda_g * share_);
  Matrix mixed(device_, r.rows, 1), in(device_, f_m.cols + f_g.cols, 1);
  mix(r, mixed.view());
  const MatrixView<double> in_m = in.view().rows_from(0, f_m.cols),
                           in_g = in.view().rows_from(f_m.cols, f_g.cols);
  la_.gemm(of_m, f_m, Op::transpose, half(mixed.view(), 0), Op::none, 0, in_m);
  la_.gemm(of_g, f_g, Op::transpose, half(mixed.view(), 1), Op::none, 0, in_g);
  la_.cholesky_solve(Side::left, factor_pair_->view(), in.view());
  Matrix out(device_, r.rows, 1);
  la_.gemm(-of_m, f_m, Op::none, in_m, Op::none, 0, half(out.view(), 0));
  la_.gemm(-of_g, f_g, Op::none, in_g, Op::none, 0, half(out.view(), 1));
  mix(out.view(), z);
  ops_.scale(1, {}, r, {}, 1, z);
}

void ConjugateGradientFit::note(const SolverReport& solved) {
  warn_unless_converged(solved);
  report_.iterations += solved.iterations;
  report_.relative_residual = std::max(report_.relative_residual, solved.relative_residual);
  report_.converged = report_.converged && solved.converged;
}

Matrix ConjugateGradientFit::weighed_sum(const Matrix& curves, const std::vector<double>& weight) {
  return product(device_, curves.view(), Op::none, on_device(device_, weight).view(), Op::none);
}

/// The pair times [M / theta, 0; 0, G / (lambda_G sB)] times the pair, plus I, is the matrix of
/// (chi, psi) between inverses of the pair.
void ConjugateGradientFit::solve_constants(const Matrix& curves) {
  const auto lambda = hyper_.lambda_t;
  const std::vector<double> rest_v =
      each(of_components([&](double d) { return lambda / (d + lambda); }), points_.v,
           std::multiplies<>());
  const std::vector<double> b_v = each(of_components([&](double d) { return d / (d + lambda); }),
                                       points_.v, std::multiplies<>());
  Matrix right(device_, 2 * n_, 1), mixed(device_, 2 * n_, 1);
  const Matrix rest = weighed_sum(curves, rest_v), along = weighed_sum(curves, b_v);
  ops_.scale(1 / remainder_, {}, rest.view(), {}, 0, half(right.view(), 0));
  ops_.scale(1 / remainder_, {}, rest.view(), {}, 0, half(right.view(), 1));
  ops_.scale(-1 / share_, {}, along.view(), {}, 1, half(right.view(), 1));
  mix(right.view(), mixed.view());

  Matrix solved(device_, 2 * n_, 1), before(device_, 2 * n_, 1), after(device_, 2 * n_, 1);
  const auto matrix = [&](MatrixView<const double> x, MatrixView<double> out) {
    mix(x, before.view());
    of_m().product(1 / theta_, half(before.view(), 0), half(after.view(), 0));
    g_->product(1 / (hyper_.lambda_g * share_), half(before.view(), 1), half(after.view(), 1));
    mix(after.view(), out);
    ops_.scale(1, {}, x, {}, 1, out);
  };
  note(conjugate_gradients(
      device_, 1, matrix,
      [&](MatrixView<const double> r, MatrixView<double> z) { precondition_pair(r, z); },
      {options_.scale.tolerance, options_.scale.max_iterations}, mixed.view(), solved.view()));
  mix(solved.view(), right.view());
  c_.emplace(device_, n_, 1);
  mu_.emplace(device_, n_, 1);
  ops_.scale(1 / theta_, {}, half(right.view(), 0), {}, 0, c_->view());
  of_m().product(1, c_->view(), mu_->view());
}

FittedCoefficients ConjugateGradientFit::take() {
  report_.rank_t = points_.spectrum.rank();
  report_.dropped_t = points_.dropped_share(hyper_.lambda_t);
  const auto curves_there = [&] { return Matrix(device_, data_.y, n_, data_.points); };
  Matrix curves =
      product(device_, curves_there().view(), Op::none, points_.spectrum.vectors.view(), Op::none);
  solve_constants(curves);
  const MatrixView<const double> v_row(points_.v_there.vector().data, 1, points_.size(),
                                       device_.place());
  la_.gemm(-1, mu_->view(), Op::none, v_row, Op::none, 1, curves.view());  // E V

  Matrix z(device_, n_, points_.size());  // lambda_G (G + lambda_G)^-1 E V
  note(conjugate_gradients(
      device_, points_.size(),
      [&](MatrixView<const double> x, MatrixView<double> out) {
        g_->product(1 / hyper_.lambda_g, x, out);
        ops_.scale(1, {}, x, {}, 1, out);
      },
      [&](MatrixView<const double> r, MatrixView<double> out) { precondition_curves(r, out); },
      {options_.scale.tolerance, options_.scale.max_iterations}, curves.view(), z.view()));

  // The residual E - AEB = (I - B) E + B lambda_G (G + lambda_G)^-1 E: nothing cancels.
  const double lambda = hyper_.lambda_t;
  const Matrix rest = on_device(device_,
                                of_components([&](double d) { return lambda / (d + lambda); })),
               b = on_device(device_, of_components([&](double d) { return d / (d + lambda); })),
               inverse = on_device(device_, of_components([&](double d) {
                                     return 1 / (hyper_.lambda_g * (d + lambda));
                                   }));
  Matrix left = scaled(device_, {}, curves.view(), rest.vector());
  ops_.scale(1, {}, z.view(), b.vector(), 1, left.view());

  FittedCoefficients result;
  result.c = c_->to_host();
  result.quad =
      sum(row_dots(device_, curves.view(), left.view())) + theta_ * dot(result.c, mu_->to_host());
  ops_.scale(1, {}, z.view(), inverse.vector(), 0, z.view());
  result.theta = at_points(z).to_host();
  Matrix residuals = at_points(left);
  if (points_.size() < data_.points) {
    const Matrix outside = curves_outside(device_, points_, curves_there().view());
    result.quad += sum(row_dots(device_, outside.view(), outside.view()));
    ops_.scale(1, {}, outside.view(), {}, 1, residuals.view());
  }
  result.residuals = residuals.to_host();
  return result;
}

}  // namespace

FittedCoefficients fit_conjugate_gradients(Device& device, const Data& data,
                                           const Hyperparameters& hyper, const FitOptions& options,
                                           FitReport& report) {
  return ConjugateGradientFit(device, data, hyper, options, report).take();
}

}  // namespace kronite::krfd
