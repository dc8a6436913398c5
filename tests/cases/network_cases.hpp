// Cases of networks on pairs, for tests and benches.
#pragma once

#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kronite/network.hpp"  // for EnsembleView
#include "support/matrix.hpp"   // for HostMatrix, DeviceMatrix

namespace kronite::test {

/// Networks by the units of their layers; ReLU after all but the last, unless `linear`.
struct ScoreCase {
  std::string name;
  std::int64_t inputs;
  std::vector<std::vector<std::int64_t>> members;
  std::int64_t pairs;
  std::int64_t queries = 3, candidates = 40;
  std::int64_t pad = 0;
  bool linear = false;
};

/// 290-50-50-50-2 and 290-400-400-400-2, five of each.
inline ScoreCase published_2022(std::int64_t pairs) {
  return {"the networks of 2022", 290, std::vector(5, std::vector<std::int64_t>{50, 50, 50, 2}),
          pairs};
}
inline ScoreCase published_2024(std::int64_t pairs) {
  return {"the networks of 2024", 290, std::vector(5, std::vector<std::int64_t>{400, 400, 400, 2}),
          pairs};
}

inline std::vector<ScoreCase> score_cases() {
  std::vector<ScoreCase> cases{
      published_2022(150),
      published_2024(40),
      {"no pairs", 4, {{3, 2}}, 0},
      {"one weight", 1, {{1}}, 1, 1, 1},
      {"one layer, two logits", 20, {{2}}, 33},
      {"one logit", 20, {{10, 1}}, 33},
      {"members of different shapes", 21, {{7, 13, 2}, {31, 1}, {3, 3, 3, 3, 2}}, 70},
      {"no activation", 17, {{11, 5, 2}}, 50, 3, 40, 0, true},
      {"with strides", 35, {{12, 2}, {12, 2}}, 64, 3, 40, 5},
      {"wider inside than outside", 3, {{257, 2}}, 20},
  };
  // Around the sizes of panels and tiles of either backend.
  for (const std::int64_t pairs : {7, 8, 9, 16, 31, 32, 33, 63, 65, 127, 128, 129, 257})
    cases.push_back({std::to_string(pairs) + " pairs", 18, {{6, 2}}, pairs});
  return cases;
}

template <class T>
struct HostLayer {
  HostMatrix<T> weight, bias;
  Activation activation;
};

/// Weights of size 1 / sqrt(inputs), so that values keep their size from layer to layer.
template <class T>
std::vector<std::vector<HostLayer<T>>> make_networks(const ScoreCase& c) {
  std::vector<std::vector<HostLayer<T>>> networks;
  std::uint64_t seed = 100;
  for (const auto& units : c.members) {
    std::vector<HostLayer<T>> layers;
    std::int64_t inputs = c.inputs;
    for (std::size_t k = 0; k < units.size(); ++k) {
      const bool last = k + 1 == units.size();
      const double size = std::sqrt(6.0 / static_cast<double>(inputs));
      layers.push_back({random_matrix<T>(seed, units[k], inputs, c.pad, size),
                        random_matrix<T>(seed + 1, 1, units[k], 0, 0.3),
                        last || c.linear ? Activation::none : Activation::relu});
      inputs = units[k];
      seed += 2;
    }
    networks.push_back(std::move(layers));
  }
  return networks;
}

/// Networks on a device, and the view of them.
template <class T>
class DeviceEnsemble {
 public:
  DeviceEnsemble(Device& device, const std::vector<std::vector<HostLayer<T>>>& networks) {
    for (const auto& layers : networks) {
      NetworkView<T> member;
      for (const auto& layer : layers) {
        const auto weight = keep(device, layer.weight);
        const auto bias = keep(device, layer.bias);
        member.layers.push_back({weight->view(), bias->vector(), layer.activation});
      }
      view_.members.push_back(std::move(member));
    }
  }
  const EnsembleView<T>& view() const { return view_; }

 private:
  DeviceMatrix<T>* keep(Device& device, const HostMatrix<T>& m) {
    matrices_.push_back(std::make_unique<DeviceMatrix<T>>(device, m));
    return matrices_.back().get();
  }

  std::vector<std::unique_ptr<DeviceMatrix<T>>> matrices_;
  EnsembleView<T> view_;
};

/// The inputs of one case on the host.
template <class T>
struct ScoreInputs {
  HostMatrix<T> queries, candidates;
  std::vector<std::int32_t> query, candidate;
  std::vector<std::vector<HostLayer<T>>> networks;

  explicit ScoreInputs(const ScoreCase& c)
      : queries(random_matrix<T>(1, c.queries, c.inputs, c.pad)),
        candidates(random_matrix<T>(2, c.candidates, c.inputs, c.pad)),
        query(random_indices(3, c.pairs, c.queries)),
        candidate(random_indices(4, c.pairs, c.candidates)),
        networks(make_networks<T>(c)) {}
};

/// The same on a device, with room for the probabilities.
template <class T>
struct DeviceScore {
  DeviceMatrix<T> queries, candidates;
  Array<std::int32_t> query, candidate;
  DeviceEnsemble<T> ensemble;
  Array<T> p;

  DeviceScore(Device& device, const ScoreInputs<T>& in)
      : queries(device, in.queries),
        candidates(device, in.candidates),
        query(device, in.query, static_cast<std::int64_t>(in.query.size()), 1),
        candidate(device, in.candidate, static_cast<std::int64_t>(in.query.size()), 1),
        ensemble(device, in.networks),
        p(device, static_cast<std::int64_t>(in.query.size()), 1) {}

  PairView pairs() { return {query.vector(), candidate.vector()}; }
};

/// Multiplications and additions of one pair: 2 inputs x units per layer.
inline double operations_per_pair(const ScoreCase& c) {
  double operations = 0;
  for (const auto& units : c.members) {
    std::int64_t inputs = c.inputs;
    for (const std::int64_t u : units) {
      operations += 2.0 * static_cast<double>(inputs * u);
      inputs = u;
    }
  }
  return operations;
}

}  // namespace kronite::test
