// Descriptors: H by its definition, the reference numbers of the element table, the forward map,
// and what is refused.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "device/backend.hpp"  // for kernels
#include "kmd/materials.hpp"
#include "support/on_each_device.hpp"

namespace kronite::kmd::test {
namespace {

Settings with_grids(std::int64_t n_grids) {
  Settings settings;
  settings.n_grids = n_grids;
  return settings;
}

Settings joint() {
  Settings settings;
  settings.layout = Layout::joint;
  return settings;
}

/// k(d) of one feature, or of a distance in all of them, with length scale s.
double kernel(KernelKind kind, double d, double s) {
  switch (kind) {
    case KernelKind::gaussian:
      return std::exp(-d * d / (2 * s * s));
    case KernelKind::laplacian:
      return std::exp(-d / s);
    case KernelKind::matern32:
      return (1 + std::sqrt(3.0) * d / s) * std::exp(-std::sqrt(3.0) * d / s);
    case KernelKind::matern52:
      return (1 + std::sqrt(5.0) * d / s + 5 * d * d / (3 * s * s)) *
             std::exp(-std::sqrt(5.0) * d / s);
  }
  return std::nan("");
}

constexpr KernelKind kKinds[] = {KernelKind::gaussian, KernelKind::laplacian, KernelKind::matern32,
                                 KernelKind::matern52};

TEST(Descriptor, GridsAreEquidistantAndFeatureMajor) {
  const Components c{{"x", "y", "z"}, {"a", "b"}, {0, -10, 1, 10, 4, 0}};
  for (const KernelKind kind : kKinds)
    for (const double sigma : {0.0, 0.7}) {
      Settings settings = with_grids(5);
      settings.kernel = kind;
      settings.sigma = sigma;

      const Descriptor d(c, settings);

      ASSERT_EQ(d.width(), 10);
      EXPECT_EQ(d.settings().scaling, Scaling::min_max);
      const double x[3][2] = {{0, 0}, {0.25, 1}, {1, 0.5}};
      const double step = 0.25;
      const double chosen = kind == KernelKind::gaussian ? step / std::sqrt(2.0) : step;
      for (int i = 0; i < 3; ++i)
        for (int f = 0; f < 2; ++f)
          for (int j = 0; j < 5; ++j)
            EXPECT_NEAR(d.h().row(i)[5 * f + j],
                        kernel(kind, std::abs(x[i][f] - step * j), sigma > 0 ? sigma : chosen),
                        1e-14);
    }
}

TEST(Descriptor, GridsLieInTheUnitsOfTheScaling) {
  const Components c{{"x", "y", "z"}, {"a"}, {2, 4, 10}};
  Settings settings = with_grids(3);
  settings.sigma = 2;
  settings.scaling = Scaling::none;

  const Descriptor plain(c, settings);
  settings.scaling = Scaling::z_score;
  const Descriptor standardised(c, settings);

  // Mean 16 / 3, variance ((10/3)^2 + (4/3)^2 + (14/3)^2) / 2 = 52 / 3.
  const double deviation = std::sqrt(52.0 / 3);
  const double grid[] = {2, 6, 10}, x[] = {2, 4, 10};
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) {
      const double apart = x[i] - grid[j];
      EXPECT_NEAR(plain.h().row(i)[j], std::exp(-apart * apart / 8), 1e-15);
      EXPECT_NEAR(standardised.h().row(i)[j],
                  std::exp(-apart * apart / (8 * deviation * deviation)), 1e-15);
    }
}

TEST(Descriptor, JointLayoutTakesTheComponentsAsItsGrid) {
  const Components c = random_components(7, 3);
  for (const KernelKind kind : kKinds) {
    Settings settings = joint();
    settings.kernel = kind;
    settings.scaling = Scaling::none;

    const Descriptor d(c, settings);

    ASSERT_EQ(d.width(), 7);
    const auto distance = [&](int i, int j) {
      double squares = 0, absolutes = 0;
      for (int f = 0; f < 3; ++f) {
        const double apart = c.values[3 * i + f] - c.values[3 * j + f];
        squares += apart * apart;
        absolutes += std::abs(apart);
      }
      return kind == KernelKind::laplacian ? absolutes : std::sqrt(squares);
    };
    std::vector<double> nearest;
    for (int i = 0; i < 7; ++i) {
      double least = 1e300;
      for (int j = 0; j < 7; ++j)
        if (j != i) least = std::min(least, distance(i, j));
      nearest.push_back(least * least);
    }
    std::sort(nearest.begin(), nearest.end());
    const double step = std::sqrt(nearest[3]);
    const double s = kind == KernelKind::gaussian ? step / std::sqrt(2.0) : step;
    EXPECT_NEAR(d.settings().sigma, s, 1e-15);
    for (int i = 0; i < 7; ++i)
      for (int j = 0; j < 7; ++j)
        EXPECT_NEAR(d.h().row(i)[j], kernel(kind, distance(i, j), s), 1e-14);
  }
}

TEST(Descriptor, NamesSayFeatureAndGridPointInItsOwnUnit) {
  const Components c{{"x", "y", "z"}, {"a", "b"}, {0, 1e6, 1, 1e6 + 1e-3, 3, 1e6 + 2e-3}};

  const std::vector<std::string> names = Descriptor(c, with_grids(4)).names();

  EXPECT_EQ(std::vector<std::string>(names.begin(), names.begin() + 4),
            (std::vector<std::string>{"a@0", "a@1", "a@2", "a@3"}));
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), 8U);
  EXPECT_EQ(names[4], "b@1000000");
  EXPECT_EQ(Descriptor(c, joint()).names(), c.names);
}

