// The order in which nodes are looked into, and what is proved when that ends.
#include "kmd/design_search.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/fail.hpp"  // for fail

namespace kronite::kmd {
namespace {

constexpr long long kNodesPerReport = 32;

/// Of a heap whose top has the least bound, the earliest of equals.
bool after(const DesignNode& a, const DesignNode& b) {
  return a.bound != b.bound ? a.bound > b.bound : a.order > b.order;
}

}  // namespace

void Frontier::push(DesignNode node) {
  nodes_.push_back(std::move(node));
  if (by_bound_) std::push_heap(nodes_.begin(), nodes_.end(), after);
}

void Frontier::go_by_bound() {
  if (std::exchange(by_bound_, true)) return;
  std::make_heap(nodes_.begin(), nodes_.end(), after);
}

DesignNode Frontier::pop() {
  if (by_bound_) std::pop_heap(nodes_.begin(), nodes_.end(), after);
  DesignNode node = std::move(nodes_.back());
  nodes_.pop_back();
  return node;
}

double Frontier::least_bound() const {
  double least = std::numeric_limits<double>::infinity();
  for (const DesignNode& node : nodes_) least = std::min(least, node.bound);
  return least;
}

DesignSearch::DesignSearch(const DesignGeometry& geometry, const DesignTarget& target,
                           const DesignSpace& space, const DesignOptions& options)
    : target_(target),
      space_(space),
      options_(options),
      relaxation_(geometry, target),
      shortlist_(options.top) {}

double DesignSearch::cut() const {
  const double last = shortlist_.last();
  return std::isinf(last) ? last : last - target_.tolerance(last);
}

OpenWeights DesignSearch::nothing() const {
  const auto n = static_cast<std::size_t>(space_.components());
  OpenWeights open{std::vector<double>(n, 0.0), std::vector<double>(n, 0.0), {}, {}};
  if (!space_.neutral) return open;
  for (const auto& states : space_.states) {
    open.least_charge.push_back(states.empty() ? 0 : states.front());
    open.most_charge.push_back(states.empty() ? 0 : states.back());
  }
  return open;
}

/// Of everything that is allowed.
double DesignSearch::root_distance() {
  OpenWeights open = nothing();
  for (int i = 0; i < space_.components(); ++i) {
    open.upper[i] = space_.upper[i];
    if (space_.must[i]) open.lower[i] = space_.lower[i];
  }
  return relaxation_.solve(open, {}) ? std::sqrt(relaxation_.squared()) : 0;
}

void DesignSearch::branch(const DesignNode& node) {
  children_.clear();
  const AmountRange whole = node.open[node.branch];
  const auto child = [&](int lower, int upper) {
    if (lower > upper) return;
    DesignNode part{node.bound, 0, node.atoms, node.open, -1, 0, false, node.likely};
    if (upper == 0) {
      part.open.erase(part.open.begin() + node.branch);
    } else {
      part.open[node.branch].lower = lower;
      part.open[node.branch].upper = upper;
    }
    if (consider(part)) children_.push_back(std::move(part));
  };
  if (node.apart) child(node.value, node.value);
  child(whole.lower, node.apart ? node.value - 1 : node.value);
  child(node.value + 1, whole.upper);
  std::stable_sort(children_.begin(), children_.end(),
                   [](const DesignNode& a, const DesignNode& b) { return a.bound > b.bound; });
  for (DesignNode& part : children_) {
    part.order = created_++;
    frontier_.push(std::move(part));
  }
}

Design DesignSearch::run() {
  Design design;
  design.relaxed = root_distance();
  children_ = roots();
  std::erase_if(children_, [&](DesignNode& node) { return !consider(node); });
  std::stable_sort(children_.begin(), children_.end(),
                   [](const DesignNode& a, const DesignNode& b) { return a.bound > b.bound; });
  for (DesignNode& node : children_) {
    node.order = created_++;
    frontier_.push(std::move(node));
  }
  double left = std::numeric_limits<double>::infinity();  // bound of what was not looked into
  while (!frontier_.empty()) {
    if (shortlist_.full()) frontier_.go_by_bound();
    if (design.nodes == options_.most_nodes) {
      left = frontier_.least_bound();
      break;
    }
    if (options_.progress && design.nodes % kNodesPerReport == 0 &&
        !options_.progress(design.nodes, 0))
      fail(Errc::cancelled, "the search for mixtures was stopped");
    const DesignNode node = frontier_.pop();
    if (prunes(node.bound)) continue;
    ++design.nodes;
    branch(node);
  }
  design.complete = left >= cut();
  const double bound = design.complete ? shortlist_.last() : left;
  design.lower_bound = std::sqrt(std::min(bound, shortlist_.last()));
  for (const Shortlist::Row& row : shortlist_.rows()) {
    design.proposals.push_back(row.proposal);
    design.proposals.back().distance = std::sqrt(row.squared);
    if (row.squared <= bound + target_.tolerance(row.squared)) ++design.proved;
  }
  return design;
}

}  // namespace kronite::kmd
