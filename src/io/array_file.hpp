// A file of named, aligned, checksummed arrays that is read by mapping it (layout:
// docs/formats.md).
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/mapped_file.hpp"  // for MappedFile

namespace kronite::io {

/// What tells one kind of file from another.
struct ArrayFormat {
  std::array<char, 8> magic;
  std::uint32_t version;  ///< files up to this version are read
  std::string_view what;  ///< for messages: "template library"
};

/// Written as is into files: never renumbered.
enum class ArrayType : std::uint32_t { u8 = 1, i32 = 2, u32 = 3, i64 = 4, f64 = 5, f32 = 6 };

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
template <>
inline constexpr ArrayType kArrayType<float> = ArrayType::f32;

/// Bytes of a file that have a checksum of their own, beside that of their array: who needs a few
/// values of a large array reads and checks no more than this around them.
inline constexpr std::size_t kChecksumBlock = 1 << 16;

/// Gathers arrays and writes them as one whole file; the same arrays give the same bytes.
class ArrayFileWriter {
 public:
  explicit ArrayFileWriter(const ArrayFormat& format) : format_(format) {}

  /// rows x cols values, row-major, rows = values.size() / cols. Names are at most 31 characters.
  template <class T>
  void add(std::string_view name, std::vector<T> values, std::size_t cols = 1) {
    static_assert(kArrayType<T> != ArrayType{});
    const auto owner = std::make_shared<const std::vector<T>>(std::move(values));
    add(name, kArrayType<T>, owner->size() / cols, cols, std::as_bytes(std::span(*owner)), owner);
  }
  /// Under a temporary name, then renamed. @throws Error io.
  void write(const std::string& path) const;

  struct Part {
    std::string name;
    ArrayType type;
    std::size_t rows, cols;
    std::span<const std::byte> bytes;
    std::shared_ptr<const void> owner;  ///< of the bytes
  };
  /// In the order of the file.
  std::vector<Part> parts;

 private:
  void add(std::string_view name, ArrayType type, std::size_t rows, std::size_t cols,
           std::span<const std::byte> bytes, std::shared_ptr<const void> owner);

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
    std::size_t offset;  ///< in the file
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

  /// Blocks of kChecksumBlock bytes have checksums of their own; not in files of kronite before
  /// these were written.
  bool has_blocks() const { return block_checksums_ != nullptr; }
  /// Number of the block that holds the byte of the file at `offset`, which is in an array.
  std::size_t block_of(std::size_t offset) const { return (offset - begin_) / kChecksumBlock; }
  /// First byte of a block, counted from the beginning of the file.
  std::size_t block_begin(std::size_t block) const { return begin_ + block * kChecksumBlock; }
  /// Whether a block has its checksum; has_blocks() must hold.
  bool block_is_whole(std::size_t block) const;

 private:
  void read_index(std::span<const std::byte> bytes);
  void find_blocks();

  std::string path_;
  ArrayFormat format_;
  std::unique_ptr<MappedFile> mapping_;  // none for bytes of the caller
  std::span<const std::byte> bytes_;
  std::vector<Entry> entries_;
  std::string hash_;
  std::size_t begin_ = 0;  // where the index ends
  const Entry* block_checksums_ = nullptr;
};

/// As rows of a CheckedArray: as many as the file has.
inline constexpr std::size_t kAnyRows = static_cast<std::size_t>(-1);

/// One array of a file. Type and shape are checked here; checksum and content on first use, by the
/// block where the file has blocks and the content can be judged value by value.
template <class T>
class CheckedArray {
 public:
  /// What is wrong with these values, or null.
  using Check = std::function<const char*(std::span<const T>)>;
  /// What a check needs to see: any part of the array, or all of it.
  enum class Judges { parts, whole };

  /// An absent optional array is empty.
  CheckedArray(const ArrayFile& file, std::string_view name, std::size_t rows, std::size_t cols,
               Check check = nullptr, bool optional = false, Judges judges = Judges::parts);

  bool present() const { return entry_ != nullptr; }
  std::size_t rows() const { return entry_ ? entry_->rows : 0; }
  /// The whole array. @throws Error corrupt when it is damaged.
  std::span<const T> get() const {
    if (entry_) require(0, units_);
    return values_;
  }
  /// One value, or `count` of them from `first` on, without a look at the rest.
  /// @throws Error corrupt when the blocks around them are damaged.
  const T& operator[](std::int64_t i) const { return part(i, 1).front(); }
  std::span<const T> part(std::int64_t first, std::size_t count) const {
    const auto begin = static_cast<std::size_t>(first);
    if (count > 0) require(unit_of(begin), unit_of(begin + count - 1) + 1);
    return values_.subspan(begin, count);
  }

 private:
  /// Units are what is checked at once: the array's share of a block, or all of it.
  std::size_t unit_of(std::size_t value) const {
    return by_block_ ? file_->block_of(entry_->offset + value * sizeof(T)) - first_block_ : 0;
  }
  void require(std::size_t begin, std::size_t end) const {
    for (std::size_t unit = begin; unit < end; ++unit)
      if (!good_[unit].load(std::memory_order_acquire)) verify(unit);
  }
  /// Two threads may come here for the same unit; both find the same.
  void verify(std::size_t unit) const;

  const ArrayFile* file_;
  const ArrayFile::Entry* entry_;
  std::span<const T> values_;
  Check check_;
  bool by_block_ = false;
  std::size_t first_block_ = 0, units_ = 0;
  std::unique_ptr<std::atomic<bool>[]> good_;
};

}  // namespace kronite::io
