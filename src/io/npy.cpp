// Matrices as .npy files (NumPy Enhancement Proposal 1), version 1.0 out, 1.0 to 3.0 in.
#include "io/npy.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/fail.hpp"       // for fail
#include "io/atomic_file.hpp"  // for AtomicFile
#include "io/mapped_file.hpp"  // for MappedFile
#include "kronite/io.hpp"      // for write_npy, read_npy

namespace kronite::io {
namespace {

static_assert(std::endian::native == std::endian::little, "values are copied as they are");

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kAlignment = 64;  // of the data, as NumPy writes it

/// What a .npy header says.
struct Header {
  std::string_view descr;
  bool fortran_order = false;
  std::vector<std::int64_t> shape;
  std::size_t data_at = 0;  ///< offset of the values in the file
};

/// Reads headers: a Python dictionary literal with the three keys that NEP 1 prescribes.
class HeaderReader {
 public:
  HeaderReader(const std::string& path, std::string_view file) : path_(path), file_(file) {}

  Header read() {
    Header header;
    const std::string_view text = dictionary(header.data_at);
    header.descr = quoted(after_key(text, "descr"));
    const std::string_view order = after_key(text, "fortran_order");
    header.fortran_order = order.starts_with("True");
    if (!header.fortran_order && !order.starts_with("False"))
      refuse("fortran_order is no truth value");
    read_shape(after_key(text, "shape"), header);
    return header;
  }

 private:
  [[noreturn]] void refuse(const char* reason) const {
    fail(Errc::parse, "{}: this is not a readable .npy file: {}", path_, reason);
  }

  /// The header's text; `data_at` is set to its end.
  std::string_view dictionary(std::size_t& data_at) const {
    if (!file_.starts_with(kMagic)) refuse("its first bytes are not those of the format");
    const std::size_t version_at = kMagic.size(), length_at = version_at + 2;
    if (file_.size() < length_at + 4) refuse("it is cut off");
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(file_[i]); };
    const int version = byte(version_at);
    if (version < 1 || version > 3) refuse("its version is unknown");
    const std::size_t bytes = version == 1 ? 2 : 4;
    std::size_t length = 0;
    for (std::size_t i = 0; i < bytes; ++i) length |= std::size_t{byte(length_at + i)} << (8 * i);
    data_at = length_at + bytes + length;
    if (data_at > file_.size()) refuse("it is cut off");
    return file_.substr(length_at + bytes, length);
  }

  std::string_view after_key(std::string_view text, std::string_view key) const {
    for (std::size_t at = text.find(key); at != std::string_view::npos;
         at = text.find(key, at + 1)) {
      std::string_view rest = text.substr(at + key.size());
      if (at == 0 || (text[at - 1] != '\'' && text[at - 1] != '"') || rest.empty() ||
          rest.front() != text[at - 1])
        continue;
      rest.remove_prefix(1);
      rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
      if (!rest.starts_with(':')) continue;
      rest.remove_prefix(1);
      rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
      return rest;
    }
    fail(Errc::parse, "{}: this is not a readable .npy file: its header has no {}", path_, key);
  }

  std::string_view quoted(std::string_view text) const {
    const std::size_t stop = text.empty() ? std::string_view::npos : text.find(text.front(), 1);
    if (stop == std::string_view::npos || (text.front() != '\'' && text.front() != '"'))
      refuse("its number format is not a single type");
    return text.substr(1, stop - 1);
  }

  void read_shape(std::string_view text, Header& header) const {
    const std::size_t stop = text.find(')');
    if (!text.starts_with('(') || stop == std::string_view::npos) refuse("its shape is unreadable");
    for (const char *at = text.data() + 1, *end = text.data() + stop; at < end;) {
      if (*at == ' ' || *at == ',') {
        ++at;
        continue;
      }
      std::int64_t extent = 0;
      const auto [next, error] = std::from_chars(at, end, extent);
      if (error != std::errc() || extent < 0) refuse("its shape is unreadable");
      header.shape.push_back(extent);
      at = next;
    }
  }

  const std::string& path_;
  std::string_view file_;
};

/// The values of an array, where the file has them.
class Values {
 public:
  Values(const std::string& path, std::string_view file)
      : header_(HeaderReader(path, file).read()) {
    if (header_.shape.size() > 2)
      fail(Errc::parse, "{}: at most two dimensions are expected, this array has {}", path,
           header_.shape.size());
    data_ = file.substr(header_.data_at);
    if (header_.descr != "<f8" && header_.descr != "<f4")
      fail(Errc::parse, "{}: float64 or float32 values (<f8, <f4) are expected, these are {}", path,
           header_.descr);
    single_ = header_.descr == "<f4";
    check_count(path);
    cols_ = header_.shape.empty() ? 1 : header_.shape.back();
    rows_ = header_.shape.size() == 2 ? header_.shape.front() : 1;
  }