TEST(Descriptor, OneHashMeansTheSameDescriptor) {
  const Components c = random_components(5, 2);
  Settings chosen = joint();
  chosen.sigma = Descriptor(c, joint()).settings().sigma;
  chosen.scaling = Scaling::z_score;
  Settings other = with_grids(6);
  other.kernel = KernelKind::laplacian;

  EXPECT_EQ(Descriptor(c, chosen).hash(), Descriptor(c, joint()).hash());
  EXPECT_NE(Descriptor(c, with_grids(6)).hash(), Descriptor(c, with_grids(7)).hash());
  EXPECT_NE(Descriptor(c, with_grids(6)).hash(), Descriptor(c, other).hash());
  EXPECT_NE(Descriptor(c, with_grids(6)).hash(),
            Descriptor(random_components(5, 2, 8), with_grids(6)).hash());
}

TEST(Descriptor, ChoosesTheFewestGridPointsThatDo) {
  const Components c = random_components(12, 3);
  Settings settings;
  settings.most_condition = 1e4;

  const Descriptor d(c, settings);

  EXPECT_TRUE(d.invertible());
  EXPECT_LE(d.condition().of_p, 1e4);
  for (std::int64_t fewer = 2; fewer < d.settings().n_grids; ++fewer) {
    const Descriptor other(c, with_grids(fewer));
    EXPECT_TRUE(!other.invertible() || other.condition().of_p > 1e4) << fewer;
  }
}

TEST(Descriptor, WideOrNarrowHaveTheRankOfTheirShape) {
  const Descriptor narrow(random_components(12, 2), with_grids(3));
  EXPECT_EQ(narrow.condition().rank, 6);
  EXPECT_FALSE(narrow.invertible());
  EXPECT_TRUE(std::isinf(narrow.condition().of_h));

  Components twins = random_components(6, 3);
  std::copy_n(twins.values.begin(), 3, twins.values.begin() + 6);
  const Descriptor d(twins, with_grids(8));
  EXPECT_EQ(d.condition().rank, 5);
  EXPECT_GT(d.condition().of_h, 1e14);
}

TEST(Descriptor, RefusesWhatMakesNoSense) {
  const Components c = random_components(5, 3);
  const auto refuse = [&](const std::vector<std::string>& words, const Components& components,
                          const Settings& settings) {
    expect_error(Errc::invalid_argument, words, [&] { Descriptor(components, settings); });
  };

  refuse({"n_grids is 1", "2 to"}, c, with_grids(1));
  refuse({"n_grids is -3"}, c, with_grids(-3));
  refuse({"n_grids is 1000000"}, c, with_grids(1000000));
  Settings settings = joint();
  settings.n_grids = 5;
  refuse({"n_grids is 5", "no grids"}, c, settings);
  settings = with_grids(5);
  settings.sigma = -1;
  refuse({"sigma is -1"}, c, settings);
  settings.sigma = std::nan("");
  refuse({"sigma is nan"}, c, settings);
  settings = {};
  settings.most_condition = 0.5;
  refuse({"condition of 0.5"}, c, settings);
  settings.most_condition = 1.0000001;
  refuse({"no n_grids up to 64", "5 components"}, c, settings);

  refuse({"0 components"}, {}, {});
  refuse({"two components at least", "c0"}, random_components(1, 3), {});
  Components changed = c;
  changed.values[4] = std::nan("");
  refuse({"f1 of c1"}, changed, {});
  changed = c;
  for (std::size_t i = 0; i < 5; ++i) changed.values[3 * i + 1] = 4.5;
  refuse({"feature f1 is 4.5 for every"}, changed, {});
  refuse({"feature f1 is 4.5 for every"}, changed, joint());
  for (std::size_t i = 0; i < 5; ++i) changed.values[3 * i + 1] = changed.values[3 * i];
  refuse({"features f0 and f1 are equal"}, changed, {});
  changed = c;
  std::copy_n(changed.values.begin() + 3, 3, changed.values.begin() + 9);
  refuse({"c1 and c3 are equal"}, changed, {});
}

