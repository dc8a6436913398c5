// Fits for many systems against exact ones, and against the definition of a Nystrom model.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "io/atomic_file.hpp"  // for write_file
#include "io/input.hpp"        // for read_file
#include "krfd/captured_log.hpp"
#include "krfd/model_file.hpp"   // for write_model, read_model
#include "krfd/model_state.hpp"  // for Model::State
#include "krfd/problem.hpp"
#include "kronite/error.hpp"
#include "support/on_each_device.hpp"
#include "support/temporary_folder.hpp"

namespace kronite::krfd::test {
namespace {

class KrfdScale : public kronite::test::OnEachDevice {
 protected:
  HostMatrix<double> x = random_matrix<double>(77, 4, 2), t = random_matrix<double>(78, 3, 1);
};
KRONITE_ON_EACH_DEVICE(KrfdScale);

FitOptions by(FitPath path, std::int64_t centres) {
  FitOptions options;
  options.path = path;
  options.scale.centres = centres;
  options.scale.tolerance = 1e-11;
  return options;
}

/// Of every kind that the equations treat alike; the kernels are short enough for all functions of
/// the systems to count.
std::vector<Problem> problems() {
  std::vector<Problem> all(6, random_problem(30, 7));
  for (Problem& p : all) {
    p.hyper.g.length_scales = {0.4};
    p.hyper.m.length_scales = {0.6};
  }
  all[1].hyper.m = all[1].hyper.g;
  for (std::int64_t k = 0; k < 5; ++k)  // equal systems
    for (std::int64_t j = 0; j < 2; ++j) all[2].x.at(20 + k, j) = all[2].x.at(k / 2, j);
  all[3].hyper.g = kernel(KernelKind::laplacian, {0.8, 1.3});
  all[3].hyper.t.kind = KernelKind::matern32;
  all[4].hyper.lambda_g = 1e-4;
  all[4].hyper.lambda_t = 1e-3;
  all[4].hyper.lambda_m = 1e-4;
  all[5].hyper.t.length_scales = {3.0};  // a Gram matrix of t without full rank
  all.push_back(random_problem(30, 1));  // one point
  all.push_back(random_problem(1, 4));   // one system
  return all;
}

TEST_P(KrfdScale, ConjugateGradientsFindTheMaximumOfThePosterior) {
  int number = 0;
  for (const Problem& p : problems()) {
    SCOPED_TRACE("problem " + std::to_string(number++));
    const Model exact = fit(device, p, by(FitPath::spectral, 1)),
                found = fit(device, p, by(FitPath::conjugate_gradients, 8));
    EXPECT_EQ(found.path(), FitPath::conjugate_gradients);
    EXPECT_TRUE(found.report().converged);
    EXPECT_LE(found.report().relative_residual, 1e-11);
    EXPECT_GT(found.report().iterations, 0);
    // A residual of 1e-11, times condition numbers of up to 1e4.
    EXPECT_LT(largest_difference(found.mean(device, x.view(), t.view()),
                                 exact.mean(device, x.view(), t.view())),
              1e-8);
    EXPECT_LT(largest_difference(found.residuals(), exact.residuals()), 1e-8);
    EXPECT_NEAR(found.sigma2(), exact.sigma2(), 1e-9);
    EXPECT_LT(largest_difference(found.deviation(device, x.view(), t.view()),
                                 exact.deviation(device, x.view(), t.view())),
              1e-8);
  }
}

TEST(KrfdScaleMemory, GramMatricesThatDoNotFitAreFormedInTiles) {
  const Problem p = random_problem(200, 5);
  FitOptions options = by(FitPath::conjugate_gradients, 20);
  Device all = Device::cpu();
  const Model whole = fit(all, p, options);
  DeviceOptions little;
  little.memory_limit = 600 << 10;  // both Gram matrices take 640 kB
  Device some = Device::cpu(little);
  const Model tiled = fit(some, p, options);
  EXPECT_EQ(tiled.report().iterations, whole.report().iterations);
  EXPECT_LT(largest_difference(tiled.residuals(), whole.residuals()), 1e-12);
  little.memory_limit = 100 << 10;
  Device least = Device::cpu(little);
  EXPECT_THROW(fit(least, p, options), Error);
}

TEST(KrfdScaleWarnings, ASolutionThatHasNotConvergedSaysSo) {
  const Problem p = random_problem(40, 5);
  Device device = Device::cpu();
  FitOptions options = by(FitPath::conjugate_gradients, 2);
  options.scale.max_iterations = 2;
  kronite::test::CapturedLog log;
  const Model model = fit(device, p, options);
  EXPECT_FALSE(model.report().converged);
  EXPECT_GT(model.report().relative_residual, 1e-11);
  ASSERT_FALSE(log.warnings.empty());
  EXPECT_NE(log.warnings[0].find("has not converged"), std::string::npos);
}

TEST_P(KrfdScale, AllSystemsAsCentresGiveTheExactModel) {
  int number = 0;
  for (const Problem& p : problems()) {
    SCOPED_TRACE("problem " + std::to_string(number++));
    FitOptions options = by(FitPath::nystrom, 1000);
    for (const NoiseRule rule : {NoiseRule::map, NoiseRule::conjugate}) {
      options.noise = rule;
      FitOptions spectral = options;
      spectral.path = FitPath::spectral;
      const Model exact = fit(device, p, spectral), found = fit(device, p, options);
      // Roots of the smallest eigenvalues of the centres' Gram matrix lose digits.
      EXPECT_LT(largest_difference(found.mean(device, x.view(), t.view()),
                                   exact.mean(device, x.view(), t.view())),
                1e-7);
      EXPECT_LT(largest_difference(found.residuals(), exact.residuals()), 1e-7);
      EXPECT_NEAR(found.sigma2(), exact.sigma2(), 1e-8);
      EXPECT_NEAR(found.report().missed_g, 0, 1e-9);
      EXPECT_NEAR(found.report().missed_m, 0, 1e-9);
      for (const bool complete : {false, true})
        for (const PosteriorForm form : {PosteriorForm::joint, PosteriorForm::independent})
          for (const Part part : {Part::total, Part::variation, Part::constant}) {
            PosteriorOptions how;
            how.form = form;
            how.complete = complete;
            how.part = part;
            EXPECT_LT(largest_difference(found.deviation(device, x.view(), t.view(), how),
                                         exact.deviation(device, x.view(), t.view(), how)),
                      1e-6);
          }
    }
  }
}

/// The model as one regression on the functions of the centres, Theta and c of the centres side by
/// side, at any systems and points.
struct RestrictedRegression {
  Dense design, penalty;
};

Dense restricted_design(const Problem& p, const HostMatrix<double>& centres,
                        const HostMatrix<double>& x, const HostMatrix<double>& t) {
  const Dense variation = kronecker(gram(p.hyper.g, x, centres), gram(p.hyper.t, t, p.t)),
              constant = kronecker(gram(p.hyper.m, x, centres), ones(t.rows, 1));
  return Dense(variation.rows, variation.cols + constant.cols)
      .fill([&](std::int64_t i, std::int64_t j) {
        return j < variation.cols ? variation.at(i, j) : constant.at(i, j - variation.cols);
      });
}

RestrictedRegression restricted(const Problem& p, const HostMatrix<double>& centres) {
  const Hyperparameters& h = p.hyper;
  const Dense along = gram(h.t, p.t, p.t), along2 = oracle::product(along, along),
              inner = gram(h.g, centres, centres), cross = gram(h.g, p.x, centres),
              squared = oracle::product(transposed(cross), cross),
              constant = gram(h.m, centres, centres);
  const Dense of_theta =
      sum(sum(kronecker(inner, along2), kronecker(squared, along), h.lambda_t / h.lambda_g),
          kronecker(inner, along), h.lambda_t);
  const std::int64_t big = of_theta.rows;
  RestrictedRegression r{restricted_design(p, centres, p.x, p.t),
                         Dense(big + constant.rows, big + constant.rows)};
  r.penalty.fill([&](std::int64_t i, std::int64_t j) {
    if (i < big && j < big) return h.lambda_g * of_theta.at(i, j);
    if (i >= big && j >= big)
      return static_cast<double>(p.points()) * h.lambda_m * constant.at(i - big, j - big);
    return 0.0;
  });
  return r;
}

TEST_P(KrfdScale, ANystromFitIsTheRegressionOnFunctionsOfItsCentres) {
  Problem p = random_problem(14, 5);
  p.hyper.g.length_scales = {0.5};
  p.hyper.t.length_scales = {0.4};
  p.hyper.m.length_scales = {0.7};
  const Model model = fit(device, p, by(FitPath::nystrom, 4));
  EXPECT_EQ(model.report().centres, 4);
  EXPECT_EQ(model.c().size(), 4U);
  EXPECT_EQ(model.theta().size(), 20U);
  EXPECT_GT(model.report().missed_g, 0.01);
  EXPECT_GT(model.report().change, 0);
  HostMatrix<double> centres(4, 2);
  centres.values = model.state().centres;

  const RestrictedRegression r = restricted(p, centres);
  const Dense precision = sum(oracle::product(transposed(r.design), r.design), r.penalty);
  const Dense z = oracle::solve(precision, oracle::product(transposed(r.design), column_of(p.y)));
  const Dense at = restricted_design(p, centres, x, t);
  EXPECT_LT(
      largest_difference(model.mean(device, x.view(), t.view()), oracle::product(at, z).values),
      1e-8);
  const Dense fitted = oracle::product(r.design, z);
  std::vector<double> left = p.y.values;
  for (std::size_t i = 0; i < left.size(); ++i) left[i] -= fitted.values[i];
  EXPECT_LT(largest_difference(model.residuals(), left), 1e-8);

  const Dense covariance = oracle::product(at, oracle::solve(precision, transposed(at)));
  std::vector<double> expected;
  for (const double value : covariance.values) expected.push_back(model.sigma2() * value);
  PosteriorOptions within_span;
  within_span.complete = false;
  EXPECT_LT(
      largest_difference(model.joint_covariance(device, x.view(), t.view(), within_span), expected),
      1e-8);

  // Outside of the functions of the centres a completed band is wider.
  const auto plain = model.deviation(device, x.view(), t.view(), within_span),
             wide = model.deviation(device, x.view(), t.view());
  for (std::size_t i = 0; i < plain.size(); ++i) EXPECT_GT(wide[i], plain[i]);
  EXPECT_EQ(model.sample(device, x.view(), t.view()).size(), 12U);
}

TEST_P(KrfdScale, MoreCentresComeNearerAndTheEstimateSaysSo) {
  const Problem p = random_problem(120, 6);
  const auto exact = fit(device, p, by(FitPath::spectral, 1)).residuals();
  double before = INFINITY;
  for (const std::int64_t centres : {8, 24, 72}) {
    const Model model = fit(device, p, by(FitPath::nystrom, centres));
    double squares = 0;
    for (std::size_t i = 0; i < exact.size(); ++i)
      squares += (model.residuals()[i] - exact[i]) * (model.residuals()[i] - exact[i]);
    const double error = std::sqrt(squares / static_cast<double>(exact.size()));
    EXPECT_LT(error, before / 2);
    EXPECT_LT(error, model.report().change);
    before = error;
  }
}

TEST_P(KrfdScale, InfluencesOfANystromFitAreRefused) {
  const Model model = fit(device, random_problem(9, 4), by(FitPath::nystrom, 3));
  EXPECT_THROW(model.leverage(device), Error);
  EXPECT_THROW(model.influence(device, x.view().rows_from(0, 1), t.view().rows_from(0, 1)), Error);
}

/// Components along t that are left out.
TEST_P(KrfdScale, ComponentsBelowRoundingAreLeftOutAndMissedByNobody) {
  Problem p = random_problem(12, 25);
  p.hyper.t.length_scales = {1.5};
  FitOptions cholesky = by(FitPath::cholesky, 1);
  const Model all = fit(device, p, cholesky), some = fit(device, p, by(FitPath::spectral, 1));
  EXPECT_EQ(all.report().rank_t, 25);
  EXPECT_LT(some.report().rank_t, 20);
  EXPECT_LT(some.report().dropped_t, 1e-12);
  EXPECT_LT(largest_difference(all.mean(device, x.view(), t.view()),
                               some.mean(device, x.view(), t.view())),
            1e-9);
  EXPECT_LT(largest_difference(all.residuals(), some.residuals()), 1e-9);
  EXPECT_NEAR(all.sigma2(), some.sigma2(), 1e-10);
}

TEST_P(KrfdScale, AToleranceOfTheRankBoundsWhatItChanges) {
  Problem p = random_problem(12, 25);
  const Model all = fit(device, p, by(FitPath::spectral, 1));
  double squares = 0;
  for (const double value : p.y.values) squares += value * value;
  for (const FitPath path : {FitPath::spectral, FitPath::conjugate_gradients, FitPath::nystrom}) {
    FitOptions options = by(path, 12);
    std::int64_t rank = 25;
    for (const double tolerance : {1e-6, 1e-4, 1e-2}) {
      options.rank_tolerance = tolerance;
      const Model some = fit(device, p, options);
      EXPECT_LT(some.report().rank_t, rank);
      rank = some.report().rank_t;
      EXPECT_GT(some.report().dropped_t, 0);
      double changed = 0;
      for (std::size_t i = 0; i < p.y.values.size(); ++i) {
        const double by = some.residuals()[i] - all.residuals()[i];
        changed += by * by;
      }
      EXPECT_LT(std::sqrt(changed), 2 * some.report().dropped_t * std::sqrt(squares) + 1e-9);
      for (const double deviation : some.deviation(device, x.view(), t.view()))
        EXPECT_TRUE(std::isfinite(deviation));
    }
  }
}

TEST(KrfdScaleFiles, ComeBackAsTheyWere) {
  kronite::test::TemporaryFolder folder;
  Device device = Device::cpu();
  const auto x = random_matrix<double>(77, 4, 2), t = random_matrix<double>(78, 3, 1);
  for (const FitPath path : {FitPath::nystrom, FitPath::conjugate_gradients, FitPath::spectral}) {
    FitOptions options = by(path, 5);
    options.rank_tolerance = 1e-5;
    SavedModel written{fit(device, random_problem(12, 9), options), {}, {}};
    write_model(written, folder.path("m.safetensors"));
    const SavedModel read = read_model(folder.path("m.safetensors"));
    EXPECT_EQ(read.model.path() == FitPath::nystrom, path == FitPath::nystrom);
    EXPECT_EQ(read.model.mean(device, x.view(), t.view()),
              written.model.mean(device, x.view(), t.view()));
    EXPECT_LT(largest_difference(read.model.deviation(device, x.view(), t.view()),
                                 written.model.deviation(device, x.view(), t.view())),
              1e-12);
    write_model(read, folder.path("again.safetensors"));
    EXPECT_EQ(read_model(folder.path("again.safetensors")).model.theta(), written.model.theta());
  }
}

TEST(KrfdScaleFiles, WhatIsNoMethodIsRefused) {
  kronite::test::TemporaryFolder folder;
  Device device = Device::cpu();
  const SavedModel saved{fit(device, random_problem(8, 4), by(FitPath::nystrom, 3)), {}, {}};
  write_model(saved, folder.path("m.safetensors"));
  const std::string whole = io::read_file(folder.path("m.safetensors"));
  const auto refused = [&](const std::string& what, const std::string& with) {
    std::string bytes = whole;
    const std::size_t at = bytes.find(what);
    ASSERT_NE(at, std::string::npos) << what;
    ASSERT_EQ(what.size(), with.size());
    io::write_file(folder.path("bad.safetensors"), bytes.replace(at, what.size(), with));
    EXPECT_THROW(read_model(folder.path("bad.safetensors")), Error) << with;
  };
  refused("nystrom", "nystrum");
  refused("\\\"rank_t\\\":4", "\\\"rank_t\\\":t");
  refused("\"format_version\":\"2\"", "\"format_version\":\"4\"");
  refused("\"centres\"", "\"centros\"");  // then theta has a wrong shape
}

TEST(KrfdScaleOptions, ImpossibleOnesAreRefused) {
  Device device = Device::cpu();
  const Problem p = random_problem(5, 3);
  const auto refused = [&](auto change) {
    FitOptions options = by(FitPath::conjugate_gradients, 3);
    change(options);
    EXPECT_THROW(fit(device, p, options), Error);
  };
  refused([](FitOptions& o) { o.scale.centres = 0; });
  refused([](FitOptions& o) { o.scale.tolerance = 0; });
  refused([](FitOptions& o) { o.scale.tolerance = NAN; });
  refused([](FitOptions& o) { o.scale.max_iterations = 0; });
  refused([](FitOptions& o) { o.rank_tolerance = -1; });
  refused([](FitOptions& o) { o.rank_tolerance = 1; });
  refused([](FitOptions& o) {
    o.rank_tolerance = 0.1;
    o.path = FitPath::cholesky;
  });
}

}  // namespace
}  // namespace kronite::krfd::test
