// ONNX files: their first fields by hand, and what is refused. That they compute the right
// probabilities is checked with ONNX Runtime, where it is, by tests/cli/model_test.py.
#include "learn/onnx.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "kronite/error.hpp"

namespace kronite::learn {
namespace {

/// p = sigmoid of one logit.
Ensemble one_layer(std::int64_t units) {
  DenseLayer layer{1, units, {}, {}, Activation::none};
  for (std::int64_t u = 0; u < units; ++u) {
    layer.weight.push_back(0.25F + static_cast<float>(u));
    layer.bias.push_back(0.5F - 2.0F * static_cast<float>(u));
  }
  return {{{{layer}}}};
}

std::string raw(float value) { return {reinterpret_cast<const char*>(&value), sizeof value}; }

/// A field of raw_data (9, with a length) of four bytes.
std::string raw_data(float value) { return "\x4A\x04" + raw(value); }

TEST(Onnx, BeginsWithTheVersionsAndEndsWithTheOperatorSetAndTheTexts) {
  const std::string file = to_onnx(one_layer(1), {2}, {{"licence", "CC0"}});

  // Field 1: IR version 7; field 2: the producer's name, seven letters.
  EXPECT_EQ(file.substr(0, 11), std::string("\x08\x07\x12\x07kronite"));
  // Field 8: domain "", version 13; field 14: key and value.
  const std::string end =
      std::string("\x42\x04\x0A\x00\x10\x0D", 6) + std::string(
                                                       "\x72\x0E\x0A\x07licence\x12\x03"
                                                       "CC0");
  EXPECT_EQ(file.substr(file.size() - end.size()), end);
}

TEST(Onnx, HoldsScaleWeightsAndBiases) {
  const std::string file = to_onnx(one_layer(1), {3}, {});

  EXPECT_NE(file.find(raw_data(3)), std::string::npos);
  EXPECT_NE(file.find(raw_data(0.25F)), std::string::npos);
  EXPECT_NE(file.find(raw_data(0.5F)), std::string::npos);
}

TEST(Onnx, MakesOneLogitOfTwo) {
  const std::string file = to_onnx(one_layer(2), {1}, {});

  // Weights 1.25 - 0.25 and biases -1.5 - 0.5: alike minus unlike.
  EXPECT_NE(file.find(raw_data(-2)), std::string::npos);
  EXPECT_EQ(file.find(raw(1.25F)), std::string::npos);
}

TEST(Onnx, RefusesWhatItCannotHold) {
  EXPECT_THROW(to_onnx({}, {}, {}), Error);
  EXPECT_THROW(to_onnx(one_layer(1), {1, 2}, {}), Error);
  EXPECT_THROW(to_onnx(one_layer(1), {1e39}, {}), Error);
}

}  // namespace
}  // namespace kronite::learn
