// Texts in the headers of model files.
#include "krfd/model_texts.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/fail.hpp"          // for fmt::format
#include "base/printable.hpp"     // for printable
#include "math/kernel_names.hpp"  // for kernel_names, name_of

namespace kronite::krfd {
namespace {

using io::SafetensorsFile;
using Json = nlohmann::json;

constexpr std::string_view kCard = "card.";

const std::vector<std::string>& rules() {
  static const std::vector<std::string> names{"map", "conjugate"};
  return names;
}

Json json_of(const SafetensorsFile& file, std::string_view key) {
  Json value = Json::parse(file.required_text(key), nullptr, false);
  if (value.is_discarded()) file.refuse(fmt::format("\"{}\" in its __metadata__ is no JSON", key));
  return value;
}

}  // namespace

void begin_model(io::SafetensorsWriter& writer, std::string_view format, int version,
                 const std::string& hash) {
  writer.set("format", format);
  writer.set("format_version", fmt::format("{}", version));
  writer.set("hash", hash);
}

std::string kernel_text(const Kernel& kernel) {
  return Json({{"kind", math::name_of(kernel.kind)}, {"length_scales", kernel.length_scales}})
      .dump();
}

std::string rule_name(NoiseRule rule) { return rules()[rule == NoiseRule::conjugate ? 1 : 0]; }

void write_names(io::SafetensorsWriter& writer, const std::vector<std::string>& features,
                 const std::vector<std::pair<std::string, std::string>>& card) {
  writer.set("features", Json(features).dump(-1, ' ', false, Json::error_handler_t::replace));
  for (const auto& [key, value] : card) writer.set(std::string(kCard) + key, value);
}

bool ModelTexts::is(std::string_view format) const {
  const std::string* text = file_.text("format");
  return text && *text == format;
}

void ModelTexts::check_format(std::string_view format, int newest) const {
  const std::string* text = file_.text("format");
  if (text && *text != format && (*text == kCommonFormat || *text == kIrregularFormat))
    file_.refuse(*text == kCommonFormat
                     ? "this is a model of curves at common points, expected one of curves with "
                       "points of their own"
                     : "this is a model of curves with points of their own, expected one of curves "
                       "at common points");
  if (!text || *text != format)
    file_.refuse(fmt::format("this is no model of functions ({}); 'kronite krfd fit' writes them",
                             text ? "its format is \"" + printable(*text) + "\""
                                  : std::string("it does not say what it is")));
  const std::string& version = file_.required_text("format_version");
  int number = 0;
  const char* end = version.data() + version.size();
  const auto [stop, error] = std::from_chars(version.data(), end, number);
  if (error != std::errc() || stop != end || number < 1)
    file_.refuse(
        fmt::format("its format_version is \"{}\", expected a number from 1", printable(version)));
  if (number > newest)
    file_.refuse(
        fmt::format("it is of version {} of the format, newer than this program, which "
                    "reads files up to {}",
                    number, newest));
}

Kernel ModelTexts::kernel(std::string_view key) const {
  const Json value = json_of(file_, key);
  const auto kind = value.is_object() ? value.find("kind") : value.end();
  const auto lengths = value.is_object() ? value.find("length_scales") : value.end();
  if (kind == value.end() || !kind->is_string() || lengths == value.end() || !lengths->is_array())
    file_.refuse(fmt::format("\"{}\" in its __metadata__ is no kernel", key));
  Kernel kernel;
  const auto& names = math::kernel_names();
  std::size_t number = 0;
  while (number < names.size() && names[number] != kind->get<std::string>()) ++number;
  if (number == names.size())
    file_.refuse(fmt::format("\"{}\" in its __metadata__ has the kernel \"{}\", expected {}", key,
                             printable(kind->get<std::string>()), fmt::join(names, ", ")));
  kernel.kind = static_cast<KernelKind>(number);
  kernel.length_scales.clear();
  for (const Json& length : *lengths) {
    if (!length.is_number())
      file_.refuse(
          fmt::format("\"{}\" in its __metadata__ has a length scale that is no number", key));
    kernel.length_scales.push_back(length.get<double>());
  }
  return kernel;
}

std::size_t ModelTexts::choice(std::string_view key, const std::vector<std::string>& names) const {
  const std::string& text = file_.required_text(key);
  const auto found = std::find(names.begin(), names.end(), text);
  if (found == names.end())
    file_.refuse(fmt::format("\"{}\" in its __metadata__ is \"{}\", expected {}", key,
                             printable(text), fmt::join(names, " or ")));
  return static_cast<std::size_t>(found - names.begin());
}

NoiseRule ModelTexts::rule() const {
  return choice("noise", rules()) == 1 ? NoiseRule::conjugate : NoiseRule::map;
}

std::vector<std::string> ModelTexts::features(std::int64_t count) const {
  const Json value = json_of(file_, "features");
  std::vector<std::string> all;
  if (value.is_array())
    for (const Json& text : value)
      if (text.is_string()) all.push_back(text.get<std::string>());
  if (!value.is_array() || all.size() != value.size())
    file_.refuse("\"features\" in its __metadata__ is no list of names");
  if (!all.empty() && std::ssize(all) != count)
    file_.refuse(fmt::format("it has {} names for {} features", all.size(), count));
  return all;
}

std::vector<std::pair<std::string, std::string>> ModelTexts::card() const {
  std::vector<std::pair<std::string, std::string>> all;
  for (const auto& [key, value] : file_.metadata())
    if (key.starts_with(kCard)) all.emplace_back(key.substr(kCard.size()), value);
  return all;
}

std::pair<std::int64_t, std::int64_t> matrix_shape(const SafetensorsFile& file, const char* name) {
  const auto* entry = file.find(name);
  if (!entry) file.refuse(fmt::format("the tensor \"{}\" is missing", name));
  if (entry->shape.size() != 2 || entry->shape[0] < 1 || entry->shape[1] < 1)
    file.refuse(fmt::format("the tensor \"{}\" is no matrix with values", name));
  return {entry->shape[0], entry->shape[1]};
}

void require_finite(const SafetensorsFile& file, const char* name,
                    const std::vector<double>& values) {
  for (const double value : values)
    if (!std::isfinite(value))
      file.refuse(fmt::format("the tensor \"{}\" holds a value that is not finite", name));
}

}  // namespace kronite::krfd
