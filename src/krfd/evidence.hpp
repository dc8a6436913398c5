// The evidence for data that stay the same while hyper-parameters change.
#pragma once

#include "krfd/spectra.hpp"  // for Spectra
#include "kronite/krfd.hpp"  // for Evidence

namespace kronite::krfd {

/// Which derivatives are wanted. Those by the lambdas alone take a quarter of the operations of
/// all.
enum class Derivatives { none, lambdas, all };

/// What `spectra` has from the hyper-parameters before is used again where it fits. Of the lambdas
/// alone, g, t and m of the gradient are empty. Waits.
Evidence evidence_of(Device& device, Spectra& spectra, const Hyperparameters& hyper,
                     const NoisePrior& prior, Derivatives derivatives);

}  // namespace kronite::krfd
