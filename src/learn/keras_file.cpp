// Which arrays of a .npz or HDF5 file are the weights, and in which order.
#include <algorithm>
#include <charconv>
#include <cstddef>
#include <map>
#include <span>
#include <string_view>
#include <utility>

#include "base/fail.hpp"       // for fail
#include "base/printable.hpp"  // for printable
#include "io/hdf5.hpp"         // for read_hdf5
#include "io/mapped_file.hpp"  // for MappedFile
#include "io/npy.hpp"          // for parse_npy
#include "io/zip.hpp"          // for unzip
#include "learn/keras.hpp"

namespace kronite::learn {
namespace {

std::vector<WeightArray> arrays_of_npz(std::string_view archive, const std::string& path) {
  constexpr std::string_view kEnding = ".npy", kInKeras = "model.weights.h5";
  const std::vector<io::ZipMember> members = io::unzip(archive, path);
  for (const io::ZipMember& member : members)
    if (member.name == kInKeras)
      fail(Errc::parse,
           "{}: this is a whole Keras model; take its weights out with 'unzip {} {}' and give that "
           "file",
           path, path, kInKeras);
  std::vector<WeightArray> arrays;
  for (const io::ZipMember& member : members) {
    if (!member.name.ends_with(kEnding))
      fail(Errc::parse, "{}: a .npz file holds .npy arrays, this one also {}", path,
           printable(member.name));
    const std::string name = member.name.substr(0, member.name.size() - kEnding.size());
    io::NpyArray array = io::parse_npy(member.content, path + ':' + name);
    arrays.push_back({name, std::move(array.shape), std::move(array.values)});
  }
  return arrays;
}

/// Arrays of an HDF5 file in the order of the network's layers.
class Hdf5Weights {
 public:
  explicit Hdf5Weights(const std::string& path) : path_(path) {
    io::Hdf5Content content = io::read_hdf5(path);
    for (io::Hdf5Array& array : content.arrays)
      arrays_[array.path] = {array.path, std::move(array.shape), std::move(array.values)};
    for (io::Hdf5Texts& texts : content.texts) texts_[texts.path] = std::move(texts.texts);
  }

  std::vector<WeightArray> in_order() {
    for (const std::string group : {"", "/model_weights"})
      if (const auto names = texts_.find(group + "@layer_names"); names != texts_.end())
        return listed(group, names->second);
    const bool counted = std::any_of(arrays_.begin(), arrays_.end(), [](const auto& entry) {
      return entry.first.starts_with(kLayers);
    });
    if (counted) return numbered();
    fail(Errc::parse,
         "{}: this HDF5 file holds no weights of Keras: it has neither layer_names nor layers",
         path_);
  }

 private:
  static constexpr std::string_view kLayers = "/layers/";

  /// Keras 2: a list of layers, and in each a list of weights.
  std::vector<WeightArray> listed(const std::string& group,
                                  const std::vector<std::string>& layers) {
    std::vector<WeightArray> arrays;
    for (const std::string& layer : layers)
      for (const std::string& weight : texts_[group + '/' + layer + "@weight_names"]) {
        const std::string place = group + '/' + layer + '/' + weight;
        const auto found = arrays_.find(place);
        if (found == arrays_.end())
          fail(Errc::parse, "{}: the weights {} are listed, but not there", path_,
               printable(place));
        arrays.push_back(std::move(found->second));
        arrays_.erase(found);
      }
    return arrays;
  }

  /// Keras 3 names layers by their kind and a number, dense, dense_1, ..., and does not say how
  /// different kinds follow each other: every batch normalisation belongs to the dense layer of its
  /// number.
  std::vector<WeightArray> numbered() {
    std::map<std::size_t, std::vector<WeightArray>> dense, normalisation;
    for (auto& [place, array] : arrays_) {
      if (!place.starts_with(kLayers)) continue;
      const std::string rest = place.substr(kLayers.size());
      const std::string layer = rest.substr(0, rest.find('/'));
      const auto [kind, number] = kind_and_number(layer);
      const bool is_weight = rest.starts_with(layer + "/vars/");
      if (!is_weight) continue;
      if (kind != "dense" && kind != "batch_normalization")
        fail(Errc::parse, "{}: the layer {} is neither dense nor a batch normalisation", path_,
             printable(layer));
      (kind == "dense" ? dense : normalisation)[number].push_back(std::move(array));
    }
    if (!normalisation.empty() && normalisation.size() + 1 != dense.size())
      fail(Errc::parse,
           "{}: with {} dense layers and {} batch normalisations this file does not say which "
           "belong "
           "together; numpy.savez(\"weights.npz\", *model.get_weights()) does",
           path_, dense.size(), normalisation.size());
    std::vector<WeightArray> arrays;
    for (auto& [number, weights] : dense) {
      for (WeightArray& weight : weights) arrays.push_back(std::move(weight));
      for (WeightArray& weight : normalisation[number]) arrays.push_back(std::move(weight));
    }
    return arrays;
  }

  /// "dense" and 0 of "dense", "dense" and 12 of "dense_12".
  static std::pair<std::string, std::size_t> kind_and_number(const std::string& layer) {
    const std::size_t at = layer.rfind('_');
    const char* end = layer.data() + layer.size();
    std::size_t number = 0;
    if (at != std::string::npos && at + 1 < layer.size()) {
      const auto [stop, error] = std::from_chars(layer.data() + at + 1, end, number);
      if (error == std::errc() && stop == end) return {layer.substr(0, at), number};
    }
    return {layer, 0};
  }

  const std::string& path_;
  std::map<std::string, WeightArray> arrays_;
  std::map<std::string, std::vector<std::string>> texts_;
};

}  // namespace

std::vector<WeightArray> read_keras_weights(const std::string& path) {
  const io::MappedFile file(path);
  const std::span<const std::byte> bytes = file.bytes();
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.starts_with("PK")) return arrays_of_npz(text, path);
  if (text.starts_with("\x89HDF\r\n\x1A\n")) return Hdf5Weights(path).in_order();
  fail(Errc::parse, "{}: weights of Keras are expected as .npz or HDF5, this is neither", path);
}

}  // namespace kronite::learn
