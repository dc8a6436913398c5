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
  take(hash, mean);
  take(hash, std);
  take(hash, std::vector<std::int64_t>{slots});
  take(hash, std::vector<double>{tau});  // of the structures that p adds up
  for (const MetricMember& member : members) {
    take(hash, std::vector<double>{member.none});
    for (const EmbeddingBranch& branch : member.embedding.branches) {
      take(hash, branch.columns);
      take(hash, branch.network);
    }
  }
  return hash.hex();
}

}  // namespace kronite::csp
