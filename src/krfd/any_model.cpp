// Each question goes to the kind of model that is there.
#include "krfd/any_model.hpp"

#include <algorithm>
#include <cmath>

#include "krfd/krsfd_input.hpp"  // for sort_points
#include "math/random.hpp"       // for Random

namespace kronite::krfd {
namespace {

/// Noise of measurements is drawn from streams of its own, far from those of the functions.
constexpr std::uint64_t kNoiseStream = std::uint64_t{1} << 40;

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

KrsfdStdOptions std_options(Ask ask) {
  KrsfdStdOptions how;
  how.include_noise = ask.noise;
  return how;
}

MeanAndStd both(KrsfdPrediction prediction) {
  return {std::move(prediction.mean), std::move(prediction.std)};
}

/// A model of common points knows no points of curves: system by system.
MeanAndStd at_points_of(Device& device, const Model& model, MatrixView<const double> x,
                        const CurvePoints& points, bool bands, Ask ask) {
  const SortedPoints sorted = sort_points(points, x.rows);
  MeanAndStd out;
  out.mean.resize(sorted.curve.size());
  if (bands) out.std.resize(sorted.curve.size());
  PosteriorOptions how;
  how.noise = ask.noise;
  how.complete = ask.complete;
  for (std::int64_t i = 0; i < x.rows; ++i) {
    const std::int64_t begin = sorted.first[static_cast<std::size_t>(i)],
                       count = sorted.first[static_cast<std::size_t>(i) + 1] - begin;
    if (count == 0) continue;
    const MatrixView<const double> t{sorted.t.data() + begin * sorted.dimensions, count,
                                     sorted.dimensions};
    const auto put = [&](const std::vector<double>& values, std::vector<double>& to) {
      for (std::int64_t k = 0; k < count; ++k)
        to[static_cast<std::size_t>(sorted.place[static_cast<std::size_t>(begin + k)])] =
            values[static_cast<std::size_t>(k)];
    };
    put(model.mean(device, x.rows_from(i, 1), t), out.mean);
    if (bands) put(model.deviation(device, x.rows_from(i, 1), t, how), out.std);
  }
  return out;
}

}  // namespace

ModelShape shape_of(const AnyModel& model) {
  if (const auto* common = std::get_if<Model>(&model)) {
    const auto n = static_cast<double>(common->systems());
    return {common->systems(),     common->features(),
            common->coordinates(), common->systems() * common->points(),
            &common->t(),          &common->t(),
            common->sigma2(),      13 * n * n * n};
  }
  const auto of = [](const auto& m) -> ModelShape {
    const auto n = static_cast<double>(m.y.size());
    return {m.curves, m.features, m.dimensions,     static_cast<std::int64_t>(m.y.size()),
            &m.t,     &m.grid,    m.noise_variance, n * n * n / 3};
  };
  return std::holds_alternative<IrregularModel>(model) ? of(std::get<IrregularModel>(model))
                                                       : of(std::get<KrsfdModel>(model));
}

std::vector<double> mean_of(Device& device, const AnyModel& model, MatrixView<const double> x,
                            MatrixView<const double> t) {
  return std::visit(Overloaded{[&](const Model& m) { return m.mean(device, x, t); },
                               [&](const auto& m) { return m.predict(device, x, t); }},
                    model);
}

MeanAndStd band_of(Device& device, const AnyModel& model, MatrixView<const double> x,
                   MatrixView<const double> t, Ask ask) {
  return std::visit(
      Overloaded{
          [&](const Model& m) -> MeanAndStd {
            PosteriorOptions how;
            how.noise = ask.noise;
            how.complete = ask.complete;
            return {m.mean(device, x, t), m.deviation(device, x, t, how)};
          },
          [&](const IrregularModel& m) {
            return both(m.predict_std(device, x, t, {ask.noise, ask.complete}));
          },
          [&](const KrsfdModel& m) { return both(m.predict_std(device, x, t, std_options(ask))); }},
      model);
}

MeanAndStd at_points(Device& device, const AnyModel& model, MatrixView<const double> x,
                     const CurvePoints& points, bool bands, Ask ask) {
  return std::visit(
      Overloaded{[&](const Model& m) { return at_points_of(device, m, x, points, bands, ask); },
                 [&](const IrregularModel& m) -> MeanAndStd {
                   if (!bands) return {m.predict(device, x, points), {}};
                   return both(m.predict_std(device, x, points, {ask.noise, ask.complete}));
                 },
                 [&](const KrsfdModel& m) -> MeanAndStd {
                   if (!bands) return {m.predict(device, x, points), {}};
                   return both(m.predict_std(device, x, points, std_options(ask)));
                 }},
      model);
}

std::vector<double> draws_of(Device& device, const AnyModel& model, MatrixView<const double> x,
                             MatrixView<const double> t, const SampleOptions& options) {
  if (const auto* common = std::get_if<Model>(&model)) return common->sample(device, x, t, options);
  const auto of = [&](const auto& m) {
    return m.sample(device, x, t, options.count, options.seed, options.progress);
  };
  std::vector<double> values = std::holds_alternative<IrregularModel>(model)
                                   ? of(std::get<IrregularModel>(model))
                                   : of(std::get<KrsfdModel>(model));
  if (!options.posterior.noise) return values;
  const double sigma = std::sqrt(shape_of(model).sigma2);
  const std::size_t all = values.size() / static_cast<std::size_t>(options.count);
  for (std::size_t draw = 0; draw < static_cast<std::size_t>(options.count); ++draw) {
    math::Random random(options.seed, kNoiseStream + draw);
    for (std::size_t k = 0; k < all; ++k) values[draw * all + k] += sigma * random.normal();
  }
  return values;
}

}  // namespace kronite::krfd
