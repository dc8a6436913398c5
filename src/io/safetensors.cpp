// Writing safetensors files, and reading them without believing their headers.
#include "io/safetensors.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/fail.hpp"       // for fail
#include "base/printable.hpp"  // for printable
#include "io/atomic_file.hpp"  // for write_file
#include "io/json_text.hpp"    // for syntax_error

namespace kronite::io {
namespace {

static_assert(std::endian::native == std::endian::little, "values are copied as they are");

constexpr std::size_t kLengthBytes = 8;              // the file's first bytes: length of the header
constexpr std::size_t kLongestHeader = 100'000'000;  // the format's own limit
constexpr std::size_t kAlignment = 8;  // of the first tensor: the header ends in spaces
constexpr std::string_view kMetadata = "__metadata__";

struct TypeName {
  TensorType type;
  std::string_view name;
  std::size_t bytes;
};
constexpr std::array kTypes{
    TypeName{TensorType::u8, "U8", 1},     TypeName{TensorType::i32, "I32", 4},
    TypeName{TensorType::u32, "U32", 4},   TypeName{TensorType::i64, "I64", 8},
    TypeName{TensorType::u64, "U64", 8},   TypeName{TensorType::f16, "F16", 2},
    TypeName{TensorType::bf16, "BF16", 2}, TypeName{TensorType::f32, "F32", 4},
    TypeName{TensorType::f64, "F64", 8}};

const TypeName& row_of(TensorType type) {
  return *std::find_if(kTypes.begin(), kTypes.end(), [=](auto& row) { return row.type == type; });
}

template <class T>
constexpr TensorType type_of() {
  if constexpr (std::is_same_v<T, std::uint8_t>) return TensorType::u8;
  if constexpr (std::is_same_v<T, std::int32_t>) return TensorType::i32;
  if constexpr (std::is_same_v<T, std::uint32_t>) return TensorType::u32;
  if constexpr (std::is_same_v<T, std::int64_t>) return TensorType::i64;
  if constexpr (std::is_same_v<T, std::uint64_t>) return TensorType::u64;
  if constexpr (std::is_same_v<T, float>) return TensorType::f32;
  if constexpr (std::is_same_v<T, double>) return TensorType::f64;
}

/// Product of the extents; none when it is beyond 64 bits.
std::optional<std::size_t> count_of(const std::vector<std::int64_t>& shape) {
  std::size_t count = 1;
  for (const std::int64_t extent : shape)
    if (extent < 0 || __builtin_mul_overflow(count, static_cast<std::size_t>(extent), &count))
      return std::nullopt;
  return count;
}

std::string words(const std::vector<std::int64_t>& shape) {
  return shape.empty() ? "one value" : fmt::format("{}", fmt::join(shape, " x "));
}

/// IEEE 754 half precision.
float from_half(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 0x1F;
  const float mantissa = static_cast<float>(bits & 0x3FF);
  const float sign = bits & 0x8000 ? -1.0F : 1.0F;
  if (exponent == 0) return sign * std::ldexp(mantissa, -24);
  if (exponent == 0x1F)
    return mantissa == 0 ? sign * std::numeric_limits<float>::infinity()
                         : std::numeric_limits<float>::quiet_NaN();
  return sign * std::ldexp(mantissa + 1024, exponent - 25);
}

/// The first half of a float.
float from_bfloat(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

/// Values of type From, which may lie at any address, as T.
template <class From, class T, class Convert>
std::vector<T> copied(std::span<const std::byte> bytes, Convert&& convert) {
  std::vector<T> values(bytes.size() / sizeof(From));
  for (std::size_t i = 0; i < values.size(); ++i) {
    From value;
    std::memcpy(&value, bytes.data() + i * sizeof value, sizeof value);
    values[i] = static_cast<T>(convert(value));
  }
  return values;
}

/// A JSON string. @throws Error invalid_argument when the name is not UTF-8.
std::string quoted_name(std::string_view name) {
  try {
    return nlohmann::json(name).dump();
  } catch (const nlohmann::json::exception&) {
    fail(Errc::invalid_argument, "the name \"{}\" is not UTF-8", printable(name));
  }
}

std::string quoted_text(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string_view name_of(TensorType type) { return row_of(type).name; }

void SafetensorsWriter::set(std::string_view key, std::string_view value) {
  for (auto& [known, text] : metadata_)
    if (known == key) {
      text = value;
      return;
    }
  metadata_.emplace_back(key, value);
}

template <class T>
void SafetensorsWriter::add(std::string_view name, std::span<const T> values,
                            std::vector<std::int64_t> shape) {
  if (count_of(shape) != values.size())
    fail(Errc::invalid_argument, "the tensor \"{}\" has {} values, its shape is {}", name,
         values.size(), words(shape));
  if (name == kMetadata ||
      std::any_of(parts_.begin(), parts_.end(), [&](auto& part) { return part.name == name; }))
    fail(Errc::invalid_argument, "a second tensor is called \"{}\"", name);
  const auto bytes = std::as_bytes(values);
  parts_.push_back({std::string(name),
                    type_of<T>(),
                    std::move(shape),
                    {reinterpret_cast<const char*>(bytes.data()), bytes.size()}});
}

std::string SafetensorsWriter::header(const std::vector<const Part*>& order) const {
  std::string text = "{";
  if (!metadata_.empty()) {
    text += fmt::format("\"{}\":{{", kMetadata);
    for (std::size_t i = 0; i < metadata_.size(); ++i)
      text += fmt::format("{}{}:{}", i ? "," : "", quoted_name(metadata_[i].first),
                          quoted_text(metadata_[i].second));
    text += order.empty() ? "}" : "},";
  }
  std::size_t begin = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const Part& part = *order[i];
    const std::size_t end = begin + part.bytes.size();
    text += fmt::format("{}{}:{{\"dtype\":\"{}\",\"shape\":[{}],\"data_offsets\":[{},{}]}}",
                        i ? "," : "", quoted_name(part.name), name_of(part.type),
                        fmt::join(part.shape, ","), begin, end);
    begin = end;
  }
  text += '}';
  text.append((kAlignment - text.size() % kAlignment) % kAlignment, ' ');
  return text;
}

std::string SafetensorsWriter::bytes() const {
  std::vector<const Part*> order;
  for (const Part& part : parts_) order.push_back(&part);
  std::stable_sort(order.begin(), order.end(), [](const Part* a, const Part* b) {
    return row_of(a->type).bytes > row_of(b->type).bytes;
  });
  const std::string text = header(order);
  const std::uint64_t length = text.size();
  std::string file(reinterpret_cast<const char*>(&length), sizeof length);
  file += text;
  for (const Part* part : order) file += part->bytes;
  return file;
}

void SafetensorsWriter::write(const std::string& path) const { write_file(path, bytes()); }

SafetensorsFile::SafetensorsFile(const std::string& path)
    : path_(path), mapping_(std::make_unique<MappedFile>(path)) {
  read(mapping_->bytes());
}

SafetensorsFile::SafetensorsFile(std::span<const std::byte> bytes, std::string name)
    : path_(std::move(name)) {
  read(bytes);
}

void SafetensorsFile::refuse(std::string_view text) const {
  fail(Errc::corrupt, "{}: {}", path_, text);
}

void SafetensorsFile::read(std::span<const std::byte> bytes) {
  if (bytes.empty()) refuse("the file is empty");
  const bool foreign = bytes.size() > kLengthBytes && bytes[kLengthBytes] != std::byte{'{'};
  if (foreign) refuse("this is not a safetensors file: no header begins behind its first 8 bytes");
  if (bytes.size() <= kLengthBytes) refuse("the file is cut off inside its header");
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  if (length > kLongestHeader)
    refuse(fmt::format("this is not a safetensors file: its header would have {} bytes", length));
  if (length > bytes.size() - kLengthBytes)
    refuse(fmt::format("the file is cut off inside its header, which has {} bytes", length));
  const auto header = bytes.subspan(kLengthBytes, length);
  read_header({reinterpret_cast<const char*>(header.data()), header.size()},
              bytes.subspan(kLengthBytes + length));
}

namespace {

/// One tensor as the header describes it.
class EntryReader {
 public:
  EntryReader(const SafetensorsFile& file, std::string_view name, std::span<const std::byte> data)
      : file_(file), name_(name), data_(data) {}

  SafetensorsFile::Entry read(simdjson::dom::element value) {
    if (value.get(object_) != simdjson::SUCCESS) refuse("is no object");
    SafetensorsFile::Entry entry{name_, type(), shape(), bytes()};
    const auto count = count_of(entry.shape);
    std::size_t expected = 0;
    if (!count || __builtin_mul_overflow(*count, row_of(entry.type).bytes, &expected) ||
        expected != entry.bytes.size())
      refuse(fmt::format("has {} bytes, which its shape ({}) and type ({}) do not fit",
                         entry.bytes.size(), words(entry.shape), name_of(entry.type)));
    return entry;
  }

 private:
  [[noreturn]] void refuse(std::string_view text) const {
    file_.refuse(fmt::format("the tensor \"{}\" {}", printable(name_), text));
  }

  TensorType type() const {
    std::string_view spelt;
    if (object_["dtype"].get(spelt) != simdjson::SUCCESS) refuse("has no dtype");
    for (const TypeName& row : kTypes)
      if (row.name == spelt) return row.type;
    refuse(fmt::format("has the dtype \"{}\", which kronite does not read", printable(spelt)));
  }

  std::vector<std::int64_t> shape() const { return numbers("shape"); }

  std::span<const std::byte> bytes() const {
    const std::vector<std::int64_t> place = numbers("data_offsets");
    if (place.size() != 2 || place[0] > place[1])
      refuse("has data_offsets that are no beginning and end");
    const auto begin = static_cast<std::size_t>(place[0]), end = static_cast<std::size_t>(place[1]);
    if (end > data_.size())
      refuse(fmt::format("ends at byte {} of the data, of which there are {}: the file is cut off",
                         end, data_.size()));
    return data_.subspan(begin, end - begin);
  }

  std::vector<std::int64_t> numbers(const char* key) const {
    simdjson::dom::array list;
    if (object_[key].get(list) != simdjson::SUCCESS) refuse(fmt::format("has no {}", key));
    std::vector<std::int64_t> values;
    for (const simdjson::dom::element item : list) {
      values.push_back(-1);
      if (item.get(values.back()) != simdjson::SUCCESS || values.back() < 0)
        refuse(fmt::format("has a {} with something else than whole numbers", key));
    }
    return values;
  }

  const SafetensorsFile& file_;
  const std::string name_;
  std::span<const std::byte> data_;
  simdjson::dom::object object_;
};

TensorMetadata read_metadata(const SafetensorsFile& file, simdjson::dom::element value) {
  simdjson::dom::object object;
  if (value.get(object) != simdjson::SUCCESS) file.refuse("its __metadata__ is no object");
  TensorMetadata texts;
  for (const auto [key, item] : object) {
    std::string_view text;
    if (item.get(text) != simdjson::SUCCESS)
      file.refuse(fmt::format("its __metadata__ \"{}\" is no text", printable(key)));
    texts.emplace_back(key, text);
  }
  return texts;
}

}  // namespace

void SafetensorsFile::read_header(std::string_view header, std::span<const std::byte> data) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  const auto error = parser.parse(header.data(), header.size()).get(object);
  if (error == simdjson::INCORRECT_TYPE) refuse("its header is no JSON object");
  if (error) refuse("its header is " + syntax_error(std::string(header)));
  for (const auto [name, value] : object)
    if (name == kMetadata) {
      const TensorMetadata texts = read_metadata(*this, value);
      metadata_.insert(metadata_.end(), texts.begin(), texts.end());
    } else {
      tensors_.push_back(EntryReader(*this, name, data).read(value));
    }
  for (std::size_t i = 0; i < metadata_.size(); ++i)
    if (!by_key_.emplace(metadata_[i].first, i).second)
      refuse(fmt::format("its __metadata__ has \"{}\" twice", printable(metadata_[i].first)));
  check_layout(data);
}

void SafetensorsFile::check_layout(std::span<const std::byte> data) {
  const auto begin = [&](const Entry& entry) { return entry.bytes.data() - data.data(); };
  std::stable_sort(tensors_.begin(), tensors_.end(), [&](const Entry& a, const Entry& b) {
    return std::pair(begin(a), a.bytes.size()) < std::pair(begin(b), b.bytes.size());
  });
  std::size_t end = 0;
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    const Entry& entry = tensors_[i];
    if (!by_name_.emplace(entry.name, i).second)
      refuse(fmt::format("two tensors are called \"{}\"", printable(entry.name)));
    const auto at = static_cast<std::size_t>(begin(entry));
    if (at < end)
      refuse(fmt::format("the tensors \"{}\" and \"{}\" overlap", printable(tensors_[i - 1].name),
                         printable(entry.name)));
    if (at > end)
      refuse(fmt::format("{} bytes before the tensor \"{}\" belong to none", at - end,
                         printable(entry.name)));
    end = at + entry.bytes.size();
  }
  if (end != data.size())
    refuse(fmt::format("{} bytes behind the last tensor belong to none", data.size() - end));
}

const SafetensorsFile::Entry* SafetensorsFile::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &tensors_[found->second];
}

