// Writing, opening and checking files of arrays.
#include "io/array_file.hpp"

#include <zlib.h>  // for crc32_z

#include <algorithm>
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
/// The last array: the checksum of every block from the end of the index up to this array.
constexpr std::string_view kBlocksName = "checksum.blocks";

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
    case ArrayType::f32:
      return 4;
    case ArrayType::i64:
    case ArrayType::f64:
      return 8;
  }
  return 0;
}

std::size_t blocks_in(std::size_t bytes) { return (bytes + kChecksumBlock - 1) / kChecksumBlock; }

/// Checksums of bytes that come piece by piece.
class BlockChecksums {
 public:
  void take(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const auto piece = bytes.first(std::min(bytes.size(), kChecksumBlock - filled_));
      current_ = checksum(piece, current_);
      filled_ += piece.size();
      bytes = bytes.subspan(piece.size());
      if (filled_ == kChecksumBlock) end_block();
    }
  }
  std::vector<std::uint32_t> finish() {
    if (filled_ > 0) end_block();
    return std::move(done_);
  }

 private:
  void end_block() {
    done_.push_back(std::exchange(current_, 0));
    filled_ = 0;
  }

  std::vector<std::uint32_t> done_;
  std::uint32_t current_ = 0;
  std::size_t filled_ = 0;
};

/// Bytes between the end of one array and the next.
std::span<const std::byte> padding(std::size_t end) {
  static constexpr std::array<std::byte, kAlignment> kZeros{};
  return std::span(kZeros).first(aligned(end) - end);
}

IndexEntry index_entry(std::string_view name, ArrayType type, std::size_t rows, std::size_t cols,
                       std::span<const std::byte> bytes, std::size_t end) {
  IndexEntry entry{};
  name.copy(entry.name.data(), name.size());
  entry.type = static_cast<std::uint32_t>(type);
  entry.checksum = checksum(bytes);
  entry.rows = rows;
  entry.cols = cols;
  entry.offset = aligned(end);
  return entry;
}

}  // namespace

void ArrayFileWriter::add(std::string_view name, ArrayType type, std::size_t rows, std::size_t cols,
                          std::span<const std::byte> bytes, std::shared_ptr<const void> owner) {
  if (name.size() >= sizeof(IndexEntry::name))
    fail(Errc::internal, "the array name \"{}\" is too long for the file", name);
  parts.push_back({std::string(name), type, rows, cols, bytes, std::move(owner)});
}

void ArrayFileWriter::write(const std::string& path) const {
  std::vector<IndexEntry> index;
  BlockChecksums blocks;
  std::size_t end = sizeof(Header) + (parts.size() + 1) * sizeof(IndexEntry);
  for (const Part& part : parts) {
    index.push_back(index_entry(part.name, part.type, part.rows, part.cols, part.bytes, end));
    blocks.take(padding(end));
    blocks.take(part.bytes);
    end = index.back().offset + part.bytes.size();
  }
  blocks.take(padding(end));
  const std::vector<std::uint32_t> sums = blocks.finish();
  const auto sum_bytes = std::as_bytes(std::span(sums));
  index.push_back(index_entry(kBlocksName, ArrayType::u32, sums.size(), 1, sum_bytes, end));
  end = index.back().offset + sum_bytes.size();
  Header header{format_.magic, format_.version, kByteOrder, end, index.size(), {}, 0, 0};
  header.checksum = header_checksum(header, std::as_bytes(std::span(index)));

  AtomicFile file(path);
  const auto put = [&file](std::span<const std::byte> bytes) {
    file.write(bytes.data(), bytes.size());
  };
  put(std::as_bytes(std::span(&header, 1)));
  put(std::as_bytes(std::span(index)));
  for (const Part& part : parts) {
    put(padding(file.bytes_written()));
    put(part.bytes);
  }
  put(padding(file.bytes_written()));
  put(sum_bytes);
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
  bytes_ = bytes;
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

  begin_ = sizeof header + index.size();
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
                        entry.rows, entry.cols, entry.offset,
                        bytes.subspan(entry.offset, entry.rows * entry.cols * size)});
  }
  find_blocks();
}