  const std::vector<std::int64_t>& shape() const { return header_.shape; }
  std::size_t count() const { return count_; }
  std::int64_t rows() const { return rows_; }
  std::int64_t cols() const { return cols_; }

  /// Rows from `first` on into out.
  void read(std::int64_t first, MatrixView<double> out) const {
    if (single_)
      read_as<float>(first, out);
    else
      read_as<double>(first, out);
  }

 private:
  void check_count(const std::string& path) {
    std::size_t bytes = 0;
    bool fits = true;
    for (const std::int64_t extent : header_.shape)
      fits = fits && !__builtin_mul_overflow(count_, static_cast<std::size_t>(extent), &count_);
    const std::size_t value_bytes = single_ ? sizeof(float) : sizeof(double);
    if (!fits || __builtin_mul_overflow(count_, value_bytes, &bytes) || bytes != data_.size())
      fail(Errc::parse, "{}: {} values do not fit the {} bytes of data in this file", path,
           fmt::join(header_.shape, " x "), data_.size());
  }

  template <class T>
  void read_as(std::int64_t first, MatrixView<double> out) const {
    for (std::int64_t i = 0; i < out.rows; ++i)
      for (std::int64_t j = 0; j < cols_; ++j) {
        const std::int64_t row = first + i;
        const std::int64_t stored = header_.fortran_order ? j * rows_ + row : row * cols_ + j;
        T value;
        std::memcpy(&value, data_.data() + stored * std::int64_t{sizeof(T)}, sizeof(T));
        out.row(i)[j] = static_cast<double>(value);
      }
  }

  Header header_;
  std::string_view data_;
  bool single_ = false;
  std::size_t count_ = 1;
  std::int64_t rows_ = 0, cols_ = 0;
};

std::string_view text_of(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

void require_matrix(const std::string& path, const std::vector<std::int64_t>& shape) {
  if (shape.size() != 2)
    fail(Errc::parse, "{}: a matrix (two dimensions) is expected, this array has {}", path,
         shape.size());
}

}  // namespace

std::string npy_header(std::int64_t rows, std::int64_t cols) {
  const std::string text =
      fmt::format("{{'descr': '<f8', 'fortran_order': False, 'shape': ({}, {}), }}", rows, cols);
  constexpr std::size_t kPrefix = kMagic.size() + 4;
  const std::size_t whole = (kPrefix + text.size() + 1 + kAlignment - 1) / kAlignment * kAlignment;
  const std::size_t length = whole - kPrefix;
  std::string header(kMagic);
  header += {'\x01', '\x00', static_cast<char>(length & 0xFF), static_cast<char>(length >> 8)};
  header += text;
  header.append(length - text.size() - 1, ' ');
  header += '\n';
  return header;
}

NpyArray parse_npy(std::string_view file, const std::string& path) {
  const Values values(path, file);
  NpyArray array{values.shape(), std::vector<double>(values.count())};
  // 10^18 x 0 would take years to walk through.
  if (!array.values.empty()) values.read(0, {array.values.data(), values.rows(), values.cols()});
  return array;
}

struct NpyRows::File {
  explicit File(const std::string& path) : mapping(path), values(path, text_of(mapping)) {}
  MappedFile mapping;
  Values values;
};

NpyRows::NpyRows(const std::string& path) : file_(std::make_unique<File>(path)) {
  require_matrix(path, file_->values.shape());
  rows_ = file_->values.rows();
  cols_ = file_->values.cols();
}
NpyRows::~NpyRows() = default;
NpyRows::NpyRows(NpyRows&&) noexcept = default;

void NpyRows::read(std::int64_t first, MatrixView<double> out) const {
  file_->values.read(first, out);
}

}  // namespace kronite::io

namespace kronite {

void write_npy(const std::string& path, MatrixView<const double> values) {
  require(values.place == Place{}, "write_npy: the values must be in host memory");
  io::AtomicFile file(path);
  file.write(io::npy_header(values.rows, values.cols));
  for (std::int64_t i = 0; i < values.rows; ++i)
    file.write(values.row(i), static_cast<std::size_t>(values.cols) * sizeof(double));
  file.commit();
}

NpyMatrix read_npy(const std::string& path) {
  const io::MappedFile file(path);
  io::NpyArray array = io::parse_npy(io::text_of(file), path);
  io::require_matrix(path, array.shape);
  return {std::move(array.values), array.shape[0], array.shape[1]};
}

}  // namespace kronite
