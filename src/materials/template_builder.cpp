// From files of structures to a template library: read, reduce, choose, write.
#include <omp.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <deque>
#include <exception>
#include <filesystem>
#include <unordered_set>
#include <utility>

#include "base/fail.hpp"                   // for fail
#include "base/hash.hpp"                   // for ContentHash
#include "base/log.hpp"                    // for notice
#include "io/atomic_file.hpp"              // for require_writable
#include "io/byte_stream.hpp"              // for last_read_position
#include "io/structure_reader.hpp"         // for license_of, files_below
#include "kronite/version.hpp"             // for KRONITE_VERSION
#include "materials/build_journal.hpp"     // for BuildJournal
#include "materials/element_table.hpp"     // for require_elements
#include "materials/symmetry.hpp"          // for check_symprec
#include "materials/template_writing.hpp"  // for write_library

namespace kronite {
namespace {

namespace fs = std::filesystem;

/// What decides the outcome of a record, ready for use.
struct Rules {
  std::unordered_set<std::string> excluded;  ///< reduced formulas
  std::unordered_set<std::string> licenses;  ///< short names; empty: all but non-commercial ones
  double symprec = 0;
  ReadOptions reading;

  bool allow(const std::string& license) const {
    return licenses.empty() ? license.rfind("BY-NC", 0) != 0 : licenses.count(license) != 0;
  }
};

Rules rules_of(const BuildOptions& options) {
  check_symprec(options.symprec);
  Rules rules;
  rules.symprec = options.symprec;
  rules.reading = options.reading;
  for (const std::string& formula : options.exclude_formulas)
    rules.excluded.insert(Composition::parse(formula).reduced_formula());
  for (const std::string& text : options.licenses) {
    const std::string name = io::license_of(text);
    if (name == "unknown" && text != name)
      fail(Errc::invalid_argument,
           "\"{}\" is no licence: expected a name such as BY-C, CC0, PD or Apache-2.0, or "
           "\"unknown\"",
           text);
    rules.licenses.insert(name);
  }
  return rules;
}

/// Where atoms sit right at the tolerance, spglib may name a symmetry that its own standard cell
/// does not have; a tighter tolerance then gives a consistent, less symmetric cell.
StandardCell consistent_cell(const Structure& structure, double symprec) {
  for (const double tighter : {symprec, symprec / 10}) try {
      return standardise(structure, tighter);
    } catch (const Error& error) {
      if (error.code() != Errc::numerical) throw;
    }
  return standardise(structure, symprec / 100);
}

/// One record on its way to an outcome. Where a step throws, `step` says which reason that is.
class Judge {
 public:
  Judge(StructureRecord&& record, const Rules& rules) : record_(std::move(record)), rules_(rules) {}

  Outcome outcome() {
    try {
      return judge();
    } catch (const std::exception& e) {
      return left_out(step_, e.what());
    }
  }

 private:
  Outcome judge() {
    step_ = LeftOutReason::structure;
    check_structure(record_.structure);
    const Composition composition = record_.structure.composition().reduced();
    formula_ = composition.reduced_formula();
    if (record_.license.empty()) record_.license = "unknown";
    if (record_.disordered)
      return left_out(LeftOutReason::disordered, "partial or shared sites cannot be a template");
    if (!rules_.allow(record_.license))
      return left_out(LeftOutReason::license,
                      fmt::format("the licence {} is not allowed", record_.license));
    if (rules_.excluded.count(formula_) != 0)
      return left_out(LeftOutReason::excluded, "the formula is to be left out");
    step_ = LeftOutReason::element;
    require_elements(composition, ElementTable::embedded());
    return reduce(composition);
  }

  Template reduce(const Composition& composition) {
    Template t;
    step_ = LeftOutReason::structure;
    t.ratio = composition.ratio_label();
    if (t.ratio.empty()) fail(Errc::invalid_argument, "{} has no ratio label", formula_);
    step_ = LeftOutReason::symmetry;
    StandardCell crystal = consistent_cell(record_.structure, rules_.symprec);
    step_ = LeftOutReason::fingerprint;
    t.fingerprint = library_fingerprint(crystal);
    t.structure = std::move(crystal.primitive);
    t.space_group = crystal.symmetry.space_group;
    t.id = record_.id.empty() ? formula_ : std::move(record_.id);
    t.formula = std::move(formula_);
    t.license = std::move(record_.license);
    t.source = std::move(record_.source);
    t.where = std::move(record_.where);
    t.e_above_hull = record_.e_above_hull;
    t.formation_energy = record_.formation_energy;
    return t;
  }

  LeftOut left_out(LeftOutReason reason, std::string why) const {
    return {record_.where, record_.id, formula_.empty() ? record_.declared_formula : formula_,
            reason, std::move(why)};
  }

