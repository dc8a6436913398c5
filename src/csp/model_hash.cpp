// What tells two models apart, however they were stored.
#include "base/hash.hpp"      // for ContentHash
#include "kronite/model.hpp"  // for Model

namespace kronite::csp {
namespace {

template <class T>
void take(ContentHash& hash, const std::vector<T>& values) {
  hash.take({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)});
}

}  // namespace

std::string Model::hash() const {
  ContentHash hash;
  hash.take(element_table);
  take(hash, mean);
  take(hash, std);
  for (const Network& member : ensemble.members) {
    const auto layers = static_cast<std::int64_t>(member.layers.size());
    take(hash, std::vector<std::int64_t>{layers});
    for (const DenseLayer& layer : member.layers) {
      take(hash, std::vector<std::int64_t>{layer.inputs, layer.units,
                                           static_cast<std::int64_t>(layer.activation)});
      take(hash, layer.weight);
      take(hash, layer.bias);
    }
  }
  return hash.hex();
}

}  // namespace kronite::csp
