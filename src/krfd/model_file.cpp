// The tensors are what was learned from and what came out; a hash over them finds damage.
#include "krfd/model_file.hpp"

#include <cmath>

#include "base/fail.hpp"         // for fail
#include "base/hash.hpp"         // for ContentHash
#include "io/safetensors.hpp"    // for SafetensorsFile, SafetensorsWriter
#include "krfd/model_state.hpp"  // for Model::State
#include "krfd/model_texts.hpp"  // for ModelTexts

namespace kronite::krfd {
namespace {

using io::SafetensorsFile;

/// The arrays in the order in which the hash takes them.
struct Arrays {
  std::vector<double> x, t, y, theta, c, residuals, numbers;

  std::string hash() const {
    ContentHash hash;
    for (const auto* values : {&x, &t, &y, &theta, &c, &residuals, &numbers})
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

Arrays read_arrays(const SafetensorsFile& file) {
  const auto [n, p] = matrix_shape(file, "x");
  const auto [points, q] = matrix_shape(file, "t");
  Arrays a;
  a.x = file.values<double>("x", {n, p});
  a.t = file.values<double>("t", {points, q});
  a.y = file.values<double>("y", {n, points});
  a.theta = file.values<double>("theta", {n, points});
  a.c = file.values<double>("c", {n});
  a.residuals = file.values<double>("residuals", {n, points});
  a.numbers = file.values<double>("numbers", {6});
  if (a.hash() != file.required_text("hash"))
    file.refuse("its numbers are not those that were written: the file is damaged");
  for (const auto& [name, values] : {std::pair{"theta", &a.theta},
                                     {"c", &a.c},
                                     {"residuals", &a.residuals},
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
  state->theta = a.theta;
  state->c = a.c;
  state->residuals = a.residuals;
  if (!state->data.root.empty()) state->y = a.y;
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
  begin_model(writer, kCommonFormat, a.hash());
  writer.set("kernel_g", kernel_text(state.hyper.g));
  writer.set("kernel_t", kernel_text(state.hyper.t));
  writer.set("kernel_m", kernel_text(state.hyper.m));
  writer.set("noise", rule_name(state.options.noise));
  write_names(writer, saved.features, saved.card);
  writer.add("x", a.x, {data.given, data.features});
  writer.add("t", a.t, {data.points, data.coordinates});
  writer.add("y", a.y, {data.given, data.points});
  writer.add("theta", a.theta, {data.given, data.points});
  writer.add("c", a.c);
  writer.add("residuals", a.residuals, {data.given, data.points});
  writer.add("numbers", a.numbers);
  writer.write(path);
}

SavedModel read_model(const std::string& path) {
  const SafetensorsFile file(path);
  const ModelTexts texts(file);
  texts.check_format(kCommonFormat);
  SavedModel saved{Model(state_of(file)), {}, {}};
  saved.features = texts.features(saved.model.features());
  saved.card = texts.card();
  return saved;
}

}  // namespace kronite::krfd