  StructureRecord record_;
  const Rules& rules_;
  std::string formula_;
  LeftOutReason step_ = LeftOutReason::structure;
};

// --- sources -------------------------------------------------------------------------------------

struct SourceFile {
  std::string path;
  std::uintmax_t bytes = 0;
  fs::file_time_type changed;
};

/// Whether a build that writes `out` makes this file itself. Both paths absolute.
bool is_own_file(const std::string& path, const std::string& out) {
  return path == out || path == out + ".journal" ||
         (path.starts_with(out + ".") && path.ends_with(".tmp"));
}

/// All files below the sources, in the order of reading, but the output and what lies beside it.
/// What a file cannot be read for is left to read_structures(), which says it better.
std::vector<SourceFile> files_of(const std::vector<std::string>& sources, const std::string& out) {
  std::vector<SourceFile> files;
  const auto absolute = [](const fs::path& path) {
    std::error_code error;
    return fs::absolute(path, error).lexically_normal().string();
  };
  const std::string own = absolute(out);
  std::error_code error;
  for (const std::string& source : sources) {
    const bool is_folder = fs::is_directory(source, error);
    for (const std::string& path :
         is_folder ? io::files_below(source) : std::vector<std::string>{source})
      if (!is_own_file(absolute(path), own) && fs::is_regular_file(path, error))
        files.push_back({path, fs::file_size(path, error), fs::last_write_time(path, error)});
  }
  return files;
}

/// Names everything that the outcome of a record depends on. Whether polymorphs stay is decided
/// later, from the outcomes.
std::string build_key(const std::vector<SourceFile>& files, const Rules& rules) {
  ContentHash hash;
  const auto take = [&](const auto& value) { hash.take(fmt::format("{}\n", value)); };
  const auto take_sorted = [&](const std::unordered_set<std::string>& words) {
    std::vector<std::string> sorted(words.begin(), words.end());
    std::sort(sorted.begin(), sorted.end());
    take(sorted.size());
    for (const std::string& word : sorted) take(word);
  };
  take(KRONITE_VERSION);
  take(ElementTable::embedded().hash());
  take(rules.symprec);
  take_sorted(rules.excluded);
  take_sorted(rules.licenses);
  take(fmt::format("{}", fmt::join(rules.reading.species, ",")));
  take(rules.reading.e_above_hull_key);
  take(rules.reading.formation_energy_key);
  for (const SourceFile& file : files) {
    take(file.path);
    take(file.bytes);
    take(file.changed.time_since_epoch().count());
  }
  return hash.hex();
}

/// Guesses how many records there are from how far the reading is.
class RecordCount {
 public:
  explicit RecordCount(const std::vector<SourceFile>& files) : files_(files) {
    for (const SourceFile& file : files_) total_ += static_cast<double>(file.bytes);
  }

  /// After `seen` records, the last one at `where`. 0 while nothing can be said.
  long long expected(const std::string& where, std::int64_t seen) {
    advance_to(where);
    const double read = before_ + static_cast<double>(io::last_read_position());
    // A file that is read as a whole before its first record says nothing.
    if (read <= 0 || read >= total_) return 0;
    return std::llround(static_cast<double>(seen) * total_ / read);
  }

 private:
  /// Files come in this order; those that hold no structure are passed over.
  void advance_to(const std::string& where) {
    const auto holds = [&](const SourceFile& file) { return where.starts_with(file.path); };
    const auto at = std::find_if(files_.begin() + current_, files_.end(), holds);
    if (at == files_.end()) return;
    for (; current_ < at - files_.begin(); ++current_)
      before_ += static_cast<double>(files_[static_cast<std::size_t>(current_)].bytes);
  }

  const std::vector<SourceFile>& files_;
  double total_ = 0, before_ = 0;
  std::ptrdiff_t current_ = 0;
};

// --- reading -------------------------------------------------------------------------------------

/// Reads all sources on one thread, judges records on all of them, and writes the outcomes to the
/// journal in the order of reading. Only so many records are in memory at a time.
class Reader {
 public:
  Reader(const Rules& rules, const Progress& progress, const std::vector<SourceFile>& files,
         BuildJournal& journal)
      : rules_(rules),
        progress_(progress),
        count_(files),
        journal_(journal),
        resumed_(journal.size()) {}

  void read(const std::vector<std::string>& sources) {
    std::exception_ptr failure;
#pragma omp parallel
#pragma omp single
    try {
      for (const std::string& source : sources)
        if (!stopped_) read_source(source);
#pragma omp taskwait
      retire();
    } catch (...) {
      failure = std::current_exception();
      stopped_ = true;
    }
    if (failure) std::rethrow_exception(failure);
    if (stopped_)
      fail(Errc::cancelled,
           "stopped after {} structures; no library was written yet. The same command goes on from "
           "here ({})",
           journal_.size(), journal_.path());
    if (seen_ < journal_.size())
      fail(
          Errc::corrupt,
          "{}: the interrupted build saw more structures than there are now; run the command again "
          "to build afresh",
          journal_.path());
  }

