// Weights of Keras in .npz files: what is accepted is a network. The arrays of the input are also
// put into an archive of their own, because no change inside a member survives its checksum.
#include "learn/keras.hpp"

#include <zlib.h>  // for crc32_z

#include "fuzz/target.hpp"

namespace kronite::fuzz {
namespace {

template <class T>
std::string bytes_of(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

/// A zip archive of stored members (PKWARE's APPNOTE.TXT).
class Archive {
 public:
  void add(std::string_view content) {
    const std::string name = "arr_" + std::to_string(members_++) + ".npy";
    const auto sum = static_cast<std::uint32_t>(
        ::crc32_z(0, reinterpret_cast<const Bytef*>(content.data()), content.size()));
    const auto size = bytes_of(static_cast<std::uint32_t>(content.size()));
    // Version, flags, method, time and date; checksum, both sizes; lengths of name and extra field.
    const std::string common = std::string(10, '\0') + bytes_of(sum) + size + size +
                               bytes_of(static_cast<std::uint16_t>(name.size())) +
                               std::string(2, '\0');
    directory_ += "PK\x01\x02" + std::string(2, '\0') + common + std::string(10, '\0') +
                  bytes_of(static_cast<std::uint32_t>(members_bytes_.size())) + name;
    members_bytes_ += "PK\x03\x04" + common + name;
    members_bytes_ += content;
  }

  std::string finish() const {
    const auto count = bytes_of(static_cast<std::uint16_t>(members_));
    return members_bytes_ + directory_ + "PK\x05\x06" + std::string(4, '\0') + count + count +
           bytes_of(static_cast<std::uint32_t>(directory_.size())) +
           bytes_of(static_cast<std::uint32_t>(members_bytes_.size())) + std::string(2, '\0');
  }

 private:
  int members_ = 0;
  std::string members_bytes_, directory_;
};

/// The text cut before each array.
std::string archive_of(std::string_view text) {
  constexpr std::string_view kMagic = "\x93NUMPY";
  Archive archive;
  while (!text.empty()) {
    const std::size_t next = text.find(kMagic, 1);
    archive.add(text.substr(0, next));
    text.remove_prefix(std::min(next, text.size()));
  }
  return archive.finish();
}

void read(const std::string& content) {
  const std::string path = as_file("weights.npz", content);
  for (const bool after : {false, true})
    accepts([&] {
      const Network network =
          learn::network_from_keras(learn::read_keras_weights(path), {1e-3, after}, path);
      promise(!network.layers.empty(), "a network has layers");
      std::int64_t width = network.layers.front().inputs;
      for (const DenseLayer& layer : network.layers) {
        promise(layer.inputs == width, "widths follow each other");
        promise(static_cast<std::int64_t>(layer.weight.size()) == layer.inputs * layer.units &&
                    static_cast<std::int64_t>(layer.bias.size()) == layer.units,
                "a layer has its weights");
        width = layer.units;
      }
    });
}

}  // namespace
}  // namespace kronite::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kronite::fuzz;
  const std::string_view text = as_text(data, size);
  if (text.starts_with("\x89HDF")) return 0;  // goes to the HDF5 library, which fuzzes itself
  read(std::string(text));
  read(archive_of(text));
  return 0;
}
