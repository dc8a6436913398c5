// Volumes per atom that add up to the cell volumes of known crystals.
#pragma once

#include <array>
#include <vector>

#include "kronite/composition.hpp"  // for Composition
#include "materials/elements.hpp"   // for kByNumber

namespace kronite {

/// A value per atomic number.
using PerElement = std::array<double, kByNumber>;

/// A cell: what is in it and its volume in Å^3.
struct VolumeSample {
  Composition composition;
  double volume = 0;
};

/// Volumes v_e in Å^3 such that sum_e a_e v_e is close to the volume V of every cell that holds a_e
/// atoms of element e: the minimum over v_e >= 1 Å^3 of
///   sum_samples rho(1 - sum_e a_e v_e / V) + lambda sum_e (v_e / p_e - 1)^2,
/// rho being Huber's function (knee at 10 %), so that a mistaken cell does not pull; p_e the
/// ground-state volume of the element in the element table times the one factor that fits the
/// median sample; lambda = 0.02 lets p decide only where an element is in very few samples.
/// 0 for elements in no sample.
PerElement fit_atomic_volumes(const std::vector<VolumeSample>& samples);

}  // namespace kronite