const std::string* SafetensorsFile::text(std::string_view key) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : &metadata_[found->second].second;
}

const std::string& SafetensorsFile::required_text(std::string_view key) const {
  const std::string* found = text(key);
  if (!found) refuse(fmt::format("its __metadata__ has no \"{}\"", key));
  return *found;
}

template <class T>
std::vector<T> SafetensorsFile::values(const Entry& entry) const {
  const auto same = [](auto value) { return value; };
  if (entry.type == type_of<T>()) return copied<T, T>(entry.bytes, same);
  if constexpr (std::is_floating_point_v<T>) {
    if (entry.type == TensorType::f32) return copied<float, T>(entry.bytes, same);
    if (entry.type == TensorType::f64) return copied<double, T>(entry.bytes, same);
    if (entry.type == TensorType::f16) return copied<std::uint16_t, T>(entry.bytes, from_half);
    if (entry.type == TensorType::bf16) return copied<std::uint16_t, T>(entry.bytes, from_bfloat);
  }
  refuse(fmt::format("the tensor \"{}\" holds {} values where {} are expected",
                     printable(entry.name), name_of(entry.type), name_of(type_of<T>())));
}

template <class T>
std::vector<T> SafetensorsFile::values(std::string_view name,
                                       const std::vector<std::int64_t>& shape) const {
  const Entry* entry = find(name);
  if (!entry) refuse(fmt::format("the tensor \"{}\" is missing", name));
  if (entry->shape != shape)
    refuse(fmt::format("the tensor \"{}\" has the shape {} where {} is expected", name,
                       words(entry->shape), words(shape)));
  return values<T>(*entry);
}

#define KRONITE_TENSOR_VALUES(T)                                             \
  template void SafetensorsWriter::add(std::string_view, std::span<const T>, \
                                       std::vector<std::int64_t>);           \
  template std::vector<T> SafetensorsFile::values(const Entry&) const;       \
  template std::vector<T> SafetensorsFile::values(std::string_view,          \
                                                  const std::vector<std::int64_t>&) const;
KRONITE_TENSOR_VALUES(std::uint8_t)
KRONITE_TENSOR_VALUES(std::int32_t)
KRONITE_TENSOR_VALUES(std::uint32_t)
KRONITE_TENSOR_VALUES(std::int64_t)
KRONITE_TENSOR_VALUES(std::uint64_t)
KRONITE_TENSOR_VALUES(float)
KRONITE_TENSOR_VALUES(double)
#undef KRONITE_TENSOR_VALUES

}  // namespace kronite::io
