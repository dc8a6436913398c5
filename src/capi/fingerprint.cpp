// Local-order fingerprints behind the C interface.
#include "kronite/fingerprint.hpp"

#include <algorithm>
#include <vector>

#include "base/log.hpp"      // for warning
#include "capi/guard.hpp"    // for guarded, given_array, put_text
#include "capi/handles.hpp"  // for kronite_device

using kronite::Errc;
using kronite::fail;
using kronite::Structure;
using namespace kronite::capi;

static_assert(KRONITE_FINGERPRINT_SIZE == kronite::kFingerprintSize);
static_assert(KRONITE_SITE_FEATURES == kronite::kSiteFeatures);

namespace {

/// The elements play no part in a fingerprint; a structure has some all the same.
constexpr std::uint8_t kAnyElement = 1;

Structure structure_of(const double* lattice, const double* fractional, std::int64_t sites) {
  if (sites < 1) fail(Errc::invalid_argument, "a crystal cannot have {} sites", sites);
  given(lattice, "lattice");
  given(fractional, "fractional");
  Structure structure;
  for (std::size_t i = 0; i < 9; ++i) structure.lattice[i / 3][i % 3] = lattice[i];
  for (std::int64_t i = 0; i < sites; ++i)
    structure.fractional.push_back(
        {fractional[3 * i], fractional[3 * i + 1], fractional[3 * i + 2]});
  structure.z.assign(static_cast<std::size_t>(sites), kAnyElement);
  return structure;
}

void put_name(const std::vector<std::string>& names, std::size_t index, char* text,
              std::size_t capacity, std::size_t* needed) {
  if (index >= names.size())
    fail(Errc::invalid_argument, "there is no value number {}; there are {}", index, names.size());
  put_text(names[index], text, capacity, needed);
}

kronite::Fingerprint fingerprint_of(const double* values, const char* name) {
  given(values, name);
  kronite::Fingerprint fingerprint;
  std::copy_n(values, fingerprint.size(), fingerprint.begin());
  return fingerprint;
}

}  // namespace

int kronite_fingerprint_name(size_t index, char* text, size_t capacity, size_t* needed) {
  return guarded([&] { put_name(kronite::fingerprint_names(), index, text, capacity, needed); });
}

int kronite_site_feature_name(size_t index, char* text, size_t capacity, size_t* needed) {
  return guarded([&] { put_name(kronite::site_feature_names(), index, text, capacity, needed); });
}

int kronite_fingerprint(const double* lattice, const double* fractional, int64_t sites,
                        double* values) {
  return guarded([&] {
    given(values, "values");
    const auto fingerprint = kronite::fingerprint(structure_of(lattice, fractional, sites));
    std::copy(fingerprint.begin(), fingerprint.end(), values);
  });
}

int kronite_site_fingerprints(const double* lattice, const double* fractional, int64_t sites,
                              double* values) {
  return guarded([&] {
    given(values, "values");
    const auto table = kronite::site_fingerprints(structure_of(lattice, fractional, sites));
    std::copy(table.begin(), table.end(), values);
  });
}

int kronite_fingerprints(kronite_device* device, const double* lattices, const int64_t* site_counts,
                         const double* fractional, int64_t count, double* values, int64_t* failed) {
  return guarded([&] {
    if (count < 0) fail(Errc::invalid_argument, "there cannot be {} crystals", count);
    given_array(lattices, count == 0, "lattices");
    given_array(site_counts, count == 0, "site_counts");
    given_array(fractional, count == 0, "fractional");
    given_array(values, count == 0, "values");
    std::vector<Structure> structures;
    for (std::int64_t i = 0; i < count; ++i) {
      structures.push_back(structure_of(lattices + 9 * i, fractional, site_counts[i]));
      fractional += 3 * site_counts[i];
    }
    const auto failures = kronite::fingerprints(*given(device, "device").device, structures,
                                                {values, count, kronite::kFingerprintSize});
    for (const auto& failure : failures)
      kronite::warning(fmt::format("crystal {}: {}", failure.structure, failure.why));
    if (failed) *failed = std::ssize(failures);
  });
}

int kronite_dissimilarity(const double* a, const double* b, double* distance) {
  return guarded([&] {
    given(distance, "distance") =
        kronite::dissimilarity(fingerprint_of(a, "a"), fingerprint_of(b, "b"));
  });
}
