// ONNX files are protocol buffers: fields of a number, a kind and a value, messages inside
// messages. The numbers are those of onnx.proto (github.com/onnx/onnx).
#include "learn/onnx.hpp"

#include <cmath>
#include <cstdint>
#include <string_view>

#include "base/fail.hpp"        // for fail
#include "kronite/version.hpp"  // for KRONITE_VERSION

namespace kronite::learn {
namespace {

/// A protocol buffer message in the making.
class Message {
 public:
  Message& number(int field, std::uint64_t value) {
    put(static_cast<std::uint64_t>(field) << 3);
    put(value);
    return *this;
  }
  Message& text(int field, std::string_view value) {
    put(static_cast<std::uint64_t>(field) << 3 | 2);
    put(value.size());
    bytes_ += value;
    return *this;
  }
  Message& message(int field, const Message& value) { return text(field, value.bytes_); }
  const std::string& bytes() const { return bytes_; }

 private:
  /// Seven bits at a time, the lowest first.
  void put(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
    bytes_ += static_cast<char>(value);
  }

  std::string bytes_;
};

constexpr std::uint64_t kFloat = 1;  // TensorProto.DataType
constexpr std::uint64_t kInt = 2;    // AttributeProto.AttributeType
constexpr std::uint64_t kIrVersion = 7, kOpset = 13;

/// "n x columns float32" (ValueInfoProto).
Message value_info(std::string_view name, std::uint64_t columns) {
  Message shape;
  shape.message(1, Message().text(2, "n")).message(1, Message().number(1, columns));
  const Message tensor = Message().number(1, kFloat).message(2, shape);
  return Message().text(1, name).message(2, Message().message(1, tensor));
}

/// Nodes and weights (GraphProto), put together in the order of computation.
class Graph {
 public:
  /// Name of the tensor that holds these values.
  std::string constant(const std::string& name, const std::vector<float>& values,
                       const std::vector<std::int64_t>& shape) {
    Message tensor;
    for (const std::int64_t extent : shape) tensor.number(1, static_cast<std::uint64_t>(extent));
    const std::string_view raw(reinterpret_cast<const char*>(values.data()),
                               values.size() * sizeof(float));
    graph_.message(5, tensor.number(2, kFloat).text(8, name).text(9, raw));
    return name;
  }

  std::string node(std::string_view op, const std::vector<std::string>& inputs,
                   const std::string& output, std::string_view flag = {}) {
    Message node;
    for (const std::string& input : inputs) node.text(1, input);
    node.text(2, output).text(3, output).text(4, op);
    if (!flag.empty()) node.message(5, Message().text(1, flag).number(3, 1).number(20, kInt));
    graph_.message(1, node);
    return output;
  }

  Message finish(std::int64_t inputs) {
    graph_.text(2, "kronite");
    graph_.message(11, value_info("difference", static_cast<std::uint64_t>(inputs)));
    graph_.message(12, value_info("p", 1));
    return graph_;
  }

 private:
  Message graph_;
};

/// A last layer of two logits as one: their difference, whose sigmoid is the second one's softmax.
DenseLayer one_logit(const DenseLayer& last) {
  if (last.units == 1) return last;
  DenseLayer one{last.inputs, 1, {}, {last.bias[1] - last.bias[0]}, Activation::none};
  for (std::int64_t i = 0; i < last.inputs; ++i)
    one.weight.push_back(last.weight[last.inputs + i] - last.weight[i]);
  return one;
}

/// Probabilities by one network; the name of their tensor.
std::string add_network(Graph& graph, const Network& network, std::string values,
                        const std::string& name) {
  for (std::size_t k = 0; k < network.layers.size(); ++k) {
    const bool is_last = k + 1 == network.layers.size();
    const DenseLayer layer = is_last ? one_logit(network.layers[k]) : network.layers[k];
    const std::string layer_name = fmt::format("{}.{}", name, k);
    values = graph.node(
        "Gemm",
        {values, graph.constant(layer_name + ".weight", layer.weight, {layer.units, layer.inputs}),
         graph.constant(layer_name + ".bias", layer.bias, {layer.units})},
        layer_name, "transB");
    if (layer.activation == Activation::relu)
      values = graph.node("Relu", {values}, layer_name + ".relu");
  }
  return graph.node("Sigmoid", {values}, name + ".p");
}

}  // namespace

std::string to_onnx(const Ensemble& ensemble, const std::vector<double>& scale,
                    const std::vector<std::pair<std::string, std::string>>& texts) {
  ensemble.check();
  require(static_cast<std::int64_t>(scale.size()) == ensemble.inputs(),
          "to_onnx: one scale per input is expected");
  std::vector<float> factors;
  for (const double value : scale) {
    factors.push_back(static_cast<float>(value));
    if (!std::isfinite(factors.back()))
      fail(Errc::invalid_argument, "ONNX: the scale {} is beyond single precision", value);
  }
  Graph graph;
  const std::string input = graph.node(
      "Mul", {"difference", graph.constant("scale", factors, {ensemble.inputs()})}, "scaled");
  std::vector<std::string> probabilities;
  for (std::size_t m = 0; m < ensemble.members.size(); ++m)
    probabilities.push_back(
        add_network(graph, ensemble.members[m], input, fmt::format("member{}", m)));
  graph.node("Mean", probabilities, "p");

  Message model;
  model.number(1, kIrVersion).text(2, "kronite").text(3, KRONITE_VERSION);
  model.message(7, graph.finish(ensemble.inputs()));
  model.message(8, Message().text(1, "").number(2, kOpset));
  for (const auto& [key, value] : texts) model.message(14, Message().text(1, key).text(2, value));
  return model.bytes();
}

}  // namespace kronite::learn
