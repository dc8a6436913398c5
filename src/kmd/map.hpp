// Maps of compositions: the first two principal components of their descriptors, coloured by a
// property.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kmd/file_settings.hpp"  // for Kind
#include "kronite/device.hpp"     // for Device
#include "kronite/kmd.hpp"        // for Settings, Weights
#include "math/pca.hpp"           // for Pca

namespace kronite::kmd {

struct MapSettings {
  std::string title;
  Kind descriptor = Kind::kernel_mean;
  Settings settings;  ///< of kernel means
  /// Whether columns are divided by their standard deviations; by default those of statistics are,
  /// which differ in their units.
  std::optional<bool> standardise;
  std::string column;  ///< of the property; empty: no colours
  std::string label;   ///< of the colours; empty: the column's name
  double low, high;    ///< ends of the colours; NaN: of the data

  MapSettings();
  bool standardised() const { return standardise.value_or(descriptor == Kind::statistics); }
};

/// Settings as TOML (docs/formats.md). @throws Error io; parse, naming file and line.
MapSettings read_map_config(const std::string& path);
/// Of a text; `name` stands for the file in messages.
MapSettings parse_map_config(std::string_view text, const std::string& name);

/// What is put on a map.
struct MapData {
  std::vector<std::string> names;
  Weights weights;
  std::vector<double> values;  ///< of the property, NaN where there is none
};

struct Map {
  math::Pca pca;
  std::vector<double> scores;  ///< n x 2
};

/// Called with how many rows are done, of all passes together; false stops with Error cancelled.
using MapProgress = std::function<bool(long long done, long long total)>;

/// @throws Error invalid_argument for fewer than two rows; cancelled; numerical.
Map make_map(Device& device, const MapData& data, const Components& components,
             const MapSettings& settings, const MapProgress& progress = {});

/// The whole picture; names are written beside the points where there are few.
std::string map_svg(const MapData& data, const Map& map, const MapSettings& settings);

}  // namespace kronite::kmd
