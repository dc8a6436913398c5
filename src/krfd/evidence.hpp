// The evidence for data that stay the same while hyper-parameters change.
#pragma once

#include "krfd/spectra.hpp"  // for Spectra
#include "kronite/krfd.hpp"  // for Evidence

namespace kronite::krfd {

/// What `spectra` has from the hyper-parameters before is used again where it fits. Waits.
Evidence evidence_of(Device& device, Spectra& spectra, const Hyperparameters& hyper,
                     const NoisePrior& prior, bool gradient);

}  // namespace kronite::krfd
