// One library out of several.
#include <atomic>
#include <exception>
#include <limits>
#include <optional>
#include <utility>

#include "base/fail.hpp"                   // for fail
#include "io/atomic_file.hpp"              // for require_writable
#include "materials/symmetry.hpp"          // for primitive_orbits
#include "materials/template_writing.hpp"  // for write_library

namespace kronite {
namespace {

/// A template of one of the libraries.
struct Origin {
  const TemplateLibrary* library;
  std::int64_t index;

  std::string where() const { return fmt::format("{}, template {}", library->path(), index); }
};

std::vector<float> stored_fingerprint(const Origin& origin) {
  const Fingerprint values = origin.library->fingerprint(origin.index);
  return {values.begin(), values.end()};
}

std::vector<float> computed_fingerprint(const Origin& origin) {
  StandardCell crystal;
  const Structure cell = origin.library->structure(origin.index);
  try {
    crystal = from_primitive(cell, origin.library->info(origin.index).space_group);
  } catch (const Error&) {
    crystal = without_symmetry(cell);  // then every site is computed
  }
  return library_fingerprint(crystal);
}

Template template_at(const Origin& origin, std::vector<float> values) {
  const TemplateInfo info = origin.library->info(origin.index);
  Template t;
  t.structure = origin.library->structure(origin.index);
  t.composition = origin.library->composition(origin.index);
  t.id = info.id;
  t.formula = info.formula;
  t.ratio = t.composition.ratio_label();
  t.license = info.license;
  t.source = info.source;
  t.where = origin.where();
  t.space_group = info.space_group;
  t.e_above_hull = info.e_above_hull;
  t.formation_energy = info.formation_energy;
  t.fingerprint = std::move(values);
  return t;
}

/// The fingerprint of each template, or why it has none.
struct Fingerprints {
  std::vector<std::vector<float>> values;
  std::vector<std::string> refusal;
};

/// Those that the libraries lack, on all threads.
Fingerprints compute_missing(const std::vector<Origin>& origins, const Progress& progress) {
  const auto count = static_cast<std::int64_t>(origins.size());
  Fingerprints found{std::vector<std::vector<float>>(origins.size()),
                     std::vector<std::string>(origins.size())};
  std::atomic<bool> stopped{false};
  std::exception_ptr failure;
  std::int64_t done = 0;
#pragma omp parallel for schedule(dynamic, 16)
  for (std::int64_t i = 0; i < count; ++i) {
    const Origin& origin = origins[static_cast<std::size_t>(i)];
    if (stopped || origin.library->has_fingerprints()) continue;
    try {
      found.values[static_cast<std::size_t>(i)] = computed_fingerprint(origin);
    } catch (const std::exception& e) {
      found.refusal[static_cast<std::size_t>(i)] = e.what();
    }
#pragma omp critical(kronite_merge_progress)
    try {
      if (progress && !stopped && !progress(++done, count)) stopped = true;
    } catch (...) {  // the caller's: no exception may leave a parallel region
      failure = std::current_exception();
      stopped = true;
    }
  }
  if (failure) std::rethrow_exception(failure);
  if (stopped) fail(Errc::cancelled, "stopped; no library was written");
  return found;
}

}  // namespace

BuildReport merge_templates(const std::vector<std::string>& libraries, const std::string& out,
                            const MergeOptions& options, const LeftOutSink& left_out) {
  io::require_writable(out);
  std::vector<TemplateLibrary> opened;
  for (const std::string& path : libraries) opened.push_back(TemplateLibrary::open(path));
  std::vector<Origin> origins;
  for (const TemplateLibrary& library : opened)
    for (std::int64_t i = 0; i < library.size(); ++i) origins.push_back({&library, i});
  Fingerprints computed = compute_missing(origins, options.progress);

  BuildReport report;
  report.read = static_cast<std::int64_t>(origins.size());
  Tally tally(left_out, report);
  std::vector<TemplateKey> keys;
  std::vector<std::size_t> origin_of;
  for (std::size_t i = 0; i < origins.size(); ++i) {
    TemplateKey key = key_of(template_at(origins[i], {}));
    if (computed.refusal[i].empty()) {
      keys.push_back(std::move(key));
      origin_of.push_back(i);
    } else {
      tally.add({key.where, key.id, key.formula, LeftOutReason::fingerprint, computed.refusal[i]});
    }
  }
  const auto fetch = [&](std::size_t key) {
    const Origin& origin = origins[origin_of[key]];
    return template_at(origin, origin.library->has_fingerprints()
                                   ? stored_fingerprint(origin)
                                   : std::move(computed.values[origin_of[key]]));
  };
  const auto go_on = [&] {
    return !options.progress || options.progress(report.read, report.read);
  };
  report.kept = write_library(keys, fetch, out, options.keep_polymorphs, go_on, tally);
  return report;
}

}  // namespace kronite
