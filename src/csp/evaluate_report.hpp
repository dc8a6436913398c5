// The folder of tables and figures that an evaluation leaves.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "kronite/csp_evaluation.hpp"  // for Evaluation

namespace kronite::csp {

/// What the manifest says beside the figures.
struct EvaluationRun {
  std::string command, device;
  std::string ranker;  ///< for people: "the model 2022", "distance"
  std::vector<std::pair<std::string, std::string>> inputs;  ///< name and content hash
};

/// One line of the tables: what counts as a success, and in which list.
struct NamedRow {
  std::string measure;  ///< "0.1", "0.2", "0.3", "match"
  Listing listing = Listing::plain;
  SuccessRow row;

  std::string label() const { return measure == "match" ? measure : "<= " + measure; }
};
/// All lines, the plain list first; those of matches only where they were looked for.
std::vector<NamedRow> success_rows(const std::vector<EvaluatedQuery>& queries,
                                   const EvaluateOptions& options);

/// "1 query", "2 queries".
std::string queries_text(std::int64_t count);
/// Queries with at least one candidate.
Share with_candidates(const std::vector<EvaluatedQuery>& queries);
/// Queries whose best candidate has their space group.
Share same_space_group(const std::vector<EvaluatedQuery>& queries);
/// Of the queries that are matched, those whose first match has their space group.
Share match_has_space_group(const std::vector<EvaluatedQuery>& queries);
/// Median of |volume error| of the best candidates; NaN without any.
double median_volume_error(const std::vector<EvaluatedQuery>& queries);
/// The queries of a group.
std::vector<EvaluatedQuery> members(const std::vector<EvaluatedQuery>& queries,
                                    const QueryGroup& group);

/// queries, success, groups, reliability (.csv), success and reliability (.svg), summary.json,
/// manifest.json. There is no reliability without p.
/// @throws Error io.
void write_evaluation(const std::string& path, const Evaluation& evaluation,
                      const TemplateLibrary& library, const EvaluateOptions& options,
                      const EvaluationRun& run);

}  // namespace kronite::csp
