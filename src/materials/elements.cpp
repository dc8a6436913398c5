// Symbols, and the order in which a formula lists its elements.
#include "materials/elements.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string_view>

#include "base/ascii.hpp"           // for is_upper, is_lower
#include "kronite/composition.hpp"  // for element_symbol, element_number

namespace kronite {
namespace {

constexpr std::array<std::string_view, kElements> kSymbols = {
    "H",  "He", "Li", "Be", "B",  "C",  "N",  "O",  "F",  "Ne", "Na", "Mg", "Al", "Si", "P",
    "S",  "Cl", "Ar", "K",  "Ca", "Sc", "Ti", "V",  "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn",
    "Ga", "Ge", "As", "Se", "Br", "Kr", "Rb", "Sr", "Y",  "Zr", "Nb", "Mo", "Tc", "Ru", "Rh",
    "Pd", "Ag", "Cd", "In", "Sn", "Sb", "Te", "I",  "Xe", "Cs", "Ba", "La", "Ce", "Pr", "Nd",
    "Pm", "Sm", "Eu", "Gd", "Tb", "Dy", "Ho", "Er", "Tm", "Yb", "Lu", "Hf", "Ta", "W",  "Re",
    "Os", "Ir", "Pt", "Au", "Hg", "Tl", "Pb", "Bi", "Po", "At", "Rn", "Fr", "Ra", "Ac", "Th",
    "Pa", "U",  "Np", "Pu", "Am", "Cm", "Bk", "Cf", "Es", "Fm", "Md", "No", "Lr", "Rf", "Db",
    "Sg", "Bh", "Hs", "Mt", "Ds", "Rg", "Cn", "Nh", "Fl", "Mc", "Lv", "Ts", "Og"};

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// Pauling's scale as pymatgen 2026.10 tabulates it (core/periodic_table.json); reduced formulas
// agree with pymatgen's because these do.
constexpr std::array<double, kElements> kElectronegativity = {
    2.2,   kNone, 0.98,  1.57,  2.04,  2.55,  3.04,  3.44,  3.98,  kNone, 0.93,  1.31,
    1.61,  1.9,   2.19,  2.58,  3.16,  kNone, 0.82,  1,     1.36,  1.54,  1.63,  1.66,
    1.55,  1.83,  1.88,  1.91,  1.9,   1.65,  1.81,  2.01,  2.18,  2.55,  2.96,  3,
    0.82,  0.95,  1.22,  1.33,  1.6,   2.16,  1.9,   2.2,   2.28,  2.2,   1.93,  1.69,
    1.78,  1.96,  2.05,  2.1,   2.66,  2.6,   0.79,  0.89,  1.1,   1.12,  1.13,  1.14,
    1.13,  1.17,  1.2,   1.2,   1.1,   1.22,  1.23,  1.24,  1.25,  1.1,   1.27,  1.3,
    1.5,   2.36,  1.9,   2.2,   2.2,   2.28,  2.54,  2,     1.62,  2.33,  2.02,  2,
    2.2,   2.2,   0.7,   0.9,   1.1,   1.3,   1.5,   1.38,  1.36,  1.28,  1.3,   1.3,
    1.3,   1.3,   1.3,   1.3,   1.3,   1.3,   1.3,   kNone, kNone, kNone, kNone, kNone,
    kNone, kNone, kNone, kNone, kNone, kNone, kNone, kNone, kNone, kNone};

/// Atomic number by first letter and by second letter (0: none).
using SymbolIndex = std::array<std::array<std::uint8_t, 27>, 26>;

constexpr SymbolIndex index_symbols() {
  SymbolIndex index{};
  for (std::size_t i = 0; i < kSymbols.size(); ++i) {
    const std::string_view s = kSymbols[i];
    index[s[0] - 'A'][s.size() > 1 ? s[1] - 'a' + 1 : 0] = static_cast<std::uint8_t>(i + 1);
  }
  index['D' - 'A'][0] = 1;
  index['T' - 'A'][0] = 1;
  return index;
}
constexpr SymbolIndex kSymbolIndex = index_symbols();

std::array<int, kElements> order_elements() {
  std::array<int, kElements> by_order{};
  std::iota(by_order.begin(), by_order.end(), 1);
  std::sort(by_order.begin(), by_order.end(), [](int a, int b) {
    const double x = electronegativity(a), y = electronegativity(b);
    if (std::isnan(x) != std::isnan(y)) return std::isnan(y);
    if (!std::isnan(x) && x != y) return x < y;
    return element_symbol(a) < element_symbol(b);
  });
  std::array<int, kElements> order{};
  for (int i = 0; i < kElements; ++i) order[by_order[i] - 1] = i;
  return order;
}

}  // namespace

std::string_view element_symbol(int z) {
  return z >= 1 && z <= kElements ? kSymbols[z - 1] : std::string_view();
}

int element_number(std::string_view symbol) {
  if (symbol.empty() || symbol.size() > 2 || !is_upper(symbol[0])) return 0;
  if (symbol.size() == 1) return kSymbolIndex[symbol[0] - 'A'][0];
  return is_lower(symbol[1]) ? kSymbolIndex[symbol[0] - 'A'][symbol[1] - 'a' + 1] : 0;
}

double electronegativity(int z) { return kElectronegativity[z - 1]; }

int formula_order(int z) {
  static const std::array<int, kElements> order = order_elements();
  return order[z - 1];
}

}  // namespace kronite
