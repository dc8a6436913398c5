// A ranking that another program made, read from CSV, as a ranker.
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/fail.hpp"               // for fail
#include "base/number.hpp"             // for to_number
#include "csp/describe_templates.hpp"  // for sort_best_first
#include "io/csv.hpp"                  // for CsvReader
#include "io/material_id.hpp"          // for canonical_id
#include "kronite/csp_evaluation.hpp"  // for listed_ranker

namespace kronite::csp {
namespace {

using Scored = Ranker::Scored;
using Lists = std::unordered_map<std::string, std::vector<Scored>>;  // by reduced formula

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kAmbiguous = -1;

/// The first of some names that a header has; nothing when it has none of them.
std::optional<std::size_t> find_column(const std::vector<std::string>& header,
                                       std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const auto found = std::find(header.begin(), header.end(), name);
    if (found != header.end()) return static_cast<std::size_t>(found - header.begin());
  }
  return std::nullopt;
}

class ListReader {
 public:
  ListReader(const std::string& path, const TemplateLibrary& library)
      : library_(library), reader_(path) {}

  Lists read() {
    read_header(reader_.where());
    while (reader_.next(cells_)) read_row();
    if (lists_.empty()) fail(Errc::parse, "{}: this ranking names no template", reader_.where());
    for (auto& [formula, list] : lists_) sort_best_first(list);
    return std::move(lists_);
  }

 private:
  void read_header(const std::string& file);
  void read_row();
  const Composition& query(const std::string& text);
  std::int64_t template_of(const std::string& text);
  std::int64_t template_with_id(const std::string& id);
  double number(std::optional<std::size_t> column, const char* what) const;

