// What the files of classifiers and of metrics have in common: format, networks, statistics, card.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/safetensors.hpp"    // for SafetensorsFile, SafetensorsWriter
#include "kronite/ensemble.hpp"  // for Network

namespace kronite::csp {

inline constexpr std::string_view kModelFormat = "kronite model";
inline constexpr std::string_view kMetricFormat = "kronite metric";

using Card = std::vector<std::pair<std::string, std::string>>;

/// Of a key of the card; empty when it is not there.
std::string value_of(const Card& card, const std::string& key);
/// @throws Error invalid_argument for a key that is empty or there twice.
void check_card(const Card& card);
/// @throws Error invalid_argument for numbers that are not usable, or no element table.
void check_statistics(const std::vector<double>& mean, const std::vector<double>& deviation,
                      double tau, const std::string& element_table);

/// Reads the parts of a file, or refuses it with Error corrupt.
class ModelParts {
 public:
  explicit ModelParts(const io::SafetensorsFile& file) : file_(file) {}

  /// What the file says that it is; empty where it does not.
  std::string_view format() const;
  void check_format(std::string_view format, int newest_version) const;
  double number(std::string_view key) const;
  /// Whether the network under that prefix, such as "members.0.", has a first layer.
  bool has_network(const std::string& prefix) const;
  Network network(const std::string& prefix);
  /// A network whose first layer is lost, or a layer too many, would go unnoticed.
  void refuse_leftovers() const;
  Card card() const;

 private:
  std::vector<Activation> activations(const std::string& prefix) const;

  const io::SafetensorsFile& file_;
  std::int64_t used_ = 0;  ///< tensors of networks
};

void add_network(io::SafetensorsWriter& writer, const std::string& prefix, const Network& network);
void add_card(io::SafetensorsWriter& writer, const Card& card);

}  // namespace kronite::csp
