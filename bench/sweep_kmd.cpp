// Kernel means of mixtures, their inverse and the search among them, at any size.
#include <utility>

#include "cases/mixture_cases.hpp"  // for mixtures
#include "device/backend.hpp"       // for MixtureOps
#include "kronite/array.hpp"        // for Array
#include "kronite/kmd.hpp"
#include "kronite/kmd_search.hpp"
#include "sweep_jobs.hpp"

namespace kronite::bench {
namespace {

constexpr std::int64_t kElements = 94, kFeatures = 58, kGrid = 10, kWidth = kFeatures * kGrid;
constexpr std::int64_t kMost = 8;  // components of a mixture
constexpr std::int64_t kBest = 10;

const kmd::Descriptor& descriptor() {
  static const kmd::Descriptor d = [] {
    kmd::Settings settings;
    settings.n_grids = kGrid;
    return kmd::Descriptor(kmd::Components::of(ElementTable::embedded()), settings);
  }();
  return d;
}

kmd::Weights compositions(std::int64_t rows) {
  test::HostRows w = test::mixtures({"", rows, kElements, kFeatures, kGrid, kMost});
  return {kElements, std::move(w.first), std::move(w.column), std::move(w.value)};
}

test::HostMatrix<double> described(std::int64_t rows) {
  test::HostMatrix<double> phi(rows, kWidth);
  Device device = Device::cpu();
  descriptor().transform(device, compositions(rows), {phi.values.data(), rows, kWidth});
  return phi;
}

struct Mixing {
  Array<std::int64_t> first;
  Array<std::int32_t> column;
  Array<double> value, h, out;
};

/// Sparse weights times H, everything on the device.
Job mix_rows(std::int64_t rows) {
  Job job;
  const double n = static_cast<double>(rows);
  job.operations = n * (kMost + 1) / 2 * 2 * kWidth;
  job.bytes = n * (kWidth * sizeof(double) + (kMost + 1) / 2 * 12.0 + 8);
  job.in_double = true;
  job.memory = job.bytes;
  job.item = "rows";
  job.items = n;
  job.prepare = [rows](Device& device) {
    const kmd::Weights w = compositions(rows);
    const auto entries = static_cast<std::int64_t>(w.weight.size());
    const double* const begin = descriptor().h().data;
    const std::vector<double> h(begin, begin + kElements * kWidth);
    auto inputs = std::make_shared<Mixing>(
        Mixing{Array<std::int64_t>(device, w.first, rows + 1, 1),
               Array<std::int32_t>(device, w.component, entries, 1),
               Array<double>(device, w.weight, entries, 1),
               Array<double>(device, h, kElements, kWidth), Array<double>(device, rows, kWidth)});
    return work_on(std::move(inputs), [&device](Mixing& m) {
      device.backend().mixtures().mix_rows({m.first.vector(), m.column.vector(), m.value.vector()},
                                           m.h.view(), m.out.view());
      device.synchronize();
    });
  };
  return job;
}

struct Inversion {
  test::HostMatrix<double> phi;
  kmd::Inverter inverter;
};

/// From descriptors on the host to weights on the host; `noise` is what each value is off by, at
/// most. The floor is that of descriptors of mixtures.
Job invert(double noise, std::int64_t rows) {
  Job job;
  const double n = static_cast<double>(rows);
  job.operations = n * (2.0 * kWidth * kElements + 4.0 * kElements * kElements);
  job.bytes = n * kWidth * sizeof(double);
  job.in_double = true;
  job.item = "rows";
  job.items = n;
  job.prepare = [=](Device& device) {
    test::HostMatrix<double> phi = described(rows);
    for (std::size_t i = 0; i < phi.values.size(); ++i)
      phi.values[i] += noise * test::random_value(3, i);
    auto inputs =
        std::make_shared<Inversion>(Inversion{std::move(phi), kmd::Inverter(device, descriptor())});
    return work_on(std::move(inputs), [](Inversion& i) { i.inverter.invert(i.phi.view()); });
  };
  return job;
}

/// The ten nearest of each row among all others.
Job search(std::int64_t rows) {
  Job job;
  const double n = static_cast<double>(rows);
  job.operations = n * n * 2 * kWidth;
  job.bytes = n * kWidth * sizeof(double);
  job.item = "pairs";
  job.items = n * n;
  job.prepare = [=](Device& device) {
    auto inputs = std::make_shared<test::HostMatrix<double>>(described(rows));
    return work_on(std::move(inputs), [&device](test::HostMatrix<double>& phi) {
      kmd::SearchOptions options;
      options.top = kBest;
      options.self = true;
      kmd::nearest(device, phi.view(), phi.view(), options);
    });
  };
  return job;
}

}  // namespace

std::vector<HotPath> kmd_paths() {
  return {
      {"kmd_mix_rows", {"rows"}, [](const auto& n) { return mix_rows(n[0]); }},
      {"kmd_invert", {"rows"}, [](const auto& n) { return invert(0, n[0]); }},
      {"kmd_invert_noisy", {"rows"}, [](const auto& n) { return invert(0.1, n[0]); }},
      {"kmd_search", {"rows"}, [](const auto& n) { return search(n[0]); }},
  };
}

}  // namespace kronite::bench
