// What formulas need to know of the elements beyond their symbols.
#pragma once

namespace kronite {

inline constexpr int kElements = 118;
/// Length of arrays by atomic number; entry 0 is of no element.
inline constexpr int kByNumber = kElements + 1;

/// Electronegativity on Pauling's scale; NaN where there is none (He, Ne, Ar, Rf and beyond).
double electronegativity(int z);

/// Place of an element in a written formula, from 0: by electronegativity, then by symbol; elements
/// without one come last.
int formula_order(int z);

}  // namespace kronite
