// Tables as CSV and JSON, figures as SVG.
#include "csp/evaluate_report.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/fail.hpp"         // for fmt::format
#include "csp/report_parts.hpp"  // for cell, text_of, inputs_json
#include "io/atomic_file.hpp"    // for write_file
#include "io/csv.hpp"            // for append_csv_cell
#include "io/plot.hpp"           // for plot_svg
#include "kronite/version.hpp"   // for KRONITE_VERSION

namespace kronite::csp {
namespace {

using io::Figure;
using io::Mark;
using io::Panel;
using io::Series;
using Json = nlohmann::ordered_json;
using Queries = std::vector<EvaluatedQuery>;

const char* name_of(Listing listing) { return listing == Listing::plain ? "plain" : "distinct"; }

/// Empty for "nowhere".
std::string rank_cell(std::int64_t rank) { return rank == 0 ? "" : fmt::format("{}", rank); }

std::string text_cell(std::string_view text) {
  std::string cell;
  io::append_csv_cell(cell, text);
  return cell;
}

// --- queries.csv ---------------------------------------------------------------------------------

std::string queries_header() {
  std::string text =
      "id,formula,ratio,elements,chemistry,space_group,candidates,ranked,likely,least,least_of_5,"
      "least_likely";
  for (const double limit : kHitLimits)
    text += fmt::format(",hit_{0}_rank,hit_{0}_p,hit_{0}_distinct_rank", limit);
  return text +
         ",match_rank,match_p,match_rms,match_space_group,match_distinct_rank"
         ",best_template_index,best_template_id,best_template_formula,best_p,best_dissimilarity,"
         "best_space_group,space_groups_agree,volume_error\n";
}

std::string best_cells(const EvaluatedQuery& query, const TemplateLibrary& library) {
  if (query.best < 0) return ",,,,,,,";
  const TemplateInfo info = library.info(query.best);
  const std::string agree =
      query.space_group == 0 ? "" : fmt::format("{}", query.best_space_group == query.space_group);
  return fmt::format("{},{},{},{},{},{},{},{}", query.best, text_cell(info.id), info.formula,
                     cell(query.best_p), cell(query.best_dissimilarity), query.best_space_group,
                     agree, cell(query.volume_error));
}

std::string queries_csv(const Queries& queries, const TemplateLibrary& library) {
  std::string text = queries_header();
  for (const EvaluatedQuery& q : queries) {
    text += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{}", text_cell(q.id), q.formula, q.ratio,
                        q.elements, chemistry(Composition::parse(q.formula)),
                        rank_cell(q.space_group), q.candidates, q.ranked, q.likely, cell(q.least),
                        cell(q.least_of_5), cell(q.least_likely));
    for (std::size_t l = 0; l < kHitLimits.size(); ++l)
      text += fmt::format(",{},{},{}", rank_cell(q.plain.rank[l]), cell(q.hit_p[l]),
                          rank_cell(q.distinct.rank[l]));
    text +=
        fmt::format(",{},{},{},{},{},", rank_cell(q.plain.match), cell(q.match_p),
                    cell(q.match_rms), rank_cell(q.match_space_group), rank_cell(q.distinct.match));
    text += best_cells(q, library) + "\n";
  }
  return text;
}

// --- success -------------------------------------------------------------------------------------

/// The shares of a row with their names: "1", "5", ..., "all", "likely".
std::vector<std::pair<std::string, Share>> shares_of(const SuccessRow& row) {
  std::vector<std::pair<std::string, Share>> shares;
  for (std::size_t t = 0; t < kTops.size(); ++t)
    shares.emplace_back(fmt::format("{}", kTops[t]), row.top[t]);
  shares.emplace_back("all", row.all);
  shares.emplace_back("likely", row.likely);
  return shares;
}

std::string share_cells(const Share& share) {
  return fmt::format("{},{},{},{},{}", share.hits, share.of, cell(share.value), cell(share.low),
                     cell(share.high));
}

std::string success_csv(const Queries& queries, const EvaluateOptions& options) {
  std::string text = "list,success,among,hits,queries,share,low,high\n";
  for (const NamedRow& named : success_rows(queries, options))
    for (const auto& [among, share] : shares_of(named.row))
      if (share.of > 0)
        text += fmt::format("{},{},{},{}\n", name_of(named.listing), named.measure, among,
                            share_cells(share));
  return text;
}

Json share_json(const Share& share) {
  return {{"share", share.value},
          {"low", share.low},
          {"high", share.high},
          {"hits", share.hits},
          {"queries", share.of}};
}

Json success_json(const Queries& queries, const EvaluateOptions& options) {
  Json json = Json::object();
  for (const NamedRow& named : success_rows(queries, options))
    for (const auto& [among, share] : shares_of(named.row))
      if (share.of > 0) json[name_of(named.listing)][named.measure][among] = share_json(share);
  return json;
}

/// Share of the queries that succeed within the first K, and its interval, over K.
Series curve(const Queries& queries, std::string label, int colour, Mark mark,
             const std::function<std::int64_t(const EvaluatedQuery&)>& rank) {
  Series line{std::move(label), mark, colour, {}, {}, {}, {}};
  for (int k = 1; k <= kMostJudged; ++k) {
    const Share share = share_of(std::count_if(queries.begin(), queries.end(),
                                               [&](const EvaluatedQuery& query) {
                                                 return rank(query) > 0 && rank(query) <= k;
                                               }),
                                 std::ssize(queries));
    line.x.push_back(k);
    line.y.push_back(share.value);
    if (mark == Mark::dashed) continue;
    line.low.push_back(share.low);
    line.high.push_back(share.high);
  }
  return line;
}

Panel success_panel(const char* title) {
  return {title, {"candidates K", 1, kMostJudged}, {"share of queries", 0, 1}, {}, false};
}

std::string success_svg(const Queries& queries, bool matched, const std::string& title) {
  constexpr const char* kDistinct = ", distinct structures";
  Panel panel = success_panel("Dissimilarity up to a limit");
  for (std::size_t l = 0; l < kHitLimits.size(); ++l) {
    const std::string label = fmt::format("≤ {}", kHitLimits[l]);
    const auto colour = static_cast<int>(l);
    panel.series.push_back(curve(queries, label, colour, Mark::line,
                                 [l](const EvaluatedQuery& q) { return q.plain.rank[l]; }));
    panel.series.push_back(curve(queries, label + kDistinct, colour, Mark::dashed,
                                 [l](const EvaluatedQuery& q) { return q.distinct.rank[l]; }));
  }
  if (!matched) return io::plot_svg({title, {std::move(panel)}});
  Panel matches = success_panel("Match");
  const auto colour = static_cast<int>(kHitLimits.size());
  matches.series.push_back(curve(queries, "match", colour, Mark::line,
                                 [](const EvaluatedQuery& q) { return q.plain.match; }));
  matches.series.push_back(curve(queries, std::string("match") + kDistinct, colour, Mark::dashed,
                                 [](const EvaluatedQuery& q) { return q.distinct.match; }));
  return io::plot_svg({title, {std::move(panel), std::move(matches)}});
}

// --- groups --------------------------------------------------------------------------------------

std::string groups_csv(const Queries& queries, const EvaluateOptions& options) {
  std::string text = "kind,group,success,among,hits,queries,share,low,high\n";
  for (const QueryGroup& group : group_queries(queries)) {
    const Queries part = members(queries, group);
    const auto line = [&](const std::string& measure, const std::string& among,
                          const Share& share) {
      text += fmt::format("{},{},{},{},{}\n", group.kind, text_cell(group.name), measure, among,
                          share_cells(share));
    };
    line("any template", "all", with_candidates(part));
    for (const NamedRow& named : success_rows(part, options)) {
      if (named.listing != Listing::plain) continue;
      for (const auto& [among, share] : shares_of(named.row))
        if (share.of > 0) line(named.measure, among, share);
    }
  }
  return text;
}

// --- reliability ---------------------------------------------------------------------------------

Series reliability_line(std::string label, int colour, const std::vector<ReliabilityBin>& bins) {
  Series line{std::move(label), Mark::line_and_points, colour, {}, {}, {}, {}};
  for (const ReliabilityBin& bin : bins) {
    const Share share =
        share_of(std::llround(bin.alike * static_cast<double>(bin.pairs)), bin.pairs);
    line.x.push_back(bin.mean_p);
    line.y.push_back(bin.alike);
    line.low.push_back(share.low);
    line.high.push_back(share.high);
  }
  return line;
}

std::string reliability_svg(const Evaluation& evaluation, double limit, const std::string& title) {
  Panel panel{fmt::format("Frequency of dissimilarities ≤ {}", limit),
              {"predicted p", 0, 1},
              {"observed", 0, 1},
              {reliability_line("all candidates", 0, evaluation.reliability),
               reliability_line("the best of each query", 1, evaluation.reliability_of_best)},
              true};
  Panel counts{"Best candidates per bin", {"predicted p", 0, 1}, {"", 0}, {}, false};
  Series bars{"", Mark::bars, 1, {}, {}, {}, {}};
  for (const ReliabilityBin& bin : evaluation.reliability_of_best) {
    bars.x.push_back((bin.low + bin.high) / 2);
    bars.y.push_back(static_cast<double>(bin.pairs));
  }
  counts.series.push_back(std::move(bars));
  return io::plot_svg({title, {std::move(panel), std::move(counts)}});
}

void append_bins(std::string& text, const char* of, const std::vector<ReliabilityBin>& bins) {
  for (const ReliabilityBin& bin : bins)
    text += fmt::format("{},{},{},{},{},{}\n", of, bin.low, bin.high, bin.pairs, cell(bin.mean_p),
                        cell(bin.alike));
}

std::string reliability_csv(const Evaluation& evaluation) {
  std::string text = "of,low,high,candidates,mean_p,alike\n";
  append_bins(text, "all", evaluation.reliability);
  append_bins(text, "best", evaluation.reliability_of_best);
  return text;
}

// --- summary and manifest ------------------------------------------------------------------------

Json summary_json(const Evaluation& evaluation, const EvaluateOptions& options,
                  const EvaluationRun& run) {
  const Queries& queries = evaluation.queries;
  std::int64_t candidates = 0, ranked = 0;
  for (const EvaluatedQuery& query : queries) {
    candidates += query.candidates;
    ranked += query.ranked > 0 ? 1 : 0;
  }
  Json left_out = Json::array();
  for (const QueryLeftOut& query : evaluation.left_out)
    left_out.push_back({{"id", query.id}, {"formula", query.formula}, {"why", query.why}});
  const double volume_error = median_volume_error(queries);
  return {
      {"ranker", run.ranker},
      {"queries", queries.size()},
      {"left_out", std::move(left_out)},
      {"templates", evaluation.templates},
      {"candidates", candidates},
      {"queries_with_candidates", share_json(with_candidates(queries))},
      {"queries_ranked", share_json(share_of(ranked, std::ssize(queries)))},
      {"success", success_json(queries, options)},
      {"best_has_same_space_group", share_json(same_space_group(queries))},
      {"first_match_has_same_space_group",
       evaluation.matched ? share_json(match_has_space_group(queries)) : Json(nullptr)},
      {"best_median_volume_error", std::isnan(volume_error) ? Json(nullptr) : Json(volume_error)},
      {"calibration_error", evaluation.reliability.empty()
                                ? Json(nullptr)
                                : Json(calibration_error(evaluation.reliability))},
      {"calibration_error_of_best", evaluation.reliability.empty()
                                        ? Json(nullptr)
                                        : Json(calibration_error(evaluation.reliability_of_best))}};
}

Json manifest_json(const EvaluateOptions& options, const EvaluationRun& run) {
  return {{"program", "kronite csp evaluate"},
          {"version", KRONITE_VERSION},
          {"command", run.command},
          {"device", run.device},
          {"inputs", inputs_json(run.inputs)},
          {"settings",
           {{"excluded_formulas", options.exclude_formulas.size()},
            {"disjoint", options.disjoint},
            {"library_share", options.library_share},
            {"seed", options.seed},
            {"distinct", options.distinct},
            {"matcher", options.match ? Json{{"ltol", options.matching.ltol},
                                             {"stol", options.matching.stol},
                                             {"angle_tol", options.matching.angle_tol}}
                                      : Json(nullptr)},
            {"cutoff", options.cutoff},
            {"alike_limit", options.alike_limit},
            {"symprec", options.symprec}}}};
}

}  // namespace

