// Safetensors files: named tensors and a mapping of texts (github.com/huggingface/safetensors,
// which has the format; what kronite keeps in them is in docs/formats.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/mapped_file.hpp"  // for MappedFile

namespace kronite::io {

/// Element types that kronite reads; files with others are refused.
enum class TensorType { u8, i32, u32, i64, u64, f16, bf16, f32, f64 };

/// As files spell it: "F32".
std::string_view name_of(TensorType type);

/// Texts of a file, in its order.
using TensorMetadata = std::vector<std::pair<std::string, std::string>>;

/// Gathers tensors and writes them as one whole file; the same content gives the same bytes.
class SafetensorsWriter {
 public:
  /// Keeps a text; a key that is there already gets the new value. What is not UTF-8 in the value
  /// becomes U+FFFD.
  void set(std::string_view key, std::string_view value);
  /// Copies the values, row-major. T: std::uint8_t, std::int32_t, std::uint32_t, std::int64_t,
  /// std::uint64_t, float, double.
  /// @throws Error invalid_argument when the shape does not fit the values or the name is taken.
  template <class T>
  void add(std::string_view name, std::span<const T> values, std::vector<std::int64_t> shape);
  template <class T>
  void add(std::string_view name, const std::vector<T>& values, std::vector<std::int64_t> shape) {
    add<T>(name, std::span<const T>(values), std::move(shape));
  }
  template <class T>
  void add(std::string_view name, const std::vector<T>& values) {
    add(name, values, {static_cast<std::int64_t>(values.size())});
  }

  /// The file, every tensor at a multiple of its element's size: the widest elements come first,
  /// else tensors keep the order in which they came.
  /// @throws Error invalid_argument when a name or key is not UTF-8.
  std::string bytes() const;
  /// Under a temporary name, then renamed. @throws Error io; as bytes().
  void write(const std::string& path) const;

 private:
  struct Part {
    std::string name;
    TensorType type;
    std::vector<std::int64_t> shape;
    std::string bytes;
  };
  std::string header(const std::vector<const Part*>& order) const;

  std::vector<Part> parts_;
  TensorMetadata metadata_;
};

/// A file's header is checked on opening: every tensor lies inside the file and has the bytes that
/// its shape says, without overlaps or holes. Values are copied where they are asked for.
class SafetensorsFile {
 public:
  struct Entry {
    std::string name;
    TensorType type;
    std::vector<std::int64_t> shape;
    std::span<const std::byte> bytes;
  };

  /// @throws Error io, or corrupt with what is wrong.
  explicit SafetensorsFile(const std::string& path);
  /// Bytes that outlive this; `name` stands for the path in messages.
  SafetensorsFile(std::span<const std::byte> bytes, std::string name);

  const std::string& path() const { return path_; }
  /// In the order of their values.
  const std::vector<Entry>& tensors() const { return tensors_; }
  const TensorMetadata& metadata() const { return metadata_; }
  /// Null when there is no tensor of that name.
  const Entry* find(std::string_view name) const;
  /// Null when there is no text under that key.
  const std::string* text(std::string_view key) const;
  /// @throws Error corrupt when there is none.
  const std::string& required_text(std::string_view key) const;

  /// All values, row-major. Integers are read as their own type; float and double from any of the
  /// four kinds of floating-point numbers.
  /// @throws Error corrupt for another type.
  template <class T>
  std::vector<T> values(const Entry& entry) const;
  /// Of the tensor of that name. @throws Error corrupt; also when it is missing or has another
  /// shape.
  template <class T>
  std::vector<T> values(std::string_view name, const std::vector<std::int64_t>& shape) const;

  /// @throws Error corrupt: "<path>: <text>".
  [[noreturn]] void refuse(std::string_view text) const;

 private:
  void read(std::span<const std::byte> bytes);
  void read_header(std::string_view header, std::span<const std::byte> data);
  void check_layout(std::span<const std::byte> data);

  std::string path_;
  std::unique_ptr<MappedFile> mapping_;  // none for bytes of the caller
  std::vector<Entry> tensors_;
  TensorMetadata metadata_;
  std::map<std::string, std::size_t, std::less<>> by_name_, by_key_;
};

}  // namespace kronite::io
