// Files of models of curves with points of their own (docs/formats.md); those of common points have
// a file of their own.
#include <cmath>

#include "base/fail.hpp"  // for fail
#include "base/hash.hpp"  // for ContentHash
#include "krfd/any_model.hpp"
#include "krfd/data.hpp"         // for check
#include "krfd/krsfd_parts.hpp"  // for check_options
#include "krfd/model_file.hpp"   // for read_model, write_model
#include "krfd/model_texts.hpp"  // for ModelTexts

namespace kronite::krfd {
namespace {

using io::SafetensorsFile;

const std::vector<std::string>& methods() {
  static const std::vector<std::string> names{"krfd", "krsfd"};
  return names;
}

constexpr int kVersion = 1;  // files up to this version are read

/// What both kinds of model have.
struct Common {
  std::vector<double> x, grid, theta, t, y, more, numbers;  ///< more: c and residuals, or nothing
  std::vector<std::int64_t> first;

  std::string hash() const {
    ContentHash hash;
    for (const auto* values : {&x, &grid, &theta, &t, &y, &more, &numbers})
      hash.take({reinterpret_cast<const char*>(values->data()), values->size() * sizeof(double)});
    hash.take({reinterpret_cast<const char*>(first.data()), first.size() * sizeof(std::int64_t)});
    return hash.hex();
  }
};

template <class M>
Common common_of(const M& m, std::vector<double> numbers) {
  return {m.x, m.grid, m.theta, m.t, m.y, {}, std::move(numbers), m.first};
}

template <class M>
void add_common(io::SafetensorsWriter& writer, const M& m, const Common& a) {
  writer.add("x", a.x, {m.curves, m.features});
  writer.add("grid", a.grid, {m.grid_points, m.dimensions});
  writer.add("theta", a.theta, {m.curves, m.grid_points});
  writer.add("t", a.t, {std::ssize(a.y), m.dimensions});
  writer.add("y", a.y);
  writer.add("first", a.first);
  writer.add("numbers", a.numbers);
}

void write(const SavedAny& saved, const IrregularModel& m, const std::string& path) {
  const NoisePrior& prior = m.options.noise_prior;
  Common a = common_of(m, {m.hyper.lambda_g, m.hyper.lambda_t, m.hyper.lambda_m, prior.alpha,
                           prior.beta, m.noise_variance, m.log_evidence});
  a.more = m.c;
  a.more.insert(a.more.end(), m.residuals.begin(), m.residuals.end());
  io::SafetensorsWriter writer;
  begin_model(writer, kIrregularFormat, kVersion, a.hash());
  writer.set("method", methods()[0]);
  writer.set("kernel_g", kernel_text(m.hyper.g));
  writer.set("kernel_t", kernel_text(m.hyper.t));
  writer.set("kernel_m", kernel_text(m.hyper.m));
  writer.set("noise", rule_name(m.options.noise));
  write_names(writer, saved.features, saved.card);
  add_common(writer, m, a);
  writer.add("c", m.c);
  writer.add("residuals", m.residuals);
  writer.write(path);
}

void write(const SavedAny& saved, const KrsfdModel& m, const std::string& path) {
  const KrsfdOptions& o = m.options;
  const Common a = common_of(
      m, {o.lambda, o.alpha, o.beta, o.zero_ratio_x, o.zero_ratio_t, m.threshold_x, m.threshold_t,
          m.noise_variance, o.solver.tolerance, static_cast<double>(o.solver.max_iterations),
          o.compat ? 1.0 : 0.0, o.compat_tolerance, static_cast<double>(o.compat_iterations),
          static_cast<double>(m.report.iterations), m.report.relative_residual,
          m.report.converged ? 1.0 : 0.0});
  io::SafetensorsWriter writer;
  begin_model(writer, kIrregularFormat, kVersion, a.hash());
  writer.set("method", methods()[1]);
  writer.set("kernel_g", kernel_text({o.kernel_x, {o.sigma_x}}));
  writer.set("kernel_t", kernel_text({o.kernel_t, {o.sigma_t}}));
  write_names(writer, saved.features, saved.card);
  add_common(writer, m, a);
  writer.write(path);
}

/// Reads what both kinds have into a model, and checks how it fits together.
template <class M>
Common read_common(const SafetensorsFile& file, M& m, std::int64_t numbers) {
  const auto [curves, features] = matrix_shape(file, "x");
  const auto [points, dimensions] = matrix_shape(file, "grid");
  const auto [n, also_dimensions] = matrix_shape(file, "t");
  if (also_dimensions != dimensions)
    file.refuse("its points t and those of its grid have not as many coordinates");
  m.curves = curves;
  m.features = features;
  m.grid_points = points;
  m.dimensions = dimensions;
  m.x = file.values<double>("x", {curves, features});
  m.grid = file.values<double>("grid", {points, dimensions});
  m.theta = file.values<double>("theta", {curves, points});
  m.t = file.values<double>("t", {n, dimensions});
  m.y = file.values<double>("y", {n});
  m.first = file.values<std::int64_t>("first", {curves + 1});
  Common a = common_of(m, file.values<double>("numbers", {numbers}));
  for (const auto& [name, values] : {std::pair{"x", &a.x},
                                     {"grid", &a.grid},
                                     {"theta", &a.theta},
                                     {"t", &a.t},
                                     {"y", &a.y},
                                     {"numbers", &a.numbers}})
    require_finite(file, name, *values);
  bool ascending = a.first.front() == 0 && a.first.back() == n;
  for (std::size_t i = 1; i < a.first.size(); ++i) ascending &= a.first[i - 1] < a.first[i];
  if (!ascending) file.refuse("its curves do not share its observations among them");
  return a;
}

void check_hash(const SafetensorsFile& file, const Common& a) {
  if (a.hash() != file.required_text("hash"))
    file.refuse("its numbers are not those that were written: the file is damaged");
}

/// Turns what a check of options throws into a refusal of the file.
template <class F>
void checked(const SafetensorsFile& file, double noise_variance, const F& check_all) {
  if (!(noise_variance > 0)) file.refuse("its variance of the noise is not above 0");
  try {
    check_all();
  } catch (const Error& error) {
    file.refuse(error.what());
  }
}

IrregularModel read_krfd(const SafetensorsFile& file, const ModelTexts& texts) {
  IrregularModel m;
  Common a = read_common(file, m, 7);
  m.c = file.values<double>("c", {m.curves});
  m.residuals = file.values<double>("residuals", {std::ssize(m.y)});
  a.more = m.c;
  a.more.insert(a.more.end(), m.residuals.begin(), m.residuals.end());
  require_finite(file, "c", m.c);
  require_finite(file, "residuals", m.residuals);
  check_hash(file, a);
  m.hyper = {texts.kernel("kernel_g"),
             texts.kernel("kernel_t"),
             texts.kernel("kernel_m"),
             a.numbers[0],
             a.numbers[1],
             a.numbers[2]};
  m.options = {{a.numbers[3], a.numbers[4]}, texts.rule()};
  m.noise_variance = a.numbers[5];
  m.log_evidence = a.numbers[6];
  checked(file, m.noise_variance, [&] {
    check(m.hyper, m.features, m.dimensions);
    check(m.options.noise_prior);
  });
  return m;
}

KrsfdModel read_krsfd(const SafetensorsFile& file, const ModelTexts& texts) {
  KrsfdModel m;
  const Common a = read_common(file, m, 16);
  check_hash(file, a);
  const Kernel of_x = texts.kernel("kernel_g"), of_t = texts.kernel("kernel_t");
  if (of_x.length_scales.size() != 1 || of_t.length_scales.size() != 1)
    file.refuse("its kernels have not one length scale each");
  constexpr double kMost = 1e9;
  for (const std::size_t count : {9, 12, 13})
    if (!(a.numbers[count] >= 0 && a.numbers[count] <= kMost))
      file.refuse("its numbers of iterations make no sense");
  KrsfdOptions& o = m.options;
  o.kernel_x = of_x.kind;
  o.kernel_t = of_t.kind;
  o.sigma_x = of_x.length_scales[0];
  o.sigma_t = of_t.length_scales[0];
  o.lambda = a.numbers[0];
  o.alpha = a.numbers[1];
  o.beta = a.numbers[2];
  o.zero_ratio_x = a.numbers[3];
  o.zero_ratio_t = a.numbers[4];
  m.threshold_x = a.numbers[5];
  m.threshold_t = a.numbers[6];
  m.noise_variance = a.numbers[7];
  o.solver = {a.numbers[8], static_cast<int>(a.numbers[9])};
  o.compat = a.numbers[10] != 0;
  o.compat_tolerance = a.numbers[11];
  o.compat_iterations = static_cast<int>(a.numbers[12]);
  m.report = {static_cast<int>(a.numbers[13]), a.numbers[14], a.numbers[15] != 0};
  checked(file, m.noise_variance, [&] { check_options(o); });
  return m;
}

}  // namespace

void write_any_model(const SavedAny& saved, const std::string& path) {
  const ModelShape shape = shape_of(saved.model);
  if (!saved.features.empty() && std::ssize(saved.features) != shape.features)
    fail(Errc::invalid_argument, "{} names were given for {} features", saved.features.size(),
         shape.features);
  if (const auto* common = std::get_if<Model>(&saved.model))
    write_model({*common, saved.features, saved.card}, path);
  else if (const auto* krfd = std::get_if<IrregularModel>(&saved.model))
    write(saved, *krfd, path);
  else
    write(saved, std::get<KrsfdModel>(saved.model), path);
}

SavedAny read_any_model(const std::string& path) {
  const SafetensorsFile file(path);
  const ModelTexts texts(file);
  if (!texts.is(kIrregularFormat)) {
    SavedModel saved = read_model(path);
    return {std::move(saved.model), std::move(saved.features), std::move(saved.card)};
  }
  texts.check_format(kIrregularFormat, kVersion);
  SavedAny saved = texts.choice("method", methods()) == 0
                       ? SavedAny{read_krfd(file, texts), {}, {}}
                       : SavedAny{read_krsfd(file, texts), {}, {}};
  saved.features = texts.features(shape_of(saved.model).features);
  saved.card = texts.card();
  return saved;
}

}  // namespace kronite::krfd
