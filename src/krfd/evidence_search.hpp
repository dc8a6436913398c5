// What every climb of an evidence shares: its settings, its bounds, and evidences that fail.
#pragma once

#include <cmath>
#include <limits>
#include <vector>

#include "base/fail.hpp"      // for fail
#include "base/log.hpp"       // for notice
#include "krfd/matrices.hpp"  // for each
#include "kronite/krfd.hpp"   // for EvidenceTuning
#include "math/lbfgs.hpp"     // for LbfgsOptions

namespace kronite::krfd {

/// @throws Error invalid_argument for starts or a range that make no sense.
inline void check_search(const EvidenceTuning& how) {
  if (how.starts < 1)
    fail(Errc::invalid_argument, "{} starts were asked for; expected one at least", how.starts);
  if (!(how.range > 1) || !std::isfinite(how.range))
    fail(Errc::invalid_argument, "a range by a factor of {} was asked for; expected more than 1",
         how.range);
}

/// Steps within the range around a start, whose numbers are logarithms.
inline math::LbfgsOptions climbing_options(const EvidenceTuning& how,
                                           const std::vector<double>& start) {
  math::LbfgsOptions options;
  options.most_steps = how.most_steps;
  options.tolerance = how.tolerance;
  const double range = std::log(how.range);
  options.low = each(start, [&](double x) { return x - range; });
  options.high = each(start, [&](double x) { return x + range; });
  return options;
}

/// What loss() gives, which throws Error numerical where double precision is not enough: that is a
/// notice and NaN. Counts the evaluation and says so. @throws Error cancelled when told to.
template <class F>
double counted_loss(const EvidenceTuning& how, int& evaluations, const F& loss) {
  ++evaluations;
  double value = std::numeric_limits<double>::quiet_NaN();
  try {
    value = loss();
  } catch (const Error& e) {
    if (e.code() != Errc::numerical) throw;
    notice(e.what());
  }
  if (how.progress && !how.progress(evaluations, 0))
    fail(Errc::cancelled, "the search for hyper-parameters was stopped");
  return value;
}

}  // namespace kronite::krfd
