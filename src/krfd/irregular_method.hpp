// The two regressions on curves with points of their own, KRFD and KRSFD, with one set of settings.
#pragma once

#include <string>
#include <vector>

#include "krfd/any_model.hpp"    // for AnyModel
#include "krfd/long_curves.hpp"  // for LongCurves
#include "kronite/krsfd.hpp"     // for KrsfdOptions, EvidenceTuning

namespace kronite::krfd {

struct IrregularSettings {
  bool ridge = false;     ///< KRSFD in place of KRFD
  Hyperparameters hyper;  ///< of KRFD
  IrregularOptions options;
  KrsfdOptions krsfd;
};

/// grid: points x coordinates. @throws Error as fit_irregular() and fit_krsfd().
AnyModel fit_settings(Device& device, const LongCurves& curves, const std::vector<double>& grid,
                      const IrregularSettings& settings);

/// The same kinds of kernels with numbers that the distances between systems and between points of
/// the grid suggest.
IrregularSettings suggested(IrregularSettings settings, const LongCurves& curves,
                            const std::vector<double>& grid);

struct TunedSettings {
  IrregularSettings best;
  double log_evidence = 0;
  int evaluations = 0;
  std::vector<EvidenceClimb> climbs;  ///< of KRFD
  std::vector<KrsfdClimb> ridge;      ///< of KRSFD
};
/// Largest evidence from `how.starts` starts, the first one at `start`.
/// @throws Error as tune_irregular() and tune_krsfd().
TunedSettings tune_settings(Device& device, const LongCurves& curves,
                            const std::vector<double>& grid, const IrregularSettings& start,
                            EvidenceTuning how);

/// So many of the systems, drawn at random; all where `count` is 0, or more than there are.
LongCurves some_systems(const LongCurves& curves, std::int64_t count, std::uint64_t seed);

}  // namespace kronite::krfd
