// Settings of descriptor files as JSON.
#include "kmd/file_settings.hpp"

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/fail.hpp"          // for fail
#include "base/hash.hpp"          // for content_hash
#include "base/printable.hpp"     // for printable
#include "io/json_text.hpp"       // for syntax_error
#include "kmd/setting_names.hpp"  // for name_of, layout_names
#include "kronite/version.hpp"    // for KRONITE_VERSION

namespace kronite::kmd {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFormat = "kronite mixture descriptors";
constexpr int kVersion = 1;
constexpr std::int64_t kMostColumns = 100'000'000;

const std::vector<std::string>& kind_names() {
  static const std::vector<std::string> names = {"kmd", "statistics"};
  return names;
}

/// Reads the values of an object; what is wrong is said with its key.
class Reader {
 public:
  Reader(const Json& json, const std::string& where) : json_(json), where_(where) {}

  std::int64_t integer(const char* key, std::int64_t low, std::int64_t high) const {
    const Json* value = find(key);
    // Integers beyond 64 bits are floating-point numbers to the parser.
    if (value && value->is_number_integer() &&
        !(value->is_number_unsigned() && value->get<std::uint64_t>() > std::uint64_t{INT64_MAX})) {
      const auto number = value->get<std::int64_t>();
      if (number >= low && number <= high) return number;
    }
    refuse(key, fmt::format("an integer from {} to {}", low, high));
  }
  /// Not negative.
  double number(const char* key) const {
    const Json* value = find(key);
    if (value && value->is_number() && value->get<double>() >= 0) return value->get<double>();
    refuse(key, "a number that is not negative");
  }
  /// The same, where null is infinity.
  double condition(const char* key) const {
    const Json* value = find(key);
    return value && value->is_null() ? HUGE_VAL : number(key);
  }
  bool flag(const char* key) const {
    const Json* value = find(key);
    if (value && value->is_boolean()) return value->get<bool>();
    refuse(key, "true or false");
  }
  std::size_t one_of(const char* key, const std::vector<std::string>& names) const {
    const Json* value = find(key);
    if (value && value->is_string()) {
      const std::size_t index = index_of(names, value->get<std::string>());
      if (index < names.size()) return index;
    }
    refuse(key, fmt::format("one of {}", fmt::join(names, ", ")));
  }
  std::string hash(const char* key) const {
    const Json* value = find(key);
    if (value && value->is_string()) {
      const auto text = value->get<std::string>();
      if (text.size() == 16 && text.find_first_not_of("0123456789abcdef") == std::string::npos)
        return text;
    }
    refuse(key, "16 hexadecimal digits");
  }

 private:
  const Json* find(const char* key) const {
    const auto found = json_.find(key);
    return found == json_.end() ? nullptr : &*found;
  }
  [[noreturn]] void refuse(const char* key, const std::string& expected) const {
    const Json* value = find(key);
    std::string found = "but there is none";
    if (value)
      found = "not " + (value->is_structured() ? value->type_name() : printable(value->dump()));
    fail(Errc::parse, "{}: {} is expected as \"{}\", {}", where_, expected, key, found);
  }

  const Json& json_;
  const std::string& where_;
};

/// JSON has no infinity: a singular H has no finite condition number.
Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

std::int64_t expected_width(const FileSettings& s) {
  if (s.kind == Kind::statistics) return (s.sum ? 5 : 4) * s.features;
  return s.settings.layout == Layout::joint ? s.components : s.features * s.settings.n_grids;
}

Settings read_settings(const Reader& reader) {
  Settings settings;
  settings.layout = static_cast<Layout>(reader.one_of("layout", layout_names()));
  settings.kernel = static_cast<KernelKind>(reader.one_of("kernel", kernel_names()));
  settings.scaling = static_cast<Scaling>(reader.one_of("scaling", scaling_names()));
  const bool grid = settings.layout == Layout::grid;
  settings.n_grids =
      reader.integer("n_grids", grid ? 2 : 0, static_cast<std::int64_t>(kMostGridPoints));
  settings.sigma = reader.number("sigma");
  settings.most_condition = reader.condition("most_condition");
  return settings;
}

}  // namespace