  const TemplateLibrary& library_;
  io::CsvReader reader_;
  std::vector<std::string> cells_;
  std::size_t query_ = 0, template_ = 0;
  bool by_index_ = false;
  std::optional<std::size_t> score_, p_;
  std::unordered_map<std::string, Composition> queries_;        // by their texts
  std::unordered_map<std::string, std::int64_t> template_ids_;  // canonical; made when needed
  std::unordered_map<std::string, std::vector<bool>> listed_;   // by formula and place in the ratio
  Lists lists_;
};

void ListReader::read_header(const std::string& file) {
  if (!reader_.next(cells_)) fail(Errc::parse, "{}: this file is empty", file);
  const auto query = find_column(cells_, {"query_formula", "query", "formula"});
  const auto index = find_column(cells_, {"template_index"});
  const auto id = find_column(cells_, {"template_id", "template"});
  if (!query || !(index || id))
    fail(Errc::parse,
         "{}: a ranking needs the columns query_formula (or query, formula) and template_index or "
         "template_id (or template)",
         reader_.where());
  query_ = *query;
  by_index_ = index.has_value();
  template_ = by_index_ ? *index : *id;
  score_ = find_column(cells_, {"score"});
  p_ = find_column(cells_, {"p"});
}

const Composition& ListReader::query(const std::string& text) {
  const auto found = queries_.find(text);
  if (found != queries_.end()) return found->second;
  try {
    return queries_.emplace(text, Composition::parse(text).reduced()).first->second;
  } catch (const Error& e) {
    throw Error(e.code(), reader_.where() + ": " + e.what());  // with its caret
  }
}

std::int64_t ListReader::template_with_id(const std::string& id) {
  if (template_ids_.empty())
    for (std::int64_t i = 0; i < library_.size(); ++i) {
      const auto [at, is_new] = template_ids_.emplace(io::canonical_id(library_.info(i).id), i);
      if (!is_new) at->second = kAmbiguous;
    }
  const auto found = template_ids_.find(io::canonical_id(id));
  if (found == template_ids_.end())
    fail(Errc::parse, "{}: {} holds no template of the id \"{}\"", reader_.where(), library_.path(),
         id);
  if (found->second == kAmbiguous)
    fail(Errc::parse,
         "{}: {} holds several templates of the id \"{}\"; name them in a column "
         "template_index",
         reader_.where(), library_.path(), id);
  return found->second;
}

std::int64_t ListReader::template_of(const std::string& text) {
  if (!by_index_) return template_with_id(text);
  const auto value = to_number(text);
  const bool there = value && *value >= 0 && *value < static_cast<double>(library_.size()) &&
                     *value == std::floor(*value);
  if (!there)
    fail(Errc::parse, "{}: \"{}\" is no template of {}, whose indices are 0 to {}", reader_.where(),
         text, library_.path(), library_.size() - 1);
  return static_cast<std::int64_t>(*value);
}

/// NaN for an empty cell and without the column.
double ListReader::number(std::optional<std::size_t> column, const char* what) const {
  if (!column || cells_[*column].empty()) return kNone;
  const auto value = to_number(cells_[*column]);
  if (!value || !std::isfinite(*value))
    fail(Errc::parse, "{}: \"{}\" is no {}", reader_.where(), cells_[*column], what);
  return *value;
}

void ListReader::read_row() {
  const std::size_t needed = std::max({query_, template_, score_.value_or(0), p_.value_or(0)}) + 1;
  if (cells_.size() < needed)
    fail(Errc::parse, "{}: {} cells, expected {} or more", reader_.where(), cells_.size(), needed);
  if (cells_[template_].empty()) return;  // a query that was given no template
  const Composition& composition = query(cells_[query_]);
  const std::int64_t i = template_of(cells_[template_]);
  const TemplateRange range = library_.with_ratio(composition.ratio_label());
  if (i < range.begin || i >= range.end)
    fail(Errc::parse, "{}: the template {} ({}) has another ratio than {}", reader_.where(),
         library_.info(i).id, library_.info(i).formula, cells_[query_]);

  const std::string formula = composition.reduced_formula();
  std::vector<bool>& listed = listed_[formula];
  listed.resize(static_cast<std::size_t>(range.size()), false);
  const auto place = static_cast<std::size_t>(i - range.begin);
  if (listed[place])
    fail(Errc::parse, "{}: the template {} is listed a second time for {}", reader_.where(),
         library_.info(i).id, formula);
  listed[place] = true;

  std::vector<Scored>& list = lists_[formula];
  const double p = number(p_, "probability");
  if (p < 0 || p > 1) fail(Errc::parse, "{}: p is {}, expected 0 to 1", reader_.where(), p);
  const double by_line = -static_cast<double>(list.size());
  const double score = score_ ? number(score_, "score") : p_ ? p : by_line;
  if (std::isnan(score))
    fail(Errc::parse, "{}: there is no {}", reader_.where(), score_ ? "score" : "p");
  list.push_back({i, score, p, kNone});
}

class ListedRanker : public Ranker {
 public:
  ListedRanker(Lists lists, std::string library_hash)
      : lists_(std::move(lists)), library_hash_(std::move(library_hash)) {}

  std::string name() const override { return "listed"; }
  std::vector<Scored> rank(Device&, const Composition& query, const TemplateLibrary& library,
                           TemplateRange range) const override;

 private:
  Lists lists_;
  std::string library_hash_;
};

std::vector<Scored> ListedRanker::rank(Device&, const Composition& query,
                                       const TemplateLibrary& library, TemplateRange range) const {
  if (library.hash() != library_hash_)
    fail(Errc::invalid_argument, "the ranking was read for another library than {}",
         library.path());
  const auto found = lists_.find(query.reduced_formula());
  if (found == lists_.end()) return {};
  std::vector<Scored> ranked;
  for (const Scored& scored : found->second)
    if (scored.candidate >= range.begin && scored.candidate < range.end) ranked.push_back(scored);
  return ranked;
}

}  // namespace

std::unique_ptr<Ranker> listed_ranker(const std::string& path, const TemplateLibrary& library) {
  return std::make_unique<ListedRanker>(ListReader(path, library).read(), library.hash());
}

}  // namespace kronite::csp
