// Fingerprints of crystals: gathers sites into batches for the device and says what went wrong.
#include "kronite/fingerprint.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <optional>
#include <span>

#include "base/fail.hpp"                 // for fail
#include "base/side_by_side.hpp"         // for side_by_side, SharedProgress
#include "device/backend.hpp"            // for SiteOps
#include "kernels/site_fingerprint.hpp"  // for SiteStatus
#include "kronite/array.hpp"             // for Array
#include "materials/elements.hpp"        // for element_symbol

namespace kronite {
namespace {

/// Crystals side by side on the host, and the sites of theirs to compute.
struct Batch {
  std::vector<double> lattice, fractional, count;
  std::vector<std::int64_t> first_site{0}, sites, first_row{0};

  std::int64_t crystals() const { return static_cast<std::int64_t>(first_row.size()) - 1; }

  /// One site of each orbit, counted as often as the orbit has sites.
  void add(const Structure& structure, const std::vector<int>& equivalent) {
    for (const Vector3& row : structure.lattice)
      lattice.insert(lattice.end(), row.begin(), row.end());
    for (const Vector3& site : structure.fractional)
      fractional.insert(fractional.end(), site.begin(), site.end());
    std::vector<double> members(structure.size(), equivalent.empty() ? 1 : 0);
    for (const int first : equivalent) ++members[static_cast<std::size_t>(first)];
    for (std::size_t i = 0; i < structure.size(); ++i) {
      if (members[i] == 0) continue;
      sites.push_back(first_site.back() + static_cast<std::int64_t>(i));
      count.push_back(members[i]);
    }
    first_site.push_back(first_site.back() + static_cast<std::int64_t>(structure.size()));
    first_row.push_back(static_cast<std::int64_t>(sites.size()));
  }
};

void check_orbits(const Structure& structure, const std::vector<int>& equivalent) {
  if (equivalent.empty()) return;
  const auto n = static_cast<int>(structure.size());
  bool holds = equivalent.size() == structure.size();
  for (std::size_t i = 0; holds && i < equivalent.size(); ++i)
    holds = equivalent[i] >= 0 && equivalent[i] < n &&
            equivalent[static_cast<std::size_t>(equivalent[i])] == equivalent[i];
  if (!holds)
    fail(Errc::invalid_argument,
         "fingerprint: `equivalent` must name for each of the {} sites the first of its orbit", n);
}

/// Where a batch was computed.
struct Outcome {
  std::vector<double> sites, crystals;  // n x 61, m x 244
  std::vector<std::int32_t> status;
};

Outcome compute(Device& device, const Batch& batch) {
  const auto sites = static_cast<std::int64_t>(batch.sites.size());
  const std::int64_t crystals = batch.crystals();
  const Array<double> lattice(device, batch.lattice, crystals, 9);
  const Array<double> fractional(device, batch.fractional, batch.first_site.back(), 3);
  const Array<std::int64_t> first_site(device, batch.first_site, crystals + 1, 1);
  const Array<std::int64_t> chosen(device, batch.sites, sites, 1);
  Array<double> values(device, sites, kSiteFeatures);
  Array<std::int32_t> status(device, sites, 1);
  SiteOps& ops = device.backend().sites();
  ops.site_fingerprints({lattice.view(), fractional.view(), first_site.vector()}, chosen.vector(),
                        values.view(), status.vector());

  const Array<double> count(device, batch.count, sites, 1);
  const Array<std::int64_t> first_row(device, batch.first_row, crystals + 1, 1);
  Array<double> statistics(device, crystals, kFingerprintSize);
  ops.site_statistics(values.view(), count.vector(), first_row.vector(), statistics.view());
  return {values.to_host(), statistics.to_host(), status.to_host()};
}

/// Small jobs, with no device of the caller's; one of each thread.
Device& own_device() {
  thread_local Device device = [] {
    DeviceOptions options;
    options.threads = 1;
    return Device::cpu(options);
  }();
  return device;
}

std::string reason(SiteStatus status) {
  switch (status) {
    case SiteStatus::good:
      break;
    case SiteStatus::unbounded:
      return "its Voronoi cell does not close within the longest diagonal of the unit cell";
    case SiteStatus::no_room:
      return "its Voronoi cell has too many faces";
    case SiteStatus::inconsistent:
      return "its Voronoi cell cannot be resolved in double precision";
    case SiteStatus::too_empty:
      return "too much vacuum around it: millions of atoms lie closer than those that close its "
             "Voronoi cell";
  }
  return {};
}

/// Whether a site of crystal i has more faces than the device has room for; the CPU has more.
bool needs_cpu(const Device& device, const Batch& batch, const Outcome& outcome, std::int64_t i) {
  if (device.place().kind == DeviceKind::cpu) return false;
  const auto begin = outcome.status.begin();
  return std::find(begin + batch.first_row[i], begin + batch.first_row[i + 1],
                   static_cast<std::int32_t>(SiteStatus::no_room)) !=
         begin + batch.first_row[i + 1];
}

/// @throws Error numerical, naming the first site of crystal i that went wrong.
void require_good(const Batch& batch, const Outcome& outcome, std::int64_t i,
                  const Structure& structure) {
  for (std::int64_t n = batch.first_row[i]; n < batch.first_row[i + 1]; ++n) {
    const auto status = static_cast<SiteStatus>(outcome.status[n]);
    if (status == SiteStatus::good) continue;
    const std::int64_t site = batch.sites[n] - batch.first_site[i];
    fail(Errc::numerical, "site {} ({}): {}", site + 1, element_symbol(structure.z[site]),
         reason(status));
  }
}

/// Of one crystal that was checked. @throws Error numerical.
Outcome compute_one(const Structure& structure, const std::vector<int>& equivalent) {
  Batch batch;
  batch.add(structure, equivalent);
  Outcome outcome = compute(own_device(), batch);
  require_good(batch, outcome, 0, structure);
  return outcome;
}

void require_shape(const MatrixView<double>& out, std::int64_t rows, std::int64_t cols,
                   const char* call) {
  if (out.rows != rows || out.cols != cols || out.ld < cols || out.place != Place{} ||
      (rows > 0 && out.data == nullptr))
    fail(Errc::invalid_argument, "{}: the result needs {} x {} values on the host", call, rows,
         cols);
}

/// NaN where there are no values.
void put_row(const MatrixView<double>& out, std::int64_t row, const double* values) {
  if (values)
    std::copy_n(values, out.cols, out.row(row));
  else
    std::fill_n(out.row(row), out.cols, std::numeric_limits<double>::quiet_NaN());
}

/// Enough sites to fill a GPU, few enough to stop soon.
constexpr std::int64_t kSitesPerBatch = 1 << 15;
/// On several devices batches are smaller where that gives each some of them, but not too small.
constexpr std::int64_t kBatchesPerDevice = 4, kFewestSites = 1024;

/// Where batches of structures begin, and the end of the last one.
std::vector<std::int64_t> batch_bounds(const std::vector<Structure>& structures,
                                       std::size_t devices) {
  std::int64_t most = kSitesPerBatch, sites = 0;
  if (devices > 1) {
    for (const Structure& structure : structures) sites += std::ssize(structure.z);
    most = std::clamp(sites / (kBatchesPerDevice * static_cast<std::int64_t>(devices)),
                      kFewestSites, kSitesPerBatch);
  }
  std::vector<std::int64_t> bounds{0};
  sites = 0;
  for (std::int64_t i = 0; i < std::ssize(structures); ++i) {
    sites += std::ssize(structures[i].z);
    if (sites < most && i + 1 < std::ssize(structures)) continue;
    bounds.push_back(i + 1);
    sites = 0;
  }
  return bounds;
}

/// take(i, 244 values, n x 61 values) for the crystals [begin, end), with null pointers where it
/// failed.
template <class Take>
std::vector<FingerprintFailure> compute_batch(Device& device,
                                              const std::vector<Structure>& structures,
                                              std::int64_t begin, std::int64_t end,
                                              const Take& take) {
  std::vector<FingerprintFailure> failures;
  const auto refuse = [&](std::int64_t i, const std::string& why) {
    take(i, nullptr, nullptr);
    failures.push_back({i, why});
  };
  Batch batch;
  std::vector<std::int64_t> members;
  for (std::int64_t i = begin; i < end; ++i) {
    try {
      check_structure(structures[i]);
    } catch (const Error& error) {
      refuse(i, error.what());
      continue;
    }
    batch.add(structures[i], {});
    members.push_back(i);
  }
  const Outcome outcome = compute(device, batch);
  for (std::int64_t i = 0; i < batch.crystals(); ++i) {
    const Structure& structure = structures[members[i]];
    try {
      if (needs_cpu(device, batch, outcome, i)) {
        const Outcome by_cpu = compute_one(structure, {});
        take(members[i], by_cpu.crystals.data(), by_cpu.sites.data());
      } else {
        require_good(batch, outcome, i, structure);
        take(members[i], outcome.crystals.data() + i * kFingerprintSize,
             outcome.sites.data() + batch.first_row[i] * kSiteFeatures);
      }
    } catch (const Error& error) {
      refuse(members[i], error.what());
    }
  }
  return failures;
}

/// As compute_batch(), of all crystals. `take` is called from several threads, each time for
/// another crystal.
template <class Take>
std::vector<FingerprintFailure> compute_all(std::span<Device> devices,
                                            const std::vector<Structure>& structures,
                                            const Progress& progress, const Take& take) {
  const std::vector<std::int64_t> bounds = batch_bounds(structures, devices.size());
  std::vector<FingerprintFailure> failures;
  std::mutex guard;
  SharedProgress told(progress, std::ssize(structures));
  side_by_side(devices.size(), std::ssize(bounds) - 1, [&](const Part& part) {
    told.ask();
    const std::int64_t begin = bounds[part.number()], end = bounds[part.number() + 1];
    const auto failed = compute_batch(devices[part.worker()], structures, begin, end, take);
    told.add(end - begin);
    const std::lock_guard lock(guard);
    failures.insert(failures.end(), failed.begin(), failed.end());
  });
  told.finish();
  std::sort(failures.begin(), failures.end(),
            [](const auto& a, const auto& b) { return a.structure < b.structure; });
  return failures;
}

std::vector<FingerprintFailure> crystal_rows(std::span<Device> devices,
                                             const std::vector<Structure>& structures,
                                             MatrixView<double> out, const Progress& progress) {
  require_shape(out, std::ssize(structures), kFingerprintSize, "fingerprints");
  return compute_all(
      devices, structures, progress,
      [&](std::int64_t i, const double* crystal, const double*) { put_row(out, i, crystal); });
}

std::vector<FingerprintFailure> site_rows(std::span<Device> devices,
                                          const std::vector<Structure>& structures,
                                          MatrixView<double> out, const Progress& progress) {
  std::vector<std::int64_t> first_row{0};
  for (const Structure& structure : structures)
    first_row.push_back(first_row.back() + static_cast<std::int64_t>(structure.size()));
  require_shape(out, first_row.back(), kSiteFeatures, "site_fingerprints");
  return compute_all(devices, structures, progress,
                     [&](std::int64_t i, const double*, const double* sites) {
                       for (std::int64_t row = first_row[i]; row < first_row[i + 1]; ++row) {
                         put_row(out, row, sites);
                         if (sites) sites += kSiteFeatures;
                       }
                     });
}

}  // namespace

std::vector<double> site_fingerprints(const Structure& structure) {
  check_structure(structure);
  return compute_one(structure, {}).sites;
}

Fingerprint fingerprint(const Structure& structure, const std::vector<int>& equivalent) {
  check_structure(structure);
  check_orbits(structure, equivalent);
  const Outcome outcome = compute_one(structure, equivalent);
  Fingerprint values{};
  std::copy(outcome.crystals.begin(), outcome.crystals.end(), values.begin());
  return values;
}

std::vector<FingerprintFailure> fingerprints(Device& device,
                                             const std::vector<Structure>& structures,
                                             MatrixView<double> out, const Progress& progress) {
  return crystal_rows({&device, 1}, structures, out, progress);
}

std::vector<FingerprintFailure> fingerprints(std::vector<Device>& devices,
                                             const std::vector<Structure>& structures,
                                             MatrixView<double> out, const Progress& progress) {
  return crystal_rows(devices, structures, out, progress);
}

std::vector<FingerprintFailure> site_fingerprints(Device& device,
                                                  const std::vector<Structure>& structures,
                                                  MatrixView<double> out,
                                                  const Progress& progress) {
  return site_rows({&device, 1}, structures, out, progress);
}

std::vector<FingerprintFailure> site_fingerprints(std::vector<Device>& devices,
                                                  const std::vector<Structure>& structures,
                                                  MatrixView<double> out,
                                                  const Progress& progress) {
  return site_rows(devices, structures, out, progress);
}

double dissimilarity(const Fingerprint& a, const Fingerprint& b) {
  double square = 0;
  for (std::size_t f = 0; f < a.size(); ++f) square += (a[f] - b[f]) * (a[f] - b[f]);
  return std::sqrt(square);
}

const std::vector<std::string>& site_feature_names() {
  static const std::vector<std::string> names = [] {
    const std::vector<std::vector<std::string>> motifs{
        {"sgl_bd"},
        {"L-shaped", "water-like", "bent 120 degrees", "bent 150 degrees", "linear"},
        {"trigonal planar", "trigonal non-coplanar", "T-shaped"},
        {"square co-planar", "tetrahedral", "rectangular see-saw-like", "see-saw-like",
         "trigonal pyramidal"},
        {"pentagonal planar", "square pyramidal", "trigonal bipyramidal"},
        {"hexagonal planar", "octahedral", "pentagonal pyramidal"},
        {"hexagonal pyramidal", "pentagonal bipyramidal"},
        {"body-centered cubic", "hexagonal bipyramidal"},
        {"q2", "q4", "q6"},
        {"q2", "q4", "q6"},
        {"q2", "q4", "q6"},
        {"cuboctahedral", "q2", "q4", "q6"}};
    std::vector<std::string> all;
    for (std::size_t n = 1; n <= kLargestCoordination; ++n) {
      all.push_back(fmt::format("wt CN_{}", n));
      if (n > motifs.size()) continue;
      for (const std::string& motif : motifs[n - 1])
        all.push_back(fmt::format("{} CN_{}", motif, n));
    }
    return all;
  }();
  return names;
}

const std::vector<std::string>& fingerprint_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const std::string& feature : site_feature_names())
      for (const char* statistic : {"mean", "std_dev", "minimum", "maximum"})
        all.push_back(fmt::format("{} {}", statistic, feature));
    return all;
  }();
  return names;
}

}  // namespace kronite