FileSettings file_settings(const Descriptor& descriptor) {
  const Components& components = descriptor.components();
  FileSettings s;
  s.components_hash = components.hash();
  s.components = components.size();
  s.features = std::ssize(components.features);
  s.width = descriptor.width();
  s.settings = descriptor.settings();
  s.condition = descriptor.condition();
  s.hash = descriptor.hash();
  return s;
}

FileSettings file_settings(const Components& components, bool sum) {
  FileSettings s;
  s.kind = Kind::statistics;
  s.components_hash = components.hash();
  s.components = components.size();
  s.features = std::ssize(components.features);
  s.sum = sum;
  s.width = expected_width(s);
  s.hash = content_hash("statistics " + s.components_hash + (sum ? " sum" : ""));
  return s;
}

std::string to_json(const FileSettings& s, bool one_line) {
  Json json = {{"format", kFormat},
               {"format_version", kVersion},
               {"kronite", KRONITE_VERSION},
               {"descriptor", kind_names()[static_cast<std::size_t>(s.kind)]},
               {"hash", s.hash},
               {"components_hash", s.components_hash},
               {"components", s.components},
               {"features", s.features},
               {"width", s.width}};
  if (s.kind == Kind::statistics) {
    json["sum"] = s.sum;
  } else {
    json["layout"] = name_of(s.settings.layout);
    json["kernel"] = name_of(s.settings.kernel);
    json["scaling"] = name_of(s.settings.scaling);
    json["n_grids"] = s.settings.n_grids;
    json["sigma"] = s.settings.sigma;
    json["most_condition"] = number(s.settings.most_condition);
    json["rank"] = s.condition.rank;
    json["condition_of_h"] = number(s.condition.of_h);
    json["condition_of_p"] = number(s.condition.of_p);
  }
  return one_line ? json.dump() : json.dump(1);
}

FileSettings parse_file_settings(std::string_view text, const std::string& where) {
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) fail(Errc::parse, "{}: {}", where, io::syntax_error(std::string(text)));
  const auto format = json.is_object() ? json.find("format") : json.end();
  if (format == json.end() || *format != kFormat)
    fail(Errc::parse, "{}: settings of descriptors are expected, an object with \"format\": \"{}\"",
         where, kFormat);
  const Reader reader(json, where);
  reader.integer("format_version", 1, kVersion);
  FileSettings s;
  s.kind = static_cast<Kind>(reader.one_of("descriptor", kind_names()));
  s.hash = reader.hash("hash");
  s.components_hash = reader.hash("components_hash");
  s.components = reader.integer("components", 1, kMostColumns);
  s.features = reader.integer("features", 1, kMostColumns);
  s.width = reader.integer("width", 1, kMostColumns);
  if (s.kind == Kind::statistics) {
    s.sum = reader.flag("sum");
  } else {
    s.settings = read_settings(reader);
    s.condition.rank = reader.integer("rank", 0, kMostColumns);
    s.condition.of_h = reader.condition("condition_of_h");
    s.condition.of_p = reader.condition("condition_of_p");
  }
  if (s.width != expected_width(s))
    fail(Errc::parse, "{}: the width is {}, the other settings give {}", where, s.width,
         expected_width(s));
  return s;
}

Descriptor descriptor_of(const FileSettings& settings, Components components,
                         const std::string& where) {
  if (settings.kind != Kind::kernel_mean)
    fail(Errc::invalid_argument,
         "{}: these are summary statistics; kernel mean descriptors are expected", where);
  const std::string hash = components.hash();
  if (hash != settings.components_hash)
    fail(Errc::invalid_argument,
         "{}: made with {} components of {} features and the hash {}, these are {} of {} with the "
         "hash {}",
         where, settings.components, settings.features, settings.components_hash, components.size(),
         components.features.size(), hash);
  Descriptor descriptor(std::move(components), settings.settings);
  if (descriptor.hash() != settings.hash)
    fail(Errc::invalid_argument,
         "{}: made with settings of the hash {}, those that the file names have the hash {}; it "
         "was changed, or made by another version of kronite",
         where, settings.hash, descriptor.hash());
  return descriptor;
}

std::string settings_path(const std::string& file) { return file + ".settings.json"; }

}  // namespace kronite::kmd
