// Local-order fingerprints of crystals: how the atoms of a crystal are surrounded, whatever they
// are, and how unlike two crystals are by it.
//
// A site is described by 61 values: the probabilities of the coordination numbers 1 to 24
// (CrystalNN of Pan et al., Inorg. Chem. 60 (2021) 1590) and, for each, how well its neighbours fit
// the usual motifs (order parameters of Zimmermann and Jain, RSC Adv. 10 (2020) 6063). A crystal is
// described by mean, standard deviation, minimum and maximum of each value over its sites: 244
// values, the same as those of matminer's CrystalNNFingerprint "ops" without distance cutoffs and
// electronegativity weights, followed by SiteStatsFingerprint. They depend on the positions alone,
// and not on the choice of the cell or its orientation.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "kronite/device.hpp"     // for Device
#include "kronite/log.hpp"        // for Progress
#include "kronite/structure.hpp"  // for Structure
#include "kronite/view.hpp"       // for MatrixView

namespace kronite {

inline constexpr int kSiteFeatures = 61;
/// mean, std_dev (over n), minimum, maximum, in this order.
inline constexpr int kSiteStatistics = 4;
inline constexpr int kFingerprintSize = kSiteFeatures * kSiteStatistics;

/// Feature-major: value 4 f + s is statistic s of site feature f.
using Fingerprint = std::array<double, kFingerprintSize>;

/// matminer's names of the 61 values: "wt CN_4", "tetrahedral CN_4", ...
const std::vector<std::string>& site_feature_names();
/// matminer's names of the 244 values: "mean wt CN_4", "std_dev wt CN_4", ...
const std::vector<std::string>& fingerprint_names();

/// sites x 61 values, row-major.
/// @throws Error invalid_argument when check_structure() refuses the structure; numerical when the
/// surroundings of a site cannot be worked out.
std::vector<double> site_fingerprints(const Structure& structure);

/// `equivalent` may name for each site the first site of its orbit (Symmetry::equivalent): then
/// only one site of each is computed. Empty: every site is.
/// @throws Error as site_fingerprints().
Fingerprint fingerprint(const Structure& structure, const std::vector<int>& equivalent = {});

struct FingerprintFailure {
  std::int64_t structure = 0;
  std::string why;
};

/// Of many crystals at once, on the device; out: structures.size() x 244, host memory. Waits. What
/// cannot be computed is returned, and its row is NaN.
/// @throws Error invalid_argument for an `out` of another shape; cancelled.
std::vector<FingerprintFailure> fingerprints(Device& device,
                                             const std::vector<Structure>& structures,
                                             MatrixView<double> out, const Progress& progress = {});

/// On several devices. `progress` is called by their threads, one at a time.
std::vector<FingerprintFailure> fingerprints(std::vector<Device>& devices,
                                             const std::vector<Structure>& structures,
                                             MatrixView<double> out, const Progress& progress = {});

/// The sites of many crystals, likewise; out: all their sites, crystal by crystal, x 61.
std::vector<FingerprintFailure> site_fingerprints(Device& device,
                                                  const std::vector<Structure>& structures,
                                                  MatrixView<double> out,
                                                  const Progress& progress = {});
std::vector<FingerprintFailure> site_fingerprints(std::vector<Device>& devices,
                                                  const std::vector<Structure>& structures,
                                                  MatrixView<double> out,
                                                  const Progress& progress = {});

/// Euclidean distance of two fingerprints; NaN where a value of them is.
double dissimilarity(const Fingerprint& a, const Fingerprint& b);
/// Crystals of a smaller dissimilarity count as alike (tau of CSPML).
inline constexpr double kAlikeBelow = 0.3;

inline constexpr int kCoordinationNumbers = 24;
/// Share of the sites with 1, 2, ... 24 neighbours: the means of "wt CN_1" and so on.
std::array<double, kCoordinationNumbers> coordination_shares(const Fingerprint& values);

/// One site feature of two crystals, and its part in their dissimilarity.
struct FeatureDifference {
  int feature = 0;                               ///< 0..60
  std::array<double, kSiteStatistics> a{}, b{};  ///< mean, std_dev, minimum, maximum
  double share = 0;  ///< of the squared dissimilarity, 0 to 1; 0 where that is 0
};
/// All 61 features, the largest share first, equal ones in order.
/// @throws Error invalid_argument when a value is not a finite number.
std::vector<FeatureDifference> compare(const Fingerprint& a, const Fingerprint& b);

/// A site feature in a crystallographer's words: "4-fold coordination", "4-fold, tetrahedral".
/// @throws Error invalid_argument unless 0 <= feature < 61.
std::string describe_site_feature(int feature);

}  // namespace kronite
