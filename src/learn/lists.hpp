// Queries that choose among candidates or none of them: the data, the probabilities, the training.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "device/ops.hpp"              // for Relation
#include "kronite/embedding.hpp"       // for MetricNetwork, DeviceEmbedding
#include "kronite/learn.hpp"           // for FitOptions, FitHooks, EpochRecord
#include "learn/epochs.hpp"            // for FittedParameters
#include "learn/trainable_metric.hpp"  // for MetricShape

namespace kronite::learn {

/// Queries that all meet the same candidates. Both are rows of one matrix. Who is alike with whom
/// is said of classes, of which thousands of candidates may be one.
struct ListGroup {
  std::vector<std::int32_t> candidates, queries;
  std::vector<std::int32_t> candidate_class, query_class;
  /// Of each class, as that of a query, the classes of candidates that are alike with it.
  std::vector<std::vector<std::int32_t>> alike;
  /// Of each query the places of the candidates that are left out, alike or not.
  std::vector<std::vector<std::int32_t>> left_out;

  /// Whether some query has an alike candidate.
  bool any_alike() const;
  /// Of a query to each candidate, as Relation.
  void relations(std::size_t query, std::span<std::uint8_t> to) const;
};

/// What the indices of a group are rows of, on the host.
struct ListRows {
  MatrixView<const float> values;        ///< n x inputs; learned vectors are not in them yet
  MatrixView<const std::int32_t> kinds;  ///< n x slots of LearnedVectors, -1: none
  MatrixView<const float> traits;        ///< n x traits, of candidates
};

/// p_j = exp(logit_j) / (exp(none) + the sum over all candidates that are not left out), logit_j =
/// bias_j - squared_j, times `share`, added to p. A candidate that is left out gets what it would
/// have if it alone were not. `bias` may be empty: all 0; `relation` too: all take part. Returns
/// the p of none, times `share`.
double add_probabilities(std::span<const float> squared, std::span<const float> bias,
                         std::span<const std::uint8_t> relation, double none, double share,
                         std::span<double> p);

/// A metric on a device, which must outlive this.
class DeviceMetric {
 public:
  DeviceMetric(Device& device, const MetricNetwork& network, std::int64_t inputs,
               std::int64_t traits);

  std::int64_t width() const { return embedding_.width(); }
  bool has_traits() const { return shift_ || bias_; }
  /// Of n queries: points (n x width, on the device) and logits of none. The rows are in host
  /// memory; learned vectors are written into them. Waits.
  void queries(Device& device, MatrixView<float> values, MatrixView<const std::int32_t> kinds,
               MatrixView<float> points, std::span<float> none) const;
  /// Of n candidates: points, and what is added to their logits. traits: n rows, or none where
  /// has_traits() is false. Waits.
  void candidates(Device& device, MatrixView<float> values, MatrixView<const std::int32_t> kinds,
                  MatrixView<const float> traits, MatrixView<float> points,
                  std::span<float> bias) const;

 private:
  using Part = std::optional<DeviceEmbedding>;

  /// Gives the rows, as they are then on the device.
  Array<float> embed(Device& device, MatrixView<float> values, MatrixView<const std::int32_t> kinds,
                     MatrixView<float> points) const;

  LearnedVectors vectors_;
  DeviceEmbedding embedding_;
  Part shift_, bias_, none_of_;
  float none_;
};

/// What a query says of its candidates.
struct ListScores {
  std::span<const double> p;               ///< mean over the metrics
  std::span<const std::uint8_t> relation;  ///< of the candidates, as Relation
  double none = 0;                         ///< mean p of none

  /// -log of the probability on alike candidates, on none where there is no such.
  double loss() const;
  /// Candidates that are not left out before the first alike one, by p; -1 where there is none.
  std::int64_t misses() const;
};

/// Metrics at work on a device, which must outlive this.
class ListScorer {
 public:
  ListScorer(Device& device, std::span<const MetricNetwork> metrics, const ListRows& rows);

  /// take(query, scores) for each query of the group in turn. Waits.
  void score(const ListGroup& group,
             const std::function<void(std::size_t query, const ListScores&)>& take) const;

 private:
  Device& device_;
  const ListRows rows_;
  std::vector<DeviceMetric> metrics_;
};

/// Trains a metric: Adam on the mean loss of the queries. In a training group the queries are the
/// candidates, in the same order, and each leaves itself out. A step takes options.batch queries of
/// one group, or of several small groups, against all their candidates. Validation accuracy is the
/// share of queries whose best candidate is alike. The parameters are those of MetricLayout.
/// Reproducible as fit().
/// @throws Error as fit().
FittedParameters fit_lists(Device& device, const MetricShape& shape, const FitOptions& options,
                           const ListRows& rows, const std::vector<ListGroup>& training,
                           const std::vector<ListGroup>& validation, const FitHooks& hooks = {});

}  // namespace kronite::learn
