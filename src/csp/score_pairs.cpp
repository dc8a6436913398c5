// The public doors of the device layer's scoring: shapes and places are checked here, in words.
#include <cstdint>
#include <limits>
#include <vector>

#include "base/fail.hpp"          // for fail
#include "csp/score_batches.hpp"  // for batches_of, pairs_between_reports
#include "device/backend.hpp"     // for network, select
#include "device/pair_walk.hpp"   // for PairWalk
#include "kronite/csp.hpp"

namespace kronite::csp {
namespace {

void check(bool holds, const char* call, const std::string& sentence) {
  if (!holds) fail(Errc::invalid_argument, "{}: {}", call, sentence);
}

template <class T>
void check_matrix(const Device& device, MatrixView<T> m, const char* call, const char* name) {
  check(m.rows >= 0 && m.cols >= 0 && m.ld >= m.cols, call,
        fmt::format("{} has an impossible shape ({} x {}, row stride {})", name, m.rows, m.cols,
                    m.ld));
  check(m.data != nullptr || m.rows * m.cols == 0, call, fmt::format("{} has no data", name));
  check(m.place == device.place(), call, fmt::format("{} is not on the device that works", name));
}

template <class T>
void check_vector(const Device& device, VectorView<T> v, std::int64_t size, const char* call,
                  const char* name) {
  check(v.size == size, call, fmt::format("{} has {} values, expected {}", name, v.size, size));
  check_matrix(device, MatrixView<T>(v.data, v.size, 1, v.place), call, name);
}

void check_member(const Device& device, const char* call, const NetworkView<float>& member,
                  std::size_t number, std::int64_t inputs) {
  check(!member.layers.empty(), call, fmt::format("network {} has no layers", number));
  std::int64_t width = inputs;
  for (std::size_t k = 0; k < member.layers.size(); ++k) {
    const auto& layer = member.layers[k];
    const std::string name = fmt::format("layer {} of network {}", k, number);
    check_matrix(device, layer.weight, call, name.c_str());
    check(layer.weight.cols == width, call,
          fmt::format("{} takes {} inputs, but gets {}", name, layer.weight.cols, width));
    check_vector(device, layer.bias, layer.weight.rows, call, ("the bias of " + name).c_str());
    width = layer.weight.rows;
  }
  check(width == 1 || width == 2, call,
        fmt::format("network {} ends in {} values; a scoring network has one logit or two", number,
                    width));
}

void check_scoring(Device& device, const char* call, MatrixView<const float> queries,
                   MatrixView<const float> candidates, const EnsembleView<float>& ensemble,
                   Precision precision) {
  check_matrix(device, queries, call, "queries");
  check_matrix(device, candidates, call, "candidates");
  check(queries.cols == candidates.cols, call,
        fmt::format("queries have {} values and candidates {}", queries.cols, candidates.cols));
  check(!ensemble.members.empty(), call, "the ensemble has no networks");
  for (std::size_t i = 0; i < ensemble.members.size(); ++i)
    check_member(device, call, ensemble.members[i], i, queries.cols);
  const std::string refusal = network<float>(device).refuses(precision);
  if (!refusal.empty()) fail(Errc::unavailable, "{}: {}", call, refusal);
}

/// Only where the host can read them: the CUDA backend trusts its indices.
void check_indices(VectorView<const std::int32_t> indices, std::int64_t rows, const char* name) {
  if (indices.place.kind != DeviceKind::cpu) return;
  for (std::int64_t n = 0; n < indices.size; ++n)
    if (indices.data[n] < 0 || indices.data[n] >= rows)
      fail(Errc::invalid_argument, "score_pairs: pair {} names {} {}, but there are {}", n, name,
           indices.data[n], rows);
}

void check_range(const char* call, std::size_t number, const char* name, std::int32_t begin,
                 std::int32_t end, std::int64_t rows) {
  check(begin >= 0 && begin <= end && end <= rows, call,
        fmt::format("block {} has the {} [{}, {}) of {}", number, name, begin, end, rows));
}

}  // namespace

void score_pairs(Device& device, MatrixView<const float> queries,
                 MatrixView<const float> candidates, const PairView& pairs,
                 const EnsembleView<float>& ensemble, VectorView<float> p, Precision precision) {
  constexpr const char* call = "score_pairs";
  check_scoring(device, call, queries, candidates, ensemble, precision);
  check_vector(device, pairs.query, pairs.query.size, call, "pairs.query");
  check_vector(device, pairs.candidate, pairs.query.size, call, "pairs.candidate");
  check_vector(device, p, pairs.query.size, call, "p");
  check_indices(pairs.query, queries.rows, "query");
  check_indices(pairs.candidate, candidates.rows, "candidate");
  network<float>(device).score_pairs(queries, candidates, pairs, ensemble, precision, p);
}

void score_top_k(Device& device, MatrixView<const float> queries,
                 MatrixView<const float> candidates, const std::vector<ScoreBlock>& blocks,
                 const EnsembleView<float>& ensemble, MatrixView<float> p,
                 MatrixView<std::int32_t> index, const TopKOptions& options) {
  constexpr const char* call = "score_top_k";
  check_scoring(device, call, queries, candidates, ensemble, options.precision);
  check_matrix(device, p, call, "p");
  check_matrix(device, index, call, "index");
  check(p.rows == queries.rows && index.rows == queries.rows && p.cols == index.cols, call,
        fmt::format("p is {} x {} and index {} x {} for {} queries", p.rows, p.cols, index.rows,
                    index.cols, queries.rows));
  check(p.cols >= 1, call, "no candidates were asked for: k is 0");
  check(!options.self || (queries.data == candidates.data && queries.rows == candidates.rows &&
                          queries.ld == candidates.ld),
        call, "with `self`, queries and candidates are one matrix");
  for (std::size_t n = 0; n < blocks.size(); ++n) {
    const ScoreBlock& b = blocks[n];
    check_range(call, n, "queries", b.query_begin, b.query_end, queries.rows);
    check_range(call, n, "candidates", b.candidate_begin, b.candidate_end, candidates.rows);
  }

  TopKScoring how{options.self, false, options.precision};
  auto& ops = network<float>(device);
  if (!options.progress) {
    ops.score_top_k(queries, candidates, blocks, ensemble, how, p, index);
    return;
  }
  const std::int64_t total = PairWalk(blocks, options.self).size();
  std::int64_t done = 0;
  for (const auto& batch :
       batches_of(blocks, options.self, pairs_between_reports(device, ensemble))) {
    if (!options.progress(done, total)) fail(Errc::cancelled, "{}: stopped", call);
    ops.score_top_k(queries, candidates, batch, ensemble, how, p, index);
    device.synchronize();
    how.append = true;
    done += PairWalk(batch, options.self).size();
  }
  options.progress(done, total);
}

void top_k_rows(Device& device, MatrixView<const float> scores, MatrixView<float> values,
                MatrixView<std::int32_t> indices) {
  constexpr const char* call = "top_k_rows";
  check_matrix(device, scores, call, "scores");
  check_matrix(device, values, call, "values");
  check_matrix(device, indices, call, "indices");
  check(values.rows == scores.rows && indices.rows == scores.rows, call,
        fmt::format("scores have {} rows, values {} and indices {}", scores.rows, values.rows,
                    indices.rows));
  check(values.cols == indices.cols, call,
        fmt::format("values have {} columns and indices {}", values.cols, indices.cols));
  check(values.cols <= scores.cols, call,
        fmt::format("the {} best of {} scores were asked for", values.cols, scores.cols));
  check(scores.cols <= std::numeric_limits<std::int32_t>::max(), call,
        "rows of more than 2147483647 scores are not supported");
  select<float>(device).top_k_rows(scores, Largest::yes, values, indices);
}

}  // namespace kronite::csp
