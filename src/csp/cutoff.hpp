// What the cut-off of a prediction keeps.
#pragma once

namespace kronite::csp {

/// A cut-off of 0 keeps everything, also p = 0; and where there is no p (NaN) nothing is cut off.
inline bool above_cutoff(double p, double cutoff) { return cutoff == 0 || !(p <= cutoff); }

}  // namespace kronite::csp