TEST(Descriptor, RefusesAJointLayoutWithoutALengthScale) {
  Components c = random_components(6, 2);
  for (const int copy : {1, 2, 4})  // c0 = c1 = c2, c3 = c4
    std::copy_n(c.values.begin() + (copy < 3 ? 0 : 6), 2, c.values.begin() + 2 * copy);

  expect_error(Errc::invalid_argument, {"half of the components", "c0 is to c1"},
               [&] { Descriptor(c, joint()); });

  Settings given = joint();
  given.sigma = 1;
  EXPECT_EQ(Descriptor(c, given).condition().rank, 3);
}

// --- the forward map ----------------------------------------------------------------------------

class Transform : public kronite::test::OnEachDevice {};
KRONITE_ON_EACH_DEVICE(Transform);

TEST_P(Transform, IsWeightsTimesH) {
  const Components c = random_components(20, 4);
  const Descriptor d(c, with_grids(9));
  const Weights w = random_weights(150, 20, 6);
  const std::int64_t pad = 3, ld = d.width() + pad;
  std::vector<double> out(static_cast<std::size_t>(150 * ld), -77);

  d.transform(device, w, {out.data(), 150, d.width(), ld, Place{}});

  const std::vector<double> rows = dense(w);
  for (std::int64_t i = 0; i < 150; ++i) {
    for (std::int64_t j = 0; j < d.width(); ++j) {
      double sum = 0;
      for (std::int64_t k = 0; k < 20; ++k) sum += rows[20 * i + k] * d.h().row(k)[j];
      EXPECT_NEAR(out[i * ld + j], sum, 1e-15);  // at most six products of sum 1
    }
    for (std::int64_t j = d.width(); j < ld; ++j) EXPECT_EQ(out[i * ld + j], -77);
  }
}

TEST_P(Transform, OfOneComponentIsItsRowOfH) {
  const Components c = random_components(8, 2);
  const Descriptor d(c, with_grids(5));
  Weights w;
  w.components = 8;
  w.first = {0, 1};
  w.component = {3};
  w.weight = {1};
  std::vector<double> out(10);

  d.transform(device, w, {out.data(), 1, 10});

  EXPECT_TRUE(std::equal(out.begin(), out.end(), d.h().row(3)));
}

TEST_P(Transform, RefusesWhatDoesNotFit) {
  const Descriptor d(random_components(5, 3), with_grids(4));
  std::vector<double> out(100);
  const auto refuse = [&](const std::vector<std::string>& words, const Weights& w,
                          std::int64_t rows, std::int64_t cols) {
    expect_error(Errc::invalid_argument, words, [&] {
      d.transform(device, w, {out.data(), rows, cols});
    });
  };
  Weights negative = random_weights(2, 5, 2);
  negative.weight[0] = -1;

  refuse({"of 6 components", "has 5"}, random_weights(2, 6, 2), 2, 12);
  refuse({"2 x 12", "3 x 12"}, random_weights(2, 5, 2), 3, 12);
  refuse({"2 x 12", "2 x 11"}, random_weights(2, 5, 2), 2, 11);
  refuse({"row 0", "-1"}, negative, 2, 12);
  d.transform(device, random_weights(0, 5, 2), {out.data(), 0, 12});
}

// --- the element table --------------------------------------------------------------------------

class ElementFeatures : public testing::Test {
 protected:
  void SetUp() override {
    KRONITE_NEEDS_DATA(element_features());
    table_ = Components::read_csv(element_features());
  }
  Components table_;
};

/// `value` has the digits of `expected`, which was rounded to as many as it shows.
void expect_digits(double value, double expected, double last_digit) {
  EXPECT_NEAR(value, expected, 0.5001 * last_digit);
}

TEST_F(ElementFeatures, HaveTheReferenceConditions) {
  struct Row {
    std::int64_t n_grids;
    double of_h, of_h_digit, of_p, of_p_digit;
  };
  const Row rows[] = {{2, 1.202e4, 1e1, 1.445e8, 1e5}, {3, 2.172e3, 1, 4.716e6, 1e3},
                      {4, 742.0, 0.1, 5.506e5, 1e2},   {5, 341.0, 0.1, 1.162e5, 1e2},
                      {6, 245.5, 0.1, 6.025e4, 1e1},   {7, 187.5, 0.1, 3.516e4, 1e1},
                      {8, 144.4, 0.1, 2.084e4, 1e1},   {9, 111.0, 0.1, 1.233e4, 1e1},
                      {10, 88.83, 0.01, 7.891e3, 1},   {20, 29.69, 0.01, 881.2, 0.1}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.n_grids);
    const Descriptor d(table_, with_grids(row.n_grids));
    EXPECT_EQ(d.condition().rank, 94);
    expect_digits(d.condition().of_h, row.of_h, row.of_h_digit);
    expect_digits(d.condition().of_p, row.of_p, row.of_p_digit);
  }
}

