// Template libraries: an opened one answers every question or refuses it. Checksums are put right
// first, which no damage would survive otherwise; they have tests of their own.
#include "materials/template_library.hpp"

#include <zlib.h>  // for crc32_z

#include <cmath>
#include <cstring>
#include <string_view>
#include <vector>

#include "fuzz/target.hpp"

namespace kronite::fuzz {
namespace {

// Places in the file: docs/formats.md, "Template libraries".
constexpr std::size_t kHeader = 64, kEntry = 64;
constexpr std::size_t kFileBytesAt = 16, kArraysAt = 24, kHeaderSumAt = 60;
constexpr std::size_t kTypeAt = 32, kSumAt = 36, kRowsAt = 40, kColsAt = 48, kOffsetAt = 56;

template <class T>
T number_at(const std::vector<std::byte>& file, std::size_t at) {
  T value;
  std::memcpy(&value, file.data() + at, sizeof value);
  return value;
}

template <class T>
void put(std::vector<std::byte>& file, std::size_t at, T value) {
  std::memcpy(file.data() + at, &value, sizeof value);
}

std::uint32_t checksum(const std::vector<std::byte>& file, std::size_t at, std::size_t bytes,
                       std::uint32_t begin = 0) {
  return static_cast<std::uint32_t>(
      ::crc32_z(begin, reinterpret_cast<const Bytef*>(file.data() + at), bytes));
}

std::uint64_t item_bytes(std::uint32_t type) {
  constexpr std::uint64_t kBytes[] = {0, 1, 4, 4, 8, 8, 4};  // by the numbers of the types
  return type < std::size(kBytes) ? kBytes[type] : 0;
}

/// The array of this entry, where it is that of the blocks' checksums: one for each 65,536 bytes
/// from the end of the index on.
void mend_blocks(std::vector<std::byte>& file, std::size_t entry, std::uint64_t begin) {
  constexpr std::string_view kName = "checksum.blocks";
  constexpr std::uint64_t kBlock = 1 << 16;
  if (std::memcmp(file.data() + entry, kName.data(), kName.size() + 1) != 0) return;
  const auto end = number_at<std::uint64_t>(file, entry + kOffsetAt);
  if (end > file.size()) return;
  for (std::uint64_t at = begin, sum = end; at < end && file.size() - sum >= 4;
       at += kBlock, sum += 4)
    put(file, sum, checksum(file, at, std::min(kBlock, end - at)));
}

void mend_checksums(std::vector<std::byte>& file) {
  if (file.size() < kHeader) return;
  put<std::uint64_t>(file, kFileBytesAt, file.size());
  const std::uint64_t arrays = std::min<std::uint64_t>(number_at<std::uint64_t>(file, kArraysAt),
                                                       (file.size() - kHeader) / kEntry);
  for (std::size_t i = 0; i < arrays; ++i) {
    const std::size_t entry = kHeader + i * kEntry;
    mend_blocks(file, entry, kHeader + arrays * kEntry);
    const auto offset = number_at<std::uint64_t>(file, entry + kOffsetAt);
    std::uint64_t bytes = 0;
    const bool fits =
        !__builtin_mul_overflow(number_at<std::uint64_t>(file, entry + kRowsAt),
                                number_at<std::uint64_t>(file, entry + kColsAt), &bytes) &&
        !__builtin_mul_overflow(bytes, item_bytes(number_at<std::uint32_t>(file, entry + kTypeAt)),
                                &bytes) &&
        offset <= file.size() && bytes <= file.size() - offset;
    // An array that lies over the index would change it again; such a file is refused anyway.
    if (fits) put(file, entry + kSumAt, checksum(file, offset, bytes));
  }
  const std::uint32_t header = checksum(file, 0, kHeaderSumAt);
  put(file, kHeaderSumAt, checksum(file, kHeader, arrays * kEntry, header));
}

void ask_about(const TemplateLibrary& library, std::int64_t i) {
  accepts([&] { promise(library.info(i).sites >= 0, "a template has sites"); });
  accepts([&] {
    const Structure structure = library.structure(i);
    promise(structure.fractional.size() == structure.z.size(), "every site has an element");
  });
  accepts([&] { library.composition(i).reduced_formula(); });
  if (library.has_fingerprints())
    accepts([&] { promise(std::isfinite(library.fingerprint(i)[0]), "fingerprints are finite"); });
}

void ask_about_ratios(const TemplateLibrary& library) {
  for (const std::string& ratio : library.ratios()) {
    const TemplateRange range = library.with_ratio(ratio);
    promise(range.begin >= 0 && range.begin <= range.end && range.end <= library.size(),
            "templates of a ratio are templates of the library");
  }
}

void open_and_ask(const std::vector<std::byte>& file) {
  accepts([&] {
    const TemplateLibrary library = library_in_memory(file, "library.ktl");
    constexpr std::int64_t kMost = 100;
    for (std::int64_t i = -1; i <= std::min(library.size(), kMost); ++i) ask_about(library, i);
    accepts([&] { ask_about_ratios(library); });
    accepts([&] { promise(std::isfinite(*library.descriptor_mean()), "means are finite"); });
    accepts([&] { promise(*library.descriptor_std() > 0, "deviations are above zero"); });
    accepts([&] { promise(std::isfinite(*library.atomic_volumes()), "volumes are finite"); });
  });
}

}  // namespace
}  // namespace kronite::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kronite::fuzz;
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  std::vector<std::byte> file(bytes, bytes + size);
  open_and_ask(file);
  mend_checksums(file);
  open_and_ask(file);
  return 0;
}
