// Lists that a metric learns from and is judged by: templates of one ratio, and which of them are
// alike.
#pragma once

#include <string>
#include <vector>

#include "kronite/csp_training.hpp"  // for PairOptions
#include "learn/lists.hpp"           // for ListGroup

namespace kronite::csp {

/// One group per ratio label with members in the part; rows are indices of the library. Candidates
/// are the training templates of the label, those of the query's own formula left out. Classes are
/// those of equal fingerprints, the same for queries and candidates, each alike with itself.
struct MetricData {
  std::vector<learn::ListGroup> training, validation, test;

  std::int64_t templates() const;  ///< of the training part
  std::int64_t pairs() const;      ///< query and candidate, of the training part
};

/// Of `options` only tau and the split count. The same on every device and for any number of
/// threads. Waits.
/// @throws Error invalid_argument when the library holds no fingerprints, options make no sense or
/// no training template has an alike one; parse for a formula that cannot be read; corrupt.
MetricData make_lists(Device& device, const TemplateLibrary& library, const PairOptions& options,
                      const std::vector<std::string>& excluded_formulas);

}  // namespace kronite::csp
