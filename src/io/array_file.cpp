// Writing, opening and checking files of arrays.
#include "io/array_file.hpp"

#include <zlib.h>  // for crc32_z

#include <cstring>
#include <memory>

#include "base/fail.hpp"       // for fail
#include "base/hash.hpp"       // for content_hash
#include "io/atomic_file.hpp"  // for AtomicFile

namespace kronite::io {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::uint32_t kByteOrder = 0x01020304;
constexpr std::uint32_t kOtherByteOrder = 0x04030201;

struct Header {
  std::array<char, 8> magic;
  std::uint32_t version;
  std::uint32_t byte_order;
  std::uint64_t file_bytes;
  std::uint64_t arrays;
  std::array<std::uint64_t, 3> reserved;
  std::uint32_t reserved_too;
  std::uint32_t checksum;  // of the header up to here, then of the index
};
static_assert(sizeof(Header) == 64);

struct IndexEntry {
  std::array<char, 32> name;  // ends in at least one NUL
  std::uint32_t type;
  std::uint32_t checksum;
  std::uint64_t rows, cols;
  std::uint64_t offset;
};
static_assert(sizeof(IndexEntry) == 64);

std::uint32_t checksum(std::span<const std::byte> bytes, std::uint32_t begin = 0) {
  return static_cast<std::uint32_t>(
      ::crc32_z(begin, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

std::uint32_t header_checksum(const Header& header, std::span<const std::byte> index) {
  const auto bytes = std::as_bytes(std::span(&header, 1)).first(offsetof(Header, checksum));
  return checksum(index, checksum(bytes));
}

std::size_t aligned(std::size_t n) { return (n + kAlignment - 1) / kAlignment * kAlignment; }

std::size_t item_bytes(std::uint32_t type) {
  switch (static_cast<ArrayType>(type)) {
    case ArrayType::u8:
      return 1;
    case ArrayType::i32:
    case ArrayType::u32:
      return 4;
    case ArrayType::i64:
    case ArrayType::f64:
      return 8;
  }
  return 0;
}

}  // namespace

void ArrayFileWriter::add(std::string_view name, ArrayType type, std::span<const std::byte> bytes,
                          std::size_t rows, std::size_t cols) {
  if (name.size() >= sizeof(IndexEntry::name))
    fail(Errc::internal, "the array name \"{}\" is too long for the file", name);
  parts.push_back({std::string(name), type, rows, cols, {bytes.begin(), bytes.end()}});
}

void ArrayFileWriter::write(const std::string& path) const {
  std::vector<IndexEntry> index;
  std::size_t end = sizeof(Header) + parts.size() * sizeof(IndexEntry);
  for (const Part& part : parts) {
    IndexEntry entry{};
    part.name.copy(entry.name.data(), part.name.size());
    entry.type = static_cast<std::uint32_t>(part.type);
    entry.checksum = checksum(part.bytes);
    entry.rows = part.rows;
    entry.cols = part.cols;
    entry.offset = aligned(end);
    end = entry.offset + part.bytes.size();
    index.push_back(entry);
  }
  Header header{format_.magic, format_.version, kByteOrder, end, parts.size(), {}, 0, 0};
  header.checksum = header_checksum(header, std::as_bytes(std::span(index)));

  static constexpr std::array<char, kAlignment> kZeros{};
  AtomicFile file(path);
  file.write(&header, sizeof header);
  file.write(index.data(), index.size() * sizeof(IndexEntry));
  for (std::size_t i = 0; i < parts.size(); ++i) {
    file.write(kZeros.data(), index[i].offset - file.bytes_written());
    file.write(parts[i].bytes.data(), parts[i].bytes.size());
  }
  file.commit();
}

ArrayFile::ArrayFile(const std::string& path, const ArrayFormat& format)
    : path_(path), format_(format), mapping_(std::make_unique<MappedFile>(path)) {
  read_index(mapping_->bytes());
}

ArrayFile::ArrayFile(std::span<const std::byte> bytes, const std::string& name,
                     const ArrayFormat& format)
    : path_(name), format_(format) {
  read_index(bytes);
}

void ArrayFile::refuse(const std::string& text) const {
  fail(Errc::corrupt, "{}: {}; copy the file again or rebuild it", path_, text);
}

void ArrayFile::read_index(std::span<const std::byte> bytes) {
  if (bytes.empty()) refuse("the file is empty");
  Header header{};
  std::memcpy(&header, bytes.data(), std::min(bytes.size(), sizeof header));
  const std::size_t known = std::min(bytes.size(), format_.magic.size());
  if (std::memcmp(header.magic.data(), format_.magic.data(), known) != 0)
    fail(Errc::corrupt, "{}: this is not a {} of kronite", path_, format_.what);
  if (bytes.size() < sizeof header) refuse("the file is cut off inside its header");
  if (header.byte_order == kOtherByteOrder)
    fail(Errc::corrupt, "{}: this {} was written on a machine of the other byte order; rebuild it",
         path_, format_.what);
  if (header.byte_order != kByteOrder) refuse("the header is damaged");
  if (header.version > format_.version)
    fail(Errc::corrupt,
         "{}: this {} has format version {}, newer than the {} that this kronite reads; update "
         "kronite or rebuild the file",
         path_, format_.what, header.version, format_.version);
  if (header.file_bytes != bytes.size())
    refuse(fmt::format("the file has {} bytes where its header says {}", bytes.size(),
                       header.file_bytes));
  if (header.arrays > (bytes.size() - sizeof header) / sizeof(IndexEntry))
    refuse("the header is damaged");
  const auto index = bytes.subspan(sizeof header, header.arrays * sizeof(IndexEntry));
  if (header_checksum(header, index) != header.checksum)
    refuse("the header or index is damaged (wrong checksum)");
  hash_ = content_hash({reinterpret_cast<const char*>(index.data()), index.size()});

  for (std::size_t i = 0; i < header.arrays; ++i) {
    IndexEntry entry;
    std::memcpy(&entry, index.data() + i * sizeof entry, sizeof entry);
    const std::size_t size = item_bytes(entry.type);
    if (size == 0) continue;  // an element type of a later version: nobody here asks for it
    if (entry.offset > bytes.size()) refuse("its index is damaged");
    const std::size_t room = bytes.size() - entry.offset;
    const bool fits = entry.cols > 0 && entry.cols <= bytes.size() &&
                      entry.rows <= room / size / entry.cols && entry.offset % kAlignment == 0;
    if (!fits || entry.name.back() != '\0') refuse("its index is damaged");
    entries_.push_back({entry.name.data(), static_cast<ArrayType>(entry.type), entry.checksum,
                        entry.rows, entry.cols,
                        bytes.subspan(entry.offset, entry.rows * entry.cols * size)});
  }
}

const ArrayFile::Entry* ArrayFile::find(std::string_view name) const {
  for (const Entry& entry : entries_)
    if (entry.name == name) return &entry;
  return nullptr;
}

template <class T>
CheckedArray<T>::CheckedArray(const ArrayFile& file, std::string_view name, std::size_t rows,
                              std::size_t cols, Check check, bool optional)
    : file_(&file), entry_(file.find(name)), check_(std::move(check)) {
  if (!entry_) {
    if (!optional) file.refuse(fmt::format("the array \"{}\" is missing", name));
    return;
  }
  if (entry_->type != kArrayType<T> || entry_->cols != cols ||
      (rows != kAnyRows && entry_->rows != rows))
    file.refuse(fmt::format("the array \"{}\" has the wrong type or shape", name));
  values_ = {reinterpret_cast<const T*>(entry_->bytes.data()), entry_->rows * entry_->cols};
}

template <class T>
void CheckedArray<T>::verify() const {
  if (!entry_) return;
  if (checksum(entry_->bytes) != entry_->checksum)
    file_->refuse(fmt::format("the array \"{}\" is damaged (wrong checksum)", entry_->name));
  const char* wrong = check_ ? check_(values_) : nullptr;
  if (wrong) file_->refuse(fmt::format("the array \"{}\" is wrong: {}", entry_->name, wrong));
}

template class CheckedArray<std::uint8_t>;
template class CheckedArray<std::int32_t>;
template class CheckedArray<std::uint32_t>;
template class CheckedArray<std::int64_t>;
template class CheckedArray<double>;

}  // namespace kronite::io
