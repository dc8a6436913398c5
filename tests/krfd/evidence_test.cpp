// The evidence against dense algebra, its derivatives against differences, and its maximum.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "krfd/artificial.hpp"
#include "krfd/evidence.hpp"  // for evidence_of
#include "krfd/problem.hpp"
#include "kronite/error.hpp"
#include "support/on_each_device.hpp"

namespace kronite::krfd::test {
namespace {

class KrfdEvidence : public kronite::test::OnEachDevice {
 protected:
  Evidence evidence_of(const Problem& p, bool gradient = true) {
    return evidence(device, p.x.view(), p.t.view(), p.y.view(), p.hyper, prior, gradient);
  }
  NoisePrior prior{1.5, 0.8};
};
KRONITE_ON_EACH_DEVICE(KrfdEvidence);

/// Covariance of y over sigma2: (I - A x B)^-1 + M x 11' / (T lambda_M).
Dense dense_covariance(const Problem& p) {
  const auto smoother = [](const Dense& gram, double lambda) {
    return oracle::solve(sum(gram, oracle::identity(gram.rows), lambda), gram);
  };
  const Dense a = smoother(gram(p.hyper.g, p.x, p.x), p.hyper.lambda_g),
              b = smoother(gram(p.hyper.t, p.t, p.t), p.hyper.lambda_t);
  const std::int64_t n = p.n() * p.points();
  const Dense omega = sum(oracle::identity(n), kronecker(a, b), -1);
  const double theta = static_cast<double>(p.points()) * p.hyper.lambda_m;
  return sum(oracle::solve(omega, oracle::identity(n)),
             kronecker(gram(p.hyper.m, p.x, p.x), ones(p.points(), p.points())), 1 / theta);
}

std::vector<Problem> problems() {
  std::vector<Problem> all{random_problem(6, 4), random_problem(6, 4), random_problem(5, 1),
                           random_problem(1, 3), random_problem(6, 4), random_problem(6, 4, 2, 2)};
  all[1].hyper.m = all[1].hyper.g;
  for (std::int64_t j = 0; j < 2; ++j) all[4].x.at(4, j) = all[4].x.at(1, j);  // equal systems
  all[5].hyper.g.length_scales = {0.8, 1.3};                                   // one per feature
  all[5].hyper.m.length_scales = {1.9, 0.7};
  all[5].hyper.t.length_scales = {0.5, 1.1};
  for (const KernelKind kind :
       {KernelKind::laplacian, KernelKind::matern32, KernelKind::matern52}) {
    all.push_back(all[5]);
    all.back().hyper.g.kind = all.back().hyper.t.kind = all.back().hyper.m.kind = kind;
  }
  return all;
}

TEST_P(KrfdEvidence, IsThatOfTheDenseCovariance) {
  for (const Problem& p : problems()) {
    const Dense covariance = dense_covariance(p);
    const Dense y = column_of(p.y), l = oracle::cholesky(covariance);
    double logdet = 0;
    for (std::int64_t i = 0; i < l.rows; ++i) logdet += 2 * std::log(l.at(i, i));
    const double quad = oracle::product(transposed(y), oracle::solve(covariance, y)).at(0, 0);
    const double n = static_cast<double>(y.rows), pi = std::acos(-1.0);
    const double log = std::lgamma(prior.alpha + n / 2) - std::lgamma(prior.alpha) +
                       prior.alpha * std::log(prior.beta) - n / 2 * std::log(2 * pi) - logdet / 2 -
                       (prior.alpha + n / 2) * std::log(prior.beta + quad / 2);

    const Evidence e = evidence_of(p, false);
    EXPECT_NEAR(e.quad, quad, 1e-9 * quad);
    EXPECT_NEAR(e.logdet, logdet, 1e-8);
    EXPECT_NEAR(e.log, log, 1e-8);
  }
}

/// (f(e^h) - f(e^-h)) / 2h by the logarithm of one number.
double difference(double& value, const std::function<double()>& f) {
  constexpr double kStep = 1e-4;  // errors of about 1e-8 by the third derivative and by rounding
  const double before = value;
  value = before * std::exp(kStep);
  const double above = f();
  value = before * std::exp(-kStep);
  const double below = f();
  value = before;
  return (above - below) / (2 * kStep);
}

TEST_P(KrfdEvidence, DerivativesAreThoseOfDifferences) {
  int number = 0;
  for (Problem p : problems()) {
    SCOPED_TRACE("problem " + std::to_string(number++));
    const EvidenceGradient gradient = evidence_of(p).gradient;
    const auto log = [&] { return evidence_of(p, false).log; };
    // Where both kernels of X are the same, moving one of them leaves the diagonal form.
    constexpr double kNear = 1e-6;
    EXPECT_NEAR(gradient.lambda_g, difference(p.hyper.lambda_g, log), kNear);
    EXPECT_NEAR(gradient.lambda_t, difference(p.hyper.lambda_t, log), kNear);
    EXPECT_NEAR(gradient.lambda_m, difference(p.hyper.lambda_m, log), kNear);
    const auto check = [&](Kernel& kernel, const std::vector<double>& given, const char* name) {
      ASSERT_EQ(given.size(), kernel.length_scales.size());
      for (std::size_t k = 0; k < given.size(); ++k)
        EXPECT_NEAR(given[k], difference(kernel.length_scales[k], log), kNear) << name << k;
    };
    check(p.hyper.g, gradient.g, "g");
    check(p.hyper.t, gradient.t, "t");
    check(p.hyper.m, gradient.m, "m");
  }
}

TEST_P(KrfdEvidence, SpectraThatAreKeptGiveWhatFreshOnesGive) {
  const Problem p = random_problem(30, 8);
  const Data data = prepare(p.x.view(), p.t.view(), p.y.view(), EqualRows::join);
  Spectra kept(data, Spectra::Distances::keep);
  std::vector<Hyperparameters> all(6, p.hyper);
  all[1].lambda_g = 0.02;
  all[2].g.length_scales = {1.1};
  all[3].t = kernel(KernelKind::matern52, {0.9});
  all[4].m.length_scales = {0.4};
  all[5].g = all[5].m = kernel(KernelKind::laplacian, {2.0});
  for (const Hyperparameters& hyper : all) {
    Spectra fresh(data);
    const Evidence a = krfd::evidence_of(device, kept, hyper, prior, Derivatives::all),
                   b = krfd::evidence_of(device, fresh, hyper, prior, Derivatives::all),
                   some = krfd::evidence_of(device, kept, hyper, prior, Derivatives::lambdas);
    EXPECT_NEAR(a.log, b.log, 1e-9 * std::abs(b.log));
    EXPECT_NEAR(some.log, b.log, 1e-9 * std::abs(b.log));
    EXPECT_NEAR(some.freedom, b.freedom, 1e-9 * b.freedom);
    const auto lambdas = [](const EvidenceGradient& g) {
      return std::vector<double>{g.lambda_g, g.lambda_t, g.lambda_m};
    };
    EXPECT_LT(largest_difference(lambdas(a.gradient), lambdas(b.gradient)), 1e-8);
    EXPECT_LT(largest_difference(lambdas(some.gradient), lambdas(b.gradient)), 1e-8);
    EXPECT_LT(largest_difference(a.gradient.g, b.gradient.g), 1e-8);
    EXPECT_TRUE(some.gradient.g.empty());
  }
}

TEST_P(KrfdEvidence, FreedomIsTheSumOfLeverages) {
  for (const Problem& p : problems()) {
    double freedom = 0;
    for (const double l : fit(device, p).leverage(device)) freedom += l;
    EXPECT_NEAR(evidence_of(p).freedom, freedom, 1e-9);
  }
}

TEST_P(KrfdEvidence, ResidualsAreTheInverseCovarianceTimesY) {
  const Problem p = random_problem(6, 4);
  const Dense expected = oracle::solve(dense_covariance(p), column_of(p.y));
  EXPECT_LT(largest_difference(fit(device, p).residuals(), expected.values), 1e-9);
}

TEST_P(KrfdEvidence, ItsMaximumIsClimbed) {
  Problem p = random_problem(14, 6);
  EvidenceTuning options;
  options.start = p.hyper;
  options.starts = 2;
  options.noise_prior = prior;
  int calls = 0;
  options.progress = [&](long long, long long) { return ++calls > 0; };
  const EvidenceTuned tuned = tune_by_evidence(device, p.x.view(), p.t.view(), p.y.view(), options);

  EXPECT_EQ(tuned.climbs.size(), 2U);
  EXPECT_GT(tuned.best.log_evidence, evidence_of(p, false).log);
  int evaluations = 0;
  for (const EvidenceClimb& climb : tuned.climbs) {
    EXPECT_LE(climb.log_evidence, tuned.best.log_evidence);
    evaluations += climb.evaluations;
  }
  EXPECT_EQ(calls, evaluations);
  p.hyper = tuned.best.hyper;
  EXPECT_NEAR(evidence_of(p, false).log, tuned.best.log_evidence, 1e-9);
}

TEST_P(KrfdEvidence, EveryStartFindsTheMaximum) {
  const ArtificialCurves curves = dense_curves(60, 15, 1122);
  EvidenceTuning options;
  options.starts = 6;
  const EvidenceTuned tuned =
      tune_by_evidence(device, {curves.x.data(), 60, 5}, {curves.t.data(), 15, 1},
                       {curves.y.data(), 60, 15}, options);
  for (const EvidenceClimb& climb : tuned.climbs) {
    EXPECT_TRUE(climb.converged);
    EXPECT_LE(climb.evaluations, 80);
    // Odds of e^1 decide nothing.
    EXPECT_GT(climb.log_evidence, tuned.best.log_evidence - 1);
  }
}

TEST_P(KrfdEvidence, TuningStopsWhenAskedTo) {
  const Problem p = random_problem(6, 4);
  EvidenceTuning options;
  options.start = p.hyper;
  options.progress = [](long long done, long long) { return done < 3; };
  try {
    tune_by_evidence(device, p.x.view(), p.t.view(), p.y.view(), options);
    ADD_FAILURE() << "it did not stop";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::cancelled);
  }
}

TEST_P(KrfdEvidence, WrongInputIsRefused) {
  const auto refused = [](const std::function<void()>& call) {
    try {
      call();
    } catch (const Error& e) {
      return e.code() == Errc::invalid_argument;
    }
    return false;
  };
  const Problem p = random_problem(6, 4);
  const auto tune = [&](const EvidenceTuning& options) {
    return [&] { tune_by_evidence(device, p.x.view(), p.t.view(), p.y.view(), options); };
  };
  Problem wrong = p;
  wrong.y.at(1, 2) = std::nan("");
  EXPECT_TRUE(refused([&] { evidence_of(wrong); }));
  wrong = p;
  wrong.hyper.lambda_m = 0;
  EXPECT_TRUE(refused([&] { evidence_of(wrong); }));
  EvidenceTuning options;
  options.starts = 0;
  EXPECT_TRUE(refused(tune(options)));
  options.starts = 1;
  options.range = 1;
  EXPECT_TRUE(refused(tune(options)));
  options.range = 10;
  options.start.g.length_scales = {1, 1, 1};
  EXPECT_TRUE(refused(tune(options)));
  prior.alpha = -1;
  EXPECT_TRUE(refused([&] { evidence_of(p); }));
}

}  // namespace
}  // namespace kronite::krfd::test
