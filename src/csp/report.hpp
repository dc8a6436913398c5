// The page of a run: every candidate with its picture, for those who would rather look than read.
#pragma once

#include <cstdint>
#include <string>

#include "io/atomic_file.hpp"  // for AtomicFile
#include "kronite/csp.hpp"     // for Prediction

namespace kronite::csp {

/// One HTML file without scripts or anything from elsewhere; links go to the files of RunFolder.
class Report {
 public:
  /// `command` is shown as what made the page.
  Report(const std::string& path, const std::string& command);

  void add(const Prediction& prediction);
  void commit();

 private:
  void add_card(const Prediction& prediction, const Candidate& candidate);

  io::AtomicFile file_;
  std::int64_t pictures_ = 0;   // each needs ids of its own
  bool probabilities_ = false;  // explained at the end of the page
};

}  // namespace kronite::csp
