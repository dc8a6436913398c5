// The GPU's training steps, run block by block on the CPU (kernels/phases.hpp).
#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "cases/training_cases.hpp"
#include "device/backend.hpp"  // for training
#include "kernels/column_block.hpp"
#include "kernels/list_loss.hpp"
#include "kernels/phases.hpp"  // for CpuBlock
#include "support/near.hpp"

namespace kronite::test {
namespace {

/// All blocks of a launch over `columns` columns.
template <class Sums>
void run_blocks(std::int64_t rows, std::int64_t columns, const Sums& what,
                ThreadOrder order = ThreadOrder::ascending) {
  for (std::int64_t block = 0; block * kBlockColumns < columns; ++block) {
    CpuBlock<ColumnShared<Sums::kKinds>, ColumnRegisters> threads(kColumnThreads, order);
    column_block<double>(block, rows, columns, what, threads.shared(), threads);
  }
}

HostMatrix<double> as_matrix(const std::vector<double>& values) {
  HostMatrix<double> m(1, static_cast<std::int64_t>(values.size()));
  m.values = values;
  return m;
}

/// The same values without padding; as one row.
HostMatrix<double> values_of(const HostMatrix<double>& m) {
  HostMatrix<double> values(m.rows, m.cols);
  values.fill([&](std::int64_t i, std::int64_t j) { return m.at(i, j); });
  return values;
}
HostMatrix<double> row_of(const HostMatrix<double>& column) { return as_matrix(column.values); }

std::vector<double> unwritten(std::int64_t size) {
  return std::vector<double>(static_cast<std::size_t>(size),
                             std::numeric_limits<double>::quiet_NaN());
}

/// The CPU backend (whose oracle is in training_test.cpp) after both passes of a hidden layer.
struct Expected {
  Device device = Device::cpu();
  HiddenInputs<double> in;
  DeviceHidden<double> on;
  HostMatrix<double> dl_dy;

  explicit Expected(const HiddenCase& c) : in(c), on(device, c, in), dl_dy(in.gradient) {
    auto& ops = training<double>(device);
    ops.hidden_forward(on.view, on.z.view(), on.mean.vector(), on.variance.vector(), on.y.view());
    ops.hidden_backward(on.view, on.z.view(), on.mean.vector(), on.variance.vector(), on.y.view(),
                        on.gradient.view(), on.d_gamma.vector(), on.d_beta.vector());
  }

