// Halving of blocks.
#include "csp/score_batches.hpp"

#include "device/pair_walk.hpp"  // for pairs_of

namespace kronite::csp {
namespace {

/// Operations of a batch.
constexpr double kCpuBatch = 3e11, kGpuBatch = 1e13;

double operations_per_pair(const EnsembleView<float>& ensemble) {
  double operations = 0;
  for (const auto& member : ensemble.members)
    for (const auto& layer : member.layers)
      operations += 2.0 * static_cast<double>(layer.weight.rows * layer.weight.cols);
  return operations;
}

/// Halves the longer side of `block` until each part has no more than `most` pairs.
void split(const ScoreBlock& block, bool self, std::int64_t most, std::vector<ScoreBlock>& parts) {
  const std::int64_t queries = block.query_end - block.query_begin;
  const std::int64_t candidates = block.candidate_end - block.candidate_begin;
  if (pairs_of(block, self) <= most || (queries <= 1 && candidates <= 1)) {
    parts.push_back(block);
    return;
  }
  ScoreBlock first = block, second = block;
  if (queries >= candidates)
    first.query_end = second.query_begin =
        block.query_begin + static_cast<std::int32_t>(queries / 2);
  else
    first.candidate_end = second.candidate_begin =
        block.candidate_begin + static_cast<std::int32_t>(candidates / 2);
  split(first, self, most, parts);
  split(second, self, most, parts);
}

}  // namespace

std::int64_t pairs_between_reports(const Device& device, const EnsembleView<float>& ensemble) {
  const double operations = device.place().kind == DeviceKind::cpu ? kCpuBatch : kGpuBatch;
  return static_cast<std::int64_t>(operations / operations_per_pair(ensemble)) + 1;
}

std::vector<std::vector<ScoreBlock>> batches_of(const std::vector<ScoreBlock>& blocks, bool self,
                                                std::int64_t most) {
  std::vector<ScoreBlock> parts;
  for (const auto& block : blocks) split(block, self, most, parts);
  std::vector<std::vector<ScoreBlock>> batches(1);
  std::int64_t pairs = 0;
  for (const auto& part : parts) {
    if (pairs >= most) {
      batches.emplace_back();
      pairs = 0;
    }
    batches.back().push_back(part);
    pairs += pairs_of(part, self);
  }
  return batches;
}

}  // namespace kronite::csp
