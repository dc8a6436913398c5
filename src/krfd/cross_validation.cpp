// Predictions of left-out systems in closed form: what refitting without them gives.
//
// The maximum of the posterior solves a symmetric positive definite system of 2 N unknowns whose
// rows and columns belong to single systems (docs/krfd.md), so that leaving out a fold F is leaving
// out its rows and columns: all that is needed is the block of the inverse at F.
#include "krfd/cross_validation.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <utility>

#include "base/fail.hpp"    // for fail
#include "math/random.hpp"  // for Random

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
  /// Waits.
  CrossValidation(Device& device, LeftOut left_out)
      : device_(device),
        left_out_(std::move(left_out)),
        n_(left_out_.smoothed.view().rows),
        points_(left_out_.smoothed.view().cols),
        y_b_(left_out_.points.y_b.to_host()) {}

  /// Predictions of the rows [first, first + count), count x T.
  std::vector<double> leave_out(std::int64_t first, std::int64_t count);
  /// Of all rows, each left out alone.
  std::vector<double> leave_each_out();

 private:
  /// Prediction of row i from its solution (delta_chi, delta_psi) and its row of H_FF^-1 (H Y B)_F.
  void predict(std::int64_t i, double delta_chi, double delta_psi, const double* kept, double* out);

  Device& device_;
  LeftOut left_out_;
  std::int64_t n_, points_;
  std::vector<double> y_b_;
};

void CrossValidation::predict(std::int64_t i, double delta_chi, double delta_psi,
                              const double* kept, double* out) {
  const auto at = static_cast<std::size_t>(i);
  const AlongPoints& points = left_out_.points;
  double kept_sum = 0;
  for (std::int64_t j = 0; j < points_; ++j) kept_sum += kept[j];
  const double mu = points.level[at] - delta_chi;
  const double eta = points.level[at] - delta_psi - kept_sum / points.share;
  for (std::int64_t j = 0; j < points_; ++j)
    out[j] = y_b_[at * static_cast<std::size_t>(points_) + static_cast<std::size_t>(j)] - kept[j] -
             eta * points.ends[static_cast<std::size_t>(j)] + mu;
}

