// Logarithms of hyper-parameters, and starts drawn around what the data suggest.
#include "krfd/hyper_numbers.hpp"

#include <algorithm>
#include <cmath>

#include "math/random.hpp"  // for Random

namespace kronite::krfd {
namespace {

/// f(number) for the lambdas, then for every length scale.
template <class Hyper, class F>
void for_each_number(Hyper& hyper, const F& f) {
  f(hyper.lambda_g);
  f(hyper.lambda_t);
  f(hyper.lambda_m);
  for (auto* kernel : {&hyper.g, &hyper.t, &hyper.m})
    for (auto& length : kernel->length_scales) f(length);
}

}  // namespace

std::vector<double> logarithms_of(const Hyperparameters& hyper) {
  std::vector<double> logarithms;
  for_each_number(hyper, [&](double value) { logarithms.push_back(std::log(value)); });
  return logarithms;
}

Hyperparameters with_logarithms(Hyperparameters hyper, const std::vector<double>& logarithms) {
  auto next = logarithms.begin();
  for_each_number(hyper, [&](double& value) { value = std::exp(*next++); });
  return hyper;
}

double typical_distance(MatrixView<const double> x) {
  constexpr std::int64_t kMost = 100;
  const std::int64_t step = std::max<std::int64_t>(1, x.rows / kMost);
  std::vector<double> distances;
  for (std::int64_t i = 0; i < x.rows; i += step)
    for (std::int64_t j = 0; j < i; j += step) {
      double squares = 0;
      for (std::int64_t k = 0; k < x.cols; ++k)
        squares += (x.row(i)[k] - x.row(j)[k]) * (x.row(i)[k] - x.row(j)[k]);
      if (squares > 0) distances.push_back(std::sqrt(squares));
    }
  if (distances.empty()) return 1;
  const auto middle = distances.begin() + static_cast<std::ptrdiff_t>(distances.size() / 2);
  std::nth_element(distances.begin(), middle, distances.end());
  return *middle;
}

void set_length(Kernel& kernel, double length, std::int64_t columns) {
  const bool each_column = kernel.length_scales.size() > 1;
  const double shared = each_column ? std::sqrt(static_cast<double>(columns)) : 1;
  for (double& value : kernel.length_scales) value = length * shared;
}

Hyperparameters drawn_start(Hyperparameters hyper, const DataScales& scales, std::uint64_t seed,
                            std::uint64_t number) {
  math::Random random(seed, number);
  const auto stretch = [&](Kernel& kernel, double typical, std::int64_t columns) {
    set_length(kernel, typical * std::exp(random.normal()) / 2, columns);
  };
  stretch(hyper.g, scales.of_x, scales.features);
  stretch(hyper.m, 4 * scales.of_x, scales.features);
  stretch(hyper.t, scales.of_t, scales.coordinates);
  for (double* lambda : {&hyper.lambda_g, &hyper.lambda_t, &hyper.lambda_m})
    *lambda = std::exp(random.uniform(std::log(1e-5), std::log(1e-1)));
  return hyper;
}

}  // namespace kronite::krfd
