// What standardises descriptors: mean and standard deviation over a set of compositions.
#pragma once

#include <vector>

#include "kronite/composition.hpp"  // for Composition, ElementTable

namespace kronite {

/// One value per column of the descriptor.
struct Statistics {
  std::vector<double> mean;
  std::vector<double> std;  ///< ddof 1; 1 where a value never varies
};

/// Over the descriptors of `compositions`, whose elements are all in `table`.
Statistics descriptor_statistics(const std::vector<Composition>& compositions,
                                 const ElementTable& table);

}  // namespace kronite
