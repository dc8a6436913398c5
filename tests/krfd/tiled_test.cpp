// Fits in tiles against fits by whole Cholesky factors, on one device and on several.
#include <gtest/gtest.h>

#include <string>

#include "krfd/captured_log.hpp"
#include "krfd/counted_memory.hpp"
#include "krfd/problem.hpp"
#include "kronite/error.hpp"
#include "support/on_each_device.hpp"

namespace kronite::krfd::test {
namespace {

FitOptions in_tiles(std::int64_t tile) {
  FitOptions options;
  options.path = FitPath::tiled;
  options.scale.tile = tile;
  return options;
}

FitOptions whole() {
  FitOptions options;
  options.path = FitPath::cholesky;
  return options;
}

class KrfdTiled : public kronite::test::OnEachDevice {
 protected:
  Model fit_on(int count, const Problem& p, const FitOptions& options) {
    std::vector<Device> devices;
    for (int k = 0; k < count; ++k) devices.push_back(Device::parse(GetParam()));
    return fit(devices, p.x.view(), p.t.view(), p.y.view(), p.hyper, options);
  }
};
KRONITE_ON_EACH_DEVICE(KrfdTiled);

/// Of every kind that the equations treat alike.
std::vector<Problem> problems() {
  std::vector<Problem> all(6, random_problem(30, 7));
  all[1].hyper.m = all[1].hyper.g;
  for (std::int64_t k = 0; k < 5; ++k)  // equal systems, with both kinds of kernels
    for (std::int64_t j = 0; j < 2; ++j) all[2].x.at(20 + k, j) = all[2].x.at(k / 2, j);
  all[3].x = all[2].x;
  all[3].hyper.m = all[3].hyper.g;
  all[4].hyper.g = kernel(KernelKind::laplacian, {0.8, 1.3});
  all[4].hyper.t.kind = KernelKind::matern32;
  all[5].hyper.t.length_scales = {3.0};  // a Gram matrix of t without full rank
  all[5].hyper.lambda_m = 3;
  all.push_back(random_problem(30, 1));  // one point
  all.push_back(random_problem(1, 4));   // one system
  all.push_back(random_problem(5, 40));  // more points than values of a panel
  return all;
}

void expect_same(const Model& a, const Model& b) {
  // Both are backward stable, and condition numbers are 1e4 at most.
  EXPECT_LT(largest_difference(a.theta(), b.theta()), 1e-10);
  EXPECT_LT(largest_difference(a.c(), b.c()), 1e-10);
  EXPECT_LT(largest_difference(a.residuals(), b.residuals()), 1e-11);
  EXPECT_NEAR(a.sigma2(), b.sigma2(), 1e-12);
}

TEST_P(KrfdTiled, TheModelIsThatOfWholeFactors) {
  int number = 0;
  for (const Problem& p : problems())
    for (const std::int64_t tile : {1, 4, 29, 30, 31}) {
      SCOPED_TRACE("problem " + std::to_string(number++ / 5) + ", tile " + std::to_string(tile));
      const Model exact = fit(device, p, whole()), found = fit(device, p, in_tiles(tile));
      EXPECT_EQ(found.path(), FitPath::tiled);
      // Equal systems are joined, and tiles are no larger than the matrix.
      EXPECT_LE(found.report().tile, std::min(tile, p.n()));
      expect_same(found, exact);
    }
}

TEST_P(KrfdTiled, NoiseAndBandsAreThoseOfTheModel) {
  const Problem p = random_problem(12, 5);
  FitOptions options = in_tiles(5);
  options.noise = NoiseRule::conjugate;
  FitOptions exact = whole();
  exact.noise = NoiseRule::conjugate;
  const Model a = fit(device, p, options), b = fit(device, p, exact);
  EXPECT_NEAR(a.sigma2(), b.sigma2(), 1e-12);
  EXPECT_LT(largest_difference(a.deviation(device, p.x.view(), p.t.view()),
                               b.deviation(device, p.x.view(), p.t.view())),
            1e-12);
}

TEST_P(KrfdTiled, TheNumberOfDevicesChangesNoBit) {
  Problem p = random_problem(90, 7);
  for (const bool same : {false, true}) {
    if (same) p.hyper.m = p.hyper.g;
    const Model one = fit_on(1, p, in_tiles(16));
    for (const int count : {2, 3}) {
      const Model several = fit_on(count, p, in_tiles(16));
      EXPECT_EQ(several.theta(), one.theta());
      EXPECT_EQ(several.c(), one.c());
      EXPECT_EQ(several.residuals(), one.residuals());
      EXPECT_EQ(several.sigma2(), one.sigma2());
    }
  }
}

TEST_P(KrfdTiled, MatricesThatAreNotPositiveDefiniteAreAnError) {
  Problem p = random_problem(60, 5);
  p.hyper.g.length_scales = {200};
  p.hyper.lambda_g = 1e-20;  // lost beside the rounding of G
  for (const int count : {1, 2}) {
    try {
      fit_on(count, p, in_tiles(16));
      ADD_FAILURE() << "it was fitted";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Errc::numerical);
      EXPECT_NE(std::string(e.what()).find("60 x 60 matrix is not positive definite"),
                std::string::npos)
          << e.what();
    }
  }
}

TEST_P(KrfdTiled, ProgressCountsToItsTotalAndStopsTheFit) {
  const Problem p = random_problem(50, 5);
  FitOptions options = in_tiles(8);
  long long last = 0, of = 0;
  options.progress = [&](long long done, long long total) {
    EXPECT_GE(done, last);
    last = done;
    of = total;
    return true;
  };
  fit_on(2, p, options);
  EXPECT_GT(last, 0);
  EXPECT_EQ(last, of);
  options.progress = [](long long done, long long) { return done < 20; };
  try {
    fit_on(2, p, options);
    ADD_FAILURE() << "it was not stopped";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::cancelled);
  }
}

