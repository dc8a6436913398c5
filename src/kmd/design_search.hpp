// Branch and bound over what components are there and how much of each.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "kmd/design_space.hpp"    // for DesignSpace
#include "kmd/design_target.hpp"   // for DesignGeometry, DesignTarget, Relaxation
#include "kmd/shortlist.hpp"       // for Shortlist
#include "kronite/kmd_design.hpp"  // for Design, DesignOptions

namespace kronite::kmd {

/// A component that may be there, and how many atoms of it: lower = 0 leaves open whether it is.
/// Where weights are any numbers, 1 atom stands for being there.
struct AmountRange {
  int component, lower, upper;
};

/// A part of the search space.
struct DesignNode {
  double bound = 0;               ///< squared: nothing in here is closer
  long long order = 0;            ///< of creation
  int atoms = 1;                  ///< of the formula
  std::vector<AmountRange> open;  ///< by ascending component; what is not listed is not there
  int branch = -1;                ///< the place in `open` where to cut,
  int value = 0;                  ///< into amounts up to this and above,
  bool apart = false;             ///< and this amount by itself
  std::vector<int> likely;        ///< components that the relaxation of its parent has
};

/// Nodes still to be looked into: depth first until told otherwise, then by bound.
class Frontier {
 public:
  /// Best of the children last.
  void push(DesignNode node);
  bool empty() const { return nodes_.empty(); }
  /// From now on by bound.
  void go_by_bound();
  DesignNode pop();
  double least_bound() const;

 private:
  bool by_bound_ = false;
  std::vector<DesignNode> nodes_;  // a stack, then a heap
};

/// What supports and formulas have in common.
class DesignSearch {
 public:
  DesignSearch(const DesignGeometry& geometry, const DesignTarget& target, const DesignSpace& space,
               const DesignOptions& options);
  virtual ~DesignSearch() = default;
  Design run();

 protected:
  virtual std::vector<DesignNode> roots() = 0;
  /// Bounds a node and chooses where to branch; shows the shortlist what it meets on the way. False
  /// when there is nothing more to find inside.
  virtual bool consider(DesignNode& node) = 0;

  /// What is not below this is no better than the last one of the full shortlist.
  double cut() const;
  /// Nothing is there, charges as of all states.
  OpenWeights nothing() const;
  bool prunes(double squared) const { return squared >= cut(); }

  const DesignTarget& target_;
  const DesignSpace& space_;
  const DesignOptions& options_;
  Relaxation relaxation_;
  Shortlist shortlist_;

 private:
  void branch(const DesignNode& node);
  double root_distance();

  Frontier frontier_;
  std::vector<DesignNode> children_;
  long long created_ = 0;
};

/// Weights of any numbers; design_supports.cpp.
std::unique_ptr<DesignSearch> search_supports(const DesignGeometry& geometry,
                                              const DesignTarget& target, const DesignSpace& space,
                                              const DesignOptions& options);
/// Integer formulas; design_formulas.cpp.
std::unique_ptr<DesignSearch> search_formulas(const DesignGeometry& geometry,
                                              const DesignTarget& target, const DesignSpace& space,
                                              const DesignOptions& options);

}  // namespace kronite::kmd
