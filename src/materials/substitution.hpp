// Replacing the elements of a crystal: how unlike two elements are, the replacement itself, and the
// volume that suits the new atoms.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "kronite/composition.hpp"  // for Composition, ElementTable
#include "kronite/structure.hpp"    // for Structure

namespace kronite {

/// The features of every element, each z-scored (ddof 1) over the elements of the table: 119 rows
/// by atomic number, 0 where an element is not in the table or a feature never varies.
std::vector<double> element_scores(const ElementTable& table);

/// Euclidean distance of element vectors whose features are z-scored (ddof 1) over the elements of
/// a table; a feature that never varies counts for nothing. A design choice: the matrix that CSPML
/// was published with is not available (docs/csp.md gives its sensitivity).
class ElementDissimilarity {
 public:
  explicit ElementDissimilarity(const ElementTable& table);

  /// Both atomic numbers must be in the table.
  double operator()(int z1, int z2) const;

 private:
  std::size_t features_;
  std::vector<double> scores_;
};

/// Replacement of the first atomic number of each pair by the second.
using ElementMapping = std::vector<std::pair<int, int>>;

/// All replacements at once, so that a mapping may swap two elements. Elements that the mapping
/// does not name stay.
Structure replace_elements(Structure structure, const ElementMapping& mapping);

/// Volume of the candidate over that of the template: the ratio of the sums of atomic volumes
/// (Å^3, by atomic number, 0 where unknown) over the sites of `original`. Nothing when one of these
/// volumes is unknown.
std::optional<double> volume_factor(const Structure& original, const ElementMapping& mapping,
                                    const double* atomic_volumes);

/// The same fractional coordinates in a lattice of `factor` times the volume and the same shape.
Structure with_volume_scaled(Structure structure, double factor);

}  // namespace kronite