 private:
  /// Enough that the others keep working while one large cell takes its time.
  static constexpr std::size_t kInFlight = 4096;

  struct Slot {
    StructureRecord record;
    Outcome outcome;
    std::atomic<bool> done{false};
  };

  void read_source(const std::string& source) {
    read_structures(
        source, [this](StructureRecord&& record) { return take(std::move(record)); },
        [this](const std::string& where, const std::string& why) {
          if (!begin_record(where)) return;
          Slot& slot = slots_.emplace_back();
          slot.outcome = LeftOut{where, "", "", LeftOutReason::unreadable, why};
          slot.done = true;
          make_room();
        },
        rules_.reading);
  }

  bool take(StructureRecord&& record) {
    if (begin_record(record.where)) {
      Slot* slot = &slots_.emplace_back();
      slot->record = std::move(record);
#pragma omp task firstprivate(slot) if (omp_get_num_threads() > 1)
      judge(*slot);
      make_room();
    }
    return !stopped_;
  }

  void make_room() {
    if (slots_.size() >= kInFlight) {
#pragma omp taskwait
    }
    retire();
  }

  /// Whether the next record is to be judged: not one whose outcome the journal has.
  bool begin_record(const std::string& where) {
    const bool is_new = ++seen_ > resumed_;
    if (progress_ && is_new && !stopped_) {
      const long long expected = count_.expected(where, seen_);
      if (!progress_(seen_ - resumed_, expected > 0 ? expected - resumed_ : 0)) stopped_ = true;
    } else if (progress_ && !progress_(0, 0)) {
      stopped_ = true;
    }
    return is_new && !stopped_;
  }

  void judge(Slot& slot) noexcept {
    if (stopped_) return;
    slot.outcome = Judge(std::move(slot.record), rules_).outcome();
    slot.record = {};
    slot.done.store(true, std::memory_order_release);
  }

  void retire() {
    for (; !slots_.empty() && slots_.front().done.load(std::memory_order_acquire);
         slots_.pop_front())
      journal_.append(slots_.front().outcome);
  }

  const Rules& rules_;
  const Progress& progress_;
  RecordCount count_;
  BuildJournal& journal_;
  const std::int64_t resumed_;
  std::int64_t seen_ = 0;
  std::deque<Slot> slots_;  // elements stay where they are while tasks work on them
  std::atomic<bool> stopped_{false};
};

/// The templates of a journal: what is needed to choose among them, and where they are.
struct Candidates {
  std::vector<TemplateKey> keys;
  std::vector<std::int64_t> entry;
};

/// Everything else in the journal goes to the report.
Candidates find_candidates(const BuildJournal& journal, Tally& tally) {
  Candidates found;
  for (std::int64_t i = 0; i < journal.size(); ++i) {
    const Outcome outcome = journal.read(i);
    if (const auto* t = std::get_if<Template>(&outcome)) {
      found.keys.push_back(key_of(*t));
      found.entry.push_back(i);
    } else {
      tally.add(std::get<LeftOut>(outcome));
    }
  }
  return found;
}

void write_from(const BuildJournal& journal, const std::string& out, const BuildOptions& options,
                const LeftOutSink& left_out, BuildReport& report) {
  Tally tally(left_out, report);
  report.read = journal.size();
  const Candidates candidates = find_candidates(journal, tally);
  if (candidates.keys.empty())
    fail(Errc::invalid_argument,
         "{}: none of the {} structures read can be a template, so no library was written", out,
         report.read);
  const auto fetch = [&](std::size_t i) {
    return std::get<Template>(journal.read(candidates.entry[i]));
  };
  const std::int64_t done = report.read - report.resumed;
  const auto go_on = [&] { return !options.progress || options.progress(done, done); };
  report.kept = write_library(candidates.keys, fetch, out, options.keep_polymorphs, go_on, tally);
}

/// Whether the same call could succeed, so that the journal is of use.
bool worth_resuming(Errc code) {
  return code == Errc::cancelled || code == Errc::io || code == Errc::out_of_memory;
}

}  // namespace

BuildReport build_templates(const std::vector<std::string>& sources, const std::string& out,
                            const BuildOptions& options, const LeftOutSink& left_out) {
  const Rules rules = rules_of(options);
  const std::vector<SourceFile> files = files_of(sources, out);
  io::require_writable(out);
  BuildJournal journal(out + ".journal", build_key(files, rules));
  BuildReport report;
  report.resumed = journal.size();
  if (report.resumed > 0)
    notice(fmt::format("{}: going on after the first {} structures of an interrupted build",
                       journal.path(), report.resumed));
  try {
    Reader(rules, options.progress, files, journal).read(sources);
    journal.flush();
    write_from(journal, out, options, left_out, report);
  } catch (const Error& error) {
    if (!worth_resuming(error.code()) || journal.size() == 0) journal.discard();
    throw;
  }
  journal.discard();
  return report;
}

}  // namespace kronite
