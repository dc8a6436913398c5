// The four decompression libraries behind one interface; all but zlib are optional.
#include "io/decoder.hpp"

#include <zlib.h>
#ifdef KRONITE_HAVE_LZMA
#include <lzma.h>
#endif
#ifdef KRONITE_HAVE_ZSTD
#include <zstd.h>
#endif
#ifdef KRONITE_HAVE_BZIP2
#include <bzlib.h>
#endif

#include <algorithm>
#include <cstdint>
#include <limits>

#include "base/ascii.hpp"  // for is_digit
#include "base/fail.hpp"   // for fail

namespace kronite::io {
namespace {

using In = std::span<const char>;
using Out = std::span<char>;

/// zlib and bzip2 count in 32 bits, and take mutable pointers that they do not write through.
template <class Byte>
Byte* pointer(In in) {
  return reinterpret_cast<Byte*>(const_cast<char*>(in.data()));
}

unsigned count(std::size_t bytes) {
  return static_cast<unsigned>(std::min<std::size_t>(bytes, std::numeric_limits<unsigned>::max()));
}

[[noreturn]] void damaged(const char* library, const char* why) {
  fail(Errc::parse, "{}: {}", library, why ? why : "invalid data");
}

class GzipDecoder : public Decoder {
 public:
  GzipDecoder() {
    constexpr int kGzipHeader = 16;  // added to the window: header and checksum of gzip, not zlib
    if (::inflateInit2(&stream_, kGzipHeader + MAX_WBITS) != Z_OK)
      fail(Errc::out_of_memory, "zlib: no memory");
  }
  GzipDecoder(const GzipDecoder&) = delete;
  GzipDecoder& operator=(const GzipDecoder&) = delete;
  ~GzipDecoder() override { ::inflateEnd(&stream_); }

  Step step(In in, Out out) override {
    stream_.next_in = pointer<Bytef>(in);
    stream_.avail_in = count(in.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = count(out.size());
    const unsigned input = stream_.avail_in, room = stream_.avail_out;
    const int code = ::inflate(&stream_, Z_NO_FLUSH);
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) damaged("gzip", stream_.msg);
    return {input - stream_.avail_in, room - stream_.avail_out, code == Z_STREAM_END};
  }

 private:
  z_stream stream_{};
};

#ifdef KRONITE_HAVE_LZMA
class XzDecoder : public Decoder {
 public:
  XzDecoder() {
    constexpr std::uint64_t kMostMemory = 1 << 28;  // bytes; `xz -9` needs a quarter of it
    if (::lzma_stream_decoder(&stream_, kMostMemory, 0) != LZMA_OK)
      fail(Errc::out_of_memory, "xz: no memory");
  }
  XzDecoder(const XzDecoder&) = delete;
  XzDecoder& operator=(const XzDecoder&) = delete;
  ~XzDecoder() override { ::lzma_end(&stream_); }

  Step step(In in, Out out) override {
    stream_.next_in = pointer<const std::uint8_t>(in);
    stream_.avail_in = in.size();
    stream_.next_out = reinterpret_cast<std::uint8_t*>(out.data());
    stream_.avail_out = out.size();
    const lzma_ret code = ::lzma_code(&stream_, LZMA_RUN);
    if (code == LZMA_MEMLIMIT_ERROR) damaged("xz", "it needs more than 256 MiB to be unpacked");
    if (code == LZMA_MEM_ERROR) fail(Errc::out_of_memory, "xz: no memory");
    if (code != LZMA_OK && code != LZMA_STREAM_END && code != LZMA_BUF_ERROR)
      damaged("xz", code == LZMA_OPTIONS_ERROR ? "options that this liblzma does not know"
                                               : "invalid data or checksum");
    return {in.size() - stream_.avail_in, out.size() - stream_.avail_out, code == LZMA_STREAM_END};
  }

 private:
  lzma_stream stream_ = LZMA_STREAM_INIT;
};
#endif

#ifdef KRONITE_HAVE_ZSTD
class ZstdDecoder : public Decoder {
 public:
  ZstdDecoder() : stream_(::ZSTD_createDStream(), ::ZSTD_freeDStream) {
    if (!stream_) fail(Errc::out_of_memory, "zstd: no memory");
  }

