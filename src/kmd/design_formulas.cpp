// Integer formulas: how many atoms of each component, for each number of atoms in all.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "kmd/design_search.hpp"

namespace kronite::kmd {
namespace {

/// Amounts of a relaxation that are this close to an integer are it; bounds of weights times atoms
/// likewise.
constexpr double kInteger = 1e-7;

class FormulaSearch final : public DesignSearch {
 public:
  using DesignSearch::DesignSearch;

 private:
  std::vector<DesignNode> roots() override;
  bool consider(DesignNode& node) override;
  /// Atoms of a component that is there, at least.
  int least(int component, int atoms) const {
    return std::max(1, static_cast<int>(std::ceil(space_.lower[component] * atoms - kInteger)));
  }
  bool narrow(DesignNode& node) const;
  bool narrow_by_price(DesignNode& node) const;
  void choose_branch(DesignNode& node) const;
  void guess(const DesignNode& node);
  void propose(const std::vector<AmountRange>& amounts, int atoms);
};

std::vector<DesignNode> FormulaSearch::roots() {
  std::vector<DesignNode> all;
  for (int atoms = 1; atoms <= options_.atoms; ++atoms) {
    DesignNode root;
    root.atoms = atoms;
    for (int i = 0; i < space_.components(); ++i) {
      const int upper = static_cast<int>(std::floor(space_.upper[i] * atoms + kInteger));
      if (space_.may(i) && (upper > 0 || space_.must[i]))
        root.open.push_back({i, space_.must[i] ? least(i, atoms) : 0, upper});
    }
    all.push_back(std::move(root));
  }
  return all;
}

/// What the number of components and of atoms say about the others. False when nothing is left.
bool FormulaSearch::narrow(DesignNode& node) const {
  for (bool changed = true; changed;) {
    changed = false;
    int there = 0, lower = 0, upper = 0;
    for (AmountRange& range : node.open) {
      const int few = least(range.component, node.atoms);
      if (range.lower > 0) range.lower = std::max(range.lower, few);
      if (range.lower == 0 && range.upper < few) range.upper = 0;
      if (range.lower > range.upper) return false;
      there += range.lower > 0 ? 1 : 0;
    }
    if (there > space_.most) return false;
    if (there == space_.most)
      for (AmountRange& range : node.open)
        if (range.lower == 0) range.upper = 0;
    std::erase_if(node.open, [](const AmountRange& range) { return range.upper == 0; });
    for (const AmountRange& range : node.open) lower += range.lower, upper += range.upper;
    if (lower > node.atoms || upper < node.atoms) return false;
    for (AmountRange& range : node.open) {
      const int most = node.atoms - (lower - range.lower);
      const int fewest = node.atoms - (upper - range.upper);
      if (range.upper <= most && range.lower >= fewest) continue;
      upper -= std::max(range.upper - most, 0);
      lower += std::max(fewest - range.lower, 0);
      range.upper = std::min(range.upper, most);
      range.lower = std::max(range.lower, fewest);
      changed = true;
    }
  }
  return true;
}

/// An amount at its bound costs at least its price for each atom more; false when something has
/// changed.
bool FormulaSearch::narrow_by_price(DesignNode& node) const {
  const double room = cut() - relaxation_.squared();
  if (!std::isfinite(room)) return true;
  bool same = true;
  for (AmountRange& range : node.open) {
    const double w = relaxation_.w()[range.component],
                 price = relaxation_.prices()[range.component];
    if (price == 0 || range.lower == range.upper) continue;
    const double steps = std::floor(room / (2 * std::abs(price) / node.atoms));
    if (!(steps < range.upper - range.lower)) continue;
    const auto allowed = static_cast<int>(steps);
    if (price > 0 && w * node.atoms <= range.lower + kInteger)
      range.upper = range.lower + allowed, same = false;
    else if (price < 0 && w * node.atoms >= range.upper - kInteger)
      range.lower = range.upper - allowed, same = false;
  }
  return same;
}

bool FormulaSearch::consider(DesignNode& node) {
  for (;;) {
    if (!narrow(node)) return false;
    OpenWeights open = nothing();
    bool decided = true;
    for (const AmountRange& range : node.open) {
      open.lower[range.component] = static_cast<double>(range.lower) / node.atoms;
      open.upper[range.component] = static_cast<double>(range.upper) / node.atoms;
      decided = decided && range.lower == range.upper;
    }
    if (decided) {
      propose(node.open, node.atoms);
      return false;
    }
    if (!relaxation_.solve(open, node.likely)) return false;
    node.likely = relaxation_.there();
    node.bound = std::max(node.bound, relaxation_.squared());
    if (prunes(node.bound)) return false;
    if (narrow_by_price(node)) break;
  }
  choose_branch(node);
  guess(node);
  return true;
}

void FormulaSearch::choose_branch(DesignNode& node) const {
  const auto amount = [&](const AmountRange& range) {
    return relaxation_.w()[range.component] * node.atoms;
  };
  // More components than there may be: the largest of those that are not certain.
  const auto there = std::count_if(node.open.begin(), node.open.end(), [&](const AmountRange& r) {
    return r.lower > 0 || amount(r) > kInteger;
  });
  double most = 0;
  if (there > space_.most)
    for (int at = 0; at < std::ssize(node.open); ++at)
      if (node.open[at].lower == 0 && amount(node.open[at]) > std::max(most, kInteger)) {
        most = amount(node.open[at]);
        node.branch = at;
        node.value = 0;
      }
  if (node.branch >= 0) return;
  // The amount that is farthest from an integer.
  most = kInteger;
  for (int at = 0; at < std::ssize(node.open); ++at) {
    const double x = amount(node.open[at]), off = std::abs(x - std::round(x));
    if (node.open[at].lower == node.open[at].upper || !(off > most)) continue;
    most = off;
    node.branch = at;
    node.value = static_cast<int>(std::floor(x));
  }
  if (node.branch >= 0) return;
  // All are integers: this formula is found; others differ from it in some amount. The largest one
  // that is open is the one that leaves least behind.
  for (int at = 0; at < std::ssize(node.open); ++at) {
    if (node.open[at].lower == node.open[at].upper) continue;
    if (node.branch < 0 || amount(node.open[at]) > amount(node.open[node.branch])) node.branch = at;
  }
  node.value = static_cast<int>(std::lround(amount(node.open[node.branch])));
  node.apart = true;
}

/// Rounds the relaxation to a formula: largest remainders, within the bounds of the node.
void FormulaSearch::guess(const DesignNode& node) {
  std::vector<AmountRange> amounts = node.open;
  const auto& w = relaxation_.w();
  std::stable_sort(amounts.begin(), amounts.end(), [&](const AmountRange& a, const AmountRange& b) {
    if ((a.lower > 0) != (b.lower > 0)) return a.lower > 0;
    return w[a.component] > w[b.component];
  });
  amounts.resize(std::min(amounts.size(), static_cast<std::size_t>(space_.most)));
  std::vector<std::pair<double, std::size_t>> remainders;
  int rest = node.atoms;
  std::vector<int> rounded;
  for (std::size_t k = 0; k < amounts.size(); ++k) {
    const double x = w[amounts[k].component] * node.atoms;
    const int low =
        std::clamp(static_cast<int>(std::floor(x + kInteger)), amounts[k].lower, amounts[k].upper);
    rounded.push_back(low);
    rest -= low;
    remainders.emplace_back(low - x, k);
  }
  std::sort(remainders.begin(), remainders.end());
  while (rest > 0) {
    const int before = rest;
    for (const auto& [remainder, k] : remainders)
      if (rest > 0 && rounded[k] < amounts[k].upper) ++rounded[k], --rest;
    if (rest == before) return;
  }
  if (rest < 0) return;
  for (std::size_t k = 0; k < amounts.size(); ++k) {
    if (rounded[k] > 0 && rounded[k] < least(amounts[k].component, node.atoms)) return;
    amounts[k].lower = amounts[k].upper = rounded[k];
  }
  std::erase_if(amounts, [](const AmountRange& range) { return range.upper == 0; });
  std::sort(amounts.begin(), amounts.end(),
            [](const AmountRange& a, const AmountRange& b) { return a.component < b.component; });
  propose(amounts, node.atoms);
}

void FormulaSearch::propose(const std::vector<AmountRange>& amounts, int atoms) {
  int divisor = 0;
  for (const AmountRange& range : amounts) divisor = std::gcd(divisor, range.lower);
  std::vector<int> counts, states;
  std::vector<double> w(static_cast<std::size_t>(space_.components()), 0.0);
  ProposalKey key;
  for (const AmountRange& range : amounts) {
    counts.push_back(range.lower / divisor);
    key.emplace_back(range.component, counts.back());
    w[range.component] = static_cast<double>(range.lower) / atoms;
  }
  if (space_.neutral) {
    std::vector<const std::vector<int>*> choices;
    for (const AmountRange& range : amounts) choices.push_back(&space_.states[range.component]);
    states = neutral_states(counts, choices);
    if (states.empty()) return;
  }
  const double squared = target_.squared_distance(w);
  if (squared >= shortlist_.last()) return;
  Proposal proposal;
  for (std::size_t k = 0; k < amounts.size(); ++k)
    proposal.parts.push_back(
        {amounts[k].component, w[amounts[k].component], counts[k], states.empty() ? 0 : states[k]});
  shortlist_.add(key, squared, std::move(proposal));
}

}  // namespace

std::unique_ptr<DesignSearch> search_formulas(const DesignGeometry& geometry,
                                              const DesignTarget& target, const DesignSpace& space,
                                              const DesignOptions& options) {
  return std::make_unique<FormulaSearch>(geometry, target, space, options);
}

}  // namespace kronite::kmd
