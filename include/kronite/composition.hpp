// Compositions: what a chemical formula says, its ratio label, and its 290-value descriptor.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kronite/view.hpp"  // for MatrixView

namespace kronite {

/// Symbol of atomic number z in 1..118, else "".
std::string_view element_symbol(int z);
/// Atomic number of a symbol, case-sensitive; D and T are hydrogen; 0 when there is no such
/// element.
int element_number(std::string_view symbol);

struct ElementAmount {
  int z;
  double amount;

  friend bool operator==(const ElementAmount& a, const ElementAmount& b) {
    return a.z == b.z && a.amount == b.amount;
  }
  friend bool operator!=(const ElementAmount& a, const ElementAmount& b) { return !(a == b); }
};

/// Elements and their amounts as a formula gives them, by ascending atomic number, all amounts > 0.
class Composition {
 public:
  Composition() = default;
  /// Sorts by atomic number and adds up repeated elements.
  /// @throws Error invalid_argument for an unknown element, an amount <= 0 or not finite.
  explicit Composition(std::vector<ElementAmount> parts);

  /// Reads a formula such as "Ca(OH)2", "La1.85Sr0.15CuO4" or "CuSO4·5H2O". The grammar is in
  /// docs/formats.md. Things worth a word (deuterium read as H) are appended to `notices`.
  /// @throws Error parse, with the formula and a caret under the offending character.
  static Composition parse(std::string_view formula, std::vector<std::string>* notices = nullptr);

  const std::vector<ElementAmount>& parts() const { return parts_; }
  bool empty() const { return parts_.empty(); }
  /// Sum of the amounts.
  double total() const;
  /// Amount of element z, 0 when it is not there.
  double amount(int z) const;
  /// Atomic fractions: every amount over the total, by ascending atomic number.
  std::vector<ElementAmount> fractions() const;

  /// Divided by the greatest common divisor of integer amounts, as pymatgen does: O2, N2, H2, F2,
  /// Cl2 and the peroxides H2O2, Li2O2, Na2O2, K2O2, Rb2O2, Cs2O2 keep their factor of two. Amounts
  /// within 1e-8 of an integer are integers; when one is not, all stay as they are.
  Composition reduced() const;
  /// pymatgen's reduced_formula: by electronegativity, with bracketed polyanions. Non-integer
  /// amounts are written in full and without an exponent, so that the text reads back the same.
  std::string reduced_formula() const;
  /// The smallest integers in the ratio of the amounts, descending: "3:1:1". Amounts that are not
  /// integers count as their decimal digits, at most twelve: 1.85, 0.15, 1, 4 give "80:37:20:3".
  /// Empty when the integers add up to more than 1,000,000, as those of 0.3333333333 and 1 would.
  std::string ratio_label() const;

  friend bool operator==(const Composition& a, const Composition& b) {
    return a.parts_ == b.parts_;
  }
  friend bool operator!=(const Composition& a, const Composition& b) { return !(a == b); }

 private:
  std::vector<ElementAmount> parts_;
};

/// Numbers per element: a row of features for each element that the table covers.
class ElementTable {
 public:
  /// The 94 x 58 table inside the library (data/PROVENANCE.md).
  static const ElementTable& embedded();
  /// A CSV with a header `,feature,...` and one row `symbol,value,...` per element, in any order;
  /// every cell is a finite number. The first cell of the header is free.
  /// @throws Error io; parse, naming file, line and column.
  static ElementTable read_csv(const std::string& path);

  const std::vector<std::string>& features() const { return features_; }
  bool has(int z) const;
  /// Feature values of an element; has(z) must hold.
  const double* row(int z) const;
  /// 16 hexadecimal digits that name the content, however it was written down; models and libraries
  /// remember it.
  const std::string& hash() const { return hash_; }

 private:
  friend class ElementTableReader;
  std::vector<std::string> features_;
  std::vector<double> values_;         // 119 x features
  std::vector<std::uint8_t> present_;  // 119
  std::string hash_;
};

/// Weighted mean, sum, weighted population variance, maximum and minimum of each feature, in that
/// order: 5 x features values. The sum scales with the formula, so describe reduced compositions.
/// out: compositions x 5 * features, host. Shared among OpenMP threads, with the same bits from any
/// number of them.
/// @throws Error invalid_argument when an element is not in the table or an amount so large that a
/// value is beyond double precision, naming the formula.
void describe(const std::vector<Composition>& compositions, const ElementTable& table,
              MatrixView<double> out);

/// "ave:atomic_number" ... "min:Polarizability".
std::vector<std::string> descriptor_names(const ElementTable& table);

}  // namespace kronite
