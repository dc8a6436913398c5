// Where the readers of structure files put what they find.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "base/printable.hpp"     // for message_line
#include "kronite/error.hpp"      // for Error
#include "kronite/structure.hpp"  // for StructureRecord, RecordSink, SkipSink, ReadOptions

namespace kronite::io {

/// What the declared formula of a record says beside what its sites say.
enum class Declared { nothing, the_same, other_amounts, other_elements };
/// A text that is no formula says nothing.
Declared compare_to_declared(const StructureRecord& record, const Composition& found);

/// Hands good records to the sink and says of bad ones where they stood.
class Records {
 public:
  Records(const RecordSink& sink, const SkipSink& skip, const ReadOptions& options)
      : sink_(sink), skip_(skip), options_(options) {}

  /// Runs `read`, which returns a StructureRecord, and checks the result. What `read` or the check
  /// refuse goes to skip, or out as Error(parse) where there is no skip. False when the sink asked
  /// to stop.
  template <class Read>
  bool take(const std::string& where, Read&& read) {
    std::optional<StructureRecord> record;
    try {
      record.emplace(read());
      check_structure(record->structure);
    } catch (const Error& error) {
      refuse(where, error.what());
      return true;
    }
    ++found_;
    record->where = message_line(where);
    compare_formulas(*record);
    sink_failed_ = true;
    const bool more = sink_(std::move(*record));
    sink_failed_ = false;
    return more;
  }

  /// Reports a record that could not be used.
  void refuse(const std::string& where, const std::string& why);
  /// Warns, in one sentence for all, of declared formulas that the sites contradict.
  void warn_of_formulas() const;

  const ReadOptions& options() const { return options_; }
  /// Records seen so far, good or bad.
  std::size_t found() const { return found_; }
  /// Whether an exception on its way out came from sink or skip, and so says nothing about the
  /// file.
  bool sink_failed() const { return sink_failed_; }

 private:
  void compare_formulas(const StructureRecord& record);

  const RecordSink& sink_;
  const SkipSink& skip_;
  const ReadOptions& options_;
  std::size_t found_ = 0;
  bool sink_failed_ = false;
  std::size_t other_formulas_ = 0;
  std::string first_other_formula_;
};

}  // namespace kronite::io