std::vector<NamedRow> success_rows(const Queries& queries, const EvaluateOptions& options) {
  std::vector<NamedRow> rows;
  for (const Listing listing : {Listing::plain, Listing::distinct}) {
    for (std::size_t l = 0; l < kHitLimits.size(); ++l)
      rows.push_back({fmt::format("{}", kHitLimits[l]), listing, success(queries, l, listing)});
    if (options.match)
      rows.push_back({"match", listing, match_success(queries, listing, options.cutoff)});
  }
  return rows;
}

std::string queries_text(std::int64_t count) {
  return fmt::format("{} {}", count, count == 1 ? "query" : "queries");
}

Share with_candidates(const Queries& queries) {
  return share_of(std::count_if(queries.begin(), queries.end(),
                                [](const EvaluatedQuery& query) { return query.candidates > 0; }),
                  std::ssize(queries));
}

Share same_space_group(const Queries& queries) {
  return share_of(std::count_if(queries.begin(), queries.end(),
                                [](const EvaluatedQuery& query) {
                                  return query.best >= 0 && query.space_group != 0 &&
                                         query.best_space_group == query.space_group;
                                }),
                  std::ssize(queries));
}

Share match_has_space_group(const Queries& queries) {
  std::int64_t matched = 0, same = 0;
  for (const EvaluatedQuery& query : queries) {
    if (query.plain.match == 0) continue;
    ++matched;
    if (query.space_group != 0 && query.match_space_group == query.space_group) ++same;
  }
  return share_of(same, matched);
}

