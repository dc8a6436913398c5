// Shares with their intervals, for all queries and for groups of them.
#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <utility>

#include "csp/cutoff.hpp"              // for above_cutoff
#include "kronite/csp_evaluation.hpp"  // for success, group_queries

namespace kronite::csp {
namespace {

constexpr double kNormal95 = 1.959963984540054;  // 97.5 % of the normal distribution lie below

using Counter = std::function<bool(const EvaluatedQuery&)>;

Share count(const std::vector<EvaluatedQuery>& queries, const Counter& is_hit) {
  return share_of(std::count_if(queries.begin(), queries.end(), is_hit), std::ssize(queries));
}

/// Puts the queries of one key together, the keys ascending.
template <class Key>
std::map<Key, std::vector<std::size_t>> gather(
    const std::vector<EvaluatedQuery>& queries,
    const std::function<Key(const EvaluatedQuery&)>& key) {
  std::map<Key, std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < queries.size(); ++i) groups[key(queries[i])].push_back(i);
  return groups;
}

struct ChemistryClass {
  const char* symbol;
  const char* name;
};
/// Non-metals and metalloids by falling electronegativity.
constexpr ChemistryClass kClasses[] = {
    {"F", "halide"},        {"O", "oxide"},     {"Cl", "halide"},      {"N", "pnictide"},
    {"Br", "halide"},       {"I", "halide"},    {"S", "chalcogenide"}, {"C", "carbide"},
    {"Se", "chalcogenide"}, {"H", "hydride"},   {"P", "pnictide"},     {"As", "pnictide"},
    {"Te", "chalcogenide"}, {"Sb", "pnictide"}, {"B", "boride"},       {"Bi", "pnictide"},
    {"Ge", "tetrelide"},    {"Si", "tetrelide"}};

}  // namespace

Share share_of(std::int64_t hits, std::int64_t of) {
  Share share{hits, of, std::nan(""), std::nan(""), std::nan("")};
  if (of == 0) return share;
  const auto n = static_cast<double>(of);
  const double p = static_cast<double>(hits) / n, z = kNormal95;
  const double middle = (p + z * z / (2 * n)) / (1 + z * z / n);
  const double half = z * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n);
  share.value = p;
  // Exact at the ends, whatever the rounding.
  share.low = hits == 0 ? 0 : middle - half;
  share.high = hits == of ? 1 : middle + half;
  return share;
}

SuccessRow success(const std::vector<EvaluatedQuery>& queries, std::size_t limit, Listing listing) {
  SuccessRow row;
  const auto hits_of = [&](const EvaluatedQuery& query) -> const FirstHits& {
    return listing == Listing::plain ? query.plain : query.distinct;
  };
  for (std::size_t t = 0; t < kTops.size(); ++t)
    row.top[t] = count(queries, [&](const EvaluatedQuery& query) {
      const std::int64_t rank = hits_of(query).rank[limit];
      return rank > 0 && rank <= kTops[t];
    });
  row.all =
      count(queries, [&](const EvaluatedQuery& query) { return query.least <= kHitLimits[limit]; });
  row.likely = count(queries, [&](const EvaluatedQuery& query) {
    return query.least_likely <= kHitLimits[limit];
  });
  return row;
}

SuccessRow match_success(const std::vector<EvaluatedQuery>& queries, Listing listing,
                         double cutoff) {
  SuccessRow row;
  for (std::size_t t = 0; t < kTops.size(); ++t)
    row.top[t] = count(queries, [&](const EvaluatedQuery& query) {
      const std::int64_t rank = (listing == Listing::plain ? query.plain : query.distinct).match;
      return rank > 0 && rank <= kTops[t];
    });
  row.all = share_of(0, 0);
  row.likely = count(queries, [&](const EvaluatedQuery& query) {
    return query.plain.match > 0 && above_cutoff(query.match_p, cutoff);
  });
  return row;
}

std::string chemistry(const Composition& composition) {
  if (composition.parts().size() == 1) return "element";
  for (const ChemistryClass& each : kClasses)
    if (composition.amount(element_number(each.symbol)) > 0) return each.name;
  return "intermetallic";
}

std::vector<QueryGroup> group_queries(const std::vector<EvaluatedQuery>& queries, int ratios) {
  std::vector<QueryGroup> groups{{"all", "all", {}}};
  for (std::size_t i = 0; i < queries.size(); ++i) groups.front().queries.push_back(i);

  for (auto& [elements, members] :
       gather<int>(queries, [](const EvaluatedQuery& query) { return query.elements; }))
    groups.push_back({"elements", std::to_string(elements), std::move(members)});

  std::vector<QueryGroup> by_ratio;
  for (auto& [ratio, members] :
       gather<std::string>(queries, [](const EvaluatedQuery& query) { return query.ratio; }))
    by_ratio.push_back({"ratio", ratio, std::move(members)});
  std::stable_sort(by_ratio.begin(), by_ratio.end(), [](const QueryGroup& a, const QueryGroup& b) {
    return a.queries.size() > b.queries.size();
  });
  QueryGroup rest{"ratio", "other ratios", {}};
  for (std::size_t i = 0; i < by_ratio.size(); ++i) {
    if (static_cast<int>(i) < ratios) {
      groups.push_back(std::move(by_ratio[i]));
      continue;
    }
    rest.queries.insert(rest.queries.end(), by_ratio[i].queries.begin(), by_ratio[i].queries.end());
  }
  std::sort(rest.queries.begin(), rest.queries.end());
  if (!rest.queries.empty()) groups.push_back(std::move(rest));

  for (auto& [name, members] : gather<std::string>(queries, [](const EvaluatedQuery& query) {
         return chemistry(Composition::parse(query.formula));
       }))
    groups.push_back({"chemistry", name, std::move(members)});
  return groups;
}

}  // namespace kronite::csp