std::vector<double> CrossValidation::leave_out(std::int64_t first, std::int64_t count) {
  LinalgOps<double>& la = linalg<double>(device_);
  const auto rows = [&](const Matrix& m) { return m.view().rows_from(first, count); };
  // Without the zeros that they begin with.
  const auto from = [&](const Matrix& m) {
    const MatrixView<const double> all = rows(m);
    const std::int64_t zeros = left_out_.upper ? first : 0;
    return MatrixView<const double>(all.data + zeros, count, n_ - zeros, all.ld, all.place);
  };

  // The block of the inverse; the lower triangle is enough.
  Matrix block(device_, 2 * count, 2 * count);
  const MatrixView<double> all = block.view();
  const auto part = [&](std::int64_t i, std::int64_t j) {
    return MatrixView<double>(all.row(i * count) + j * count, count, count, all.ld, all.place);
  };
  la.gemm(1, from(left_out_.chi), Op::none, from(left_out_.chi), Op::transpose, 0, part(0, 0));
  la.gemm(1, from(left_out_.psi), Op::none, from(left_out_.chi), Op::transpose, 0, part(1, 0));
  la.gemm(1, rows(left_out_.psi), Op::none, rows(left_out_.psi), Op::transpose, 0, part(1, 1));
  const MatrixView<const double> rest = rows(left_out_.rest);
  if (left_out_.rest_is_root)
    la.gemm(1, rest, Op::none, rest, Op::transpose, 1, part(1, 1));
  else
    functional(device_).scale(1, {}, {rest.data + first, count, count, rest.ld, rest.place}, {}, 1,
                              part(1, 1));
  la.cholesky(all);
  const auto of_rows = [&](const std::vector<double>& values) { return values.begin() + first; };
  std::vector<double> both(of_rows(left_out_.chi_with_all),
                           of_rows(left_out_.chi_with_all) + count);
  both.insert(both.end(), of_rows(left_out_.psi_with_all), of_rows(left_out_.psi_with_all) + count);
  Matrix delta_there = on_device(device_, both);
  la.cholesky_solve(Side::left, block.view(), delta_there.view());

  Matrix h = product(device_, from(left_out_.h), Op::none, from(left_out_.h), Op::transpose);
  la.cholesky(h.view());
  Matrix kept_there = copy(device_, rows(left_out_.smoothed));
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
  const std::vector<double> cc = dots(left_out_.chi, left_out_.chi),
                            pc = dots(left_out_.psi, left_out_.chi),
                            pp = dots(left_out_.psi, left_out_.psi),
                            rest = left_out_.rest_is_root
                                       ? dots(left_out_.rest, left_out_.rest)
                                       : diagonal(device_, left_out_.rest.view()),
                            h = dots(left_out_.h, left_out_.h);
  std::vector<double> kept = left_out_.smoothed.to_host(), out(kept.size());
  for (std::int64_t i = 0; i < n_; ++i) {
    const auto at = static_cast<std::size_t>(i);
    double* row = kept.data() + i * points_;
    for (std::int64_t j = 0; j < points_; ++j) row[j] /= h[at];
    // A Cholesky factor of the 2 x 2 block.
    const double l = std::sqrt(cc[at]), along = pc[at] / l;
    const double rest2 = pp[at] + rest[at] - along * along;
    if (!(l > 0) || !(rest2 > 0) || !(h[at] > 0))
      fail(Errc::numerical,
           "leaving out single systems is beyond double precision: a lambda is too small for these "
           "kernels");
    const double first = left_out_.chi_with_all[at] / l,
                 second = (left_out_.psi_with_all[at] - along * first) / rest2;
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

bool FoldTrials::eigenvalues_pay(const Hyperparameters& hyper) {
  // In units of n^3 operations, eigenvalues at a third of the speed of the others: with eigenvalues
  // at hand a trial takes 4, with factors 5; where k_M is k_G, it takes less than 2.
  constexpr int kTrialsToPay = 30, kTrialsToPayDiagonal = 8;
  const auto same = [&](const Kernel& a, const Kernel& b) {
    return same_kernel(a, b, data_.features);
  };
  const bool again = last_ && same(last_->g, hyper.g) && same(last_->m, hyper.m);
  repeats_ = again ? repeats_ + 1 : 0;
  last_ = hyper;
  return spectra_.holds(hyper) ||
         repeats_ >= (same(hyper.g, hyper.m) ? kTrialsToPayDiagonal : kTrialsToPay);
}

std::vector<double> FoldTrials::predictions(Device& device, const Hyperparameters& hyper) {
  check(hyper, data_.features, data_.coordinates);
  if (eigenvalues_pay(hyper))
    return in_given_order(leave_out(device, left_out_by_spectra(device, spectra_, hyper)));
  spectra_.forget_systems();
  std::vector<double> values;
  try {
    values = leave_out(device, left_out_by_factors(device, spectra_, hyper));
  } catch (const Error& e) {
    if (e.code() != Errc::numerical) throw;
    values = leave_out(device, left_out_by_spectra(device, spectra_, hyper));
  }
  return in_given_order(values);
}

std::vector<double> FoldTrials::leave_out(Device& device, LeftOut left_out) const {
  CrossValidation validation(device, std::move(left_out));
  if (std::ssize(folds_.first) - 1 == data_.systems) return validation.leave_each_out();
  std::vector<double> values;
  for (std::size_t f = 0; f + 1 < folds_.first.size(); ++f) {
    const auto part = validation.leave_out(folds_.first[f], folds_.first[f + 1] - folds_.first[f]);
    values.insert(values.end(), part.begin(), part.end());
  }
  return values;
}

std::vector<double> FoldTrials::in_given_order(const std::vector<double>& values) const {
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
