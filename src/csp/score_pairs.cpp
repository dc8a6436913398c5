// The public doors of the device layer's scoring: shapes and places are checked here, in words.
#include <cstdint>
#include <limits>

#include "base/fail.hpp"       // for fail
#include "device/backend.hpp"  // for network, select
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

constexpr const char* kScore = "score_pairs";

void check_member(const Device& device, const NetworkView<float>& member, std::size_t number,
                  std::int64_t inputs) {
  check(!member.layers.empty(), kScore, fmt::format("network {} has no layers", number));
  std::int64_t width = inputs;
  for (std::size_t k = 0; k < member.layers.size(); ++k) {
    const auto& layer = member.layers[k];
    const std::string name = fmt::format("layer {} of network {}", k, number);
    check_matrix(device, layer.weight, kScore, name.c_str());
    check(layer.weight.cols == width, kScore,
          fmt::format("{} takes {} inputs, but gets {}", name, layer.weight.cols, width));
    check_vector(device, layer.bias, layer.weight.rows, kScore, ("the bias of " + name).c_str());
    width = layer.weight.rows;
  }
  check(width == 1 || width == 2, kScore,
        fmt::format("network {} ends in {} values; a scoring network has one logit or two", number,
                    width));
}

/// Only where the host can read them: the CUDA backend trusts its indices.
void check_indices(VectorView<const std::int32_t> indices, std::int64_t rows, const char* name) {
  if (indices.place.kind != DeviceKind::cpu) return;
  for (std::int64_t n = 0; n < indices.size; ++n)
    if (indices.data[n] < 0 || indices.data[n] >= rows)
      fail(Errc::invalid_argument, "{}: pair {} names {} {}, but there are {}", kScore, n, name,
           indices.data[n], rows);
}

}  // namespace

void score_pairs(Device& device, MatrixView<const float> queries,
                 MatrixView<const float> candidates, const PairView& pairs,
                 const EnsembleView<float>& ensemble, VectorView<float> p) {
  check_matrix(device, queries, kScore, "queries");
  check_matrix(device, candidates, kScore, "candidates");
  check(queries.cols == candidates.cols, kScore,
        fmt::format("queries have {} values and candidates {}", queries.cols, candidates.cols));
  check_vector(device, pairs.query, pairs.query.size, kScore, "pairs.query");
  check_vector(device, pairs.candidate, pairs.query.size, kScore, "pairs.candidate");
  check_vector(device, p, pairs.query.size, kScore, "p");
  check(!ensemble.members.empty(), kScore, "the ensemble has no networks");
  for (std::size_t i = 0; i < ensemble.members.size(); ++i)
    check_member(device, ensemble.members[i], i, queries.cols);
  check_indices(pairs.query, queries.rows, "query");
  check_indices(pairs.candidate, candidates.rows, "candidate");
  network<float>(device).score_pairs(queries, candidates, pairs, ensemble, p);
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
