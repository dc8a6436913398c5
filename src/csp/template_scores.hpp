// A model's probabilities over whole libraries: the best templates of many compositions, or of
// every template among the others of its ratio.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "csp/describe_templates.hpp"  // for CoveredTemplates
#include "kronite/array.hpp"           // for Array
#include "kronite/csp.hpp"             // for TopKOptions, ScoreBlock
#include "kronite/model.hpp"           // for Model
#include "kronite/templates.hpp"       // for TemplateLibrary

namespace kronite::csp {

/// The k best templates of each row, best first: rows x k.
struct BestTemplates {
  std::int64_t k = 0;
  std::vector<float> p;
  std::vector<std::int64_t> index;  ///< in the library; -1 where a row has fewer than k
};

/// By any ranker, query by query, shared among the devices; p is its own. With `self` row i is
/// template i of the library, which does not meet itself; those with an element outside `table`
/// have empty rows. Waits.
/// @throws Error as Ranker::rank(); cancelled.
BestTemplates best_by(const Ranker& ranker, std::span<Device> devices,
                      const TemplateLibrary& library, const std::vector<Composition>& queries,
                      bool self, std::int64_t k, const ElementTable& table,
                      const Progress& progress = {});

/// Share of the templates in `a` that are also among the best of the same row in `b`; 1 when there
/// are none.
double shared_share(const BestTemplates& a, const BestTemplates& b);

/// |p - p'| of two precisions, over pairs spread evenly over all of them.
struct PrecisionError {
  std::int64_t pairs = 0;
  double largest = 0, mean = 0;
};

class TemplateScores {
 public:
  /// Row i: template i of the library, which meets the others of its ratio. Templates with an
  /// element outside `table` meet nobody. The devices, which share the pairs, must outlive this.
  /// @throws Error invalid_argument when the model and the table do not fit.
  TemplateScores(std::span<Device> devices, const Model& model, const TemplateLibrary& library,
                 const ElementTable& table = ElementTable::embedded());
  /// Row i: queries[i], which meets the templates of its ratio.
  TemplateScores(std::span<Device> devices, const Model& model, const TemplateLibrary& library,
                 const std::vector<Composition>& queries,
                 const ElementTable& table = ElementTable::embedded());

  std::int64_t pairs() const;
  /// Waits. @throws Error as score_top_k(); numerical when the networks give no number.
  BestTemplates best(std::int64_t k, Precision precision, const Progress& progress = {}) const;
  /// Over at most `most` pairs. Waits. @throws Error as score_pairs().
  PrecisionError error_of(Precision precision, std::int64_t most) const;

 private:
  /// What a device holds: the networks, and standardised descriptors; with self_ no queries.
  struct OnDevice {
    Device* device;
    DeviceEnsemble ensemble;
    Array<float> templates, queries;
  };
  /// The k best of each query, best first, on the host.
  struct Lists {
    std::vector<float> p;
    std::vector<std::int32_t> index;
  };

  TemplateScores(std::span<Device> devices, const Model& model, CoveredTemplates templates,
                 const std::vector<Composition>& queries, const ElementTable& table);
  MatrixView<const float> query_rows(const OnDevice& on) const;
  Lists lists(std::int64_t k, Precision precision, const Progress& progress) const;
  Lists shared_lists(std::int64_t k, Precision precision, const Progress& progress) const;
  std::vector<float> score(const std::vector<std::int32_t>& query,
                           const std::vector<std::int32_t>& candidate, Precision precision) const;

  std::vector<OnDevice> on_;
  bool self_ = false;
  std::int64_t rows_ = 0;
  std::vector<std::int64_t> covered_;  ///< the templates that take part, ascending
  std::vector<ScoreBlock> blocks_;
};

}  // namespace kronite::csp