double median_volume_error(const Queries& queries) {
  std::vector<double> errors;
  for (const EvaluatedQuery& query : queries)
    if (query.best >= 0) errors.push_back(std::abs(query.volume_error));
  if (errors.empty()) return std::nan("");
  const auto middle = errors.begin() + static_cast<std::ptrdiff_t>(errors.size() / 2);
  std::nth_element(errors.begin(), middle, errors.end());
  if (errors.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(errors.begin(), middle)) / 2;
}

Queries members(const Queries& queries, const QueryGroup& group) {
  Queries part;
  for (const std::size_t i : group.queries) part.push_back(queries[i]);
  return part;
}

void write_evaluation(const std::string& path, const Evaluation& evaluation,
                      const TemplateLibrary& library, const EvaluateOptions& options,
                      const EvaluationRun& run) {
  const auto write = [&](const char* name, const std::string& text) {
    io::write_file(path + "/" + name, text);
  };
  const std::string title =
      fmt::format("{}: {}", run.ranker, queries_text(std::ssize(evaluation.queries)));
  write("queries.csv", queries_csv(evaluation.queries, library));
  write("success.csv", success_csv(evaluation.queries, options));
  write("success.svg", success_svg(evaluation.queries, evaluation.matched, title));
  write("groups.csv", groups_csv(evaluation.queries, options));
  if (!evaluation.reliability.empty()) {
    write("reliability.csv", reliability_csv(evaluation));
    write("reliability.svg", reliability_svg(evaluation, options.alike_limit, title));
  }
  write("summary.json", text_of(summary_json(evaluation, options, run)));
  write("manifest.json", text_of(manifest_json(options, run)));
}

}  // namespace kronite::csp
