// The tensors are what was learned from and what came out; a hash over them finds damage.
#include "krfd/model_file.hpp"

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <type_traits>

#include "base/fail.hpp"          // for fail
#include "base/hash.hpp"          // for ContentHash
#include "base/printable.hpp"     // for printable
#include "io/safetensors.hpp"     // for SafetensorsFile, SafetensorsWriter
#include "krfd/model_state.hpp"   // for Model::State
#include "math/kernel_names.hpp"  // for kernel_names, name_of

namespace kronite::krfd {
namespace {

using io::SafetensorsFile;
using Json = nlohmann::json;

constexpr std::string_view kFormat = "kronite krfd model", kCard = "card.";
// Files up to this version are read. The second one has models with "method" beside those of the
// first, which are written as such, so that older programs read them.
constexpr int kVersion = 2;

constexpr const char* kRules[] = {"map", "conjugate"};

/// The arrays in the order in which the hash takes them.
struct Arrays {
  std::vector<double> x, t, y, theta, c, residuals, numbers;
  std::vector<double> centres;  ///< of a Nystrom fit

  std::string hash() const {
    ContentHash hash;
    for (const auto* values : {&x, &t, &y, &theta, &c, &residuals, &numbers, &centres})
      hash.take({reinterpret_cast<const char*>(values->data()), values->size() * sizeof(double)});
    return hash.hex();
  }
};

/// As given: equal systems have their own curves again.
Arrays arrays_of(const Model::State& state) {
  const Data& data = state.data;
  Arrays a;
  a.t = data.t;
  a.theta = state.theta;
  a.c = state.c;
  a.residuals = state.residuals;
  a.centres = state.centres;
  const NoisePrior& prior = state.options.noise_prior;
  a.numbers = {state.hyper.lambda_g, state.hyper.lambda_t, state.hyper.lambda_m,
               prior.alpha,          prior.beta,           state.sigma2};
  a.y = state.y.empty() ? data.y : state.y;
  for (const std::int64_t row : data.row) {
    const double* begin = data.x.data() + row * data.features;
    a.x.insert(a.x.end(), begin, begin + data.features);
  }
  return a;
}

/// What the file says of a fit that is not the exact one of all components.
Json method_json(const Model::State& state) {
  const FitReport& report = state.report;
  const bool nystrom = state.path == FitPath::nystrom;
  Json json{{"name", nystrom                                      ? "nystrom"
                     : state.path == FitPath::conjugate_gradients ? "conjugate gradients"
                                                                  : "exact"},
            {"rank_tolerance", state.options.rank_tolerance},
            {"rank_t", report.rank_t},
            {"dropped_t", report.dropped_t}};
  if (nystrom)
    json.update(
        {{"missed_g", report.missed_g}, {"missed_m", report.missed_m}, {"change", report.change}});
  else if (state.path == FitPath::conjugate_gradients)
    json.update({{"iterations", report.iterations},
                 {"relative_residual", report.relative_residual},
                 {"converged", report.converged}});
  return json;
}

Json kernel_json(const Kernel& kernel) {
  return {{"kind", math::name_of(kernel.kind)}, {"length_scales", kernel.length_scales}};
}

/// Reads the texts of a file, or refuses it.
class Texts {
 public:
  explicit Texts(const SafetensorsFile& file) : file_(file) {}

  void check_format() const {
    const std::string* format = file_.text("format");
    if (!format || *format != kFormat)
      file_.refuse(fmt::format("this is no model of functions ({}); 'kronite krfd fit' writes them",
                               format ? "its format is \"" + printable(*format) + "\""
                                      : std::string("it does not say what it is")));
    const std::string& version = file_.required_text("format_version");
    int number = 0;
    const char* end = version.data() + version.size();
    const auto [stop, error] = std::from_chars(version.data(), end, number);
    if (error != std::errc() || stop != end || number < 1)
      file_.refuse(fmt::format("its format_version is \"{}\", expected a number from 1",
                               printable(version)));
    if (number > kVersion)
      file_.refuse(
          fmt::format("it is of version {} of the format, newer than this program, which "
                      "reads files up to {}",
                      number, kVersion));
  }

  Json json(std::string_view key) const {
    Json value = Json::parse(file_.required_text(key), nullptr, false);
    if (value.is_discarded())
      file_.refuse(fmt::format("\"{}\" in its __metadata__ is no JSON", key));
    return value;
  }

