// Queries that choose among candidates or none of them: the data, the probabilities, the training.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "device/ops.hpp"                 // for Relation
#include "kronite/embedding.hpp"          // for EmbeddingNetwork, DeviceEmbedding
#include "kronite/learn.hpp"              // for FitOptions, FitHooks, EpochRecord
#include "learn/epochs.hpp"               // for FittedParameters
#include "learn/trainable_embedding.hpp"  // for EmbeddingShape

namespace kronite::learn {

/// Queries that all meet the same candidates. Both are rows of one matrix.
struct ListGroup {
  struct Related {
    std::int32_t place;  ///< in `candidates`
    Relation relation;
  };

  std::vector<std::int32_t> candidates, queries;
  /// Per query the candidates that are not unlike.
  std::vector<std::vector<Related>> related;

  bool any_alike(std::size_t query) const;
};

/// p_j = exp(-squared_j) / (exp(none) + the sum over all candidates that are not left out), times
/// `share`, added to p. A candidate that is left out gets what it would have if it alone were not.
/// `relation` may be empty: all take part. Returns the p of none, times `share`.
double add_probabilities(std::span<const float> squared, std::span<const std::uint8_t> relation,
                         double none, double share, std::span<double> p);

/// An embedding and the logit of none.
struct ListModel {
  EmbeddingNetwork embedding;
  double none = 0;
};

/// What a query says of its candidates.
struct ListScores {
  std::span<const double> p;               ///< mean over the models
  std::span<const std::uint8_t> relation;  ///< of the candidates, as Relation
  double none = 0;                         ///< mean p of none

  /// -log of the probability on alike candidates, on none where there is no such.
  double loss() const;
  /// Candidates that are not left out before the first alike one, by p; -1 where there is none.
  std::int64_t misses() const;
};

/// Models at work on a device, which must outlive this.
class ListScorer {
 public:
  ListScorer(Device& device, std::span<const ListModel> models, std::int64_t inputs);

  /// take(query, scores) for each query of the group in turn; rows: n x inputs, host. Waits.
  void score(MatrixView<const float> rows, const ListGroup& group,
             const std::function<void(std::size_t query, const ListScores&)>& take) const;

 private:
  Device& device_;
  std::vector<DeviceEmbedding> embeddings_;
  std::vector<double> none_;
};

/// The model that the parameters of a fit are.
ListModel list_model(const EmbeddingShape& shape, std::span<const float> parameters);

/// Trains an embedding and the logit of none: Adam on the mean loss of the queries. In a training
/// group the queries are the candidates, in the same order, and each leaves itself out. A step
/// takes options.batch queries of one group, or of several small groups, against all their
/// candidates. Validation accuracy is the share of queries whose best candidate is alike. rows: n x
/// shape.inputs, host. Reproducible as fit().
/// @throws Error as fit().
FittedParameters fit_lists(Device& device, const EmbeddingShape& shape, const FitOptions& options,
                           MatrixView<const float> rows, const std::vector<ListGroup>& training,
                           const std::vector<ListGroup>& validation, const FitHooks& hooks = {});

}  // namespace kronite::learn
