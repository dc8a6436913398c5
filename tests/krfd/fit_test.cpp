// The maximum of the posterior against the normal equations, by both paths.
#include <gtest/gtest.h>

#include <limits>
#include <numeric>

#include "krfd/problem.hpp"
#include "kronite/error.hpp"
#include "support/on_each_device.hpp"

namespace kronite::krfd::test {
namespace {

class KrfdFit : public kronite::test::OnEachDevice {};
KRONITE_ON_EACH_DEVICE(KrfdFit);

FitOptions by(FitPath path) {
  FitOptions options;
  options.path = path;
  return options;
}

/// H z of the dense solution at other systems and points.
std::vector<double> dense_mean(const Problem& p, const HostMatrix<double>& x,
                               const HostMatrix<double>& t) {
  const Regression r = regression(p);
  const Dense z =
      oracle::solve(precision(r), oracle::product(transposed(r.design), column_of(p.y)));
  return oracle::product(design_at(p, x, t), z).values;
}

/// One problem of every kind that the equations treat alike.
std::vector<Problem> problems() {
  std::vector<Problem> all;
  all.push_back(random_problem(6, 5));
  all.push_back(random_problem(7, 4, 1, 1, 5));  // one feature
  all.push_back(random_problem(6, 5, 2, 2, 9));  // t in the plane
  all.push_back(random_problem(8, 1));           // one point
  all.push_back(random_problem(1, 6));           // one system
  all.push_back(random_problem(1, 1));
  all.push_back(random_problem(6, 5));  // both kernels of X are the same
  all.back().hyper.m = all.back().hyper.g;
  all.push_back(random_problem(6, 5));  // a length scale for each column
  all.back().hyper.g = kernel(KernelKind::gaussian, {0.6, 1.4});
  all.back().hyper.m = kernel(KernelKind::gaussian, {2.5, 1.1});
  for (const KernelKind kind :
       {KernelKind::laplacian, KernelKind::matern32, KernelKind::matern52}) {
    all.push_back(random_problem(6, 5));
    all.back().hyper.g.kind = all.back().hyper.t.kind = all.back().hyper.m.kind = kind;
  }
  return all;
}

TEST_P(KrfdFit, MeanIsThatOfTheNormalEquations) {
  int number = 0;
  for (const Problem& p : problems()) {
    SCOPED_TRACE("problem " + std::to_string(number++));
    const auto x = random_matrix<double>(77, 4, p.x.cols),
               t = random_matrix<double>(78, 3, p.t.cols);
    const auto expected = dense_mean(p, x, t);
    for (const FitPath path : {FitPath::spectral, FitPath::cholesky}) {
      const Model model = fit(device, p, by(path));

      EXPECT_EQ(model.path(), path);
      // The normal equations square the condition number of the Gram matrices, 1e5 at most here.
      EXPECT_LT(largest_difference(model.mean(device, x.view(), t.view()), expected), 1e-7);
    }
  }
}

TEST_P(KrfdFit, BothPathsGiveTheSameModelOfManySystems) {
  Problem p = random_problem(300, 4);  // more than one strip of the triangles
  p.hyper.lambda_m = 1;
  for (const double lambda_t : {0.2, 1e-7}) {  // theta Q^-1 as a difference, and as a sum
    SCOPED_TRACE(lambda_t);
    p.hyper.lambda_t = lambda_t;
    const Model a = fit(device, p, by(FitPath::spectral)),
                b = fit(device, p, by(FitPath::cholesky));

    EXPECT_LT(largest_difference(a.c(), b.c()), 1e-9);
    EXPECT_LT(largest_difference(a.mean(device, p.x.view(), p.t.view()),
                                 b.mean(device, p.x.view(), p.t.view())),
              1e-9);
    EXPECT_NEAR(a.sigma2(), b.sigma2(), 1e-9);
  }
}

TEST_P(KrfdFit, BothPathsGiveTheSameModel) {
  for (const Problem& p : problems()) {
    const Model a = fit(device, p, by(FitPath::spectral)),
                b = fit(device, p, by(FitPath::cholesky));

    EXPECT_LT(largest_difference(a.theta(), b.theta()), 1e-9);
    EXPECT_LT(largest_difference(a.c(), b.c()), 1e-9);
    EXPECT_LT(largest_difference(a.residuals(), b.residuals()), 1e-12);
    EXPECT_NEAR(a.sigma2(), b.sigma2(), 1e-12);
  }
}

TEST_P(KrfdFit, ResidualsAreWhatTheMeanLeaves) {
  const Problem p = random_problem(6, 5);
  for (const FitPath path : {FitPath::spectral, FitPath::cholesky}) {
    const Model model = fit(device, p, by(path));
    auto fitted = model.mean(device, p.x.view(), p.t.view());
    for (std::size_t i = 0; i < fitted.size(); ++i) fitted[i] += model.residuals()[i];
    EXPECT_LT(largest_difference(fitted, p.y.values), 1e-12);
  }
}

TEST_P(KrfdFit, BothPartsAddUpToTheMean) {
  const Problem p = random_problem(6, 5);
  const Model model = fit(device, p);
  const auto total = model.mean(device, p.x.view(), p.t.view());
  auto parts = model.mean(device, p.x.view(), p.t.view(), Part::variation);
  const auto constant = model.mean(device, p.x.view(), p.t.view(), Part::constant);
  for (std::size_t i = 0; i < parts.size(); ++i) parts[i] += constant[i];
  EXPECT_LT(largest_difference(parts, total), 1e-13);
  for (std::size_t j = 1; j < 5; ++j) EXPECT_EQ(constant[j], constant[0]);
}

TEST_P(KrfdFit, NoiseFollowsBothRules) {
  const Problem p = random_problem(6, 5);
  FitOptions options;
  options.noise_prior = {2, 0.7};
  const Model model = fit(device, p, options);
  double squares = 0, quad = 0;  // y' S^-1 y = y' residual
  for (std::size_t i = 0; i < p.y.values.size(); ++i) {
    squares += model.residuals()[i] * model.residuals()[i];
    quad += p.y.values[i] * model.residuals()[i];
  }
  EXPECT_NEAR(model.sigma2(), (squares + 2 * 0.7) / (2 * 2 + 2 + 30), 1e-14);
  options.noise = NoiseRule::conjugate;
  for (const FitPath path : {FitPath::spectral, FitPath::cholesky}) {
    options.path = path;
    EXPECT_NEAR(fit(device, p, options).sigma2(), (0.7 + quad / 2) / (2 + 15 - 1), 1e-12);
  }
}

TEST_P(KrfdFit, TheOrderOfSystemsDoesNotMatter) {
  const Problem p = random_problem(9, 4);
  Problem turned = p;
  turned.x.fill([&](std::int64_t i, std::int64_t j) { return p.x.at((i + 4) % 9, j); });
  turned.y.fill([&](std::int64_t i, std::int64_t j) { return p.y.at((i + 4) % 9, j); });
  const auto x = random_matrix<double>(77, 4, 2);
  const auto a = fit(device, p).mean(device, x.view(), p.t.view());
  const auto b = fit(device, turned).mean(device, x.view(), p.t.view());
  EXPECT_LT(largest_difference(a, b), 1e-11);
}

/// Systems 0 and 3 three times and twice, with curves of their own.
Problem with_equal_systems() {
  Problem p = random_problem(8, 4);
  for (std::int64_t j = 0; j < 2; ++j) {
    p.x.at(2, j) = p.x.at(7, j) = p.x.at(0, j);
    p.x.at(5, j) = p.x.at(3, j);
  }
  return p;
}

/// The same mean where Gram matrices are singular: by the smoothing matrices A and B and the
/// equation of the constants, which is not symmetric in this form.
std::vector<double> smoothed_mean(const Problem& p, const HostMatrix<double>& x) {
  const Hyperparameters& h = p.hyper;
  const Dense g = gram(h.g, p.x, p.x), t = gram(h.t, p.t, p.t), m = gram(h.m, p.x, p.x);
  const Dense inverse_g = oracle::solve(sum(g, oracle::identity(g.rows), h.lambda_g),
                                        oracle::identity(g.rows)),
              inverse_t = oracle::solve(sum(t, oracle::identity(t.rows), h.lambda_t),
                                        oracle::identity(t.rows));
  const Dense a = oracle::product(g, inverse_g), b = oracle::product(t, inverse_t);
  const Dense one = ones(t.rows, 1), y = oracle::to_double(p.y);
  const double points = static_cast<double>(t.rows);
  const double share = oracle::product(transposed(one), oracle::product(b, one)).at(0, 0);
  const Dense q_m = oracle::product(Dense(g.rows, g.rows).fill([&](std::int64_t i, std::int64_t j) {
    return (i == j ? points : 0.0) - share * a.at(i, j);
  }),
                                    m);
  const Dense r = oracle::product(sum(y, oracle::product(oracle::product(a, y), b), -1), one);
  const Dense c = oracle::solve(sum(q_m, oracle::identity(g.rows), points * h.lambda_m), r);
  const Dense e = sum(y, oracle::product(oracle::product(m, c), transposed(one)), -1);
  const Dense theta = oracle::product(oracle::product(inverse_g, e), inverse_t);
  return sum(oracle::product(oracle::product(gram(h.g, x, p.x), theta), t),
             oracle::product(oracle::product(gram(h.m, x, p.x), c), transposed(one)))
      .values;
}

TEST_P(KrfdFit, EqualSystemsAreJoinedWithTheSameResult) {
  const Problem p = with_equal_systems();
  const auto x = random_matrix<double>(77, 4, 2);
  for (const FitPath path : {FitPath::spectral, FitPath::cholesky}) {
    const Model model = fit(device, p, by(path));
    EXPECT_EQ(model.systems(), 8);
    EXPECT_LT(largest_difference(model.mean(device, x.view(), p.t.view()), smoothed_mean(p, x)),
              1e-11);
    auto fitted = model.mean(device, p.x.view(), p.t.view());
    for (std::size_t i = 0; i < fitted.size(); ++i) fitted[i] += model.residuals()[i];
    EXPECT_LT(largest_difference(fitted, p.y.values), 1e-12);
    // Coefficients of equal systems are equal, and predictions are what they say.
    EXPECT_EQ(model.c()[0], model.c()[7]);
    const Dense k_g = gram(p.hyper.g, x, p.x), k_t = gram(p.hyper.t, p.t, p.t),
                k_m = gram(p.hyper.m, x, p.x);
    Dense theta(8, 4), c(8, 1);
    theta.values = model.theta();
    c.values = model.c();
    const Dense by_hand = sum(oracle::product(oracle::product(k_g, theta), k_t),
                              oracle::product(oracle::product(k_m, c), ones(1, 4)));
    EXPECT_LT(largest_difference(model.mean(device, x.view(), p.t.view()), by_hand.values), 1e-12);
  }
}

TEST_P(KrfdFit, TheNoiseOfEqualSystemsCounts) {
  const Problem p = with_equal_systems();
  const Model model = fit(device, p);
  double squares = 0;
  for (const double r : model.residuals()) squares += r * r;
  EXPECT_NEAR(model.sigma2(), (squares + 2) / (2 + 2 + 32), 1e-13);
}

TEST_P(KrfdFit, NearlySingularGramMatricesGiveNumbers) {
  Problem p = random_problem(12, 8);
  p.hyper.g.length_scales = p.hyper.m.length_scales = {200};
  p.hyper.t.length_scales = {300};
  p.hyper.lambda_g = p.hyper.lambda_t = 1e-9;
  p.hyper.lambda_m = 1e-7;
  const auto x = random_matrix<double>(77, 4, 2);
  for (const FitPath path : {FitPath::spectral, FitPath::automatic}) {
    FitOptions options = by(path);
    options.uncertainty = path == FitPath::spectral;
    const Model model = fit(device, p, options);
    for (const double value : model.mean(device, x.view(), p.t.view()))
      EXPECT_TRUE(std::isfinite(value));
    EXPECT_GT(model.sigma2(), 0);
  }
}

TEST_P(KrfdFit, TheCheaperPathIsTaken) {
  const Problem p = random_problem(20, 5);
  FitOptions options;
  EXPECT_EQ(fit(device, p, options).path(), FitPath::spectral);
  options.uncertainty = false;
  EXPECT_EQ(fit(device, p, options).path(), FitPath::cholesky);
}

TEST_P(KrfdFit, EqualValuesAreAModelToo) {
  Problem p = random_problem(6, 5);
  p.y.fill([](std::int64_t, std::int64_t) { return 3.0; });
  p.hyper.lambda_m = 1e-6;
  const Model model = fit(device, p);
  EXPECT_GT(model.sigma2(), 0);
  for (const double value : model.mean(device, p.x.view(), p.t.view())) EXPECT_NEAR(value, 3, 0.01);
}

// --- wrong input --------------------------------------------------------------------------------

class KrfdWrongInput : public ::testing::Test {
 protected:
  /// The sentence of the error that a fit of the problem gives.
  std::string refusal(const Problem& p, const FitOptions& options = {}) {
    try {
      fit(device, p, options);
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Errc::invalid_argument) << e.what();
      return e.what();
    }
    ADD_FAILURE() << "it was not refused";
    return {};
  }

