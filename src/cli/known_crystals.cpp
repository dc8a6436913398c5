// Queries of an evaluation, from files of structures or a library.
#include "cli/known_crystals.hpp"

#include <utility>

#include "base/fail.hpp"          // for fail
#include "base/log.hpp"           // for notice
#include "cli/structures.hpp"     // for for_each_structure
#include "cli/terminal.hpp"       // for interrupted
#include "io/formula_list.hpp"    // for read_formula_list
#include "kronite/templates.hpp"  // for TemplateLibrary

namespace kronite::cli {
namespace {

constexpr std::size_t kShownErrors = 10;

std::string crystals(std::size_t count) {
  return fmt::format("{} crystal{}", count, count == 1 ? "" : "s");
}

/// Gathers the crystals to be predicted, and says what is left out.
class QueryReader {
 public:
  QueryReader(std::string path, const std::string& formulas)
      : path_(std::move(path)), list_(formulas), wanted_(formulas_of(formulas)) {}

  std::vector<csp::KnownCrystal> read(const ReadOptions& reading);

 private:
  bool wants(const Composition& composition) {
    if (wanted_.empty()) return true;
    const std::string formula = composition.reduced_formula();
    if (wanted_.count(formula) == 0) return false;
    found_.insert(formula);
    return true;
  }
  void read_library();
  void read_files(const ReadOptions& reading);
  void add(StructureRecord&& record);
  void reject(const std::string& where, const std::string& why) {
    if (++rejected_ <= kShownErrors) notice(where + ": " + why);
  }
  void report() const;

  std::string path_, list_;
  std::unordered_set<std::string> wanted_, found_;
  std::vector<csp::KnownCrystal> queries_;
  std::size_t rejected_ = 0, disordered_ = 0;
};

void QueryReader::read_library() {
  const TemplateLibrary library = TemplateLibrary::open(path_);
  for (std::int64_t i = 0; i < library.size(); ++i) {
    if (!wants(library.composition(i))) continue;
    const TemplateInfo info = library.info(i);
    csp::KnownCrystal crystal{std::string(info.id), library.structure(i), {}, info.space_group};
    if (library.has_fingerprints()) crystal.fingerprint = library.fingerprint(i);
    queries_.push_back(std::move(crystal));
  }
}

void QueryReader::add(StructureRecord&& record) {
  if (record.disordered)
    ++disordered_;
  else if (wants(record.structure.composition()))
    queries_.push_back({std::move(record.id), std::move(record.structure), {}, 0});
}

void QueryReader::read_files(const ReadOptions& reading) {
  for_each_structure(
      path_,
      [&](StructureRecord&& record) {
        add(std::move(record));
        return !interrupted();
      },
      [&](const std::string& where, const std::string& why) { reject(where, why); }, reading);
  if (interrupted()) fail(Errc::cancelled, "stopped");
}

void QueryReader::report() const {
  if (rejected_ > kShownErrors)
    notice(fmt::format("... and {} more like these", rejected_ - kShownErrors));
  if (rejected_ + disordered_ > 0)
    notice(fmt::format("{}: {} left out: {} that could not be read, {} disordered", path_,
                       crystals(rejected_ + disordered_), rejected_, disordered_));
  if (found_.size() < wanted_.size())
    notice(fmt::format("{}: {} of {} formulas have no crystal in {}", list_,
                       wanted_.size() - found_.size(), wanted_.size(), path_));
}

std::vector<csp::KnownCrystal> QueryReader::read(const ReadOptions& reading) {
  if (path_.ends_with(".ktl"))
    read_library();
  else
    read_files(reading);
  report();
  if (queries_.empty())
    fail(Errc::invalid_argument, "{}",
         wanted_.empty() ? path_ + ": there is no crystal to predict"
                         : path_ + ": holds no crystal of the formulas in " + list_);
  return std::move(queries_);
}

}  // namespace

/// Reduced formulas of a list; nothing without a path.
std::unordered_set<std::string> formulas_of(const std::string& path) {
  std::unordered_set<std::string> formulas;
  if (path.empty()) return formulas;
  for (const auto& listed : io::read_formula_list(path))
    formulas.insert(listed.composition.reduced_formula());
  return formulas;
}

std::vector<csp::KnownCrystal> read_known_crystals(const std::string& path,
                                                   const std::string& formulas,
                                                   const ReadOptions& reading) {
  return QueryReader(path, formulas).read(reading);
}

}  // namespace kronite::cli
