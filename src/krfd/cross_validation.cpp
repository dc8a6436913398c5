// Predictions of left-out systems in closed form: what refitting without them gives.
//
// The maximum of the posterior solves a symmetric positive definite system of 2 N unknowns whose
// rows and columns belong to single systems (docs/krfd.md), so that leaving out a fold F is leaving
// out its rows and columns: all that is needed is the block of the inverse at F.
#include "krfd/cross_validation.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <span>

#include "base/fail.hpp"      // for fail
#include "krfd/solution.hpp"  // for solve
#include "math/random.hpp"    // for Random

namespace kronite::krfd {
namespace {

Folds sorted(const std::vector<std::int32_t>& fold) {
  Folds folds;
  folds.order.resize(fold.size());
  std::iota(folds.order.begin(), folds.order.end(), std::size_t{0});
  std::stable_sort(folds.order.begin(), folds.order.end(),
                   [&](std::size_t a, std::size_t b) { return fold[a] < fold[b]; });
  for (std::size_t k = 0; k < fold.size(); ++k)
    if (k == 0 || fold[folds.order[k]] != fold[folds.order[k - 1]])
      folds.first.push_back(static_cast<std::int64_t>(k));
  folds.first.push_back(static_cast<std::int64_t>(fold.size()));
  return folds;
}

std::vector<double> ordered(const std::vector<double>& values,
                            const std::vector<std::size_t>& order, std::int64_t cols) {
  const auto width = static_cast<std::size_t>(cols);
  std::vector<double> result;
  result.reserve(values.size());
  for (const std::size_t i : order) {
    const auto row = values.begin() + static_cast<std::ptrdiff_t>(i * width);
    result.insert(result.end(), row, row + cols);
  }
  return result;
}

/// Names as in docs/krfd.md.
class CrossValidation {
 public:
  CrossValidation(Device& device, Spectra& spectra, const Hyperparameters& hyper)
      : device_(device),
        spectra_(spectra),
        solution_(solve(device, spectra, hyper)),
        n_(spectra.data().systems),
        points_(spectra.data().points),
        h_(each(spectra.g().values, [&](double s) { return 1 / (s + hyper.lambda_g); })),
        kappa_(each(h_, [&](double h) { return solution_.share * hyper.lambda_g * h; })),
        left_c_(columns_scaled(solution_.root_q)),
        left_psi_(columns_scaled(each(kappa_, solution_.root_q, std::divides<>()))),
        solved_c_(copy(device, left_c_.view())),
        solved_psi_(copy(device, left_psi_.view())),
        own_(columns_scaled(each(kappa_, solution_.q,
                                 [&](double k, double q) { return solution_.remainder * k / q; }))),
        smoother_(columns_scaled(h_)),
        smoothed_(device, n_, points_) {
    solution_.divide_rows(device_, solved_c_);
    solution_.divide_rows(device_, solved_psi_);
    prepare_curves(hyper);
  }

  /// Predictions of the rows [first, first + count), count x T.
  std::vector<double> leave_out(std::int64_t first, std::int64_t count);
  /// Of all rows, each left out alone.
  std::vector<double> leave_each_out();

 private:
  Matrix columns_scaled(const std::vector<double>& column) {
    const Matrix there = on_device(device_, column);
    return scaled(device_, {}, spectra_.g().vectors.view(), there.vector());
  }
  std::vector<double> from_basis(const std::vector<double>& x) {
    return times(device_, spectra_.g().vectors.view(), Op::none, x);
  }
  void prepare_curves(const Hyperparameters& hyper);
  /// Prediction of row i from its solution (delta_c, delta_psi) and its row of H_FF^-1 (H Y B)_F.
  void predict(std::int64_t i, double delta_c, double delta_psi, const double* kept, double* out);