TEST(KrfdTiledMemory, FewTilesFitALimitAndAreKeptTo) {
  const Problem p = random_problem(300, 20, 4);
  Device free = Device::cpu();
  const Model exact = fit(free, p, whole());
  for (const int count : {1, 2}) {
    Counted counted[2];
    std::vector<Device> devices;
    DeviceOptions with;
    with.memory_limit = std::size_t{1} << 18;  // a whole matrix takes 720 kB
    for (int k = 0; k < count; ++k) {
      with.allocator = counted[k].allocator();
      devices.push_back(Device::cpu(with));
    }
    const Model found = fit(devices, p.x.view(), p.t.view(), p.y.view(), p.hyper, in_tiles(0));
    EXPECT_LT(found.report().tile, 100);
    for (int k = 0; k < count; ++k) {
      EXPECT_LE(counted[k].peak, with.memory_limit);
      EXPECT_GT(counted[k].peak, with.memory_limit / 2);
    }
    expect_same(found, exact);
  }
}

TEST(KrfdTiledMemory, TilesAreTakenWithANoticeWhereNothingElseFits) {
  const Problem p = random_problem(300, 20, 4);
  DeviceOptions with;
  with.memory_limit = std::size_t{2} << 20;  // four whole matrices take 2.9 MB
  Device device = Device::cpu(with);
  FitOptions options;
  options.uncertainty = false;
  options.scale.tile = 32;
  const kronite::test::CapturedLog log;
  const Model found = fit(device, p, options);
  EXPECT_EQ(found.path(), FitPath::tiled);
  ASSERT_EQ(log.notices.size(), 1U);
  EXPECT_NE(log.notices[0].find("it is done in tiles"), std::string::npos) << log.notices[0];
  Device free = Device::cpu();
  expect_same(found, fit(free, p, whole()));
  EXPECT_EQ(fit(free, p, options).path(), FitPath::cholesky);
  // Bands would not fit.
  EXPECT_THROW(fit(device, p), Error);
}

TEST(KrfdTiledMemory, TooLittleIsRefusedInOneSentence) {
  const Problem p = random_problem(300, 20, 4);
  DeviceOptions with;
  with.memory_limit = 5000;
  Device device = Device::cpu(with);
  try {
    fit(device, p, in_tiles(0));
    ADD_FAILURE() << "it was fitted";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::out_of_memory);
    EXPECT_NE(std::string(e.what()).find("not enough for tiles of a fit of 300 systems"),
              std::string::npos)
        << e.what();
  }
}

TEST(KrfdTiledOptions, ImpossibleOnesAreRefused) {
  const Problem p = random_problem(5, 3);
  Device device = Device::cpu();
  EXPECT_THROW(fit(device, p, in_tiles(-1)), Error);
  FitOptions options = in_tiles(0);
  options.rank_tolerance = 0.1;
  EXPECT_THROW(fit(device, p, options), Error);
  std::vector<Device> none;
  EXPECT_THROW(fit(none, p.x.view(), p.t.view(), p.y.view(), p.hyper, in_tiles(0)), Error);
}

}  // namespace
}  // namespace kronite::krfd::test
