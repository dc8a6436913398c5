// The inverse: exact descriptors give their mixture back, others the nearest one.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "kmd/materials.hpp"
#include "support/on_each_device.hpp"
#include "support/simplex_oracle.hpp"

namespace kronite::kmd::test {
namespace {

using kronite::test::HostMatrix;
using kronite::test::random_value;

class Inverse : public kronite::test::OnEachDevice {
 protected:
  HostMatrix<double> forward(const Descriptor& d, const Weights& w, std::int64_t pad = 0) {
    HostMatrix<double> phi(w.rows(), d.width(), pad);
    d.transform(device, w, {phi.values.data(), phi.rows, phi.cols, phi.ld, Place{}});
    return phi;
  }
};
KRONITE_ON_EACH_DEVICE(Inverse);

Settings settings_of(Layout layout, std::int64_t n_grids,
                     KernelKind kernel = KernelKind::gaussian) {
  Settings settings;
  settings.layout = layout;
  settings.kernel = kernel;
  settings.n_grids = layout == Layout::grid ? n_grids : 0;
  return settings;
}

/// Mean over rows of sum_j |w_j - v_j|.
double mean_error(const Weights& w, const Weights& v) {
  const std::vector<double> a = dense(w), b = dense(v);
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::abs(a[i] - b[i]);
  return sum / static_cast<double>(w.rows());
}

HostMatrix<double> host_matrix(const Weights& w) {
  HostMatrix<double> m(w.rows(), w.components);
  m.values = dense(w);
  return m;
}

/// P = H H' and q = H phi, in plain loops.
HostMatrix<double> product_with(const Descriptor& d, const HostMatrix<double>& rows) {
  return HostMatrix<double>(rows.rows, d.components().size())
      .fill([&](std::int64_t i, std::int64_t k) {
        double sum = 0;
        for (std::int64_t j = 0; j < d.width(); ++j) sum += rows.at(i, j) * d.h().row(k)[j];
        return sum;
      });
}

HostMatrix<double> h_of(const Descriptor& d) {
  return HostMatrix<double>(d.components().size(), d.width())
      .fill([&](std::int64_t i, std::int64_t j) { return d.h().row(i)[j]; });
}

TEST_P(Inverse, GivesMixturesBack) {
  const Components c = random_components(30, 6);
  const Weights w = random_weights(200, 30, 7);
  for (const Layout layout : {Layout::grid, Layout::joint})
    for (const KernelKind kernel : {KernelKind::gaussian, KernelKind::laplacian,
                                    KernelKind::matern32, KernelKind::matern52}) {
      const Descriptor d(c, settings_of(layout, 8, kernel));
      SCOPED_TRACE(d.condition().of_h);
      const HostMatrix<double> phi = forward(d, w, 3);

      const Inverted inverted = Inverter(device, d).invert(phi.view());

      inverted.weights.check();
      ASSERT_EQ(inverted.weights.rows(), 200);
      EXPECT_EQ(inverted.weights.component, w.component);
      // Rounding in phi, grown by the condition of the support's part of H.
      EXPECT_LE(mean_error(inverted.weights, w), 10 * 2.3e-16 * d.condition().of_h);
      for (const kmd::Inverse& row : inverted.rows) {
        EXPECT_TRUE(row.on_manifold);
        EXPECT_LE(row.residual, 1e-13);
        EXPECT_LE(row.kkt, 1e-13);
        EXPECT_EQ(row.steps, 1);
      }
    }
}

TEST_P(Inverse, OfNoisyAndRandomTargetsIsOptimal) {
  const Components c = random_components(25, 5);
  for (const Layout layout : {Layout::grid, Layout::joint})
    for (const double noise : {1e-6, 1e-3, 0.1, 10.0}) {
      SCOPED_TRACE(noise);
      const Descriptor d(c, settings_of(layout, 6));
      HostMatrix<double> phi = forward(d, random_weights(60, 25, 5));
      for (std::int64_t i = 0; i < phi.rows; ++i)
        for (std::int64_t j = 0; j < phi.cols; ++j)
          phi.at(i, j) += noise * random_value(5, static_cast<std::uint64_t>(i * phi.cols + j));

      const Inverted inverted = Inverter(device, d).invert(phi.view());

      inverted.weights.check();
      const HostMatrix<double> w = host_matrix(inverted.weights);
      const HostMatrix<double> p = product_with(d, h_of(d)), q = product_with(d, phi);
      for (std::int64_t i = 0; i < phi.rows; ++i) {
        const kmd::Inverse& row = inverted.rows[i];
        // q is rounded once more on the way there: a sum of as many terms as there are values.
        const double scale = kronite::test::largest(p) + kronite::test::largest_of_row(q, i);
        EXPECT_LE(kronite::test::violation_of(p, q, w, i), 1e-13 * scale) << "row " << i;
        double squares = 0;
        for (std::int64_t j = 0; j < phi.cols; ++j) {
          double mean = 0;
          for (std::int64_t k = 0; k < 25; ++k) mean += w.at(i, k) * d.h().row(k)[j];
          squares += (phi.at(i, j) - mean) * (phi.at(i, j) - mean);
        }
        EXPECT_NEAR(row.residual, std::sqrt(squares), 1e-12 * (1 + row.residual));
        EXPECT_FALSE(row.on_manifold);
      }
    }
}

TEST_P(Inverse, TellsTargetsFromTheManifoldByTheirDistance) {
  const Descriptor d(random_components(10, 4), settings_of(Layout::grid, 6));
  HostMatrix<double> phi = forward(d, random_weights(3, 10, 3));
  phi.at(1, 5) += 1e-6;
  InverseOptions loose;
  loose.on_manifold = 1e-5;
  const Inverter inverter(device, d);

  const Inverted strictly = inverter.invert(phi.view()),
                 loosely = inverter.invert(phi.view(), loose);

  EXPECT_TRUE(strictly.rows[0].on_manifold);
  EXPECT_FALSE(strictly.rows[1].on_manifold);
  EXPECT_TRUE(loosely.rows[1].on_manifold);
  EXPECT_GT(strictly.rows[1].residual, 1e-7);
  EXPECT_LE(strictly.rows[1].residual, 1e-6);
}

TEST_P(Inverse, CompatRoundsAsTheOriginalDoes) {
  const Descriptor d(random_components(10, 4), settings_of(Layout::grid, 6));
  Weights w;
  w.components = 10;
  w.first = {0, 2};
  w.component = {2, 5};
  w.weight = {1.0 / 3, 2.0 / 3};
  InverseOptions compat;
  compat.compat = true;

  const Inverted inverted = Inverter(device, d).invert(forward(d, w).view(), compat);

  ASSERT_EQ(inverted.weights.weight.size(), 2U);
  EXPECT_EQ(inverted.weights.weight[0], 0.333333333333);
  EXPECT_EQ(inverted.weights.weight[1], 0.666666666667);
}

TEST_P(Inverse, RefusesWhatItCannotInvert) {
  // 12 components: 2 features with 3 points each give a rank of 6; 6 points each may do.
  const Components c = random_components(12, 2);
  const Descriptor narrow(c, settings_of(Layout::grid, 3));
  std::int64_t enough = 6;
  while (!Descriptor(c, settings_of(Layout::grid, enough)).invertible()) ++enough;
  expect_error(Errc::unavailable,
               {"rank 6 for 12", "n_grids = " + std::to_string(enough) + " would do"},
               [&] { Inverter(device, narrow); });

  expect_error(Errc::unavailable, {"no n_grids up to 64"}, [&] {
    Inverter(device, Descriptor(random_components(70, 1), settings_of(Layout::grid, 3)));
  });

  Components twins = random_components(6, 3);
  std::copy_n(twins.values.begin() + 3, 3, twins.values.begin() + 9);
  for (const Layout layout : {Layout::grid, Layout::joint})
    expect_error(Errc::unavailable, {"rank 5 for 6", "c1 and c3 are equal"},
                 [&] { Inverter(device, Descriptor(twins, settings_of(layout, 8))); });

  Settings wide = settings_of(Layout::joint, 0);
  wide.sigma = 300;
  expect_error(Errc::unavailable, {"condition", "a smaller sigma"},
               [&] { Inverter(device, Descriptor(random_components(8, 3), wide)); });
}

TEST_P(Inverse, RefusesTargetsThatDoNotFit) {
  const Descriptor d(random_components(10, 4), settings_of(Layout::grid, 6));
  const Inverter inverter(device, d);
  HostMatrix<double> phi = forward(d, random_weights(5, 10, 3));
  const auto refuse = [&](const std::vector<std::string>& words) {
    expect_error(Errc::invalid_argument, words, [&] { inverter.invert(phi.view()); });
  };

  phi.at(3, 7) = std::nan("");
  refuse({"value 7 of row 3"});
  phi.at(2, 1) = -std::numeric_limits<double>::infinity();
  refuse({"value 1 of row 2"});
  phi.at(1, 0) = 1e200;
  refuse({"row 1 are too large"});
  expect_error(Errc::invalid_argument, {"24 values", "of 23"}, [&] {
    inverter.invert({phi.values.data(), 2, 23});
  });

  const Inverted nothing = inverter.invert({phi.values.data(), 0, 24});
  EXPECT_EQ(nothing.weights.rows(), 0);
  EXPECT_EQ(nothing.weights.components, 10);
}

TEST(InverseOnTheCpu, GivesTheSameBitsForAnyNumberOfThreads) {
  const Descriptor d(random_components(40, 6), settings_of(Layout::grid, 8));
  const Weights w = random_weights(3000, 40, 6);
  std::vector<Inverted> results;
  for (const int threads : {1, 3}) {
    DeviceOptions options;
    options.threads = threads;
    Device device = Device::cpu(options);
    std::vector<double> phi(static_cast<std::size_t>(3000 * d.width()));
    d.transform(device, w, {phi.data(), 3000, d.width()});
    for (std::size_t i = 0; i < phi.size(); ++i)
      phi[i] += 0.01 * random_value(9, static_cast<std::uint64_t>(i));
    results.push_back(Inverter(device, d).invert({phi.data(), 3000, d.width()}));
  }

  EXPECT_EQ(results[0].weights.component, results[1].weights.component);
  EXPECT_EQ(results[0].weights.weight, results[1].weights.weight);
  for (std::size_t i = 0; i < 3000; ++i) {
    EXPECT_EQ(results[0].rows[i].residual, results[1].rows[i].residual);
    EXPECT_EQ(results[0].rows[i].kkt, results[1].rows[i].kkt);
  }
}

// --- the 35,463 formulas ------------------------------------------------------------------------

class StableFormulas : public testing::Test {
 protected:
  void SetUp() override {
    KRONITE_NEEDS_DATA(element_features());
    KRONITE_NEEDS_DATA(stable_formulas());
    table_ = Components::read_csv(element_features());
    weights_ = weights_of(compositions_of(stable_formulas()), table_);
  }