  Device& device_;
  Spectra& spectra_;
  Solution solution_;
  std::int64_t n_, points_;
  std::vector<double> h_, kappa_;
  Matrix left_c_, left_psi_;               // U Q^1/2 and U kappa Q^-1/2
  Matrix solved_c_, solved_psi_;           // these times B^-1
  Matrix own_;                             // U (T - sB) kappa / Q
  Matrix smoother_;                        // U (s + lambda_G)^-1
  Matrix smoothed_;                        // H Y B
  std::vector<double> along_;              // Y B
  std::vector<double> ends_;               // B 1
  std::vector<double> chi_, psi_, level_;  // the solution with all, and the curves' weighted means
};

void CrossValidation::prepare_curves(const Hyperparameters& hyper) {
  LinalgOps<double>& la = linalg<double>(device_);
  const std::vector<double>&d = spectra_.t().values, &v = spectra_.v();
  const std::vector<double> b = each(d, [&](double x) { return x / (x + hyper.lambda_t); });
  const std::vector<double> b_v = each(b, v, std::multiplies<>());
  const Matrix &u = spectra_.g().vectors, &vectors_t = spectra_.t().vectors;
  ends_ = times(device_, vectors_t.view(), Op::none, b_v);

  const Matrix b_there = on_device(device_, b), h = on_device(device_, h_);
  Matrix curves = scaled(device_, {}, spectra_.y().view(), b_there.vector());
  const auto out_of_bases = [&](MatrixView<double> to) {
    const Matrix half = product(device_, u.view(), Op::none, curves.view(), Op::none);
    la.gemm(1, half.view(), Op::none, vectors_t.view(), Op::transpose, 0, to);
  };
  Matrix along(device_, n_, points_);
  out_of_bases(along.view());
  along_ = along.to_host();
  functional(device_).scale(1, h.vector(), curves.view(), {}, 0, curves.view());
  out_of_bases(smoothed_.view());

  // Means of the curves with the weights B 1 and (I - B) 1, in the basis of G.
  const std::vector<double> mean_b = each(times(device_, spectra_.y().view(), Op::none, b_v),
                                          [&](double x) { return x / solution_.share; });
  const std::vector<double> rest =
      each(d, v, [&](double x, double y) { return hyper.lambda_t / (x + hyper.lambda_t) * y; });
  level_ = from_basis(each(times(device_, spectra_.y().view(), Op::none, rest),
                           [&](double x) { return x / solution_.remainder; }));
  chi_ = from_basis(each(solution_.c, [&](double c) { return solution_.theta * c; }));
  std::vector<double> psi;
  for (std::size_t i = 0; i < kappa_.size(); ++i)
    psi.push_back(kappa_[i] * (solution_.mu[i] - mean_b[i]));
  psi_ = from_basis(psi);
}

void CrossValidation::predict(std::int64_t i, double delta_c, double delta_psi, const double* kept,
                              double* out) {
  const auto at = static_cast<std::size_t>(i);
  double kept_sum = 0;
  for (std::int64_t j = 0; j < points_; ++j) kept_sum += kept[j];
  const double mu = level_[at] - delta_c;
  const double eta = level_[at] - delta_psi - kept_sum / solution_.share;
  for (std::int64_t j = 0; j < points_; ++j)
    out[j] = along_[at * static_cast<std::size_t>(points_) + static_cast<std::size_t>(j)] -
             kept[j] - eta * ends_[static_cast<std::size_t>(j)] + mu;
}

std::vector<double> CrossValidation::leave_out(std::int64_t first, std::int64_t count) {
  LinalgOps<double>& la = linalg<double>(device_);
  const auto rows = [&](const Matrix& m) { return m.view().rows_from(first, count); };
  const MatrixView<const double> u = rows(spectra_.g().vectors);
  const double theta = solution_.theta;

  // The block of the inverse; the lower triangle is enough.
  Matrix block(device_, 2 * count, 2 * count);
  const MatrixView<double> all = block.view();
  const auto part = [&](std::int64_t i, std::int64_t j) {
    return MatrixView<double>(all.row(i * count) + j * count, count, count, all.ld, all.place);
  };
  la.gemm(theta, rows(solved_c_), Op::none, rows(left_c_), Op::transpose, 0, part(0, 0));
  la.gemm(-theta, rows(left_psi_), Op::none, rows(solved_c_), Op::transpose, 0, part(1, 0));
  la.gemm(theta, rows(solved_psi_), Op::none, rows(left_psi_), Op::transpose, 0, part(1, 1));
  la.gemm(1, rows(own_), Op::none, u, Op::transpose, 1, part(1, 1));
  la.cholesky(all);
  std::vector<double> both(chi_.begin() + first, chi_.begin() + first + count);
  both.insert(both.end(), psi_.begin() + first, psi_.begin() + first + count);
  Matrix delta_there = on_device(device_, both);
  la.cholesky_solve(Side::left, block.view(), delta_there.view());

  Matrix h(device_, count, count);
  la.gemm(1, rows(smoother_), Op::none, u, Op::transpose, 0, h.view());
  la.cholesky(h.view());
  Matrix kept_there = copy(device_, rows(smoothed_));
  la.cholesky_solve(Side::left, h.view(), kept_there.view());

  const std::vector<double> delta = delta_there.to_host(), kept = kept_there.to_host();
  std::vector<double> out(kept.size());
  for (std::int64_t i = 0; i < count; ++i)
    predict(first + i, delta[static_cast<std::size_t>(i)],
            delta[static_cast<std::size_t>(count + i)], kept.data() + i * points_,
            out.data() + i * points_);
  return out;
}

std::vector<double> CrossValidation::leave_each_out() {
  const auto dots = [&](const Matrix& a, const Matrix& b) {
    return row_dots(device_, a.view(), b.view());
  };
  const std::vector<double> cc = dots(solved_c_, left_c_), cp = dots(solved_c_, left_psi_),
                            pp = dots(solved_psi_, left_psi_),
                            own = dots(own_, spectra_.g().vectors),
                            h = dots(smoother_, spectra_.g().vectors);
  std::vector<double> kept = smoothed_.to_host(), out(kept.size());
  for (std::int64_t i = 0; i < n_; ++i) {
    const auto at = static_cast<std::size_t>(i);
    double* row = kept.data() + i * points_;
    for (std::int64_t j = 0; j < points_; ++j) row[j] /= h[at];
    // A Cholesky factor of the 2 x 2 block.
    const double theta = solution_.theta, l = std::sqrt(theta * cc[at]);
    const double along = -theta * cp[at] / l;
    const double rest2 = theta * pp[at] + own[at] - along * along;
    if (!(l > 0) || !(rest2 > 0) || !(h[at] > 0))
      fail(Errc::numerical,
           "leaving out single systems is beyond double precision: a lambda is too small for these "
           "kernels");
    const double first = chi_[at] / l, second = (psi_[at] - along * first) / rest2;
    predict(i, (first - along * second) / l, second, row, out.data() + i * points_);
  }
  return out;
}

}  // namespace

FoldTrials::FoldTrials(MatrixView<const double> x, MatrixView<const double> t,
                       MatrixView<const double> y, const std::vector<std::int32_t>& fold,
                       Spectra::Distances distances)
    // Equal systems stay apart: one of them may be left out.
    : data_(prepare(x, t, y, EqualRows::keep)), spectra_(data_, distances) {
  if (static_cast<std::int64_t>(fold.size()) != x.rows)
    fail(Errc::invalid_argument, "{} systems have {} fold numbers", x.rows, fold.size());
  folds_ = sorted(fold);
  if (folds_.first.size() < 3)
    fail(Errc::invalid_argument, "all {} systems are in one fold; two folds are needed", x.rows);
  data_.x = ordered(data_.x, folds_.order, x.cols);
  data_.y = ordered(data_.y, folds_.order, y.cols);
}

std::vector<double> FoldTrials::predictions(Device& device, const Hyperparameters& hyper) {
  check(hyper, data_.features, data_.coordinates);
  spectra_.use(device, hyper);
  CrossValidation validation(device, spectra_, hyper);
  std::vector<double> values;
  if (std::ssize(folds_.first) - 1 == data_.systems) {
    values = validation.leave_each_out();
  } else {
    for (std::size_t f = 0; f + 1 < folds_.first.size(); ++f) {
      const auto part =
          validation.leave_out(folds_.first[f], folds_.first[f + 1] - folds_.first[f]);
      values.insert(values.end(), part.begin(), part.end());
    }
  }
  std::vector<double> result(values.size());
  for (std::size_t k = 0; k < folds_.order.size(); ++k)
    std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(k) * data_.points, data_.points,
                result.begin() + static_cast<std::ptrdiff_t>(folds_.order[k]) * data_.points);
  return result;
}

