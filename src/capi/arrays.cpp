// Operations on the caller's arrays behind the C interface: pointers and sizes become views.
#include "capi/guard.hpp"    // for guarded, given_array
#include "capi/handles.hpp"  // for kronite_device
#include "kronite/csp.hpp"   // for score_pairs, top_k_rows

using kronite::Errc;
using kronite::fail;
using kronite::MatrixView;
using kronite::Place;
using kronite::VectorView;
using namespace kronite::capi;

namespace {

Place place_of(kronite_place place) {
  if (place.kind != KRONITE_CPU && place.kind != KRONITE_CUDA)
    fail(Errc::invalid_argument, "there is no device kind {}: 1 is the CPU, 2 is CUDA", place.kind);
  return {static_cast<kronite::DeviceKind>(place.kind), place.id};
}

template <class T>
MatrixView<T> matrix(T* data, std::int64_t rows, std::int64_t cols, Place place, const char* name) {
  if (rows < 0 || cols < 0) fail(Errc::invalid_argument, "{} cannot be {} x {}", name, rows, cols);
  return {given_array(data, rows == 0 || cols == 0, name), rows, cols, place};
}

template <class T>
VectorView<T> vector(T* data, std::int64_t size, Place place, const char* name) {
  if (size < 0) fail(Errc::invalid_argument, "{} cannot have {} values", name, size);
  return {given_array(data, size == 0, name), size, place};
}

kronite::DenseLayerView<float> layer_view(const kronite_layer_f32& layer, Place place) {
  if (layer.activation != KRONITE_ACTIVATION_NONE && layer.activation != KRONITE_ACTIVATION_RELU)
    fail(Errc::invalid_argument, "there is no activation {}", layer.activation);
  return {matrix(layer.weight, layer.units, layer.inputs, place, "weight"),
          vector(layer.bias, layer.units, place, "bias"),
          static_cast<kronite::Activation>(layer.activation)};
}

kronite::EnsembleView<float> ensemble_view(const kronite_network_f32* members, std::int64_t count,
                                           Place place) {
  if (count < 1) fail(Errc::invalid_argument, "member_count is {}: give at least one", count);
  given(members, "members");
  kronite::EnsembleView<float> ensemble;
  for (const kronite_network_f32* member = members; member != members + count; ++member) {
    if (member->layer_count < 1)
      fail(Errc::invalid_argument, "layer_count is {}: give at least one", member->layer_count);
    given(member->layers, "layers");
    auto& network = ensemble.members.emplace_back();
    for (std::int64_t i = 0; i < member->layer_count; ++i)
      network.layers.push_back(layer_view(member->layers[i], place));
  }
  return ensemble;
}

}  // namespace

int kronite_score_pairs_f32(kronite_device* device, kronite_place place, const float* queries,
                            int64_t query_count, const float* candidates, int64_t candidate_count,
                            int64_t width, const int32_t* pair_query, const int32_t* pair_candidate,
                            int64_t pair_count, const kronite_network_f32* members,
                            int64_t member_count, float* p) {
  return guarded([&] {
    const Place at = place_of(place);
    kronite::csp::score_pairs(
        *given(device, "device").device, matrix(queries, query_count, width, at, "queries"),
        matrix(candidates, candidate_count, width, at, "candidates"),
        {vector(pair_query, pair_count, at, "pair_query"),
         vector(pair_candidate, pair_count, at, "pair_candidate")},
        ensemble_view(members, member_count, at), vector(p, pair_count, at, "p"));
  });
}

int kronite_top_k_rows_f32(kronite_device* device, kronite_place place, const float* scores,
                           int64_t rows, int64_t cols, int64_t k, float* values, int32_t* indices) {
  return guarded([&] {
    const Place at = place_of(place);
    kronite::csp::top_k_rows(
        *given(device, "device").device, matrix(scores, rows, cols, at, "scores"),
        matrix(values, rows, k, at, "values"), matrix(indices, rows, k, at, "indices"));
  });
}
