// The blocks of the sums over rows, thread by thread on the CPU, against the CPU backend.
#include <gtest/gtest.h>

#include "cases/functional_cases.hpp"
#include "cases/gram_cases.hpp"  // for kernel_kinds
#include "device/backend.hpp"
#include "kernels/phases.hpp"     // for CpuBlock
#include "kernels/row_block.hpp"  // for row_block
#include "support/near.hpp"

namespace kronite::test {
namespace {

using Host = HostMatrix<double>;

class FunctionalPhases : public ::testing::TestWithParam<ThreadOrder> {
 protected:
  FunctionalOps& ops() { return device.backend().functional(); }

  template <class Sums>
  void run(std::int64_t rows, const Sums& what) {
    for (std::int64_t row = 0; row < rows; ++row) {
      CpuBlock<RowShared<Sums::kKinds>, RowRegisters> block(kRowSumThreads, GetParam());
      row_block(row, what, block.shared(), block);
    }
  }

  static MatrixView<double> mutable_view(Host& m) {
    return {m.values.data(), m.rows, m.cols, m.ld, Place{}};
  }

  Device device = Device::cpu();
};
INSTANTIATE_TEST_SUITE_P(In, FunctionalPhases,
                         ::testing::Values(ThreadOrder::ascending, ThreadOrder::descending));

TEST_P(FunctionalPhases, SumsAreThoseOfTheCpu) {
  for (const FunctionalCase& c : functional_cases()) {
    SCOPED_TRACE(c.name);
    const Host x = random_matrix<double>(1, c.n, c.m, c.pad),
               y = random_matrix<double>(2, c.n, c.m, c.pad), v = random_matrix<double>(3, c.m, 1);
    Host expected(c.n, 1), out(c.n, 1);
    ops().row_dots(x.view(), y.view(), {expected.values.data(), c.n});
    run(c.n, DotSums{x.view(), y.view(), out.values.data()});
    EXPECT_TRUE(near(out, expected, {static_cast<double>(c.m) * kEpsilon<double>}));

    const auto above_zero = [](std::uint64_t seed, std::int64_t n) {
      return random_matrix<double>(seed, n, 1).fill([&](std::int64_t i, std::int64_t) {
        return 1 + random_value(seed, static_cast<std::uint64_t>(i));
      });
    };
    const Host s = above_zero(4, c.n), d = above_zero(5, c.m);
    const Smoothing smoothing{{s.values.data(), c.n}, {d.values.data(), c.m}, 0.1, 0.2};
    Host sums(c.n, kSmoothingSums), block_sums(c.n, kSmoothingSums);
    ops().smoothing_sums(smoothing, {v.values.data(), c.m}, y.view(), mutable_view(sums));
    run(c.n, ComponentSums{smoothing, v.values.data(), y.view(), mutable_view(block_sums)});
    // Sums of up to m terms of up to 10, in another order.
    EXPECT_TRUE(near(block_sums, sums, {10 * static_cast<double>(c.m) * kEpsilon<double>, 1e-14}));
  }
}

TEST_P(FunctionalPhases, LengthScaleSumsAreThoseOfTheCpu) {
  for (const NamedKernel& kernel : kernel_kinds())
    for (const FunctionalCase& c : functional_cases()) {
      SCOPED_TRACE(std::string(kernel.name) + ", " + c.name);
      const Host x = random_matrix<double>(1, c.n, c.m, c.pad),
                 weight = random_matrix<double>(2, c.n, c.n);
      Host expected(c.n, c.m), out(c.n, c.m, c.pad);
      ops().length_scale_sums(kernel.kind, x.view(), weight.view(), mutable_view(expected));
      with_kernel(kernel.kind, [&](auto constant) {
        for (std::int64_t row = 0; row < c.n; ++row) {
          CpuBlock<LengthScaleShared, RowRegisters> block(kRowSumThreads, GetParam());
          length_scale_block<constant()>(row, x.view(), weight.view(), mutable_view(out),
                                         block.shared(), block);
        }
      });
      EXPECT_TRUE(near(out, expected, {static_cast<double>(c.n) * 1e-14}));
    }
}

}  // namespace
}  // namespace kronite::test
