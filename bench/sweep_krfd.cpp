// Gram matrices, factorisations, and regression of functions, at any size.
#include <algorithm>
#include <utility>

#include "device/backend.hpp"  // for linalg, kernels
#include "kronite/array.hpp"   // for Array
#include "kronite/krfd.hpp"
#include "kronite/krsfd.hpp"
#include "support/matrix.hpp"  // for random_matrix
#include "sweep_jobs.hpp"

namespace kronite::bench {
namespace {

constexpr std::int64_t kFeatures = 580;
constexpr std::int64_t kAsked = 100;  // systems that bands are asked for
constexpr std::int64_t kPerCurve = 10, kGridPoints = 30, kSteps = 10;  // of curves of their own

struct Square {
  Array<double> x, out, w;
};

/// Gaussian Gram matrix of n rows with themselves.
Job gram(std::int64_t n, std::int64_t features) {
  Job job;
  const double rows = static_cast<double>(n);
  job.operations = rows * rows * (2.0 * static_cast<double>(features) + 1);
  job.bytes = rows * (rows + static_cast<double>(features)) * sizeof(double);
  job.memory = job.bytes;
  job.in_double = true;
  job.item = "values";
  job.items = rows * rows;
  job.prepare = [=](Device& device) {
    auto inputs = std::make_shared<Square>(Square{
        Array<double>(device, test::random_matrix<double>(1, n, features).values, n, features),
        Array<double>(device, n, n), Array<double>(device, 1, 1)});
    return work_on(std::move(inputs), [&device](Square& s) {
      kernels<double>(device).gram(KernelKind::gaussian, 10, s.x.view(), s.x.view(), s.out.view());
      device.synchronize();
    });
  };
  return job;
}

/// A factorisation of a positive definite matrix, which is copied back before each.
template <class Factorise>
Job factorise(std::int64_t n, double operations, const Factorise& f) {
  Job job;
  const double rows = static_cast<double>(n);
  job.operations = operations;
  job.bytes = 2 * rows * rows * sizeof(double);
  job.memory = job.bytes;
  job.in_double = true;
  job.item = "rows";
  job.items = rows;
  job.prepare = [=](Device& device) {
    auto inputs = std::make_shared<Square>(Square{
        Array<double>(device, n, n), Array<double>(device, n, n), Array<double>(device, n, 1)});
    const auto places = test::random_matrix<double>(1, n, 3);
    const Array<double> x(device, places.values, n, 3);
    kernels<double>(device).gram(KernelKind::laplacian, 1, x.view(), x.view(), inputs->x.view());
    return work_on(std::move(inputs), [&device, f](Square& s) {
      device.backend().copy(
          s.out.view().data, device.place(), s.x.view().data, device.place(),
          static_cast<std::size_t>(s.x.view().rows * s.x.view().cols) * sizeof(double));
      f(device, s);
      device.synchronize();
    });
  };
  return job;
}

Job cholesky(std::int64_t n) {
  const double rows = static_cast<double>(n);
  return factorise(n, rows * rows * rows / 3, [](Device& device, Square& s) {
    linalg<double>(device).cholesky(s.out.view());
  });
}

/// 4/3 n^3 to tridiagonal form, 8/3 n^3 to the eigenvectors of it, 2 n^3 to those of the matrix.
Job eigh(std::int64_t n) {
  const double rows = static_cast<double>(n);
  return factorise(n, 6 * rows * rows * rows, [](Device& device, Square& s) {
    linalg<double>(device).eigh(s.out.view(), s.w.vector());
  });
}

struct Curves {
  test::HostMatrix<double> x, t, y;
  std::vector<krfd::Model> model;  // one, or none
};

std::shared_ptr<Curves> curves(std::int64_t systems, std::int64_t points, std::int64_t features) {
  Curves c{test::random_matrix<double>(1, systems, features),
           test::HostMatrix<double>(points, 1),
           test::random_matrix<double>(3, systems, points),
           {}};
  c.t.fill([&](std::int64_t i, std::int64_t) {
    return static_cast<double>(i) / static_cast<double>(points);
  });
  return std::make_shared<Curves>(std::move(c));
}

krfd::Model fitted(Device& device, const Curves& c, krfd::FitPath path) {
  krfd::Hyperparameters hyper;
  hyper.g.length_scales = hyper.m.length_scales = {20};
  hyper.t.length_scales = {0.1};
  krfd::FitOptions options;
  options.path = path;
  options.uncertainty = path == krfd::FitPath::spectral;
  return krfd::fit(device, c.x.view(), c.t.view(), c.y.view(), hyper, options);
}

/// From data on the host to coefficients on the host. The floor is that of one Cholesky factor, and
/// of products with the curves.
Job fit(krfd::FitPath path, std::int64_t systems, std::int64_t points) {
  Job job;
  const double n = static_cast<double>(systems), t = static_cast<double>(points);
  const double cubes = path == krfd::FitPath::spectral ? 9.0 : 1.0 / 3;
  job.operations = n * n * (2.0 * kFeatures + cubes * n + 4 * t);
  job.bytes = n * (n + kFeatures + 2 * t) * sizeof(double);
  job.memory = 3 * n * n * sizeof(double);
  if (path == krfd::FitPath::tiled) {
    krfd::FitOptions options;
    options.path = path;
    job.memory = krfd::fit_cost({systems, kFeatures, points, 0, true, 0}, options).device_bytes;
  }
  job.in_double = true;
  job.item = "systems";
  job.items = n;
  job.prepare = [=](Device& device) {
    return work_on(curves(systems, points, kFeatures),
                   [&device, path](Curves& c) { fitted(device, c, path); });
  };
  return job;
}

/// Deviations of kAsked systems at all points, from a fitted model that has its eigenvalues.
Job bands(std::int64_t systems, std::int64_t points) {
  Job job;
  const double n = static_cast<double>(systems), t = static_cast<double>(points);
  job.operations = kAsked * (2 * n * kFeatures + 2 * n * n + 2 * n * t * t);
  job.bytes = n * n * sizeof(double);
  job.memory = 3 * job.bytes;
  job.in_double = true;
  job.item = "values";
  job.items = kAsked * t;
  job.prepare = [=](Device& device) {
    auto inputs = curves(systems, points, kFeatures);
    inputs->model.push_back(fitted(device, *inputs, krfd::FitPath::spectral));
    return work_on(std::move(inputs), [&device](Curves& c) {
      const std::int64_t asked = std::min(kAsked, c.x.rows);
      c.model.front().deviation(device, {c.x.values.data(), asked, c.x.cols}, c.t.view());
    });
  };
  return job;
}

struct Observed {
  test::HostMatrix<double> x, grid, t, y;
  std::vector<std::int64_t> curve;
};

/// Conjugate gradients to 1e-8 on curves with ten points each. The floor is that of ten steps.
Job fit_irregular(std::int64_t count) {
  constexpr std::int64_t features = 3;
  Job job;
  const double n = static_cast<double>(count), observed = n * kPerCurve;
  job.operations = kSteps * 2 * (2 * n * n * kGridPoints + 2 * observed * kGridPoints);
  job.bytes = kSteps * n * n * sizeof(double);
  job.memory = n * (n + 4 * kGridPoints) * sizeof(double);
  job.in_double = true;
  job.item = "curves";
  job.items = n;
  job.prepare = [=](Device& device) {
    auto inputs =
        std::make_shared<Observed>(Observed{test::random_matrix<double>(1, count, features),
                                            test::HostMatrix<double>(kGridPoints, 1),
                                            test::random_matrix<double>(2, count * kPerCurve, 1),
                                            test::random_matrix<double>(3, count * kPerCurve, 1),
                                            {}});
    inputs->grid.fill([](std::int64_t i, std::int64_t) {
      return 2 * static_cast<double>(i) / (kGridPoints - 1) - 1;
    });
    for (std::int64_t i = 0; i < count * kPerCurve; ++i) inputs->curve.push_back(i / kPerCurve);
    return work_on(std::move(inputs), [&device](Observed& o) {
      krfd::KrsfdOptions options;
      options.sigma_t = 0.2;
      options.solver.max_iterations = 10000;
      krfd::fit_krsfd(device, o.x.view(),
                      {{o.curve.data(), static_cast<std::int64_t>(o.curve.size())},
                       o.t.view(),
                       {o.y.values.data(), o.y.rows}},
                      o.grid.view(), options);
    });
  };
  return job;
}

}  // namespace

std::vector<HotPath> krfd_paths() {
  using krfd::FitPath;
  return {
      {"gram", {"rows", "features"}, [](const auto& n) { return gram(n[0], n[1]); }},
      {"cholesky", {"rows"}, [](const auto& n) { return cholesky(n[0]); }},
      {"eigh", {"rows"}, [](const auto& n) { return eigh(n[0]); }},
      {"krfd_fit_cholesky",
       {"systems", "points"},
       [](const auto& n) { return fit(FitPath::cholesky, n[0], n[1]); }},
      {"krfd_fit_spectral",
       {"systems", "points"},
       [](const auto& n) { return fit(FitPath::spectral, n[0], n[1]); }},
      {"krfd_fit_tiled",
       {"systems", "points"},
       [](const auto& n) { return fit(FitPath::tiled, n[0], n[1]); }},
      {"krfd_bands", {"systems", "points"}, [](const auto& n) { return bands(n[0], n[1]); }},
      {"krsfd_fit", {"curves"}, [](const auto& n) { return fit_irregular(n[0]); }},
  };
}

}  // namespace kronite::bench