std::vector<double> cross_validate(Device& device, MatrixView<const double> x,
                                   MatrixView<const double> t, MatrixView<const double> y,
                                   const Hyperparameters& hyper,
                                   const std::vector<std::int32_t>& fold) {
  return FoldTrials(x, t, y, fold, Spectra::Distances::forget).predictions(device, hyper);
}

std::vector<double> leave_one_out(Device& device, MatrixView<const double> x,
                                  MatrixView<const double> t, MatrixView<const double> y,
                                  const Hyperparameters& hyper) {
  std::vector<std::int32_t> fold(static_cast<std::size_t>(std::max<std::int64_t>(x.rows, 0)));
  std::iota(fold.begin(), fold.end(), 0);
  return cross_validate(device, x, t, y, hyper, fold);
}

std::vector<std::int32_t> random_folds(std::int64_t systems, int folds, std::uint64_t seed) {
  if (folds < 2 || systems < folds)
    fail(Errc::invalid_argument, "{} systems cannot be put into {} folds; expected 2 to {}",
         systems, folds, systems);
  std::vector<std::int32_t> fold;
  for (std::int64_t i = 0; i < systems; ++i) fold.push_back(static_cast<std::int32_t>(i % folds));
  math::Random random(seed);
  random.shuffle(std::span(fold));
  return fold;
}

}  // namespace kronite::krfd
