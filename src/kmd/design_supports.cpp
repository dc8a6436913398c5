// Weights of any numbers: which components are there.
#include <algorithm>
#include <functional>
#include <limits>
#include <set>
#include <utility>

#include "kmd/design_search.hpp"

namespace kronite::kmd {
namespace {

/// A weight up to this is none: only where no least weight is asked for.
constexpr double kNone = 1e-9;

class SupportSearch final : public DesignSearch {
 public:
  using DesignSearch::DesignSearch;

 private:
  /// Of a support, the states that are left: [first, last] of each component's list.
  struct Leaf {
    std::vector<int> components;
    std::vector<std::pair<std::size_t, std::size_t>> states;
  };

  std::vector<DesignNode> roots() override;
  bool consider(DesignNode& node) override;
  void leave_out_what_costs_too_much(DesignNode& node) const;
  void guess(const DesignNode& node);
  void judge(std::vector<int> components);
  void split_states(Leaf& leaf, double& best);
  void propose(const Leaf& leaf);

  std::set<std::vector<int>> judged_;
};

std::vector<DesignNode> SupportSearch::roots() {
  DesignNode root;
  for (int i = 0; i < space_.components(); ++i)
    if (space_.may(i)) root.open.push_back({i, space_.must[i] ? 1 : 0, 1});
  return {root};
}

bool SupportSearch::consider(DesignNode& node) {
  const auto is_there = [](const AmountRange& range) { return range.lower > 0; };
  const auto there = std::count_if(node.open.begin(), node.open.end(), is_there);
  if (there > space_.most) return false;
  if (there == space_.most) std::erase_if(node.open, std::not_fn(is_there));
  std::vector<int> certain;
  OpenWeights open = nothing();
  for (const AmountRange& range : node.open) {
    open.upper[range.component] = space_.upper[range.component];
    if (!is_there(range)) continue;
    open.lower[range.component] = space_.lower[range.component];
    certain.push_back(range.component);
  }
  if (std::ssize(node.open) > there) {
    if (!relaxation_.solve(open, node.likely)) return false;
    node.likely = relaxation_.there();
    node.bound = std::max(node.bound, relaxation_.squared());
    if (prunes(node.bound)) return false;
    leave_out_what_costs_too_much(node);
  }
  if (std::ssize(node.open) == there) {
    judge(std::move(certain));
    return false;
  }
  // The open component that the relaxation has most of; the one that costs least where it has none.
  const auto& w = relaxation_.w();
  const auto& prices = relaxation_.prices();
  for (int at = 0; at < std::ssize(node.open); ++at) {
    if (is_there(node.open[at])) continue;
    if (node.branch < 0) node.branch = at;
    const int i = node.open[at].component, best = node.open[node.branch].component;
    if (w[i] > w[best] || (w[i] == w[best] && prices[i] < prices[best])) node.branch = at;
  }
  guess(node);
  return true;
}

/// By convexity the squared distance grows by twice the price times the least weight, at least.
void SupportSearch::leave_out_what_costs_too_much(DesignNode& node) const {
  std::erase_if(node.open, [&](const AmountRange& range) {
    const int i = range.component;
    return range.lower == 0 && relaxation_.w()[i] == 0 && relaxation_.prices()[i] > 0 &&
           prunes(relaxation_.squared() + 2 * relaxation_.prices()[i] * space_.lower[i]);
  });
}

/// Rounds the relaxation to a support: what must be there, and as much of the rest as may be.
void SupportSearch::guess(const DesignNode& node) {
  const std::vector<double> w = relaxation_.w();
  std::vector<int> components, others;
  for (const AmountRange& range : node.open)
    if (range.lower > 0)
      components.push_back(range.component);
    else if (w[range.component] > 0)
      others.push_back(range.component);
  std::stable_sort(others.begin(), others.end(), [&](int a, int b) { return w[a] > w[b]; });
  const std::size_t room = static_cast<std::size_t>(space_.most) - components.size();
  others.resize(std::min(others.size(), room));
  components.insert(components.end(), others.begin(), others.end());
  std::sort(components.begin(), components.end());
  judge(std::move(components));
}

/// The best mixture of a support.
void SupportSearch::judge(std::vector<int> components) {
  if (components.empty() || !judged_.insert(components).second) return;
  Leaf leaf{std::move(components), {}};
  for (const int i : leaf.components)
    leaf.states.emplace_back(0, space_.neutral ? space_.states[i].size() - 1 : 0);
  double best = std::numeric_limits<double>::infinity();
  split_states(leaf, best);
}

/// Branch and bound over the states of a support.
void SupportSearch::split_states(Leaf& leaf, double& best) {
  OpenWeights open = nothing();
  for (std::size_t k = 0; k < leaf.components.size(); ++k) {
    const int i = leaf.components[k];
    open.lower[i] = space_.lower[i];
    open.upper[i] = space_.upper[i];
    if (!space_.neutral) continue;
    open.least_charge[i] = space_.states[i][leaf.states[k].first];
    open.most_charge[i] = space_.states[i][leaf.states[k].second];
  }
  if (!relaxation_.solve(open, leaf.components)) return;
  if (relaxation_.squared() >= best || prunes(relaxation_.squared())) return;
  std::size_t widest = 0;
  double spread = -1;
  for (std::size_t k = 0; k < leaf.components.size(); ++k) {
    const int i = leaf.components[k];
    if (leaf.states[k].first == leaf.states[k].second) continue;
    const double of_this = relaxation_.w()[i] * (open.most_charge[i] - open.least_charge[i]);
    if (of_this > spread) spread = of_this, widest = k;
  }
  if (spread < 0) {
    best = relaxation_.squared();
    propose(leaf);
    return;
  }
  const auto [first, last] = leaf.states[widest];
  const std::size_t middle = (first + last) / 2;
  leaf.states[widest] = {first, middle};
  split_states(leaf, best);
  leaf.states[widest] = {middle + 1, last};
  split_states(leaf, best);
  leaf.states[widest] = {first, last};
}

void SupportSearch::propose(const Leaf& leaf) {
  ProposalKey key;
  Proposal proposal;
  for (std::size_t k = 0; k < leaf.components.size(); ++k) {
    const int i = leaf.components[k];
    const double w = relaxation_.w()[i];
    if (w <= kNone) return;  // a mixture of fewer components
    key.emplace_back(i, 1);
    proposal.parts.push_back(
        {i, w, 0, space_.neutral ? space_.states[i][leaf.states[k].first] : 0});
  }
  shortlist_.add(key, relaxation_.squared(), std::move(proposal));
}

}  // namespace

std::unique_ptr<DesignSearch> search_supports(const DesignGeometry& geometry,
                                              const DesignTarget& target, const DesignSpace& space,
                                              const DesignOptions& options) {
  return std::make_unique<SupportSearch>(geometry, target, space, options);
}

}  // namespace kronite::kmd
