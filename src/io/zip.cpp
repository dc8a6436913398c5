// The directory at the end of a zip archive, and zlib for what it points to (PKWARE's APPNOTE.TXT).
#include "io/zip.hpp"

#include <zlib.h>  // for inflate, crc32_z

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "base/fail.hpp"       // for fail
#include "base/printable.hpp"  // for printable

namespace kronite::io {
namespace {

// Offsets of what is used in the three kinds of record; numbers are little-endian.
constexpr std::string_view kEnd("PK\x05\x06"), kEntry("PK\x01\x02"), kLocal("PK\x03\x04");
constexpr std::size_t kEndBytes = 22, kEndEntries = 10, kEndDirectory = 16;
constexpr std::size_t kEntryBytes = 46, kFlags = 8, kMethod = 10, kSum = 16, kPacked = 20,
                      kUnpacked = 24, kNameLength = 28, kExtraLength = 30, kCommentLength = 32,
                      kLocalAt = 42;
constexpr std::size_t kLocalBytes = 30, kLocalNameLength = 26, kLocalExtraLength = 28;
constexpr std::size_t kLongestComment = 65535;
constexpr std::uint32_t kStored = 0, kDeflated = 8;
constexpr std::uint32_t kIn64Bits = 0xFFFFFFFF;  // the number is in an extra field (zip64)
constexpr std::uint16_t kZip64 = 1;
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 32;
constexpr std::uint64_t kMostExpansion = 1000;  // deflate cannot do more than 1032 times

class ZipReader {
 public:
  ZipReader(std::string_view archive, const std::string& path) : archive_(archive), path_(path) {}

  std::vector<ZipMember> read() {
    const std::size_t end = find_end();
    const std::size_t entries = number<std::uint16_t>(end + kEndEntries);
    std::size_t at = number<std::uint32_t>(end + kEndDirectory);
    std::vector<ZipMember> members;
    for (std::size_t i = 0; i < entries; ++i) {
      if (part(at, kEntry.size()) != kEntry) refuse("its directory is damaged");
      const std::size_t name_length = number<std::uint16_t>(at + kNameLength);
      const std::string name(part(at + kEntryBytes, name_length));
      if (!name.ends_with('/')) members.push_back({name, content(at, name)});
      at += kEntryBytes + name_length + number<std::uint16_t>(at + kExtraLength) +
            number<std::uint16_t>(at + kCommentLength);
    }
    return members;
  }

 private:
  [[noreturn]] void refuse(std::string_view reason) const {
    fail(Errc::parse, "{}: this is not a readable zip archive: {}", path_, reason);
  }

  std::string_view part(std::size_t at, std::size_t bytes) const {
    if (at > archive_.size() || bytes > archive_.size() - at) refuse("it is cut off");
    return archive_.substr(at, bytes);
  }

  template <class T>
  T number(std::size_t at) const {
    T value;
    std::memcpy(&value, part(at, sizeof value).data(), sizeof value);
    return value;
  }

  /// A comment of any content may follow the end of the directory.
  std::size_t find_end() const {
    const std::size_t at = archive_.rfind(kEnd);
    if (at == std::string_view::npos || archive_.size() - at < kEndBytes ||
        archive_.size() - at > kEndBytes + kLongestComment)
      refuse("it has no directory at its end");
    return at;
  }

  /// A number of the entry at `at`, or what stands for it in the extra field of zip64, which holds
  /// size, packed size and place as far as they are there.
  std::uint64_t wide_number(std::size_t at, std::size_t field) const {
    const auto value = number<std::uint32_t>(at + field);
    if (value != kIn64Bits) return value;
    std::size_t skipped = 0;
    for (const std::size_t before : {kUnpacked, kPacked, kLocalAt}) {
      if (before == field) break;
      if (number<std::uint32_t>(at + before) == kIn64Bits) skipped += sizeof(std::uint64_t);
    }
    std::size_t extra = at + kEntryBytes + number<std::uint16_t>(at + kNameLength);
    const std::size_t end = extra + number<std::uint16_t>(at + kExtraLength);
    while (extra + 4 <= end) {
      const auto bytes = number<std::uint16_t>(extra + 2);
      if (number<std::uint16_t>(extra) == kZip64 && bytes >= skipped + sizeof(std::uint64_t))
        return number<std::uint64_t>(extra + 4 + skipped);
      extra += std::size_t{4} + bytes;
    }
    refuse("its directory is damaged");
  }

  std::string content(std::size_t at, const std::string& name) {
    constexpr int kEncrypted = 1;
    const auto method = number<std::uint16_t>(at + kMethod);
    if ((number<std::uint16_t>(at + kFlags) & kEncrypted) != 0 ||
        (method != kStored && method != kDeflated))
      refuse(fmt::format("{} is encrypted or compressed in another way than deflate",
                         printable(name)));
    const std::uint64_t packed = wide_number(at, kPacked), unpacked = wide_number(at, kUnpacked);
    const std::uint64_t local = wide_number(at, kLocalAt);
    if (part(local, kLocal.size()) != kLocal) refuse("its directory is damaged");
    const std::size_t begin = local + kLocalBytes +
                              number<std::uint16_t>(local + kLocalNameLength) +
                              number<std::uint16_t>(local + kLocalExtraLength);
    const std::string_view data = part(begin, packed);
    given_ += unpacked;
    if (unpacked > kMostBytes || given_ > kMostBytes || given_ / kMostExpansion > archive_.size())
      refuse("it expands beyond what arrays can");
    std::string content = method == kStored ? std::string(data) : inflated(data, unpacked);
    const auto sum = ::crc32_z(0, reinterpret_cast<const Bytef*>(content.data()), content.size());
    if (content.size() != unpacked || sum != number<std::uint32_t>(at + kSum))
      refuse(fmt::format("{} is damaged", printable(name)));
    return content;
  }

  /// At most `bytes` of what the data hold; fewer or none when they are damaged.
  std::string inflated(std::string_view data, std::size_t bytes) const {
    std::string content(bytes, '\0');
    z_stream stream{};
    if (::inflateInit2(&stream, -MAX_WBITS) != Z_OK) fail(Errc::out_of_memory, "zlib: no memory");
    constexpr std::size_t kPiece = std::size_t{1} << 30;  // zlib counts in 32 bits
    std::size_t taken = 0, given = 0;
    for (int code = Z_OK; code == Z_OK;) {
      const auto in = static_cast<uInt>(std::min(data.size() - taken, kPiece));
      const auto room = static_cast<uInt>(std::min(bytes - given, kPiece));
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data() + taken));
      stream.avail_in = in;
      stream.next_out = reinterpret_cast<Bytef*>(content.data() + given);
      stream.avail_out = room;
      code = ::inflate(&stream, Z_NO_FLUSH);  // Z_BUF_ERROR where nothing is left to do
      taken += in - stream.avail_in;
      given += room - stream.avail_out;
    }
    ::inflateEnd(&stream);
    content.resize(given);
    return content;
  }

  std::string_view archive_;
  const std::string& path_;
  std::uint64_t given_ = 0;  ///< bytes unpacked so far
};

}  // namespace

std::vector<ZipMember> unzip(std::string_view archive, const std::string& path) {
  return ZipReader(archive, path).read();
}

}  // namespace kronite::io
