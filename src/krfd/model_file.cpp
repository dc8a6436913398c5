// The tensors are what was learned from and what came out; a hash over them finds damage.
#include "krfd/model_file.hpp"

#include <cmath>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "base/fail.hpp"         // for fail
#include "base/hash.hpp"         // for ContentHash
#include "io/safetensors.hpp"    // for SafetensorsFile, SafetensorsWriter
#include "krfd/model_state.hpp"  // for Model::State
#include "krfd/model_texts.hpp"  // for ModelTexts

namespace kronite::krfd {
namespace {

using io::SafetensorsFile;
using Json = nlohmann::json;

// Files up to this version are read. The second one has models with "method" beside those of the
// first, which are written as such, so that older programs read them.
constexpr int kVersion = 2;

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

/// Takes over what method_json() wrote; without a method the fit is exact.
void read_method(const SafetensorsFile& file, Model::State& state) {
  if (!file.text("method")) return;
  const Json value = Json::parse(file.required_text("method"), nullptr, false);
  const auto refuse = [&] {
    file.refuse("\"method\" in its __metadata__ is none that this program knows");
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
    require_finite(file, name, *values);
  return a;
}

std::shared_ptr<Model::State> state_of(const SafetensorsFile& file) {
  const ModelTexts texts(file);
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
  read_method(file, *state);
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
  const bool first_version = state.centres.empty() && state.options.rank_tolerance == 0 &&
                             state.path != FitPath::conjugate_gradients;
  begin_model(writer, kCommonFormat, first_version ? 1 : kVersion, a.hash());
  if (!first_version) writer.set("method", method_json(state).dump());
  writer.set("kernel_g", kernel_text(state.hyper.g));
  writer.set("kernel_t", kernel_text(state.hyper.t));
  writer.set("kernel_m", kernel_text(state.hyper.m));
  writer.set("noise", rule_name(state.options.noise));
  write_names(writer, saved.features, saved.card);
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
  const ModelTexts texts(file);
  texts.check_format(kCommonFormat, kVersion);
  SavedModel saved{Model(state_of(file)), {}, {}};
  saved.features = texts.features(saved.model.features());
  saved.card = texts.card();
  return saved;
}

}  // namespace kronite::krfd
