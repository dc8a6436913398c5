// Weights of Keras: networks that compute what Keras computed (tests/golden/make_keras_golden.py).
#include "learn/keras.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "io/atomic_file.hpp"  // for write_file
#include "io/input.hpp"        // for read_file
#include "kronite/error.hpp"
#include "kronite/io.hpp"  // for read_npy
#include "support/temporary_folder.hpp"

namespace kronite::learn {
namespace {

std::string golden(const std::string& name) {
  return std::string(KRONITE_TEST_SOURCE) + "/golden/keras/" + name;
}

/// The definition, in double precision.
std::vector<double> outputs(const Network& network, std::vector<double> values) {
  for (const DenseLayer& layer : network.layers) {
    std::vector<double> next;
    for (std::int64_t u = 0; u < layer.units; ++u) {
      double sum = layer.bias[u];
      for (std::int64_t i = 0; i < layer.inputs; ++i)
        sum += double{layer.weight[u * layer.inputs + i]} * values[i];
      next.push_back(layer.activation == Activation::relu && sum < 0 ? 0 : sum);
    }
    values = next;
  }
  return values;
}

double probability(const Network& network, const std::vector<double>& values) {
  const std::vector<double> logits = outputs(network, values);
  return 1 / (1 + std::exp(logits[0] - logits[1]));
}

void expect_what_keras_computed(const Network& network, const std::string& expected) {
  const NpyMatrix differences = read_npy(golden("differences.npy"));
  const NpyMatrix p = read_npy(golden(expected));
  ASSERT_EQ(differences.rows, p.rows);
  for (std::int64_t i = 0; i < p.rows; ++i) {
    const auto row = differences.values.begin() + i * differences.cols;
    // Keras works in single precision, over three layers of at most six terms.
    EXPECT_NEAR(probability(network, {row, row + differences.cols}), p.values[i], 1e-5) << i;
  }
}

void expect_refused(const std::vector<WeightArray>& arrays, const std::string& reason) {
  try {
    network_from_keras(arrays, {}, "weights");
    ADD_FAILURE() << "accepted, expected: " << reason;
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::parse);
    EXPECT_NE(std::string(e.what()).find("weights: "), std::string::npos) << e.what();
    EXPECT_NE(std::string(e.what()).find(reason), std::string::npos) << e.what();
  }
}

class KerasFile : public testing::TestWithParam<const char*> {};

TEST_P(KerasFile, GivesTheProbabilitiesOfKeras) {
  std::vector<WeightArray> arrays;
  try {
    arrays = read_keras_weights(golden(GetParam()));
  } catch (const Error& e) {
    if (e.code() == Errc::unavailable) GTEST_SKIP() << e.what();
    throw;
  }

  const Network network = network_from_keras(arrays, {}, GetParam());

  ASSERT_EQ(network.layers.size(), 3u);
  EXPECT_EQ(network.layers[0].activation, Activation::relu);
  EXPECT_EQ(network.layers[2].activation, Activation::none);
  expect_what_keras_computed(network, "before_p.npy");
}

INSTANTIATE_TEST_SUITE_P(Layouts, KerasFile,
                         testing::Values("before.npz", "before.h5", "before.weights.h5",
                                         "before_keras2.h5"),
                         [](const auto& layout) {
                           std::string name = layout.param;
                           for (char& c : name)
                             if (c == '.') c = '_';
                           return name;
                         });

TEST(KerasNetwork, FoldsBatchNormalisationBehindTheActivationIntoTheNextLayer) {
  const Network network = network_from_keras(read_keras_weights(golden("after.npz")),
                                             {.normalised_after_activation = true}, "after.npz");

  expect_what_keras_computed(network, "after_p.npy");
}

TEST(KerasNetwork, TakesTheEpsilonThatItIsGiven) {
  const std::vector<WeightArray> arrays{{"kernel", {1, 1}, {2}}, {"gamma", {1}, {3}},
                                        {"beta", {1}, {5}},      {"mean", {1}, {1}},
                                        {"variance", {1}, {3}},  {"last", {1, 1}, {1}}};

  const Network network = network_from_keras(arrays, {.epsilon = 1}, "weights");

  // 3 (2 x - 1) / sqrt(3 + 1) + 5
  EXPECT_EQ(outputs(network, {4}), (std::vector<double>{15.5}));
}

TEST(KerasNetwork, FoldsBatchNormalisationOfTheInputs) {
  const std::vector<WeightArray> arrays{{"gamma", {2}, {2, 1}},      {"beta", {2}, {0, 1}},
                                        {"mean", {2}, {1, 0}},       {"variance", {2}, {0, 3}},
                                        {"kernel", {2, 1}, {1, 10}}, {"bias", {1}, {0.5}}};

  const Network network = network_from_keras(arrays, {.epsilon = 1}, "weights");

  // 2 (3 - 1) / 1 + 10 (4 / 2 + 1) + 0.5
  EXPECT_EQ(outputs(network, {3, 4}), (std::vector<double>{34.5}));
}

TEST(KerasNetwork, RefusesArraysThatAreNoSuchNetwork) {
  const WeightArray kernel{"kernel", {1, 2}, {1, 2}};
  const WeightArray vector{"vector", {2}, {1, 1}};

  expect_refused({}, "no weights of dense layers");
  expect_refused({vector}, "\"vector\" is no kernel");
  expect_refused({{"image", {1, 1, 1}, {1}}}, "\"image\" is no kernel");
  expect_refused({{"kernel", {1'000'000'000'000'000'000, 0}, {}}}, "\"kernel\" has no values");
  expect_refused({kernel, vector, vector}, "is followed by 2 vectors");
  expect_refused({kernel, {"bias", {3}, {1, 2, 3}}}, "has 3 values where 2 are expected");
  expect_refused({kernel, vector, kernel}, "takes 1 inputs where 2 come");
  expect_refused({{"kernel", {1, 1}, {std::nan("")}}},
                 "\"kernel\" holds a value that is not finite");
  expect_refused({kernel, vector, vector, vector, {"variance", {2}, {1, -1}}},
                 "\"variance\" is expected to be a variance");
}

TEST(KerasFiles, AreToldFromOthers) {
  const test::TemporaryFolder folder;
  const auto reason = [](const std::string& path) -> std::string {
    try {
      read_keras_weights(path);
    } catch (const Error& e) {
      return e.what();
    }
    return "nothing is wrong";
  };
  const std::string whole = io::read_file(golden("before.npz"));
  std::string archive = whole;
  for (std::size_t at; (at = archive.find("arr_10.npy")) != std::string::npos;)
    archive.replace(at, 10, "readme.txt");

  EXPECT_NE(reason(folder.write("a.h5", "GIF89a")).find("this is neither"), std::string::npos);
  EXPECT_NE(reason(folder.write("b.npz", archive)).find("this one also readme.txt"),
            std::string::npos);
  EXPECT_NE(reason(folder.path("absent.npz")).find("cannot read this file"), std::string::npos);
}

TEST(KerasFiles, InHdf5AreRefusedWhenTheyAreDamagedOrForeign) {
  const test::TemporaryFolder folder;
  const std::string whole = io::read_file(golden("before.weights.h5"));
  std::string foreign = whole;  // the group "layers" under another name
  for (std::size_t at; (at = foreign.find("layers")) != std::string::npos;)
    foreign.replace(at, 6, "leyers");
  const auto refusal = [](const std::string& path) {
    try {
      read_keras_weights(path);
    } catch (const Error& e) {
      return e;
    }
    return Error(Errc::ok, "nothing is wrong");
  };

  const Error damaged = refusal(folder.write("a.h5", whole.substr(0, whole.size() / 2)));
  if (damaged.code() == Errc::unavailable) GTEST_SKIP() << damaged.what();
  EXPECT_EQ(damaged.code(), Errc::parse) << damaged.what();
  const Error other = refusal(folder.write("b.h5", foreign));
  EXPECT_NE(std::string(other.what()).find("no weights of Keras"), std::string::npos)
      << other.what();
}

}  // namespace
}  // namespace kronite::learn