  Step step(In in, Out out) override {
    ZSTD_inBuffer from = {in.data(), in.size(), 0};
    ZSTD_outBuffer to = {out.data(), out.size(), 0};
    const std::size_t code = ::ZSTD_decompressStream(stream_.get(), &to, &from);
    if (::ZSTD_isError(code)) damaged("zstd", ::ZSTD_getErrorName(code));
    return {from.pos, to.pos, code == 0};
  }

 private:
  std::unique_ptr<ZSTD_DStream, std::size_t (*)(ZSTD_DStream*)> stream_;
};
#endif

#ifdef KRONITE_HAVE_BZIP2
class Bzip2Decoder : public Decoder {
 public:
  Bzip2Decoder() {
    if (::BZ2_bzDecompressInit(&stream_, 0, 0) != BZ_OK)
      fail(Errc::out_of_memory, "bzip2: no memory");
  }
  Bzip2Decoder(const Bzip2Decoder&) = delete;
  Bzip2Decoder& operator=(const Bzip2Decoder&) = delete;
  ~Bzip2Decoder() override { ::BZ2_bzDecompressEnd(&stream_); }

  Step step(In in, Out out) override {
    stream_.next_in = pointer<char>(in);
    stream_.avail_in = count(in.size());
    stream_.next_out = out.data();
    stream_.avail_out = count(out.size());
    const unsigned input = stream_.avail_in, room = stream_.avail_out;
    const int code = ::BZ2_bzDecompress(&stream_);
    if (code == BZ_MEM_ERROR) fail(Errc::out_of_memory, "bzip2: no memory");
    if (code != BZ_OK && code != BZ_STREAM_END) damaged("bzip2", "invalid data or checksum");
    return {input - stream_.avail_in, room - stream_.avail_out, code == BZ_STREAM_END};
  }

 private:
  bz_stream stream_{};
};
#endif

[[maybe_unused, noreturn]] void not_built_in(const char* program, const char* package) {
  fail(
      Errc::unavailable,
      "compressed with {}, which this build of kronite cannot read: unpack it first, or install {} "
      "and build kronite again",
      program, package);
}

}  // namespace

Compression compression_of(std::string_view first) {
  const auto starts = [&](std::string_view magic) {
    return first.substr(0, magic.size()) == magic;
  };
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(first[i]); };
  if (starts("\x1F\x8B")) return Compression::gzip;
  if (starts({"\xFD"
              "7zXZ\0",
              6}))
    return Compression::xz;
  if (starts("\x28\xB5\x2F\xFD")) return Compression::zstd;
  // A frame to skip: parallel and seekable compressors of zstd write some.
  if (first.size() >= 4 && byte(0) >= 0x50 && byte(0) <= 0x5F &&
      first.substr(1, 3) == "\x2A\x4D\x18")
    return Compression::zstd;
  // BZh, the block size, then the magic number of a block or of the end.
  if (first.size() >= kMagicBytes && starts("BZh") && is_digit(first[3]) &&
      (first.substr(4, 6) == "1AY&SY" || first.substr(4, 6) == "\x17rE8P\x90"))
    return Compression::bzip2;
  return Compression::none;
}

std::unique_ptr<Decoder> make_decoder(Compression compression) {
  switch (compression) {
    case Compression::none:
      break;
    case Compression::gzip:
      return std::make_unique<GzipDecoder>();
    case Compression::xz:
#ifdef KRONITE_HAVE_LZMA
      return std::make_unique<XzDecoder>();
#else
      not_built_in("xz", "liblzma-dev");
#endif
    case Compression::zstd:
#ifdef KRONITE_HAVE_ZSTD
      return std::make_unique<ZstdDecoder>();
#else
      not_built_in("zstd", "libzstd-dev");
#endif
    case Compression::bzip2:
#ifdef KRONITE_HAVE_BZIP2
      return std::make_unique<Bzip2Decoder>();
#else
      not_built_in("bzip2", "libbz2-dev");
#endif
  }
  return nullptr;
}

}  // namespace kronite::io