  NormalisationGradientSums<double> gradient_sums(std::vector<double>& d_gamma,
                                                  std::vector<double>& d_beta) {
    return {on.z.view(),
            on.y.view(),
            dl_dy.view(),
            on.mean.vector().data,
            on.variance.vector().data,
            on.view.epsilon,
            kept_scale(on.view),
            d_gamma.data(),
            d_beta.data()};
  }
};

/// Sums of up to 1,300 values of size one in another order.
constexpr Tolerance kSumTolerance{1e-12, 1e-12};

class ColumnBlocks : public testing::TestWithParam<HiddenCase> {};
INSTANTIATE_TEST_SUITE_P(Cases, ColumnBlocks, testing::ValuesIn(hidden_cases()));

TEST_P(ColumnBlocks, AddUpEveryColumn) {
  const HiddenCase& c = GetParam();
  Device device = Device::cpu();
  const auto x = random_matrix<double>(1, c.rows, c.units, c.pad);
  DeviceMatrix<double> dx(device, x), expected(device, HostMatrix<double>(1, c.units));
  auto sums = unwritten(c.units);

  run_blocks(c.rows, c.units, PlainSums<double>{x.view(), sums.data()});

  training<double>(device).column_sums(dx.view(), expected.vector());
  EXPECT_TRUE(near(as_matrix(sums), expected.to_host(), kSumTolerance));
}

TEST_P(ColumnBlocks, GiveTheMomentsOfEveryColumn) {
  HiddenCase c = GetParam();
  c.batch_norm = true;
  Expected expected(c);
  auto mean = unwritten(c.units), variance = unwritten(c.units);

  run_blocks(c.rows, c.units,
             MomentSums<double>{expected.in.z.view(), mean.data(), variance.data()});

  EXPECT_TRUE(near(as_matrix(mean), expected.on.mean.to_host(), kSumTolerance));
  EXPECT_TRUE(near(as_matrix(variance), expected.on.variance.to_host(), kSumTolerance));
}

TEST_P(ColumnBlocks, GiveTheGradientsOfEveryUnit) {
  HiddenCase c = GetParam();
  auto d_gamma = unwritten(c.units), d_beta = unwritten(c.units), d_beta_alone = unwritten(c.units);
  c.batch_norm = true;
  Expected normalised(c);
  c.batch_norm = false;
  Expected plain(c);

  run_blocks(c.rows, c.units, normalised.gradient_sums(d_gamma, d_beta));
  run_blocks(c.rows, c.units,
             OffsetGradientSums<double>{plain.on.y.view(), plain.dl_dy.view(),
                                        kept_scale(plain.on.view), d_beta_alone.data()});

  EXPECT_TRUE(near(as_matrix(d_gamma), normalised.on.d_gamma.to_host(), {1e-10, 1e-10}));
  EXPECT_TRUE(near(as_matrix(d_beta), normalised.on.d_beta.to_host(), {1e-10, 1e-10}));
  EXPECT_TRUE(near(as_matrix(d_beta_alone), plain.on.d_beta.to_host(), {1e-10, 1e-10}));
}

TEST_P(ColumnBlocks, DoNotDependOnTheOrderOfTheThreads) {
  HiddenCase c = GetParam();
  c.batch_norm = true;
  Expected of(c);
  auto up_gamma = unwritten(c.units), up_beta = unwritten(c.units);
  auto down_gamma = unwritten(c.units), down_beta = unwritten(c.units);

  run_blocks(c.rows, c.units, of.gradient_sums(up_gamma, up_beta), ThreadOrder::ascending);
  run_blocks(c.rows, c.units, of.gradient_sums(down_gamma, down_beta), ThreadOrder::descending);

  EXPECT_EQ(up_gamma, down_gamma);
  EXPECT_EQ(up_beta, down_beta);
}

TEST_P(ColumnBlocks, AreFollowedByEveryDrawOfEveryRow) {
  const HiddenCase& c = GetParam();
  Expected expected(c);
  HostMatrix<double> y(c.rows, c.units, c.pad);
  const MatrixView<double> out(y.values.data(), y.rows, y.cols, y.ld, Place{});

  for (std::int64_t n = 0; n < c.rows; ++n)
    for (std::int64_t draw = 0; draw < dropout_draws(c.units); ++draw)
      activate_draw<double>(expected.on.view, dropout_threshold(c.dropout),
                            kept_scale(expected.on.view), expected.in.z.view(),
                            expected.on.mean.vector().data, expected.on.variance.vector().data, n,
                            draw, out);

  // The same arithmetic, but for products that fuse into sums; one row is amplified 32-fold.
  EXPECT_TRUE(near(y, expected.on.y.to_host(), {1e-13}));
}

TEST(DropoutPlace, OfEveryUnitIsItsOwn) {
  for (std::int64_t draw = 0; draw < dropout_draws(70); ++draw)
    for (int slot = 0; slot < kDropoutBlock / kDropoutDraws; ++slot) {
      const DropoutPlace place = dropout_place(dropout_unit(draw, slot));
      EXPECT_EQ(place.draw, draw);
      EXPECT_EQ(place.slot, slot);
    }
}

// --- lists --------------------------------------------------------------------------------------

class ListBlocks : public testing::TestWithParam<ListCase> {};
INSTANTIATE_TEST_SUITE_P(Cases, ListBlocks, testing::ValuesIn(list_cases()));

TEST_P(ListBlocks, GiveLossAndGradientsInEitherOrderOfThreads) {
  const ListCase& c = GetParam();
  Device device = Device::cpu();
  const ListInputs<double> in(c);
  DeviceList<double> expected(device, in);
  expected.run(device);
  for (const ThreadOrder order : {ThreadOrder::ascending, ThreadOrder::descending}) {
    DeviceList<double> on(device, in);
    auto loss = unwritten(c.rows), none_gradient = unwritten(c.rows);
    const ListLoss<double> what{in.with_bias ? on.bias.vector().data : nullptr,
                                on.none.vector().data,
                                std::as_const(on.relation).view(),
                                ListInputs<double>::kShare,
                                on.distances.view(),
                                loss.data(),
                                none_gradient.data()};

    for (std::int64_t row = 0; row < c.rows; ++row) {
      CpuBlock<ListShared, ListRegisters> threads(kListThreads, order);
      list_block(row, what, threads.shared(), threads);
    }

    // Sums of up to 3,000 values in another order.
    EXPECT_TRUE(near(as_matrix(loss), row_of(expected.loss.to_host()), {1e-12}));
    EXPECT_TRUE(near(as_matrix(none_gradient), row_of(expected.none_gradient.to_host()), {1e-12}));
    EXPECT_TRUE(near(on.distances.to_host(), values_of(expected.distances.to_host()), {1e-12}));
  }
}

}  // namespace
}  // namespace kronite::test