void ArrayFile::find_blocks() {
  block_checksums_ = find(kBlocksName);
  if (!block_checksums_) return;
  const Entry& sums = *block_checksums_;
  const bool fits = sums.type == ArrayType::u32 && sums.cols == 1 && sums.offset >= begin_ &&
                    sums.rows == blocks_in(sums.offset - begin_);
  const auto covered = [&](const Entry& entry) {
    return &entry == &sums ||
           (entry.offset >= begin_ && entry.offset + entry.bytes.size() <= sums.offset);
  };
  if (!fits || !std::all_of(entries_.begin(), entries_.end(), covered))
    refuse("its index is damaged");
  if (checksum(sums.bytes) != sums.checksum)
    refuse(fmt::format("the array \"{}\" is damaged (wrong checksum)", kBlocksName));
}

bool ArrayFile::block_is_whole(std::size_t block) const {
  const Entry& sums = *block_checksums_;
  const std::size_t begin = block_begin(block), end = std::min(begin + kChecksumBlock, sums.offset);
  std::uint32_t expected = 0;
  std::memcpy(&expected, sums.bytes.data() + block * sizeof expected, sizeof expected);
  return checksum(bytes_.subspan(begin, end - begin)) == expected;
}

const ArrayFile::Entry* ArrayFile::find(std::string_view name) const {
  for (const Entry& entry : entries_)
    if (entry.name == name) return &entry;
  return nullptr;
}

template <class T>
CheckedArray<T>::CheckedArray(const ArrayFile& file, std::string_view name, std::size_t rows,
                              std::size_t cols, Check check, bool optional, Judges judges)
    : file_(&file), entry_(file.find(name)), check_(std::move(check)) {
  if (!entry_) {
    if (!optional) file.refuse(fmt::format("the array \"{}\" is missing", name));
    return;
  }
  if (entry_->type != kArrayType<T> || entry_->cols != cols ||
      (rows != kAnyRows && entry_->rows != rows))
    file.refuse(fmt::format("the array \"{}\" has the wrong type or shape", name));
  values_ = {reinterpret_cast<const T*>(entry_->bytes.data()), entry_->rows * entry_->cols};
  by_block_ = file.has_blocks() && judges == Judges::parts;
  if (by_block_) first_block_ = file.block_of(entry_->offset);
  units_ = values_.empty() ? 0 : unit_of(values_.size() - 1) + 1;
  good_ = std::make_unique<std::atomic<bool>[]>(units_);
}

template <class T>
void CheckedArray<T>::verify(std::size_t unit) const {
  std::span<const T> values = values_;
  bool whole = true;
  if (by_block_) {
    const std::size_t block = first_block_ + unit, begin = file_->block_begin(block);
    const std::size_t skipped = begin > entry_->offset ? (begin - entry_->offset) / sizeof(T) : 0;
    const std::size_t end = (begin + kChecksumBlock - entry_->offset) / sizeof(T);
    values = values_.subspan(skipped, std::min(end, values_.size()) - skipped);
    whole = file_->block_is_whole(block);
  } else {
    whole = checksum(entry_->bytes) == entry_->checksum;
  }
  if (!whole)
    file_->refuse(fmt::format("the file is damaged in or beside the array \"{}\" (wrong checksum)",
                              entry_->name));
  const char* wrong = check_ ? check_(values) : nullptr;
  if (wrong) file_->refuse(fmt::format("the array \"{}\" is wrong: {}", entry_->name, wrong));
  good_[unit].store(true, std::memory_order_release);
}

template class CheckedArray<std::uint8_t>;
template class CheckedArray<std::int32_t>;
template class CheckedArray<std::uint32_t>;
template class CheckedArray<std::int64_t>;
template class CheckedArray<double>;
template class CheckedArray<float>;

}  // namespace kronite::io
