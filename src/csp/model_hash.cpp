// What tells two models apart, however they were stored.
#include "base/hash.hpp"       // for ContentHash
#include "kronite/metric.hpp"  // for Metric
#include "kronite/model.hpp"   // for Model

namespace kronite::csp {
namespace {

template <class T>
void take(ContentHash& hash, const std::vector<T>& values) {
  hash.take({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)});
}

void take(ContentHash& hash, const Network& network) {
  const auto layers = static_cast<std::int64_t>(network.layers.size());
  take(hash, std::vector<std::int64_t>{layers});
  for (const DenseLayer& layer : network.layers) {
    take(hash, std::vector<std::int64_t>{layer.inputs, layer.units,
                                         static_cast<std::int64_t>(layer.activation)});
    take(hash, layer.weight);
    take(hash, layer.bias);
  }
}

void take(ContentHash& hash, const EmbeddingNetwork& network) {
  take(hash, std::vector<std::int64_t>{std::ssize(network.branches), network.vectors.width});
  for (const EmbeddingBranch& branch : network.branches) {
    take(hash, branch.columns);
    take(hash, branch.network);
  }
  take(hash, network.vectors.table);
  for (const auto& [slot, column] : network.vectors.places)
    take(hash, std::vector<std::int64_t>{slot, column});
}

}  // namespace

std::string Model::hash() const {
  ContentHash hash;
  hash.take(element_table);
  take(hash, mean);
  take(hash, std);
  for (const Network& member : ensemble.members) take(hash, member);
  return hash.hex();
}

std::string Metric::hash() const {
  ContentHash hash;
  hash.take(element_table);
  take(hash, std::vector<std::int64_t>{slots, vector});
  take(hash, std::vector<double>{tau});  // of the structures that p adds up
  for (const auto* statistics : {&mean, &std, &trait_mean, &trait_std}) take(hash, *statistics);
  for (const MetricNetwork& member : members) {
    for (const auto* part : {&member.embedding, &member.shift, &member.bias, &member.none_of})
      take(hash, *part);
    take(hash, std::vector<double>{member.none});
  }
  return hash.hex();
}

}  // namespace kronite::csp
