// A search for hyper-parameters that outlives its process and that several processes share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "learn/tpe.hpp"  // for Space, Point, TpeOptions

namespace kronite::learn {

struct Trial {
  std::int64_t number = 0;  ///< from 1, in the order of asking
  Point point;
  std::optional<double> loss;  ///< none while it runs, or when its process died
};

/// Trials are kept in a journal of JSON Lines: a first line with what is searched for, then one
/// line when a trial is asked for and one when its loss is told. The file is locked only for the
/// moment of writing, and what other processes wrote is taken into account.
class Search {
 public:
  /// `subject` names, on one line, all that a loss depends on beside the point. With an empty path
  /// nothing is kept.
  /// @throws Error io; parse for a damaged journal, naming the line; invalid_argument when the
  /// journal is of another search.
  Search(Space space, std::string subject, std::uint64_t seed, std::string journal,
         const TpeOptions& options = {});

  /// A new trial: by random numbers of the seed and the trial's number, and of the trials with a
  /// loss. @throws Error io; unavailable while another process holds the journal for long.
  Trial ask();
  /// How good it was; NaN when it failed. @throws Error as ask().
  void tell(const Trial& trial, double loss);

  /// As of the last ask() or tell(), in the order of asking.
  const std::vector<Trial>& trials() const { return trials_; }
  /// Trials whose loss is known.
  std::int64_t finished() const;
  /// The one of least loss, the first of equal ones; null when none has succeeded.
  const Trial* best() const;

 private:
  std::string heading() const;
  void check_beginning() const;
  std::string asked_line(const Trial& trial) const;
  /// Reads what is new in the journal, calls `make` for lines to add, and adds them.
  template <class Make>
  void exchange(const Make& make);
  void read_journal();
  void take(const std::string& line, std::int64_t number);
  Trial& trial(std::int64_t number);

  Space space_;
  std::string subject_;
  std::uint64_t seed_;
  std::string path_;
  TpeOptions options_;
  std::vector<Trial> trials_;
  std::int64_t read_ = 0;   ///< bytes of the journal
  std::int64_t lines_ = 0;  ///< of the journal
};

}  // namespace kronite::learn
