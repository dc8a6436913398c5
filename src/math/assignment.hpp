// The linear assignment problem: one column for each row at least total cost.
#pragma once

#include <vector>

namespace kronite::math {

/// The column of each row of the n x n matrix `cost` (row-major, finite values of either sign) such
/// that every column is taken once and the costs add up to the least. Shortest augmenting paths
/// with dual variables (Jonker and Volgenant, Computing 38 (1987) 325), O(n^3).
///
/// Of several optima it gives the first in lexicographic order, which is also what trying all
/// permutations in that order finds first; reduced costs under 1e-12 of the largest cost count as
/// zero, so that rounding does not decide.
/// @throws Error invalid_argument for a matrix that is not n x n or not finite.
std::vector<int> least_cost_assignment(const std::vector<double>& cost, int n);

}  // namespace kronite::math
