// Kernel means, their inverse and searches on several devices give what one gives.
#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "kmd/materials.hpp"  // for random_components, random_weights
#include "kronite/kmd_search.hpp"
#include "support/matrix.hpp"  // for random_matrix
#include "support/on_several_devices.hpp"

namespace kronite::kmd::test {
namespace {

using kronite::test::HostMatrix;
using kronite::test::random_matrix;

class KmdOnSeveral : public kronite::test::OnSeveralDevices {
 protected:
  /// More than a part of each device.
  static constexpr std::int64_t kRows = 3001;
  const Descriptor descriptor{random_components(30, 6), settings()};
  const Weights weights = random_weights(kRows, 30, 7);

  static Settings settings() {
    Settings settings;
    settings.n_grids = 12;
    return settings;
  }
  HostMatrix<double> described(std::int64_t pad = 0) {
    HostMatrix<double> phi(kRows, descriptor.width(), pad);
    descriptor.transform(devices, weights,
                         {phi.values.data(), phi.rows, phi.cols, phi.ld, Place{}});
    return phi;
  }
};
KRONITE_ON_SEVERAL_DEVICES(KmdOnSeveral);

TEST_P(KmdOnSeveral, KernelMeansAreThoseOfOne) {
  for (const std::int64_t pad : {0, 5}) {
    HostMatrix<double> by_one(kRows, descriptor.width(), pad);
    descriptor.transform(one, weights,
                         {by_one.values.data(), by_one.rows, by_one.cols, by_one.ld, Place{}});
    EXPECT_EQ(described(pad).values, by_one.values);
  }
}

TEST_P(KmdOnSeveral, InversesAreThoseOfOne) {
  HostMatrix<double> phi = described();
  const auto noise = random_matrix<double>(5, kRows, descriptor.width());
  for (std::size_t i = 0; i < phi.values.size(); i += 3) phi.values[i] += 0.01 * noise.values[i];

  const Inverted by_one = Inverter(one, descriptor).invert(phi.view());
  const Inverted by_all = Inverter(devices, descriptor).invert(phi.view());

  ASSERT_EQ(by_all.rows.size(), by_one.rows.size());
  EXPECT_EQ(by_all.weights.first, by_one.weights.first);
  EXPECT_EQ(by_all.weights.component, by_one.weights.component);
  by_all.weights.check();
  for (std::size_t k = 0; k < by_one.weights.weight.size(); ++k)
    // cuBLAS may choose another kernel for another number of rows.
    ASSERT_NEAR(by_all.weights.weight[k], by_one.weights.weight[k], on_cpu() ? 0 : 1e-9) << k;
  for (std::size_t i = 0; i < by_one.rows.size(); ++i) {
    ASSERT_NEAR(by_all.rows[i].residual, by_one.rows[i].residual, on_cpu() ? 0 : 1e-9) << i;
    ASSERT_EQ(by_all.rows[i].on_manifold, by_one.rows[i].on_manifold) << i;
  }
}

TEST_P(KmdOnSeveral, AnInverseNamesTheFirstRowThatIsWrong) {
  HostMatrix<double> phi = described();
  for (const std::int64_t row : {2000, 1234, 2999})
    phi.at(row, 3) = std::numeric_limits<double>::infinity();
  try {
    Inverter(devices, descriptor).invert(phi.view());
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::invalid_argument);
    EXPECT_NE(std::string(error.what()).find("row 1234"), std::string::npos) << error.what();
  }
}

TEST_P(KmdOnSeveral, NeighboursAreThoseOfOne) {
  const auto x = random_matrix<double>(1, 1500, 9), y = random_matrix<double>(2, 700, 9);
  SearchOptions options;
  options.top = 6;
  for (const bool self : {false, true}) {
    options.self = self;
    const auto& library = self ? x : y;
    const Neighbours by_one = nearest(one, x.view(), library.view(), options);
    const Neighbours by_all = nearest(devices, x.view(), library.view(), options);
    EXPECT_EQ(by_all.k, by_one.k);
    EXPECT_EQ(by_all.index, by_one.index);
    EXPECT_EQ(by_all.distance, by_one.distance);
  }
}

TEST_P(KmdOnSeveral, ASearchTellsAllItsPairsAndStopsWhenTold) {
  const auto x = random_matrix<double>(1, 900, 9);
  SearchOptions options;
  long long told = 0;
  options.progress = [&](long long done, long long total) {
    EXPECT_EQ(total, 900 * 900);
    EXPECT_GE(done, told);
    told = done;
    return true;
  };
  nearest(devices, x.view(), x.view(), options);
  EXPECT_EQ(told, 900 * 900);

  options.progress = [](long long, long long) { return false; };
  EXPECT_THROW(nearest(devices, x.view(), x.view(), options), Error);
}

TEST(KmdOnNone, IsRefused) {
  std::vector<Device> none;
  const Descriptor descriptor(random_components(5, 2));
  const auto x = random_matrix<double>(1, 3, 2);
  EXPECT_THROW(Inverter(none, descriptor), Error);
  EXPECT_THROW(nearest(none, x.view(), x.view()), Error);
}

}  // namespace
}  // namespace kronite::kmd::test
