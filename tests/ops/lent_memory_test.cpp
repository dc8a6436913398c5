// Memory that runs out, in every operation group and on every device: whichever piece is refused,
// by a caller's allocator or by the limit, there is one error, nothing is kept, and the device
// works on. On CUDA the lent memory is another device's, so this needs no CUDA header.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "cases/crystals.hpp"
#include "cases/linalg_cases.hpp"
#include "cases/mixture_cases.hpp"
#include "cases/network_cases.hpp"
#include "cases/ragged_cases.hpp"
#include "cases/select_cases.hpp"
#include "cases/simplex_cases.hpp"
#include "cases/training_cases.hpp"
#include "device/backend.hpp"
#include "kronite/fingerprint.hpp"  // for kSiteFeatures
#include "support/lender.hpp"
#include "support/on_each_device.hpp"

namespace kronite::test {
namespace {

// --- what every group does -----------------------------------------------------------------------

template <class T>
Numbers values_of(const DeviceMatrix<T>& m) {
  const HostMatrix<T> host = m.to_host();
  return {host.values.begin(), host.values.end()};
}
template <class T>
Numbers values_of(const Array<T>& a) {
  const std::vector<T> host = a.to_host();
  return {host.begin(), host.end()};
}
template <class First, class... Rest>
Numbers values_of(const First& first, const Rest&... rest) {
  Numbers all = values_of(first);
  for (const Numbers& more : {values_of(rest)...}) all.insert(all.end(), more.begin(), more.end());
  return all;
}

template <class T>
DeviceMatrix<T> zeros(Device& device, std::int64_t rows, std::int64_t cols) {
  return {device, HostMatrix<T>(rows, cols)};
}

template <class T>
Numbers factorise(Device& device) {
  DeviceMatrix<T> a(device, positive_definite<T>(60)), b(device, random_matrix<T>(2, 60, 7));
  DeviceMatrix<T> c(device, random_matrix<T>(3, 60, 60));
  auto product = zeros<T>(device, 60, 7), w = zeros<T>(device, 1, 60);
  LinalgOps<T>& ops = linalg<T>(device);
  ops.cholesky(a.view());
  ops.cholesky_solve(Side::left, a.view(), b.view());
  ops.gemm(T{1}, c.view(), Op::transpose, b.view(), Op::none, T{0}, product.view());
  DeviceMatrix<T> symmetric(device, positive_definite<T>(60));
  ops.eigh(symmetric.view(), w.vector());
  return values_of(b, product, w);
}

template <class T>
Numbers grams(Device& device) {
  DeviceMatrix<T> x(device, random_matrix<T>(1, 70, 9)), y(device, random_matrix<T>(2, 80, 9));
  auto squared = zeros<T>(device, 70, 80), gram = zeros<T>(device, 70, 80);
  auto distances = zeros<T>(device, 70, 80), of = zeros<T>(device, 70, 80);
  KernelOps<T>& ops = kernels<T>(device);
  ops.squared_distances(x.view(), y.view(), squared.view());
  ops.gram(KernelKind::gaussian, T{2}, x.view(), y.view(), gram.view());
  ops.kernel_distances(KernelKind::laplacian, x.view(), y.view(), distances.view());
  ops.gram_of_distances(KernelKind::laplacian, T{2}, distances.view(), of.view());
  return values_of(squared, gram, distances, of);
}

Numbers scores(Device& device, const ScoreCase& c, Precision precision) {
  if (!network<float>(device).refuses(precision).empty()) precision = Precision::fp32;
  const ScoreInputs<float> in(c);
  DeviceScore<float> on(device, in);
  network<float>(device).score_pairs(on.queries.view(), on.candidates.view(), on.pairs(),
                                     on.ensemble.view(), precision, on.p.vector());
  return values_of(on.p);
}

Numbers best_scores(Device& device, std::int64_t k, std::int64_t candidates) {
  const ScoreInputs<float> in({"", 18, {{6, 2}, {3, 1}}, 0, 5, candidates});
  DeviceScore<float> on(device, in);
  auto p = zeros<float>(device, 5, k);
  auto index = zeros<std::int32_t>(device, 5, k);
  const auto all = static_cast<std::int32_t>(candidates);
  network<float>(device).score_top_k(on.queries.view(), on.candidates.view(),
                                     {{0, 2, 0, all}, {2, 5, 0, all}}, on.ensemble.view(), {},
                                     p.view(), index.view());
  return values_of(p, index);
}

Numbers training_steps(Device& device) {
  const HiddenCase c{"", 77, 41, true, 0.2};
  const HiddenInputs<float> in(c);
  DeviceHidden<float> on(device, c, in);
  TrainOps<float>& ops = training<float>(device);
  ops.hidden_forward(on.view, on.z.view(), on.mean.vector(), on.variance.vector(), on.y.view());
  ops.hidden_backward(on.view, on.z.view(), on.mean.vector(), on.variance.vector(), on.y.view(),
                      on.gradient.view(), on.d_gamma.vector(), on.d_beta.vector());
  DeviceList<float> list(device, ListInputs<float>({"", 9, 300}));
  list.run(device);
  return values_of(on.y, on.gradient, on.d_gamma, list.loss, list.distances);
}

Numbers selection(Device& device, const TopKCase& c) {
  DeviceMatrix<float> scores(device, top_k_scores<float>(c));
  auto values = zeros<float>(device, c.n, c.k);
  auto indices = zeros<std::int32_t>(device, c.n, c.k);
  select<float>(device).top_k_rows(scores.view(), c.largest, values.view(), indices.view());
  return values_of(values, indices);
}

Numbers grouping(Device& device) {
  const std::vector<std::int64_t> keys = random_keys(500, 20);
  const Array<std::int64_t> on(device, keys, 500, 1);
  Array<std::int64_t> begin(device, std::vector<std::int64_t>(501), 501, 1);
  Array<std::int32_t> order(device, 500, 1);
  device.backend().group().group_by_key(on.vector(), order.vector(), begin.vector());
  return values_of(order, begin);
}

Numbers fingerprints(Device& device) {
  const Structure s = supercell(halite(), 2, 2, 1);
  const auto n = static_cast<std::int64_t>(s.size());
  std::vector<double> lattice, fractional;
  std::vector<std::int64_t> all;
  for (const Vector3& row : s.lattice) lattice.insert(lattice.end(), row.begin(), row.end());
  for (const Vector3& x : s.fractional) fractional.insert(fractional.end(), x.begin(), x.end());
  for (std::int64_t i = 0; i < n; ++i) all.push_back(i);
  const Array<double> l(device, lattice, 1, 9), f(device, fractional, n, 3);
  const Array<double> count(device, std::vector<double>(s.size(), 1), n, 1);
  const Array<std::int64_t> first(device, {0, n}, 2, 1), sites(device, all, n, 1);
  Array<double> values(device, n, kSiteFeatures), statistics(device, 1, 4 * kSiteFeatures);
  Array<std::int32_t> status(device, n, 1);
  SiteOps& ops = device.backend().sites();
  ops.site_fingerprints({l.view(), f.view(), first.vector()}, sites.vector(), values.view(),
                        status.vector());
  ops.site_statistics(std::as_const(values).view(), count.vector(), first.vector(),
                      statistics.view());
  return values_of(statistics, status);
}

Numbers kernel_means(Device& device) {
  const MixtureCase c{"", 30, 20, 4, 5, 6};
  const HostRows w = mixtures(c);
  const auto entries = static_cast<std::int64_t>(w.column.size());
  DeviceMatrix<double> x(device, random_matrix<double>(1, c.n, c.features));
  DeviceMatrix<double> grid(device, random_matrix<double>(2, c.features, c.grid));
  const Array<double> s(device, std::vector<double>(4, 0.5), c.features, 1);
  const Array<std::int64_t> first(device, w.first, c.rows + 1, 1);
  const Array<std::int32_t> column(device, w.column, entries, 1);
  const Array<double> value(device, w.value, entries, 1);
  DeviceMatrix<double> weights(device, dense(w, c.n));
  auto h = zeros<double>(device, c.n, 20), phi = zeros<double>(device, c.rows, 20);
  auto distance = zeros<double>(device, 1, c.rows), length = zeros<double>(device, 1, c.rows);
  MixtureOps& ops = device.backend().mixtures();
  ops.grid_kernels(KernelKind::gaussian, x.view(), grid.view(), s.vector(), h.view());
  ops.mix_rows({first.vector(), column.vector(), value.vector()}, h.view(), phi.view());
  ops.mixture_distances(weights.view(), h.view(), phi.view(), distance.vector(), length.vector());
  return values_of(phi, distance, length);
}

Numbers programmes(Device& device, const SimplexCase& c) {
  DeviceMatrix<double> p(device, simplex_matrix(c)), q(device, simplex_targets(c));
  HostMatrix<double> guess(c.rows, c.n);
  guess.fill([](std::int64_t, std::int64_t j) { return j == 0 ? 1.0 : 0.0; });
  DeviceMatrix<double> w(device, guess);
  Array<SimplexOutcome> outcome(device, c.rows, 1);
  device.backend().simplex().minimise_on_simplex(p.view(), q.view(), {}, w.view(),
                                                 outcome.vector());
  return values_of(w);
}

Numbers regression(Device& device) {
  DeviceMatrix<double> x(device, random_matrix<double>(1, 40, 30));
  DeviceMatrix<double> weight(device, random_matrix<double>(2, 40, 40));
  const Array<double> s(device, std::vector<double>(40, 2.0), 40, 1);
  const Array<double> d(device, std::vector<double>(30, 0.5), 30, 1);
  auto dots = zeros<double>(device, 1, 40), residual = zeros<double>(device, 40, 30);
  auto sums = zeros<double>(device, 40, kSmoothingSums), scales = zeros<double>(device, 40, 30);
  FunctionalOps& ops = device.backend().functional();
  const Smoothing smoothing{s.vector(), d.vector(), 0.1, 0.2};
  ops.row_dots(x.view(), x.view(), dots.vector());
  ops.smoothing_sums(smoothing, d.vector(), x.view(), sums.view());
  ops.smoothing_residual(smoothing, x.view(), residual.view());
  ops.length_scale_sums(KernelKind::matern32, x.view(), weight.view(), scales.view());
  return values_of(dots, sums, residual, scales);
}

Numbers ragged_curves(Device& device) {
  const RaggedCase c{"", std::vector<std::int64_t>(300, 2), 3, 5};
  const Array<std::int64_t> first(device, c.first(), c.curves() + 1, 1);
  const Array<std::int64_t> curve(device, c.curve(), c.rows(), 1);
  DeviceMatrix<double> basis(device, random_matrix<double>(1, c.rows(), c.basis));
  DeviceMatrix<double> z(device, random_matrix<double>(2, c.curves(), c.systems * c.basis));
  auto out = zeros<double>(device, c.rows(), c.systems);
  auto back = zeros<double>(device, c.curves(), c.systems * c.basis);
  auto dots = zeros<double>(device, 1, c.systems);
  RaggedOps& ops = device.backend().ragged();
  const RaggedRows rows{first.vector(), curve.vector()};
  ops.ragged_product(rows, basis.view(), z.view(), out.view());
  ops.ragged_transpose_product(rows, basis.view(), out.view(), back.view());
  ops.block_dots(back.view(), z.view(), dots.vector());
  return values_of(out, back, dots);
}

std::vector<Job> jobs() {
  return {
      {"linalg, float", factorise<float>, 1e-4},
      {"linalg, double", factorise<double>},
      {"gram, float", grams<float>, 1e-5},
      {"gram, double", grams<double>},
      {"network, narrow", [](Device& d) { return scores(d, published_2022(70), Precision::fp32); },
       1e-5},
      {"network, wide",
       [](Device& d) {
         return scores(d, {"", 40, {{130, 70, 2}}, 300}, Precision::fp32);
       },
       1e-5},
      {"network, bf16",
       // Where the other way round is taken for want of memory, the factors are not rounded.
       [](Device& d) {
         return scores(d, {"", 40, {{130, 70, 2}}, 300}, Precision::bf16);
       },
       2e-2},
      {"network, best ten", [](Device& d) { return best_scores(d, 10, 200); }, 1e-5},
      {"network, long lists", [](Device& d) { return best_scores(d, 1025, 1100); }, 1e-5},
      {"training", training_steps, 1e-5},
      {"select",
       [](Device& d) {
         return selection(d, {"", 7, 1001, 10});
       },
       0},
      {"select, long lists",
       [](Device& d) {
         return selection(d, {"", 3, 2500, 1025});
       },
       0},
      {"group", grouping, 0},
      {"sites", fingerprints, 0},
      {"mixture", kernel_means},
      {"simplex",
       [](Device& d) {
         return programmes(d, {"", 9, 20, 20, 4, 0.1, 0.5});
       }},
      {"simplex, beyond shared memory",
       [](Device& d) {
         return programmes(d, {"", 3, 150, 150, 20, 1, 1e-3});
       }},
      {"functional", regression},
      {"ragged", ragged_curves},
  };
}

class LentToOperations : public ::testing::TestWithParam<std::string> {};
KRONITE_ON_EACH_DEVICE(LentToOperations);

TEST_P(LentToOperations, EachRefusalIsOneErrorAndTheDeviceWorksOn) {
  refuse_each_piece(GetParam(), jobs());
}

TEST_P(LentToOperations, TheLimitIsKeptByTilesOrByOneError) {
  keep_every_limit(GetParam(), jobs());
}

}  // namespace
}  // namespace kronite::test