  Kernel kernel(std::string_view key) const {
    const Json value = json(key);
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

  std::vector<std::string> strings(std::string_view key) const {
    const Json value = json(key);
    std::vector<std::string> all;
    if (value.is_array())
      for (const Json& text : value)
        if (text.is_string()) all.push_back(text.get<std::string>());
    if (!value.is_array() || all.size() != value.size())
      file_.refuse(fmt::format("\"{}\" in its __metadata__ is no list of names", key));
    return all;
  }

  /// Takes over what method_json() wrote; without a method the fit is exact.
  void method(Model::State& state) const {
    if (!file_.text("method")) return;
    const Json value = json("method");
    const auto refuse = [&] {
      file_.refuse("\"method\" in its __metadata__ is none that this program knows");
    };
    if (!value.is_object()) refuse();
    const auto number = [&](const char* name, auto& to) {
      using Number = std::remove_reference_t<decltype(to)>;
      const auto found = value.find(name);
      if (found == value.end()) return;
      const bool fits = std::is_same_v<Number, bool>       ? found->is_boolean()
                        : std::is_floating_point_v<Number> ? found->is_number()
                                                           : found->is_number_integer();
      if (!fits) refuse();
      to = found->template get<Number>();
    };
    const auto name = value.find("name");
    if (name == value.end()) refuse();
    if (*name == "nystrom")
      state.path = FitPath::nystrom;
    else if (*name == "conjugate gradients")
      state.path = FitPath::conjugate_gradients;
    else if (*name == "exact")
      state.path = FitPath::spectral;
    else
      refuse();
    FitReport& report = state.report;
    number("rank_tolerance", state.options.rank_tolerance);
    number("rank_t", report.rank_t);
    number("dropped_t", report.dropped_t);
    number("missed_g", report.missed_g);
    number("missed_m", report.missed_m);
    number("change", report.change);
    number("iterations", report.iterations);
    number("relative_residual", report.relative_residual);
    number("converged", report.converged);
    if (!(state.options.rank_tolerance >= 0) || !(state.options.rank_tolerance < 1)) refuse();
    state.options.path = state.path;
  }

  NoiseRule rule() const {
    const std::string& name = file_.required_text("noise");
    if (name == kRules[0]) return NoiseRule::map;
    if (name == kRules[1]) return NoiseRule::conjugate;
    file_.refuse(fmt::format("\"noise\" in its __metadata__ is \"{}\", expected map or conjugate",
                             printable(name)));
  }

 private:
  const SafetensorsFile& file_;
};

std::pair<std::int64_t, std::int64_t> matrix_shape(const SafetensorsFile& file, const char* name) {
  const auto* entry = file.find(name);
  if (!entry) file.refuse(fmt::format("the tensor \"{}\" is missing", name));
  if (entry->shape.size() != 2 || entry->shape[0] < 1 || entry->shape[1] < 1)
    file.refuse(fmt::format("the tensor \"{}\" is no matrix with values", name));
  return {entry->shape[0], entry->shape[1]};
}

Arrays read_arrays(const SafetensorsFile& file) {
  const auto [n, p] = matrix_shape(file, "x");
  const auto [points, q] = matrix_shape(file, "t");
  Arrays a;
  a.x = file.values<double>("x", {n, p});
  a.t = file.values<double>("t", {points, q});
  a.y = file.values<double>("y", {n, points});
  std::int64_t functions = n;
  if (file.find("centres")) {
    functions = matrix_shape(file, "centres").first;
    a.centres = file.values<double>("centres", {functions, p});
  }
  a.theta = file.values<double>("theta", {functions, points});
  a.c = file.values<double>("c", {functions});
  a.residuals = file.values<double>("residuals", {n, points});
  a.numbers = file.values<double>("numbers", {6});
  if (a.hash() != file.required_text("hash"))
    file.refuse("its numbers are not those that were written: the file is damaged");
  for (const auto& [name, values] : {std::pair{"theta", &a.theta},
                                     {"c", &a.c},
                                     {"residuals", &a.residuals},
                                     {"centres", &a.centres},
                                     {"numbers", &a.numbers}})
    for (const double value : *values)
      if (!std::isfinite(value))
        file.refuse(fmt::format("the tensor \"{}\" holds a value that is not finite", name));
  return a;
}

std::shared_ptr<Model::State> state_of(const SafetensorsFile& file) {
  const Texts texts(file);
  const Arrays a = read_arrays(file);
  const auto [n, p] = matrix_shape(file, "x");
  const auto [points, q] = matrix_shape(file, "t");
  auto state = std::make_shared<Model::State>();
  state->hyper = {texts.kernel("kernel_g"),
                  texts.kernel("kernel_t"),
                  texts.kernel("kernel_m"),
                  a.numbers[0],
                  a.numbers[1],
                  a.numbers[2]};
  state->options.noise_prior = {a.numbers[3], a.numbers[4]};
  state->options.noise = texts.rule();
  state->sigma2 = a.numbers[5];
  if (!(state->sigma2 > 0)) file.refuse("its variance of the noise is not above 0");
  try {
    state->data = prepare({a.x.data(), n, p}, {a.t.data(), points, q}, {a.y.data(), n, points},
                          EqualRows::join);
    check(state->hyper, p, q);
    check(state->options.noise_prior);
  } catch (const Error& error) {
    file.refuse(error.what());
  }
  state->path = cheaper_path(state->data, state->hyper, false);
  state->report.rank_t = points;
  texts.method(*state);
  state->centres = a.centres;
  if (state->centres.empty() != (state->path != FitPath::nystrom))
    file.refuse("it has centres, or the method of a model with centres, but not both");
  state->report.centres = state->centres.empty() ? 0 : static_cast<std::int64_t>(a.c.size());
  state->theta = a.theta;
  state->c = a.c;
  state->residuals = a.residuals;
  if (!state->data.root.empty()) state->y = a.y;
  if (!state->centres.empty()) {
    state->theta_rows = a.theta;
    state->c_rows = a.c;
    return state;
  }
  // Equal systems share the coefficient of theirs.
  const auto width = static_cast<std::size_t>(points);
  state->c_rows.resize(static_cast<std::size_t>(state->data.systems));
  state->theta_rows.resize(state->c_rows.size() * width);
  for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
    const auto row = static_cast<std::size_t>(state->data.row[i]);
    const double root = state->data.root_of(state->data.row[i]), weight = root * root;
    state->c_rows[row] = a.c[i] * weight;
    for (std::size_t j = 0; j < width; ++j)
      state->theta_rows[row * width + j] = a.theta[i * width + j] * weight;
  }
  return state;
}

}  // namespace

void write_model(const SavedModel& saved, const std::string& path) {
  const Model::State& state = saved.model.state();
  const Data& data = state.data;
  if (!saved.features.empty() && std::ssize(saved.features) != data.features)
    fail(Errc::invalid_argument, "{} names were given for {} features", saved.features.size(),
         data.features);
  const Arrays a = arrays_of(state);
  io::SafetensorsWriter writer;
  writer.set("format", kFormat);
  const bool first_version = state.centres.empty() && state.options.rank_tolerance == 0 &&
                             state.path != FitPath::conjugate_gradients;
  writer.set("format_version", fmt::format("{}", first_version ? 1 : kVersion));
  if (!first_version) writer.set("method", method_json(state).dump());
  writer.set("hash", a.hash());
  writer.set("kernel_g", kernel_json(state.hyper.g).dump());
  writer.set("kernel_t", kernel_json(state.hyper.t).dump());
  writer.set("kernel_m", kernel_json(state.hyper.m).dump());
  writer.set("noise", kRules[state.options.noise == NoiseRule::conjugate ? 1 : 0]);
  writer.set("features", Json(saved.features).dump(-1, ' ', false, Json::error_handler_t::replace));
  for (const auto& [key, value] : saved.card) writer.set(std::string(kCard) + key, value);
  writer.add("x", a.x, {data.given, data.features});
  writer.add("t", a.t, {data.points, data.coordinates});
  writer.add("y", a.y, {data.given, data.points});
  if (!a.centres.empty()) writer.add("centres", a.centres, {state.basis_x().rows, data.features});
  writer.add("theta", a.theta, {std::ssize(a.c), data.points});
  writer.add("c", a.c);
  writer.add("residuals", a.residuals, {data.given, data.points});
  writer.add("numbers", a.numbers);
  writer.write(path);
}

SavedModel read_model(const std::string& path) {
  const SafetensorsFile file(path);
  const Texts texts(file);
  texts.check_format();
  SavedModel saved{Model(state_of(file)), texts.strings("features"), {}};
  if (!saved.features.empty() && std::ssize(saved.features) != saved.model.features())
    file.refuse(fmt::format("it has {} names for {} features", saved.features.size(),
                            saved.model.features()));
  for (const auto& [key, value] : file.metadata())
    if (key.starts_with(kCard)) saved.card.emplace_back(key.substr(kCard.size()), value);
  return saved;
}

}  // namespace kronite::krfd
