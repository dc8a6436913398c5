// Bands, covariances and samples against the covariance of the dense regression.
#include <gtest/gtest.h>

#include <cmath>

#include "krfd/problem.hpp"
#include "support/on_each_device.hpp"

namespace kronite::krfd::test {
namespace {

class KrfdPosterior : public kronite::test::OnEachDevice {
 protected:
  /// Kernels short enough for the normal equations, whose condition is that of the Gram matrices
  /// squared.
  Problem p = [] {
    Problem q = random_problem(6, 4);
    q.hyper.g.length_scales = {0.5};
    q.hyper.t.length_scales = {0.4};
    q.hyper.m.length_scales = {0.7};
    return q;
  }();
  HostMatrix<double> x = random_matrix<double>(77, 3, 2), t = random_matrix<double>(78, 5, 1);

  std::vector<double> deviation(const Model& model, const PosteriorOptions& options = {}) {
    return model.deviation(device, x.view(), t.view(), options);
  }
};
KRONITE_ON_EACH_DEVICE(KrfdPosterior);

/// What stays of the regression when only some of its columns count.
Dense only(const Dense& design, std::int64_t first, std::int64_t end) {
  return Dense(design.rows, design.cols).fill([&](std::int64_t i, std::int64_t j) {
    return j >= first && j < end ? design.at(i, j) : 0.0;
  });
}

/// sigma2 H (H'H + P)^-1 H' at other systems and points, of one part of the model.
Dense dense_covariance(const Problem& p, const HostMatrix<double>& x, const HostMatrix<double>& t,
                       double sigma2, Part part = Part::total) {
  const std::int64_t big = p.n() * p.points();
  const Dense whole = design_at(p, x, t);
  const Dense design = part == Part::total       ? whole
                       : part == Part::variation ? only(whole, 0, big)
                                                 : only(whole, big, whole.cols);
  const Dense inner = oracle::solve(precision(regression(p)), transposed(design));
  const Dense covariance = oracle::product(design, inner);
  return sum(covariance, covariance, sigma2 - 1);
}

std::vector<double> roots_of_diagonal(const Dense& m) {
  std::vector<double> roots;
  for (std::int64_t i = 0; i < m.rows; ++i) roots.push_back(std::sqrt(m.at(i, i)));
  return roots;
}

constexpr double kNormal = 1e-8;  // rounding of the normal equations

TEST_P(KrfdPosterior, CovariancesAreThoseOfTheRegression) {
  // Also where both kernels of X are the same, with one system, and with one point.
  std::vector<Problem> problems{p, p, random_problem(1, 3), random_problem(5, 1)};
  problems[1].hyper.m = problems[1].hyper.g;
  problems[3].hyper.g.length_scales = {0.5};
  problems[3].hyper.m.length_scales = {0.7};
  for (const Problem& problem : problems) {
    const Model model = fit(device, problem);
    for (const Part part : {Part::total, Part::variation, Part::constant}) {
      PosteriorOptions options;
      options.part = part;
      options.complete = false;
      const Dense expected = dense_covariance(problem, x, t, model.sigma2(), part);

      EXPECT_LT(largest_difference(model.joint_covariance(device, x.view(), t.view(), options),
                                   expected.values),
                kNormal);
      EXPECT_LT(largest_difference(deviation(model, options), roots_of_diagonal(expected)), 1e-6);
    }
  }
}

TEST_P(KrfdPosterior, CovarianceWithinACurveIsABlockOfTheJointOne) {
  const Model model = fit(device, p);
  for (const bool complete : {false, true}) {
    PosteriorOptions options;
    options.complete = complete;
    options.noise = true;
    const auto joint = model.joint_covariance(device, x.view(), t.view(), options);
    const auto blocks = model.covariance(device, x.view(), t.view(), options);
    const auto band = deviation(model, options);
    for (std::size_t i = 0; i < 3; ++i)
      for (std::size_t j = 0; j < 5; ++j) {
        for (std::size_t k = 0; k < 5; ++k)
          EXPECT_NEAR(blocks[(i * 5 + j) * 5 + k], joint[(i * 5 + j) * 15 + i * 5 + k], 1e-12);
        EXPECT_NEAR(band[i * 5 + j] * band[i * 5 + j], joint[(i * 5 + j) * 16], 1e-12);
      }
  }
}

TEST_P(KrfdPosterior, NoiseAddsItsVariance) {
  const Model model = fit(device, p);
  PosteriorOptions options;
  const auto without = deviation(model, options);
  options.noise = true;
  const auto with = deviation(model, options);
  for (std::size_t i = 0; i < with.size(); ++i)
    EXPECT_NEAR(with[i] * with[i] - without[i] * without[i], model.sigma2(), 1e-12);
}

/// a' (square + lambda single)^-1 b of columns of a and b.
Dense quadratic(const Dense& gram, double lambda, const Dense& a, const Dense& b) {
  const Dense inner = sum(oracle::product(gram, gram), gram, lambda);
  return oracle::product(transposed(a), oracle::solve(inner, b));
}

TEST_P(KrfdPosterior, TheOriginalsFormTakesEachGivenTheOther) {
  const Model model = fit(device, p);
  PosteriorOptions options;
  options.form = PosteriorForm::independent;
  options.complete = false;
  const Hyperparameters& h = p.hyper;
  const Dense g_x = gram(h.g, p.x, x), t_x = gram(h.t, p.t, t), m_x = gram(h.m, p.x, x);
  const Dense u = quadratic(gram(h.g, p.x, p.x), h.lambda_g, g_x, g_x),
              w = quadratic(gram(h.t, p.t, p.t), h.lambda_t, t_x, t_x),
              e = quadratic(gram(h.m, p.x, p.x), h.lambda_m, m_x, m_x);
  const auto band = deviation(model, options);
  for (std::int64_t i = 0; i < 3; ++i)
    for (std::int64_t j = 0; j < 5; ++j)
      EXPECT_NEAR(std::pow(band[static_cast<std::size_t>(i * 5 + j)], 2),
                  model.sigma2() * (u.at(i, i) * w.at(j, j) + e.at(i, i) / 4), 1e-8);
}

TEST_P(KrfdPosterior, CompletedItIsTheProcess) {
  const Model model = fit(device, p);
  const Hyperparameters& h = p.hyper;
  const double theta = 4 * h.lambda_m;
  // What is added to u, W and e0: the prior outside of the span, over lambda.
  const auto rest = [&](const Kernel& k, const HostMatrix<double>& known,
                        const HostMatrix<double>& at, double lambda, std::int64_t i) {
    const Dense cross = gram(k, known, at);
    const Dense in_span =
        oracle::product(transposed(cross), oracle::solve(gram(k, known, known), cross));
    return (1 - in_span.at(i, i)) / lambda;
  };
  const Dense g_x = gram(h.g, p.x, x), t_x = gram(h.t, p.t, t);
  const Dense u = quadratic(gram(h.g, p.x, p.x), h.lambda_g, g_x, g_x),
              w = quadratic(gram(h.t, p.t, p.t), h.lambda_t, t_x, t_x);
  PosteriorOptions options;
  options.complete = false;
  const auto plain = deviation(model, options);
  options.complete = true;
  const auto complete = deviation(model, options);
  for (std::int64_t i = 0; i < 3; ++i)
    for (std::int64_t j = 0; j < 5; ++j) {
      const auto at = static_cast<std::size_t>(i * 5 + j);
      const double more_u = rest(h.g, p.x, x, h.lambda_g, i),
                   more_w = rest(h.t, p.t, t, h.lambda_t, j), more_e = rest(h.m, p.x, x, theta, i);
      const double added =
          (u.at(i, i) + more_u) * (w.at(j, j) + more_w) - u.at(i, i) * w.at(j, j) + more_e;
      EXPECT_NEAR(complete[at] * complete[at] - plain[at] * plain[at], model.sigma2() * added,
                  1e-8 * added + 1e-9);
    }
}

TEST_P(KrfdPosterior, FarFromAllDataTheBandClosesUnlessCompleted) {
  const Model model = fit(device, p);
  const auto far = HostMatrix<double>(1, 2).fill([](std::int64_t, std::int64_t) { return 1e3; });
  const auto there = HostMatrix<double>(1, 1).fill([](std::int64_t, std::int64_t) { return 1e3; });
  PosteriorOptions options;
  options.complete = false;
  EXPECT_LT(model.deviation(device, far.view(), there.view(), options)[0], 1e-12);
  options.complete = true;
  const Hyperparameters& h = p.hyper;
  EXPECT_NEAR(model.deviation(device, far.view(), there.view(), options)[0],
              std::sqrt(model.sigma2() * (1 / (h.lambda_g * h.lambda_t) + 1 / (4 * h.lambda_m))),
              1e-9);
}

TEST_P(KrfdPosterior, NearlySingularGramMatricesGiveBandsToo) {
  p.hyper.g.length_scales = p.hyper.m.length_scales = {100};
  p.hyper.t.length_scales = {200};
  p.hyper.lambda_g = p.hyper.lambda_t = p.hyper.lambda_m = 1e-6;
  const Model model = fit(device, p);
  for (const bool complete : {false, true})
    for (const PosteriorForm form : {PosteriorForm::joint, PosteriorForm::independent})
      for (const Part part : {Part::total, Part::variation, Part::constant}) {
        PosteriorOptions options;
        options.complete = complete;
        options.form = form;
        options.part = part;
        for (const double value : deviation(model, options)) {
          EXPECT_TRUE(std::isfinite(value));
          EXPECT_GE(value, 0);
        }
      }
}

TEST_P(KrfdPosterior, ThePathOfTheFitDoesNotMatter) {
  FitOptions options;
  options.path = FitPath::cholesky;
  EXPECT_LT(largest_difference(deviation(fit(device, p)), deviation(fit(device, p, options))),
            1e-10);
}

TEST_P(KrfdPosterior, EqualSystemsNarrowTheBand) {
  // Every curve measured twice is each curve with half the noise's variance and half the penalty.
  Problem twice = p;
  twice.x = HostMatrix<double>(12, 2).fill(
      [&](std::int64_t i, std::int64_t j) { return p.x.at(i % 6, j); });
  twice.y = HostMatrix<double>(12, 4).fill(
      [&](std::int64_t i, std::int64_t j) { return p.y.at(i % 6, j); });
  Problem once = p;
  once.hyper.lambda_g /= 2;
  once.hyper.lambda_m /= 2;
  const Model a = fit(device, twice), b = fit(device, once);
  auto band = deviation(a), expected = deviation(b);
  for (std::size_t i = 0; i < band.size(); ++i) {
    band[i] /= std::sqrt(a.sigma2() / 2);
    expected[i] /= std::sqrt(b.sigma2());
  }
  EXPECT_LT(largest_difference(band, expected), 1e-9);
}

/// Largest difference of the draws' covariance to the expected one, in standard errors.
double covariance_error(const std::vector<double>& draws, const std::vector<double>& mean,
                        const std::vector<double>& covariance) {
  const std::size_t d = mean.size(), count = draws.size() / d;
  double worst = 0;
  for (std::size_t i = 0; i < d; ++i)
    for (std::size_t j = 0; j < d; ++j) {
      double total = 0;
      for (std::size_t n = 0; n < count; ++n)
        total += (draws[n * d + i] - mean[i]) * (draws[n * d + j] - mean[j]);
      const double expected = covariance[i * d + j];
      const double error =
          std::sqrt((covariance[i * d + i] * covariance[j * d + j] + expected * expected) /
                    static_cast<double>(count));
      worst = std::max(worst, std::abs(total / static_cast<double>(count) - expected) / error);
    }
  return worst;
}

TEST_P(KrfdPosterior, SamplesHaveItsCovariance) {
  const Model model = fit(device, p);
  for (const bool complete : {false, true})
    for (const Part part : {Part::total, Part::variation, Part::constant}) {
      SampleOptions options;
      options.count = 4000;
      options.seed = 7;
      options.posterior.complete = complete;
      options.posterior.part = part;
      options.posterior.noise = part == Part::total;
      const auto two = x.view().rows_from(0, 2);
      const auto draws = model.sample(device, two, t.view(), options);
      EXPECT_EQ(draws.size(), 4000U * 10U);
      // Of 55 covariances the worst is 3 to 4 standard errors away.
      EXPECT_LT(covariance_error(draws, model.mean(device, two, t.view(), part),
                                 model.joint_covariance(device, two, t.view(), options.posterior)),
                5);
    }
}

TEST_P(KrfdPosterior, SamplesAreThoseOfTheirSeed) {
  const Model model = fit(device, p);
  SampleOptions options;
  options.count = 2;
  const auto a = model.sample(device, x.view(), t.view(), options);
  EXPECT_EQ(a, model.sample(device, x.view(), t.view(), options));
  options.seed = 1;
  EXPECT_NE(a, model.sample(device, x.view(), t.view(), options));
}

}  // namespace
}  // namespace kronite::krfd::test
