// Cases of training steps on one batch, for tests and benches.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "device/backend.hpp"  // for training
#include "device/ops.hpp"      // for HiddenView, Relation
#include "support/matrix.hpp"  // for HostMatrix
#include "support/random.hpp"  // for random_indices

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

/// Outputs of a batch and what they should have been.
struct RowLossCase {
  std::string name;
  std::int64_t rows, outputs;
  std::int64_t pad = 0;
};

inline std::vector<RowLossCase> row_loss_cases() {
  std::vector<RowLossCase> cases{{"formation energies", 512, 1},
                                 {"three classes", 512, 3},
                                 {"one value", 1, 1},
                                 {"many outputs", 33, 70},
                                 {"with strides", 77, 5, 3}};
  // Around the tiles of the CPU and the blocks of the GPU (256 rows).
  for (const std::int64_t rows : {255, 256, 257})
    cases.push_back({std::to_string(rows) + " rows", rows, 4});
  return cases;
}

/// Values of one case on the host: outputs without their bias, targets, classes and their weights.
template <class T>
struct RowLossInputs {
  static constexpr T kShare = static_cast<T>(0.125);
  HostMatrix<T> outputs, bias, target, weight;
  std::vector<std::int32_t> classes;

  explicit RowLossInputs(const RowLossCase& c)
      : outputs(random_matrix<T>(1, c.rows, c.outputs, c.pad, 3.0)),
        bias(random_matrix<T>(2, 1, c.outputs)),
        target(random_matrix<T>(3, c.rows, c.outputs, c.pad == 0 ? 0 : c.pad + 1, 2.0)),
        weight(random_matrix<T>(4, 1, c.outputs)),
        classes(random_indices(5, c.rows, c.outputs)) {
    weight.fill([&](std::int64_t, std::int64_t u) { return T{1.5} + weight.at(0, u); });
  }
  double shifted(std::int64_t n, std::int64_t u) const {
    return outputs.at(n, u) + static_cast<double>(bias.at(0, u));
  }
};

/// The same on a device, with room for the results.
template <class T>
struct DeviceRowLoss {
  DeviceMatrix<T> outputs, bias, target, weight, loss, gradient;
  Array<std::int32_t> classes;

  DeviceRowLoss(Device& device, const RowLossInputs<T>& in)
      : outputs(device, in.outputs),
        bias(device, in.bias),
        target(device, in.target),
        weight(device, in.weight),
        loss(device, HostMatrix<T>(in.outputs.rows, 1)),
        gradient(device, HostMatrix<T>(in.outputs.rows, in.outputs.cols, 2)),
        classes(device, in.classes, in.outputs.rows, 1) {}

  void classify(Device& device, bool weighted) {
    kronite::training<T>(device).class_loss(
        bias.vector(), weighted ? weight.vector() : VectorView<T>(),
        std::as_const(classes).vector(), RowLossInputs<T>::kShare, outputs.view(), loss.vector(),
        gradient.view());
  }
  void regress(Device& device, const ValueLoss& how) {
    kronite::training<T>(device).value_loss(how, bias.vector(), target.view(),
                                            RowLossInputs<T>::kShare, outputs.view(), loss.vector(),
                                            gradient.view());
  }
};

/// Queries with a list of candidates each.
struct ListCase {
  std::string name;
  std::int64_t rows, candidates;
  bool bias = true;
  std::int64_t pad = 0;
};

inline std::vector<ListCase> list_cases() {
  std::vector<ListCase> cases{{"real work", 256, 3000},
                              {"one candidate", 3, 1},
                              {"no candidates", 4, 0},
                              {"without a bias", 9, 20, false},
                              {"with strides", 9, 20, true, 3}};
  // Around the blocks of the GPU (128) and the tiles of the CPU (8 rows).
  for (const std::int64_t candidates : {127, 128, 129, 300})
    cases.push_back({std::to_string(candidates) + " candidates", 7, candidates});
  for (const std::int64_t rows : {8, 9}) cases.push_back({std::to_string(rows) + " rows", rows, 5});
  return cases;
}

/// Squared distances, logits and relations of one case on the host. A few rows have no alike
/// candidate.
template <class T>
struct ListInputs {
  static constexpr T kShare = static_cast<T>(0.125);
  HostMatrix<T> distances, bias, none;
  std::vector<std::uint8_t> relation;
  bool with_bias;

  explicit ListInputs(const ListCase& c)
      : distances(random_matrix<T>(1, c.rows, c.candidates, c.pad, 5)),
        bias(random_matrix<T>(2, 1, c.candidates)),
        none(random_matrix<T>(3, 1, c.rows, 0, 4)),
        with_bias(c.bias) {
    distances.fill([&](std::int64_t i, std::int64_t j) { return distances.at(i, j) + T{5}; });
    for (const std::int32_t r : random_indices(4, c.rows * c.candidates, 4))
      relation.push_back(static_cast<std::uint8_t>(r % 3));
    for (std::int64_t i = 2; i < c.rows; i += 5)
      for (std::int64_t j = 0; j < c.candidates; ++j)
        if (relation_of(i, j) == Relation::alike)
          relation[static_cast<std::size_t>(i * c.candidates + j)] = 0;
  }
  Relation relation_of(std::int64_t i, std::int64_t j) const {
    return static_cast<Relation>(relation[static_cast<std::size_t>(i * distances.cols + j)]);
  }
};

/// The same on a device, with room for the results; distances become gradients.
template <class T>
struct DeviceList {
  DeviceMatrix<T> distances, bias, none, loss, none_gradient;
  Array<std::uint8_t> relation;
  bool with_bias;

  DeviceList(Device& device, const ListInputs<T>& in)
      : distances(device, in.distances),
        bias(device, in.bias),
        none(device, in.none),
        loss(device, HostMatrix<T>(in.distances.rows, 1)),
        none_gradient(device, HostMatrix<T>(in.distances.rows, 1)),
        relation(device, in.relation, in.distances.rows, in.distances.cols),
        with_bias(in.with_bias) {}

  void run(Device& device) {
    kronite::training<T>(device).list_loss(
        with_bias ? bias.vector() : VectorView<T>(), none.vector(), std::as_const(relation).view(),
        ListInputs<T>::kShare, distances.view(), loss.vector(), none_gradient.vector());
  }
};

}  // namespace kronite::test
