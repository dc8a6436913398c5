// Descriptors tile by tile through the principal components, and the picture.
#include "kmd/map.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/fail.hpp"              // for fail
#include "io/input.hpp"               // for read_file
#include "io/plot.hpp"                // for plot_svg
#include "io/toml_table.hpp"          // for TomlTable
#include "kmd/descriptor_config.hpp"  // for read_descriptor

namespace kronite::kmd {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kAxes = 2;
constexpr int kPasses = 3;  // over all rows: mean, covariance, scores

Weights part_of(const Weights& all, std::int64_t first, std::int64_t rows) {
  Weights part;
  part.components = all.components;
  const std::int64_t begin = all.first[first], end = all.first[first + rows];
  part.first.clear();
  for (std::int64_t i = first; i <= first + rows; ++i) part.first.push_back(all.first[i] - begin);
  part.component.assign(all.component.begin() + begin, all.component.begin() + end);
  part.weight.assign(all.weight.begin() + begin, all.weight.begin() + end);
  return part;
}

void read_colour(io::TomlTable table, MapSettings& map) {
  constexpr double kMost = 1e300;
  table.read("column", map.column);
  table.read("label", map.label);
  table.read("low", map.low, {-kMost, kMost});
  const std::string where = table.where("high");
  table.read("high", map.high, {-kMost, kMost});
  table.finish();
  if (map.low >= map.high)
    fail(Errc::parse, "{}: high is expected to be above low, {}", where, map.low);
}

}  // namespace

MapSettings::MapSettings() : low(kNaN), high(kNaN) {}

MapSettings parse_map_config(std::string_view text, const std::string& name) {
  io::TomlTable table = io::TomlTable::parse(text, name);
  MapSettings map;
  table.read("title", map.title);
  bool given = true, otherwise = false;  // equal once the key has set both
  table.read("standardise", given);
  table.read("standardise", otherwise);
  if (given == otherwise) map.standardise = given;
  io::TomlTable descriptor = table.table("descriptor");
  read_descriptor(descriptor, map.descriptor, map.settings);
  descriptor.finish();
  read_colour(table.table("colour"), map);
  table.finish();
  return map;
}

MapSettings read_map_config(const std::string& path) {
  return parse_map_config(io::read_file(path), path);
}

Map make_map(Device& device, const MapData& data, const Components& components,
             const MapSettings& settings, const MapProgress& progress) {
  std::optional<Descriptor> descriptor;
  if (settings.descriptor == Kind::kernel_mean) descriptor.emplace(components, settings.settings);
  const std::int64_t width =
      descriptor ? descriptor->width() : std::ssize(summary_names(components, false));
  long long done = 0;
  const math::Rows rows{data.weights.rows(), width,
                        [&](std::int64_t first, MatrixView<double> out) {
                          if (progress && !progress(done, kPasses * data.weights.rows()))
                            fail(Errc::cancelled, "stopped; nothing was written");
                          const Weights part = part_of(data.weights, first, out.rows);
                          if (descriptor)
                            descriptor->transform(device, part, out);
                          else
                            summary_statistics(part, components, false, out);
                          done += out.rows;
                        }};
  Map map;
  map.pca = math::fit_pca(device, rows, {kAxes, settings.standardised()});
  map.scores.resize(static_cast<std::size_t>(rows.rows * kAxes));
  math::project(device, map.pca, rows, {map.scores.data(), rows.rows, kAxes});
  return map;
}

std::string map_svg(const MapData& data, const Map& map, const MapSettings& settings) {
  constexpr std::size_t kNamed = 40;  // points that there is room to name
  io::Series points{"", io::Mark::cloud, 0, {}, {}, {}, {}};
  for (std::size_t i = 0; i < data.names.size(); ++i) {
    points.x.push_back(map.scores[2 * i]);
    points.y.push_back(map.scores[2 * i + 1]);
  }
  if (!settings.column.empty()) points.value = data.values;
  if (data.names.size() <= kNamed) points.names = data.names;
  io::Panel panel;
  const auto axis = [&](std::int64_t k) {
    return fmt::format("principal component {} ({:.1f} % of the variance)", k + 1,
                       100 * map.pca.explained(k));
  };
  panel.x.label = axis(0);
  panel.y.label = axis(1);
  panel.value = {settings.label.empty() ? settings.column : settings.label, settings.low,
                 settings.high};
  panel.series.push_back(std::move(points));
  io::Figure figure;
  figure.title = settings.title;
  figure.width = 560;
  figure.height = 440;
  figure.panels.push_back(std::move(panel));
  return io::plot_svg(figure);
}

}  // namespace kronite::kmd
