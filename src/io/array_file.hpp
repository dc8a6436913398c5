// A file of named, aligned, checksummed arrays that is read by mapping it (layout:
// docs/formats.md).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/input.hpp"  // for MappedFile

namespace kronite::io {

/// What tells one kind of file from another.
struct ArrayFormat {
  std::array<char, 8> magic;
  std::uint32_t version;  ///< files up to this version are read
  std::string_view what;  ///< for messages: "template library"
};

/// Written as is into files: never renumbered.
enum class ArrayType : std::uint32_t { u8 = 1, i32 = 2, u32 = 3, i64 = 4, f64 = 5 };

template <class T>
inline constexpr ArrayType kArrayType = ArrayType{};  // 0: not for files
template <>
inline constexpr ArrayType kArrayType<std::uint8_t> = ArrayType::u8;
template <>
inline constexpr ArrayType kArrayType<std::int32_t> = ArrayType::i32;
template <>
inline constexpr ArrayType kArrayType<std::uint32_t> = ArrayType::u32;
template <>
inline constexpr ArrayType kArrayType<std::int64_t> = ArrayType::i64;
template <>
inline constexpr ArrayType kArrayType<double> = ArrayType::f64;

/// Gathers arrays and writes them as one whole file; the same arrays give the same bytes.
class ArrayFileWriter {
 public:
  explicit ArrayFileWriter(const ArrayFormat& format) : format_(format) {}

  /// rows x cols values, row-major, rows = values.size() / cols. Names are at most 31 characters.
  template <class T>
  void add(std::string_view name, const std::vector<T>& values, std::size_t cols = 1) {
    static_assert(kArrayType<T> != ArrayType{});
    add(name, kArrayType<T>, std::as_bytes(std::span(values)), values.size() / cols, cols);
  }
  /// Under a temporary name, then renamed. @throws Error io.
  void write(const std::string& path) const;

  struct Part {
    std::string name;
    ArrayType type;
    std::size_t rows, cols;
    std::vector<std::byte> bytes;
  };
  /// In the order of the file.
  std::vector<Part> parts;

 private:
  void add(std::string_view name, ArrayType type, std::span<const std::byte> bytes,
           std::size_t rows, std::size_t cols);

  ArrayFormat format_;
};

/// Header and index are checked on opening (checksum, version, every array inside the file); the
/// arrays themselves are not touched.
class ArrayFile {
 public:
  struct Entry {
    std::string name;
    ArrayType type;
    std::uint32_t checksum;
    std::size_t rows, cols;
    std::span<const std::byte> bytes;
  };

  /// @throws Error io, or corrupt with what is wrong.
  ArrayFile(const std::string& path, const ArrayFormat& format);
  /// Bytes that outlive this; `name` stands for the path in messages.
  ArrayFile(std::span<const std::byte> bytes, const std::string& name, const ArrayFormat& format);

  /// Null when there is no array of that name.
  const Entry* find(std::string_view name) const;
  const std::vector<Entry>& entries() const { return entries_; }
  const std::string& path() const { return path_; }
  /// 16 hexadecimal digits over the index, which holds the checksum of every array.
  const std::string& hash() const { return hash_; }

  /// @throws Error corrupt: "<path>: <text>; ..." with what to do.
  [[noreturn]] void refuse(const std::string& text) const;

 private:
  void read_index(std::span<const std::byte> bytes);

  std::string path_;
  ArrayFormat format_;
  std::unique_ptr<MappedFile> mapping_;  // none for bytes of the caller
  std::vector<Entry> entries_;
  std::string hash_;
};

/// As rows of a CheckedArray: as many as the file has.
inline constexpr std::size_t kAnyRows = static_cast<std::size_t>(-1);

/// One array of a file. Type and shape are checked here, checksum and content on first use, once,
/// from whichever thread comes first.
template <class T>
class CheckedArray {
 public:
  using Check = std::function<const char*(std::span<const T>)>;

  /// `check` returns what is wrong with the content, or null. An absent optional array is empty.
  CheckedArray(const ArrayFile& file, std::string_view name, std::size_t rows, std::size_t cols,
               Check check = nullptr, bool optional = false);

  bool present() const { return entry_ != nullptr; }
  std::size_t rows() const { return entry_ ? entry_->rows : 0; }
  /// @throws Error corrupt when the array is damaged.
  std::span<const T> get() const {
    std::call_once(once_, [this] { verify(); });
    return values_;
  }
  const T& operator[](std::int64_t i) const { return get()[static_cast<std::size_t>(i)]; }

 private:
  void verify() const;

  const ArrayFile* file_;
  const ArrayFile::Entry* entry_;
  std::span<const T> values_;
  Check check_;
  mutable std::once_flag once_;
};

}  // namespace kronite::io