TEST_F(ElementFeatures, HaveTheReferenceConditionsWithOneLengthScale) {
  const double expected[][3] = {{0.1, 136, 1}, {0.5, 4.3e3, 1e2}, {2, 8.6e4, 1e3}};
  for (const auto& [sigma, of_h, digit] : expected) {
    Settings settings = with_grids(10);
    settings.sigma = sigma;
    expect_digits(Descriptor(table_, settings).condition().of_h, of_h, digit);
  }
}

TEST_F(ElementFeatures, HaveTheReferenceMatrix) {
  const Descriptor d(table_, with_grids(10));

  ASSERT_EQ(d.width(), 580);
  const double first[] = {1, .3678794411714424, .01831563888873418, 1.234098040866796e-4,
                          1.125351747192591e-7};
  for (int j = 0; j < 5; ++j) EXPECT_NEAR(d.h().row(0)[j], first[j], 1e-14 * first[j]);
  double sum = 0;
  for (std::int64_t i = 0; i < 94; ++i)
    for (std::int64_t j = 0; j < 580; ++j) sum += d.h().row(i)[j];
  EXPECT_NEAR(sum, 9159.132879453186, 1e-9);
  double squares = 0;  // |P|_F^2
  for (std::int64_t i = 0; i < 94; ++i)
    for (std::int64_t k = 0; k < 94; ++k) {
      double p = 0;
      for (std::int64_t j = 0; j < 580; ++j) p += d.h().row(i)[j] * d.h().row(k)[j];
      squares += p * p;
    }
  EXPECT_NEAR(std::sqrt(squares), 3388.0556753752694, 1e-9);
  EXPECT_EQ(d.names().front(), "atomic_number@1");
}

TEST_F(ElementFeatures, HaveTheReferenceJointMatrix) {
  const Descriptor d(table_, joint());

  // exp(-D / median): sigma^2 is half of the median of the squared nearest distances.
  expect_digits(2 * d.settings().sigma * d.settings().sigma, 9.678460, 1e-6);
  expect_digits(d.condition().of_h, 121.14, 0.01);
  expect_digits(d.condition().of_p, 1.4675e4, 1);
  EXPECT_EQ(d.condition().rank, 94);
  const double expected[][3] = {{1, 10.6, 0.1}, {4, 1.6e3, 1e2}, {16, 6.5e5, 1e4}};
  for (const auto& [sigma, of_h, digit] : expected) {
    Settings settings = joint();
    settings.sigma = sigma;
    expect_digits(Descriptor(table_, settings).condition().of_h, of_h, digit);
  }
}

TEST_F(ElementFeatures, AreTheEmbeddedTableInOtherDigits) {
  const Components embedded = Components::of(ElementTable::embedded());

  EXPECT_EQ(embedded.names, table_.names);
  EXPECT_EQ(Descriptor(embedded).settings().n_grids, 6);
  EXPECT_EQ(Descriptor(table_).settings().n_grids, 6);
}

TEST_F(ElementFeatures, GiveTheReferenceDescriptors) {
  KRONITE_NEEDS_DATA(stable_formulas());
  const Descriptor d(table_, with_grids(10));
  const std::vector<Composition> compositions = compositions_of(stable_formulas());
  const Weights w = weights_of(compositions, table_);
  ASSERT_EQ(w.rows(), 35463);
  std::vector<double> out(static_cast<std::size_t>(w.rows() * d.width()));
  Device device = Device::cpu();

  d.transform(device, w, {out.data(), w.rows(), d.width()});

  const double zn2b2pbo6[] = {.501302373983819, .623386173387045, .203227269515903,
                              .177807621717140, .043757337502011};
  for (int j = 0; j < 5; ++j) EXPECT_NEAR(out[j], zn2b2pbo6[j], 5.1e-16);
  double total = 0;
  for (std::int64_t i = 0; i < w.rows(); ++i) {
    double row = 0;
    for (std::int64_t j = 0; j < 580; ++j) row += out[580 * i + j];
    if (i == 0) {
      EXPECT_NEAR(row, 95.62161470587282, 1e-12);
    }
    total += row;
  }
  EXPECT_NEAR(total, 3438133.309490246, 1e-6);  // of 35,463 additions, each rounded to 2e-10
}

}  // namespace
}  // namespace kronite::kmd::test
