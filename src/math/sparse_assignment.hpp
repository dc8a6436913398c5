// The linear assignment problem where most pairs are forbidden.
#pragma once

#include <cstddef>
#include <vector>

namespace kronite::math {

/// Which columns a row may take, and at what cost: entries first[i] to first[i + 1] are those of
/// row i.
struct SparseCosts {
  std::vector<std::size_t> first{0};
  std::vector<std::size_t> column;
  std::vector<double> cost;

  std::size_t rows() const { return first.size() - 1; }
  void clear() {
    first.assign(1, 0);
    column.clear();
    cost.clear();
  }
};

/// One column for each row, no two the same, at least total cost. Rows take their cheapest column
/// where they can; the others find theirs by shortest augmenting paths (as in assignment.hpp), over
/// the entries that there are. Keeps its memory, for many small problems one after another. Of
/// several optima it gives one that depends on the order of the entries.
class SparseAssignment {
 public:
  /// As many columns as rows; costs are finite. False when there is no such choice.
  bool solve(const SparseCosts& costs);
  /// Of the last solve(): the entry that each row took.
  const std::vector<std::size_t>& entries() const { return entry_of_; }

 private:
  void begin(const SparseCosts& costs);
  bool augment(const SparseCosts& costs, std::size_t start);
  void reach(const SparseCosts& costs, std::size_t row, double distance);

  std::vector<double> row_price_, column_price_;    // dual variables
  std::vector<std::size_t> entry_of_, row_of_;      // the matching: by row, by column
  std::vector<double> distance_;                    // of columns on the way to a free one
  std::vector<std::size_t> from_row_, from_entry_;  // by which they were reached
  std::vector<bool> left_behind_;                   // rounding must not bring one back
  std::vector<std::size_t> open_, done_;            // columns reached; those left behind
};

}  // namespace kronite::math
