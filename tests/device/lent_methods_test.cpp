// Memory that runs out inside the methods, which hold arrays of their own between operations: the
// same as tests/ops/lent_memory_test.cpp asks of operations.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "krfd/problem.hpp"
#include "kronite/csp.hpp"
#include "kronite/kmd.hpp"
#include "kronite/kmd_search.hpp"
#include "kronite/krsfd.hpp"
#include "support/lender.hpp"
#include "support/on_each_device.hpp"

namespace kronite::test {
namespace {

// --- kernel means --------------------------------------------------------------------------------

const kmd::Descriptor& descriptor() {
  static const kmd::Descriptor d = [] {
    kmd::Settings settings;
    settings.n_grids = 10;
    return kmd::Descriptor(kmd::Components::of(ElementTable::embedded()), settings);
  }();
  return d;
}

kmd::Weights compositions() {
  std::vector<Composition> all;
  for (const char* formula : {"NaCl", "SrTiO3", "LiFePO4", "Al2O3", "ZnS", "Ca(OH)2", "GaAs"})
    all.push_back(Composition::parse(formula));
  return kmd::weights_of(all, descriptor().components());
}

Numbers described(Device& device) {
  const kmd::Weights w = compositions();
  Numbers phi(static_cast<std::size_t>(w.rows() * descriptor().width()));
  descriptor().transform(device, w, {phi.data(), w.rows(), descriptor().width()});
  return phi;
}

Numbers inverted(Device& device) {
  const Numbers phi = described(device);
  const std::int64_t width = descriptor().width();
  const kmd::Inverter inverter(device, descriptor());
  return inverter.invert({phi.data(), std::ssize(phi) / width, width}).weights.weight;
}

Numbers neighbours(Device& device) {
  const auto x = random_matrix<double>(1, 30, 20), y = random_matrix<double>(2, 90, 20);
  return kmd::nearest(device, x.view(), y.view()).distance;
}

// --- regression of functions ---------------------------------------------------------------------

Numbers regression(Device& device, krfd::FitPath path) {
  const krfd::test::Problem p = krfd::test::random_problem(12, 5);
  krfd::FitOptions options;
  options.path = path;
  options.scale.centres = 6;
  const krfd::Model model = krfd::fit(device, p.x.view(), p.t.view(), p.y.view(), p.hyper, options);
  const auto some = random_matrix<double>(9, 4, p.x.cols);
  Numbers all = model.mean(device, some.view(), p.t.view());
  for (const Numbers& more : {model.deviation(device, some.view(), p.t.view()),
                              model.sample(device, some.view(), p.t.view())})
    all.insert(all.end(), more.begin(), more.end());
  return all;
}

Numbers evidence(Device& device) {
  const krfd::test::Problem p = krfd::test::random_problem(12, 5);
  const krfd::Evidence e = krfd::evidence(device, p.x.view(), p.t.view(), p.y.view(), p.hyper);
  return {e.log, e.gradient.lambda_g, e.gradient.g.front()};
}

Numbers left_out(Device& device) {
  const krfd::test::Problem p = krfd::test::random_problem(12, 5);
  return krfd::leave_one_out(device, p.x.view(), p.t.view(), p.y.view(), p.hyper);
}

Numbers searched(Device& device) {
  const krfd::test::Problem p = krfd::test::random_problem(20, 6);
  krfd::SearchOptions options;
  options.trials = 2;  // a trial that fails for want of memory must not count as a bad one
  options.random_only = true;
  return {krfd::tune_by_cross_validation(device, p.x.view(), p.t.view(), p.y.view(), options).mae};
}

Numbers curves_of_their_own(Device& device) {
  const auto x = random_matrix<double>(1, 12, 3), t = random_matrix<double>(2, 48, 1),
             y = random_matrix<double>(3, 48, 1);
  HostMatrix<double> grid(8, 1);
  grid.fill([](std::int64_t i, std::int64_t) { return static_cast<double>(i) / 4 - 1; });
  std::vector<std::int64_t> curve;
  for (std::int64_t n = 0; n < 48; ++n) curve.push_back(n / 4);
  const krfd::Observations observations{
      {curve.data(), std::ssize(curve)}, t.view(), {y.values.data(), y.rows}};
  krfd::KrsfdOptions options;
  options.sigma_t = 0.5;
  const krfd::KrsfdModel model =
      krfd::fit_krsfd(device, x.view(), observations, grid.view(), options);
  return model.theta;
}

// --- crystals ------------------------------------------------------------------------------------

Numbers predicted(Device& device, const char* name) {
  static const TemplateLibrary library = TemplateLibrary::embedded();
  const auto ranker = csp::open_ranker(name);
  const csp::Prediction prediction =
      csp::predict(device, Composition::parse("SrTiO3"), library, *ranker);
  Numbers p;
  for (const csp::Candidate& candidate : prediction.candidates) p.push_back(candidate.p);
  EXPECT_FALSE(p.empty());
  return p;
}

std::vector<Job> jobs() {
  using krfd::FitPath;
  const auto fit = [](FitPath path) {
    return [path](Device& device) { return regression(device, path); };
  };
  return {
      {"kernel means and their inverse", inverted, 1e-9},
      {"nearest", neighbours, 1e-12},
      {"krfd by eigenvalues", fit(FitPath::spectral), 1e-8, true},
      {"krfd by factors", fit(FitPath::cholesky), 1e-8, true},
      // The tolerance of conjugate gradients, and what a band makes of it.
      {"krfd by conjugate gradients", fit(FitPath::conjugate_gradients), 1e-6, true},
      {"krfd by centres", fit(FitPath::nystrom), 1e-6, true},
      {"evidence", evidence, 1e-8},
      {"leaving one out", left_out, 1e-8},
      {"cross-validation", searched, 1e-8},
      {"krsfd", curves_of_their_own, 1e-6},
      {"predict by a metric", [](Device& d) { return predicted(d, "metric"); }, 1e-4, true},
      {"predict by a classifier", [](Device& d) { return predicted(d, "2022"); }, 1e-4, true},
  };
}

class LentToMethods : public ::testing::TestWithParam<std::string> {};
KRONITE_ON_EACH_DEVICE(LentToMethods);

TEST_P(LentToMethods, EachRefusalIsOneErrorAndTheDeviceWorksOn) {
  refuse_each_piece(GetParam(), jobs());
}

TEST_P(LentToMethods, TheLimitIsKeptByTilesOrByOneError) { keep_every_limit(GetParam(), jobs()); }

}  // namespace
}  // namespace kronite::test