  Inverted there_and_back(const Settings& settings, const InverseOptions& options = {}) {
    const Descriptor d(table_, settings);
    std::vector<double> phi(static_cast<std::size_t>(weights_.rows() * d.width()));
    const MatrixView<double> view(phi.data(), weights_.rows(), d.width());
    d.transform(device_, weights_, view);
    return Inverter(device_, d).invert(view, options);
  }

  Device device_ = Device::cpu();
  Components table_;
  Weights weights_;
};

TEST_F(StableFormulas, ComeBackToTheLastDigits) {
  // P has a condition of 1e8, 5e6 and 8e3; its parts that belong to a formula have better ones.
  const std::pair<std::int64_t, double> allowed[] = {{2, 1e-13}, {3, 1e-14}, {10, 1e-14}};
  for (const auto& [n_grids, error] : allowed) {
    SCOPED_TRACE(n_grids);
    const Inverted inverted = there_and_back(settings_of(Layout::grid, n_grids));

    EXPECT_EQ(inverted.weights.first, weights_.first);
    EXPECT_EQ(inverted.weights.component, weights_.component);
    EXPECT_LE(mean_error(inverted.weights, weights_), error);
    EXPECT_TRUE(std::all_of(inverted.rows.begin(), inverted.rows.end(),
                            [](const kmd::Inverse& row) { return row.on_manifold; }));
  }
}

TEST_F(StableFormulas, ComeBackFromTheJointLayout) {
  const Inverted inverted = there_and_back(settings_of(Layout::joint, 0));

  EXPECT_EQ(inverted.weights.component, weights_.component);
  EXPECT_LE(mean_error(inverted.weights, weights_), 1e-14);
}

TEST_F(StableFormulas, HaveTheOriginalsErrorWhenRoundedAsThere) {
  InverseOptions compat;
  compat.compat = true;

  const Inverted inverted = there_and_back(settings_of(Layout::grid, 10), compat);

  EXPECT_NEAR(mean_error(inverted.weights, weights_), 3.897e-13, 0.5e-16);
}

}  // namespace
}  // namespace kronite::kmd::test
