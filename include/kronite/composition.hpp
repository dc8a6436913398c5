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
  double amount(int z) const;

  /// Divided by the greatest common divisor of integer amounts, as pymatgen does: O2, N2, H2, F2,
  /// Cl2 and the peroxides it lists keep their factor of two. Non-integer amounts stay as they are.
  Composition reduced() const;
  /// pymatgen's reduced_formula: by electronegativity, with bracketed polyanions.
  std::string reduced_formula() const;
  /// Descending integer amounts over their gcd, "3:1:1"; empty when the amounts are not integers in
  /// any small multiple.
  std::string ratio_label() const;

 private:
  std::vector<ElementAmount> parts_;
};

/// Numbers per element: rows are elements by atomic number 1..elements(), columns are features.
class ElementTable {
 public:
  /// The 94 x 58 table inside the library (data/PROVENANCE.md).
  static const ElementTable& embedded();
  /// A CSV with a header `,feature,...` and one row `symbol,value,...` per element, in any order.
  /// @throws Error parse, naming file and line.
  static ElementTable read_csv(const std::string& path);

  const std::vector<std::string>& features() const { return features_; }
  bool has(int z) const;
  /// Feature values of an element; has(z) must hold.
  const double* row(int z) const;
  /// 16 hexadecimal digits that name the content; models and libraries remember it.
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
/// out: compositions x 5 * features, host.
/// @throws Error invalid_argument when an element is not in the table, naming it.
void describe(const std::vector<Composition>& compositions, const ElementTable& table,
              MatrixView<double> out);

/// "ave:atomic_number" ... "min:Polarizability".
std::vector<std::string> descriptor_names(const ElementTable& table);

}  // namespace kronite
