// Mixtures by design: the mixtures closest to a kernel mean descriptor among those that a chemist
// allows, with a proof that there are no closer ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kronite/kmd.hpp"   // for Descriptor
#include "kronite/log.hpp"   // for Progress
#include "kronite/view.hpp"  // for VectorView

namespace kronite {

/// Common oxidation states of atomic number z in 1..94, ascending, as pymatgen 2026.10 tabulates
/// them; none for He, Ne, Ar and Rn, and beyond.
std::vector<int> common_oxidation_states(int z);

}  // namespace kronite

namespace kronite::kmd {

/// Which mixtures there are to choose from. Components go by their names; a component is there when
/// its weight is above 0.
struct Constraints {
  std::vector<std::string> allowed;    ///< empty: all
  std::vector<std::string> required;   ///< those that must be there
  std::vector<std::string> forbidden;  ///< those that must not

  struct Bounds {
    std::string component;
    double lower = 0, upper = 1;  ///< of its weight; lower > 0 requires it
  };
  std::vector<Bounds> bounds;  ///< at most one per component

  /// Components in a mixture, at most; 0: any number.
  int most_components = 0;
  /// A component that is there has at least this weight, in [0, 1).
  double least_weight = 0.01;

  /// Sum of weight times oxidation state is 0, with one state for each component. One without
  /// states is left out.
  bool neutral = false;
  struct States {
    std::string component;
    std::vector<int> states;
  };
  std::vector<States> states;  ///< at most one per component
};

struct DesignOptions {
  int top = 10;  ///< proposals, >= 1
  /// 0: weights are any numbers. Else integer formulas with at most so many atoms, <= 10,000.
  int atoms = 0;
  /// Nodes of the search tree: where it ends without a proof.
  long long most_nodes = 200000;
  /// Told the nodes so far; the total is not known.
  Progress progress;
};

/// A mixture that was found.
struct Proposal {
  struct Part {
    std::int32_t component = 0;
    double weight = 0;
    int amount = 0;  ///< in the formula; 0 where weights are any numbers
    int state = 0;   ///< oxidation state; 0 unless Constraints::neutral
  };
  std::vector<Part> parts;  ///< by ascending component
  double distance = 0;      ///< |phi - H'w|
};

struct Design {
  /// Best first. Weights of any numbers: the best mixture of each set of components, those whose
  /// best mixture is one of fewer components left out. Integer formulas: different in lowest terms.
  std::vector<Proposal> proposals;
  /// So many of the first proposals are proved to be the best ones there are, in this order.
  std::size_t proved = 0;
  /// No mixture that is allowed and not among `proposals` is closer than this.
  double lower_bound = 0;
  /// Whether all proposals are proved; if there are fewer than asked for, there are no more.
  bool complete = false;
  long long nodes = 0;
  /// Distance of the closest mixture of any components that are allowed, in any number and, where
  /// neutrality is asked for, with any mixture of states: what no constraint on the number of
  /// components, the states or integers could be better than.
  double relaxed = 0;
};

/// min |phi - H'w| under constraints, by branch and bound: the bound of a node is the convex
/// quadratic programme over what it leaves open, solved exactly; nodes are taken in the order of
/// their bounds. Deterministic. Distances count as equal when their squares differ by less than
/// 1e-12 |phi|^2, or by less than one part in 1e9.
class Designer {
 public:
  /// Keeps what it needs of `descriptor`. @throws Error unavailable when H has not full row rank.
  explicit Designer(const Descriptor& descriptor);
  ~Designer();
  Designer(Designer&&) noexcept;
  Designer& operator=(Designer&&) noexcept;

  /// phi: descriptor.width() values, host. May be called from several threads.
  /// @throws Error invalid_argument for another width, a value that is not finite, a component
  /// that is not there, and for constraints that contradict each other, saying which; cancelled.
  Design design(VectorView<const double> phi, const Constraints& constraints,
                const DesignOptions& options = {}) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kronite::kmd
