// Tables of weights: mixtures that are no formulas, such as polymers of fragments.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kronite/kmd.hpp"  // for Components, Weights

namespace kronite::kmd {

/// Row after row of a table, in constant memory. A .csv file has a header of component names, in
/// any order, those that are missing weigh nothing; its first column may hold names of rows: that
/// is one whose heading is no component. A .npy file is a matrix rows x components.
class WeightTable {
 public:
  /// With `normalise` every row is divided by its sum; else rows add up to 1 within 1e-9.
  /// @throws Error io; parse, naming file, line and column.
  WeightTable(const std::string& path, const Components& components, bool normalise);
  ~WeightTable();
  WeightTable(WeightTable&&) noexcept;

  /// Appends the next rows, at most `most`, and their names, the number of a row (from 1) where
  /// there is none. How many; 0 at the end.
  /// @throws Error parse, naming file, line and column (row and column of a matrix), for weights
  /// that are negative or not finite and rows that do not add up.
  std::int64_t read(std::int64_t most, Weights& weights, std::vector<std::string>& names);

  struct Source;  ///< of either format

 private:
  std::unique_ptr<Source> source_;
};

}  // namespace kronite::kmd
