// What makes two fingerprints differ, feature by feature, and the features in words.
#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include "base/fail.hpp"  // for fail
#include "kronite/fingerprint.hpp"

namespace kronite {
namespace {

/// What crystallographers call the motifs whose names in matminer are not plain English.
constexpr std::array kPlainNames = {
    std::pair{"sgl_bd", "single bond"},
    std::pair{"water-like", "bent like water"},
    std::pair{"bent 120 degrees", "bent by 120°"},
    std::pair{"bent 150 degrees", "bent by 150°"},
    std::pair{"trigonal non-coplanar", "trigonal, not planar"},
    std::pair{"square co-planar", "square planar"},
    std::pair{"rectangular see-saw-like", "rectangular see-saw"},
    std::pair{"see-saw-like", "see-saw"},
    std::pair{"body-centered cubic", "body-centred cubic"},
    std::pair{"q2", "Steinhardt q2"},
    std::pair{"q4", "Steinhardt q4"},
    std::pair{"q6", "Steinhardt q6"},
};

std::string_view plain_name(std::string_view motif) {
  for (const auto& [name, plain] : kPlainNames)
    if (motif == name) return plain;
  return motif;
}

/// Number of the site feature "wt CN_n" for n from 1.
std::array<int, kCoordinationNumbers> find_weights() {
  const auto& names = site_feature_names();
  std::array<int, kCoordinationNumbers> features;
  for (int n = 1; n <= kCoordinationNumbers; ++n)
    features[n - 1] = static_cast<int>(
        std::find(names.begin(), names.end(), fmt::format("wt CN_{}", n)) - names.begin());
  return features;
}

std::array<double, kSiteStatistics> statistics_of(const Fingerprint& values, int feature) {
  std::array<double, kSiteStatistics> statistics;
  std::copy_n(values.begin() + feature * kSiteStatistics, kSiteStatistics, statistics.begin());
  return statistics;
}

}  // namespace

std::string describe_site_feature(int feature) {
  if (feature < 0 || feature >= kSiteFeatures)
    fail(Errc::invalid_argument, "there is no site feature number {}; there are {}", feature,
         kSiteFeatures);
  constexpr std::string_view kNumber = " CN_";
  const std::string_view name = site_feature_names()[feature];
  const std::size_t at = name.rfind(kNumber);
  const std::string_view motif = name.substr(0, at), count = name.substr(at + kNumber.size());
  return motif == "wt" ? fmt::format("{}-fold coordination", count)
                       : fmt::format("{}-fold, {}", count, plain_name(motif));
}

std::array<double, kCoordinationNumbers> coordination_shares(const Fingerprint& values) {
  static const std::array<int, kCoordinationNumbers> features = find_weights();
  std::array<double, kCoordinationNumbers> shares;
  for (int i = 0; i < kCoordinationNumbers; ++i) shares[i] = statistics_of(values, features[i])[0];
  return shares;
}

std::vector<FeatureDifference> compare(const Fingerprint& a, const Fingerprint& b) {
  std::vector<FeatureDifference> differences(kSiteFeatures);
  double total = 0;
  for (int f = 0; f < kSiteFeatures; ++f) {
    FeatureDifference& difference = differences[f];
    difference = {f, statistics_of(a, f), statistics_of(b, f), 0};
    for (int s = 0; s < kSiteStatistics; ++s) {
      const double d = difference.a[s] - difference.b[s];
      difference.share += d * d;
    }
    total += difference.share;
  }
  if (!std::isfinite(total))
    fail(Errc::invalid_argument,
         "compare: a fingerprint holds a value that is not a finite number");
  if (total > 0)
    for (auto& difference : differences) difference.share /= total;
  std::stable_sort(differences.begin(), differences.end(),
                   [](const auto& x, const auto& y) { return x.share > y.share; });
  return differences;
}

}  // namespace kronite