  Device device = Device::cpu();
  Problem good = random_problem(4, 3);
};

TEST_F(KrfdWrongInput, ShapesThatDoNotFitAreNamed) {
  Problem other = good;
  other.y = random_matrix<double>(1, 5, 3);
  EXPECT_EQ(refusal(other), "Y has 5 rows, one for each system; X has 4");
  other.y = random_matrix<double>(1, 4, 2);
  EXPECT_EQ(refusal(other), "Y has 2 columns, one for each point; t has 3 rows");
  other.y = other.x = HostMatrix<double>(0, 3);
  EXPECT_EQ(refusal(other), "X is empty: 0 x 3 values");
  other = good;
  other.t = HostMatrix<double>(3, 0);
  EXPECT_EQ(refusal(other), "t is empty: 3 x 0 values");
}

TEST_F(KrfdWrongInput, NumbersThatAreNoneAreNamedByTheirPlace) {
  Problem other = good;
  other.y.at(2, 1) = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(refusal(other), "Y holds nan in row 2, column 1; expected finite numbers");
  other = good;
  other.x.at(3, 0) = std::numeric_limits<double>::infinity();
  EXPECT_EQ(refusal(other), "X holds inf in row 3, column 0; expected finite numbers");
}

TEST_F(KrfdWrongInput, HyperParametersMustBeAboveZero) {
  for (const double wrong : {0.0, -1.0, std::nan(""), static_cast<double>(INFINITY)}) {
    Problem other = good;
    other.hyper.lambda_t = wrong;
    EXPECT_NE(refusal(other).find("lambda_t is"), std::string::npos);
    other = good;
    other.hyper.m.length_scales = {wrong};
    EXPECT_NE(refusal(other).find("the kernel m has a length scale of"), std::string::npos);
    FitOptions options;
    options.noise_prior.beta = wrong;
    EXPECT_NE(refusal(good, options).find("beta of the noise's prior is"), std::string::npos);
  }
  Problem other = good;
  other.hyper.g.length_scales = {1, 2, 3};
  EXPECT_EQ(refusal(other),
            "the kernel g has 3 length scales; expected one, or one for each of the 2 features");
}

TEST_F(KrfdWrongInput, ALambdaBelowAllPrecisionIsSaid) {
  Problem other = random_problem(30, 3, 1);
  other.hyper.m.length_scales = {50};
  other.hyper.lambda_m = 1e-30;
  try {
    fit(device, other);
    ADD_FAILURE() << "it was not refused";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::numerical);
    EXPECT_NE(std::string(e.what()).find("lambda_m = 1e-30 is too small"), std::string::npos)
        << e.what();
  }
}

TEST_F(KrfdWrongInput, QuestionsMustFitTheModel) {
  const Model model = fit(device, good);
  const auto three = random_matrix<double>(1, 2, 3), two = random_matrix<double>(1, 2, 2),
             one = random_matrix<double>(1, 2, 1);
  EXPECT_THROW(model.mean(device, three.view(), one.view()), Error);
  EXPECT_THROW(model.mean(device, two.view(), two.view()), Error);
  EXPECT_EQ(model.mean(device, two.view(), one.view()).size(), 4U);
}

}  // namespace
}  // namespace kronite::krfd::test
