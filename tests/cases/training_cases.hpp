// Cases of training steps on one batch, for tests and benches.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "device/ops.hpp"      // for HiddenView
#include "support/matrix.hpp"  // for HostMatrix

namespace kronite::test {

/// One hidden layer on one batch.
struct HiddenCase {
  std::string name;
  std::int64_t rows, units;
  bool batch_norm = true;
  double dropout = 0;
  std::int64_t pad = 0;
};

/// The batch and layers of the networks of 2024.
inline HiddenCase published_hidden() { return {"the hidden layers of 2024", 1024, 400, true, 0.2}; }

inline std::vector<HiddenCase> hidden_cases() {
  std::vector<HiddenCase> cases{
      published_hidden(),
      {"the hidden layers of 2022", 1024, 50, false, 0.1},
      {"one value", 1, 1},
      {"one row", 1, 45, true, 0.2},
      {"one row without normalisation", 1, 33, false, 0.2},
      {"nearly all dropped", 40, 20, true, 0.9},
      {"with strides", 77, 41, true, 0.2, 7},
      {"with strides, without normalisation", 77, 41, false, 0.2, 7},
      {"no normalisation, no dropout", 50, 70, false, 0},
  };
  // Around vectors, the blocks of dropout and of columns (32) and the chunks of sums.
  for (const std::int64_t units : {7, 8, 9, 31, 32, 33, 64})
    cases.push_back({std::to_string(units) + " units", 20, units, true, 0.2});
  for (const std::int64_t rows : {2, 3, 5, 31, 33, 63, 64, 65, 127, 129, 1300})
    cases.push_back({std::to_string(rows) + " rows", rows, 12, true, 0.2});
  return cases;
}

/// Values of one case on the host: z and dL/dy of a batch, gamma and beta of the layer.
template <class T>
struct HiddenInputs {
  HostMatrix<T> z, gradient, gamma, beta;
  DropoutKey key{0x0123456789ABCDEF, 17, 2};

  explicit HiddenInputs(const HiddenCase& c)
      : z(random_matrix<T>(1, c.rows, c.units, c.pad)),
        gradient(random_matrix<T>(2, c.rows, c.units, c.pad)),
        gamma(random_matrix<T>(3, 1, c.units)),
        beta(random_matrix<T>(4, 1, c.units, 0, 0.3)) {}
};

/// The same on a device, with room for the results.
template <class T>
struct DeviceHidden {
  DeviceMatrix<T> z, gradient, gamma, beta, y, mean, variance, d_gamma, d_beta;
  HiddenView<T> view;

  DeviceHidden(Device& device, const HiddenCase& c, const HiddenInputs<T>& in)
      : z(device, in.z),
        gradient(device, in.gradient),
        gamma(device, in.gamma),
        beta(device, in.beta),
        y(device, HostMatrix<T>(c.rows, c.units, c.pad)),
        mean(device, HostMatrix<T>(1, c.units)),
        variance(device, HostMatrix<T>(1, c.units)),
        d_gamma(device, HostMatrix<T>(1, c.units)),
        d_beta(device, HostMatrix<T>(1, c.units)) {
    if (c.batch_norm) view.gamma = gamma.vector();
    view.beta = beta.vector();
    view.dropout = c.dropout;
    view.key = in.key;
  }
};

}  // namespace kronite::test
