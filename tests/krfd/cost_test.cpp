// What a fit takes, as it is said beforehand and as it is measured.
#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "krfd/counted_memory.hpp"
#include "krfd/problem.hpp"
#include "kronite/error.hpp"

namespace kronite::krfd::test {
namespace {

/// Some components along t are below rounding.
Problem smooth_problem(std::int64_t n, std::int64_t points, std::int64_t features) {
  Problem p = random_problem(n, points, features);
  p.hyper.t.length_scales = {1.5};
  return p;
}

class KrfdCost : public ::testing::Test {
 protected:
  /// Peak on the device, over what fit_cost() says.
  double measured_over_said(const Problem& p, const FitOptions& options, std::size_t limit = 0) {
    Counted counted;
    DeviceOptions with;
    with.allocator = counted.allocator();
    with.memory_limit = limit;
    Device device = Device::cpu(with);
    const Model model = fit(device, p, options);
    FitShape shape{p.n(),
                   p.x.cols,
                   p.points(),
                   model.report().rank_t + 1,
                   p.hyper.m.length_scales == p.hyper.g.length_scales,
                   limit};
    shape.components = std::min(shape.components, p.points());
    return static_cast<double>(counted.peak) / fit_cost(shape, options).device_bytes;
  }
};

TEST_F(KrfdCost, MemoryOfTheDeviceIsWithinATenthOfWhatIsSaid) {
  FitOptions options;
  options.scale.centres = 60;
  options.scale.tile = 60;
  options.scale.max_iterations = 3;  // memory does not depend on them
  for (const bool same : {false, true})
    for (const auto& [n, points] : {std::pair{300, 20}, std::pair{150, 120}}) {
      Problem p = smooth_problem(n, points, 4);
      if (same) p.hyper.m = p.hyper.g;
      for (const FitPath path : {FitPath::spectral, FitPath::cholesky, FitPath::tiled,
                                 FitPath::conjugate_gradients, FitPath::nystrom}) {
        options.path = path;
        const double ratio = measured_over_said(p, options, std::size_t{1} << 30);
        EXPECT_GT(ratio, 0.9) << n << " " << static_cast<int>(path) << " " << same;
        EXPECT_LT(ratio, 1.1) << n << " " << static_cast<int>(path) << " " << same;
      }
    }
}

TEST_F(KrfdCost, TilesMoveWhatIsSaid) {
  for (const bool same : {false, true})
    for (const std::int64_t tile : {25, 60, 300}) {
      Problem p = random_problem(300, 20, 4);
      if (same) p.hyper.m = p.hyper.g;
      FitOptions options;
      options.path = FitPath::tiled;
      options.scale.tile = tile;
      Device device = Device::cpu();
      const FitCost cost = fit_cost({p.n(), p.x.cols, p.points(), 0, same, 0}, options);
      const double ratio = fit(device, p, options).report().moved_bytes / cost.moved_bytes;
      EXPECT_GT(ratio, 0.9) << tile << " " << same;
      EXPECT_LT(ratio, 1.1) << tile << " " << same;
    }
}

TEST_F(KrfdCost, ConjugateGradientsKeepToALimitAndSaySo) {
  const Problem p = smooth_problem(300, 20, 4);
  FitOptions options;
  options.path = FitPath::conjugate_gradients;
  options.scale.centres = 30;
  options.scale.max_iterations = 3;
  const std::size_t limit = std::size_t{3} << 19;  // both Gram matrices take 1.4 MB
  const double ratio = measured_over_said(p, options, limit);
  EXPECT_GT(ratio, 0.9);
  EXPECT_LE(ratio, 1.0);
}

TEST_F(KrfdCost, TuningsHoldWhatTheySay) {
  for (const bool same : {false, true}) {
    Problem p = smooth_problem(200, 12, 4);
    if (same) p.hyper.m = p.hyper.g;
    Counted counted;
    DeviceOptions with;
    with.allocator = counted.allocator();
    Device device = Device::cpu(with);
    const FitShape shape{p.n(), p.x.cols, p.points(), 0, same, 0};
    evidence(device, p.x.view(), p.t.view(), p.y.view(), p.hyper);
    // One evaluation keeps no distances, which a tuning does: n x n values less.
    const double kept = 8.0 * 200 * 200;
    const double ratio =
        static_cast<double>(counted.peak) / (evidence_cost(shape).device_bytes - kept);
    EXPECT_GT(ratio, 0.9) << same;
    EXPECT_LT(ratio, 1.1) << same;
  }
  const Problem p = smooth_problem(200, 12, 4);
  Counted counted;
  DeviceOptions with;
  with.allocator = counted.allocator();
  Device device = Device::cpu(with);
  SearchOptions search;
  search.trials = 8;  // both kinds of kernels are among them
  search.random_only = true;
  tune_by_cross_validation(device, p.x.view(), p.t.view(), p.y.view(), search);
  const FitCost cost = cross_validation_cost({p.n(), p.x.cols, p.points(), 0, false, 0}, 5);
  const double ratio = static_cast<double>(counted.peak) / cost.device_bytes;
  EXPECT_GT(ratio, 0.9);
  EXPECT_LT(ratio, 1.1);
}

/// A line of /proc/self/status in bytes.
double status(const std::string& name) {
  std::ifstream file("/proc/self/status");
  std::string word;
  while (file >> word) {
    double kib = 0;
    if (word == name + ":" && file >> kib) return kib * 1024;
  }
  return 0;
}

TEST_F(KrfdCost, MemoryOfTheProcessIsWithinATenthOfWhatIsSaid) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "AddressSanitizer takes memory of its own";
#endif
  mallopt(M_MMAP_THRESHOLD, 1 << 20);  // large pieces go back to the system when they are freed
  const Problem p = random_problem(1300, 120, 4);
  DeviceOptions one_thread;
  one_thread.threads = 1;
  Device device = Device::cpu(one_thread);
  for (const FitPath path : {FitPath::cholesky, FitPath::tiled}) {
    FitOptions options;
    options.path = path;
    options.uncertainty = false;
    fit(device, random_problem(100, 20, 4), options);  // libraries take their buffers
    malloc_trim(0);                                    // what the fit before has left goes back
    std::ofstream("/proc/self/clear_refs") << "5";     // the peak is counted from now on
    const double before = status("VmRSS");
    if (before == 0 || status("VmHWM") > before * 1.01)
      GTEST_SKIP() << "this system does not say what a process takes";
    fit(device, p, options);
    const FitCost cost = fit_cost({p.n(), p.x.cols, p.points()}, options);
    const double ratio = (status("VmHWM") - before) / (cost.device_bytes + cost.host_bytes);
    EXPECT_GT(ratio, 0.9) << static_cast<int>(path);
    EXPECT_LT(ratio, 1.1) << static_cast<int>(path);
  }
}

TEST_F(KrfdCost, ShapesWithoutSystemsAreRefused) {
  EXPECT_THROW(fit_cost({0, 1, 1}, {}), Error);
  EXPECT_THROW(fit_cost({1, 0, 1}, {}), Error);
  EXPECT_THROW(fit_cost({1, 1, 0}, {}), Error);
}

}  // namespace
}  // namespace kronite::krfd::test
