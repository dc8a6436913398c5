// Training steps of every device but losses against plain loops, and gradients against finite
// differences.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <utility>
#include <vector>

#include "cases/training_cases.hpp"
#include "device/backend.hpp"   // for training
#include "kernels/dropout.hpp"  // for dropped_out
#include "support/near.hpp"
#include "support/on_each_device.hpp"
#include "support/oracle.hpp"
#include "support/slope.hpp"

namespace kronite::test {
namespace {

class Training : public OnEachDevice {};
KRONITE_ON_EACH_DEVICE(Training);

using oracle::Matrix;

// --- the definitions (device/ops.hpp) -----------------------------------------------------------

struct Hidden {
  Matrix mean, variance, y;
};

/// 1 / (1 - dropout) where a value is kept, 0 where it is dropped.
double keep_factor(const DropoutKey& key, double dropout, std::int64_t n, std::int64_t unit) {
  return dropped_out(key, n, unit, dropout_threshold(dropout)) ? 0 : 1 / (1 - dropout);
}

double deviation(const Matrix& variance, std::int64_t u) {
  return std::sqrt(variance.at(0, u) + HiddenView<double>{}.epsilon);
}

template <class T>
Hidden hidden_forward(const HiddenCase& c, const HiddenInputs<T>& in) {
  Hidden out{Matrix(1, c.units), Matrix(1, c.units), Matrix(c.rows, c.units)};
  for (std::int64_t u = 0; c.batch_norm && u < c.units; ++u) {
    double sum = 0, squares = 0;
    for (std::int64_t n = 0; n < c.rows; ++n) sum += in.z.at(n, u);
    const double mean = sum / static_cast<double>(c.rows);
    for (std::int64_t n = 0; n < c.rows; ++n) squares += std::pow(in.z.at(n, u) - mean, 2);
    out.mean.at(0, u) = mean;
    out.variance.at(0, u) = squares / static_cast<double>(c.rows);
  }
  out.y.fill([&](std::int64_t n, std::int64_t u) {
    double a = in.z.at(n, u) + static_cast<double>(in.beta.at(0, u));
    if (c.batch_norm)
      a = in.gamma.at(0, u) * (in.z.at(n, u) - out.mean.at(0, u)) / deviation(out.variance, u) +
          in.beta.at(0, u);
    return std::max(a, 0.0) * keep_factor(in.key, c.dropout, n, u);
  });
  return out;
}

struct HiddenGradients {
  Matrix z, gamma, beta;
};

/// With x = (z - mean) / deviation and g = dL/da, the chain rule through mean and variance gives
/// dL/dz = gamma / deviation (g - mean(g) - x mean(g x)) (Ioffe and Szegedy 2015).
template <class T>
HiddenGradients hidden_backward(const HiddenCase& c, const HiddenInputs<T>& in, const Hidden& of) {
  const auto dl_da = [&](std::int64_t n, std::int64_t u) {
    return of.y.at(n, u) > 0 ? in.gradient.at(n, u) / (1 - c.dropout) : 0.0;
  };
  const auto x = [&](std::int64_t n, std::int64_t u) {
    return (in.z.at(n, u) - of.mean.at(0, u)) / deviation(of.variance, u);
  };
  HiddenGradients out{Matrix(c.rows, c.units), Matrix(1, c.units), Matrix(1, c.units)};
  for (std::int64_t u = 0; u < c.units; ++u) {
    double sum = 0, along = 0;
    for (std::int64_t n = 0; n < c.rows; ++n) {
      sum += dl_da(n, u);
      if (c.batch_norm) along += dl_da(n, u) * x(n, u);
    }
    out.beta.at(0, u) = sum;
    if (c.batch_norm) out.gamma.at(0, u) = along;
  }
  const auto rows = static_cast<double>(c.rows);
  out.z.fill([&](std::int64_t n, std::int64_t u) {
    if (!c.batch_norm) return dl_da(n, u);
    return in.gamma.at(0, u) / deviation(of.variance, u) *
           (dl_da(n, u) - out.beta.at(0, u) / rows - x(n, u) * out.gamma.at(0, u) / rows);
  });
  return out;
}

template <class T>
HostMatrix<T> rounded(const Matrix& m, std::int64_t pad) {
  return HostMatrix<T>(m.rows, m.cols, pad).fill([&](std::int64_t i, std::int64_t j) {
    return m.at(i, j);
  });
}

/// Columns of one row have a variance of zero and are divided by sqrt(1e-3) = 1 / 32, and nearly
/// all dropped ones are multiplied by 10; else values are of size one and sums of at most 1,300 of
/// them come in chunks.
template <class T>
constexpr Tolerance kStepTolerance{100 * kEpsilon<T>, 20 * kEpsilon<T>};

// --- hidden layers ------------------------------------------------------------------------------

TEST_P(Training, HiddenForwardNormalisesActivatesAndDrops) {
  in_network_precisions(device, [&](auto zero) {
    using T = decltype(zero);
    for (const HiddenCase& c : hidden_cases()) {
      SCOPED_TRACE(c.name);
      const HiddenInputs<T> in(c);
      DeviceHidden<T> on(device, c, in);

      training<T>(device).hidden_forward(on.view, on.z.view(), on.mean.vector(),
                                         on.variance.vector(), on.y.view());

      const Hidden expected = hidden_forward(c, in);
      EXPECT_TRUE(near(on.y.to_host(), expected.y, kStepTolerance<T>));
      if (c.batch_norm) {
        EXPECT_TRUE(near(on.mean.to_host(), expected.mean, {4 * kEpsilon<T>}));
        EXPECT_TRUE(near(on.variance.to_host(), expected.variance, {20 * kEpsilon<T>}));
      } else {
        EXPECT_EQ(on.mean.to_host().values, HostMatrix<T>(1, c.units).values) << "was touched";
        EXPECT_EQ(on.variance.to_host().values, HostMatrix<T>(1, c.units).values) << "was touched";
      }
    }
  });
}

TEST_P(Training, HiddenBackwardIsTheGradientOfHiddenForward) {
  in_network_precisions(device, [&](auto zero) {
    using T = decltype(zero);
    for (const HiddenCase& c : hidden_cases()) {
      SCOPED_TRACE(c.name);
      const HiddenInputs<T> in(c);
      const Hidden forward = hidden_forward(c, in);
      DeviceHidden<T> on(device, c, in);
      DeviceMatrix<T> mean(device, rounded<T>(forward.mean, 0));
      DeviceMatrix<T> variance(device, rounded<T>(forward.variance, 0));
      DeviceMatrix<T> y(device, rounded<T>(forward.y, c.pad));

      training<T>(device).hidden_backward(on.view, on.z.view(), mean.vector(), variance.vector(),
                                          y.view(), on.gradient.view(), on.d_gamma.vector(),
                                          on.d_beta.vector());

      // Sums of n values are off by some sqrt(n) of their last places.
      const double of_sums = 20 * kEpsilon<T> * std::sqrt(static_cast<double>(c.rows));
      const HiddenGradients expected = hidden_backward(c, in, forward);
      EXPECT_TRUE(near(on.gradient.to_host(), expected.z, kStepTolerance<T>));
      EXPECT_TRUE(near(on.d_beta.to_host(), expected.beta, {of_sums, kEpsilon<T>}));
      if (c.batch_norm)
        EXPECT_TRUE(near(on.d_gamma.to_host(), expected.gamma, {of_sums, kEpsilon<T>}));
      else
        EXPECT_EQ(on.d_gamma.to_host().values, HostMatrix<T>(1, c.units).values) << "was touched";
    }
  });
}

TEST_P(Training, WithoutNormalisationNoRoomForItsResultsIsNeeded) {
  const HiddenCase c{"", 5, 70, false, 0.2};
  const HiddenInputs<float> in(c);
  DeviceHidden<float> on(device, c, in);
  const VectorView<float> nothing;

  training<float>(device).hidden_forward(on.view, on.z.view(), nothing, nothing, on.y.view());
  training<float>(device).hidden_backward(on.view, on.z.view(), nothing, nothing, on.y.view(),
                                          on.gradient.view(), nothing, on.d_beta.vector());

  const Hidden expected = hidden_forward(c, in);
  EXPECT_TRUE(near(on.y.to_host(), expected.y, kStepTolerance<float>));
  EXPECT_TRUE(
      near(on.gradient.to_host(), hidden_backward(c, in, expected).z, kStepTolerance<float>));
}

TEST_P(Training, TheVarianceOfAColumnFarFromZeroIsNotLost) {
  const HiddenCase c{"", 500, 3};
  HiddenInputs<float> in(c);
  for (float& z : in.z.values) z = 4096 + std::round(64 * z) / 64;  // exact in float
  DeviceHidden<float> on(device, c, in);

  training<float>(device).hidden_forward(on.view, on.z.view(), on.mean.vector(),
                                         on.variance.vector(), on.y.view());

  const Hidden expected = hidden_forward(c, in);
  // Squares of 4096 about zero would be off by one or more.
  EXPECT_TRUE(near(on.variance.to_host(), expected.variance, {20 * kEpsilon<float>}));
  EXPECT_TRUE(near(on.mean.to_host(), expected.mean, {0, kEpsilon<float>}));
}

TEST_P(Training, NanComesOutOfAHiddenLayer) {
  HiddenCase c{"", 4, 3};
  for (const bool batch_norm : {true, false}) {
    c.batch_norm = batch_norm;
    HiddenInputs<float> in(c);
    in.z.at(2, 1) = std::numeric_limits<float>::quiet_NaN();
    DeviceHidden<float> on(device, c, in);

    training<float>(device).hidden_forward(on.view, on.z.view(), on.mean.vector(),
                                           on.variance.vector(), on.y.view());

    EXPECT_TRUE(std::isnan(on.y.to_host().at(2, 1)));
    EXPECT_EQ(std::isnan(on.y.to_host().at(0, 1)), batch_norm);
    EXPECT_FALSE(std::isnan(on.y.to_host().at(2, 2)));
  }
}

TEST_P(Training, ColumnSumsAreSumsOverTheRows) {
  in_network_precisions(device, [&](auto zero) {
    using T = decltype(zero);
    for (const HiddenCase& c : hidden_cases()) {
      SCOPED_TRACE(c.name);
      const auto x = random_matrix<T>(1, c.rows, c.units, c.pad);
      DeviceMatrix<T> on(device, x), sums(device, HostMatrix<T>(1, c.units));

      training<T>(device).column_sums(on.view(), sums.vector());

      const auto expected = Matrix(1, c.units).fill([&](std::int64_t, std::int64_t u) {
        double sum = 0;
        for (std::int64_t n = 0; n < c.rows; ++n) sum += x.at(n, u);
        return sum;
      });
      const double of_sums = 4 * kEpsilon<T> * std::sqrt(static_cast<double>(c.rows));
      EXPECT_TRUE(near(sums.to_host(), expected, {of_sums, kEpsilon<T>}));
    }
  });
}

TEST_P(Training, ColumnSumsOfNoRowsAreZero) {
  DeviceMatrix<float> x(device, HostMatrix<float>(0, 3)), sums(device, HostMatrix<float>(1, 3));

  training<float>(device).column_sums(x.view(), sums.vector());

  EXPECT_EQ(sums.to_host().values, (std::vector<float>{0, 0, 0}));
}

// --- rows ---------------------------------------------------------------------------------------

TEST_P(Training, GatherRowsCopiesTheRowsThatAreNamed) {
  in_network_precisions(device, [&](auto zero) {
    using T = decltype(zero);
    for (const std::int64_t rows : {1, 255, 256, 257}) {
      const auto x = random_matrix<T>(1, 40, 7, 2);
      const auto which = random_indices(2, rows, 40);
      DeviceMatrix<T> dx(device, x), out(device, HostMatrix<T>(rows, 7, 1));
      const Array<std::int32_t> numbers(device, which, rows, 1);

      training<T>(device).gather_rows(dx.view(), numbers.vector(), out.view());

      const auto expected = Matrix(rows, 7).fill([&](std::int64_t i, std::int64_t k) {
        return x.at(which[static_cast<std::size_t>(i)], k);
      });
      EXPECT_TRUE(near(out.to_host(), expected, {}));
    }
  });
}

TEST_P(Training, AddScaledRowsAddsMultiplesRowByRow) {
  in_network_precisions(device, [&](auto zero) {
    using T = decltype(zero);
    for (const std::int64_t rows : {1, 255, 256, 257}) {
      const auto x = random_matrix<T>(1, rows, 7, 2), y = random_matrix<T>(2, rows, 7, 1);
      const auto scale = random_matrix<T>(3, 1, rows);
      DeviceMatrix<T> dx(device, x), dy(device, y), ds(device, scale);

      training<T>(device).add_scaled_rows(T{-2}, ds.vector(), dx.view(), dy.view());

      const auto expected = Matrix(rows, 7).fill([&](std::int64_t i, std::int64_t k) {
        return y.at(i, k) - 2.0 * scale.at(0, i) * x.at(i, k);
      });
      EXPECT_TRUE(near(dy.to_host(), expected, {4 * kEpsilon<T>}));
    }
  });
}

// --- parameters ---------------------------------------------------------------------------------

TEST_P(Training, BlendKeepsAShareOfTheOldMean) {
  const auto old_mean = random_matrix<float>(1, 1, 70), x = random_matrix<float>(2, 1, 70);
  DeviceMatrix<float> y(device, old_mean), dx(device, x);

  training<float>(device).blend(0.75F, dx.vector(), y.vector());

  const auto expected = Matrix(1, 70).fill(
      [&](std::int64_t, std::int64_t i) { return 0.75 * old_mean.at(0, i) + 0.25 * x.at(0, i); });
  EXPECT_TRUE(near(y.to_host(), expected, {kEpsilon<float>}));
}

/// Of very different sizes; a parameter's gradients have one sign, so that no moment cancels.
double gradient_of(std::int64_t step, std::int64_t i) {
  const double size = std::abs(random_value(5, static_cast<std::uint64_t>(10 * i + step)));
  return std::pow(10.0, -static_cast<double>(i % 7)) * (i % 2 == 0 ? size : -size);
}

TEST_P(Training, AdamMovesParametersAsDefined) {
  in_network_precisions(device, [&](auto zero) {
    using T = decltype(zero);
    for (const std::int64_t size : {1, 1000, 40001}) {
      SCOPED_TRACE(size);
      const auto start = random_matrix<T>(1, 1, size);
      const auto nothing = random_matrix<T>(1, 1, size, 0, 0.0);
      DeviceMatrix<T> parameters(device, start), m(device, nothing), v(device, nothing);
      Matrix expected = oracle::to_double(start), em = oracle::to_double(nothing), ev = em;
      AdamStep step;
      step.learning_rate = 0.01;
      step.weight_decay = size == 1000 ? 0.5 : 0;

      for (step.step = 1; step.step <= 5; ++step.step) {
        const auto g = HostMatrix<T>(1, size).fill([&](std::int64_t, std::int64_t i) {
          return i % 3 == 0 ? 0.0 : gradient_of(step.step, i);
        });
        DeviceMatrix<T> gradient(device, g);
        training<T>(device).adam(step, gradient.vector(), m.vector(), v.vector(),
                                 parameters.vector());

        const auto t = static_cast<double>(step.step);
        for (std::int64_t i = 0; i < size; ++i) {
          em.at(0, i) = step.beta1 * em.at(0, i) + (1 - step.beta1) * g.at(0, i);
          ev.at(0, i) = step.beta2 * ev.at(0, i) + (1 - step.beta2) * std::pow(g.at(0, i), 2);
          const double unbiased_m = em.at(0, i) / (1 - std::pow(step.beta1, t));
          const double unbiased_v = ev.at(0, i) / (1 - std::pow(step.beta2, t));
          expected.at(0, i) -=
              step.learning_rate * (unbiased_m / (std::sqrt(unbiased_v) + step.epsilon) +
                                    step.weight_decay * expected.at(0, i));
        }
      }

      // Five steps of some roundings each; a step moves a parameter of size one by 0.01 at most.
      EXPECT_TRUE(near(m.to_host(), em, {0, 16 * kEpsilon<T>}));
      EXPECT_TRUE(near(v.to_host(), ev, {0, 16 * kEpsilon<T>}));
      EXPECT_TRUE(near(parameters.to_host(), expected, {4 * kEpsilon<T>}));
    }
  });
}

TEST_P(Training, StepsOnNothingDoNothing) {
  DeviceMatrix<float> none(device, HostMatrix<float>(0, 2)), empty(device, HostMatrix<float>(0, 1));
  DeviceMatrix<float> two(device, HostMatrix<float>(1, 2));
  HiddenView<float> hidden;
  hidden.beta = two.vector();
  const Array<std::uint8_t> classes(device, 0, 1);
  TrainOps<float>& ops = training<float>(device);

  ops.hidden_forward(hidden, none.view(), {}, {}, none.view());
  ops.cross_entropy(two.vector(), classes.vector(), none.view(), empty.vector(), none.view());
  ops.class_loss(two.vector(), {}, {}, 1, none.view(), empty.vector(), none.view());
  ops.value_loss({}, two.vector(), none.view(), 1, none.view(), empty.vector(), none.view());
  ops.gather_rows(two.view(), {}, none.view());
  ops.blend(0.5F, empty.vector(), empty.vector());
  ops.list_loss({}, empty.vector(), {}, 1, none.view(), empty.vector(), empty.vector());
  ops.add_scaled_rows(1, empty.vector(), none.view(), none.view());
  ops.adam({}, empty.vector(), empty.vector(), empty.vector(), empty.vector());

  EXPECT_NO_THROW(device.synchronize());
}

// --- finite differences -------------------------------------------------------------------------

/// L = sum of gradient * y, whose dL/dy is `gradient`.
double hidden_loss(Device& device, const HiddenCase& c, const HiddenInputs<double>& in) {
  DeviceHidden<double> on(device, c, in);
  training<double>(device).hidden_forward(on.view, on.z.view(), on.mean.vector(),
                                          on.variance.vector(), on.y.view());
  const auto y = on.y.to_host();
  double loss = 0;
  for (std::int64_t n = 0; n < c.rows; ++n)
    for (std::int64_t u = 0; u < c.units; ++u) loss += in.gradient.at(n, u) * y.at(n, u);
  return loss;
}

TEST(TrainingGradients, OfHiddenLayersAreSlopesOfTheLoss) {
  Device device = Device::cpu();
  for (const HiddenCase& c :
       {HiddenCase{"normalised", 12, 9, true, 0.2}, HiddenCase{"plain", 12, 9, false, 0.2}}) {
    SCOPED_TRACE(c.name);
    HiddenInputs<double> in(c);
    DeviceHidden<double> on(device, c, in);
    const auto slopes = [&](HostMatrix<double>& of) {
      Matrix m(of.rows, of.cols);
      for (std::size_t i = 0; i < of.values.size(); ++i)
        m.values[i] = slope(of.values[i], [&] { return hidden_loss(device, c, in); });
      return m;
    };

    auto& ops = training<double>(device);
    ops.hidden_forward(on.view, on.z.view(), on.mean.vector(), on.variance.vector(), on.y.view());
    ops.hidden_backward(on.view, on.z.view(), on.mean.vector(), on.variance.vector(), on.y.view(),
                        on.gradient.view(), on.d_gamma.vector(), on.d_beta.vector());

    EXPECT_TRUE(near(on.gradient.to_host(), slopes(in.z), kSlopeTolerance));
    EXPECT_TRUE(near(on.d_beta.to_host(), slopes(in.beta), kSlopeTolerance));
    if (c.batch_norm) {
      EXPECT_TRUE(near(on.d_gamma.to_host(), slopes(in.gamma), kSlopeTolerance));
    }
  }
}

// --- dropout ------------------------------------------------------------------------------------

TEST(Dropout, TakesTheStatedShareAndOtherValuesInEachStepLayerAndRow) {
  constexpr std::int64_t rows = 200, units = 400;
  const auto kept = [&](const DropoutKey& key) {
    std::vector<bool> values;
    for (std::int64_t n = 0; n < rows; ++n)
      for (std::int64_t u = 0; u < units; ++u) values.push_back(keep_factor(key, 0.2, n, u) != 0);
    return values;
  };
  const auto share = [&](const std::vector<bool>& values) {
    return static_cast<double>(std::count(values.begin(), values.end(), true)) / (rows * units);
  };

  const auto first = kept({7, 0, 0});

  // Four standard deviations of 80,000 draws: 4 sqrt(0.16 / 80,000) = 0.0057.
  EXPECT_NEAR(share(first), 0.8, 0.0057);
  for (const DropoutKey& other : {DropoutKey{8, 0, 0}, DropoutKey{7, 1, 0}, DropoutKey{7, 0, 1}}) {
    const auto second = kept(other);
    std::vector<bool> both;
    for (std::size_t i = 0; i < first.size(); ++i) both.push_back(first[i] && second[i]);
    EXPECT_NEAR(share(both), 0.64, 0.0068);  // independent: 4 sqrt(0.64 * 0.36 / 80,000)
  }
}

}  // namespace
}  // namespace kronite::test
