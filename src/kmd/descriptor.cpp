// Descriptors: settings as chosen, H with its condition, names, and the forward map.
#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <utility>

#include "base/fail.hpp"          // for fail
#include "base/hash.hpp"          // for ContentHash
#include "base/parallel.hpp"      // for tiles_of
#include "base/printable.hpp"     // for printable
#include "base/side_by_side.hpp"  // for side_by_side, require_devices
#include "device/backend.hpp"     // for Backend
#include "device/scratch.hpp"     // for Scratch
#include "kmd/condition.hpp"      // for condition_of
#include "kmd/kernel_matrix.hpp"  // for grid_matrix, joint_matrix
#include "kronite/kmd.hpp"

namespace kronite::kmd {
namespace {

constexpr std::int64_t kLargestGrid = 10000;
/// Rows that are on a device at a time at most.
constexpr std::int64_t kTileRows = 1 << 16;

void check_settings(const Settings& settings) {
  if (!(settings.sigma >= 0) || !std::isfinite(settings.sigma))
    fail(Errc::invalid_argument, "sigma is {}, where a length above 0 is expected, or 0 to choose",
         settings.sigma);
  if (!(settings.most_condition >= 1))
    fail(Errc::invalid_argument, "no matrix has a condition of {}: 1 is the least",
         settings.most_condition);
  if (settings.layout == Layout::joint && settings.n_grids != 0)
    fail(Errc::invalid_argument,
         "n_grids is {}, but the joint layout has no grids: the components are its points",
         settings.n_grids);
  if (settings.layout == Layout::grid &&
      (settings.n_grids < 0 || settings.n_grids == 1 || settings.n_grids > kLargestGrid))
    fail(Errc::invalid_argument, "n_grids is {}, where 2 to {} are possible, or 0 to choose",
         settings.n_grids, kLargestGrid);
}

std::int64_t chosen_grids(const Components& components, const Settings& settings) {
  const std::int64_t n_grids = fewest_grids(components, settings, 2, settings.most_condition);
  if (n_grids != 0) return n_grids;
  if (const auto [one, other] = equal_components(components); !one.empty())
    fail(Errc::invalid_argument,
         "the components {} and {} are equal: no n_grids tells them apart; give n_grids, or leave "
         "one of them out",
         printable(one), printable(other));
  fail(Errc::invalid_argument,
       "no n_grids up to {} gives {} components full rank and a condition of at most {:g}: ask for "
       "less, or give n_grids",
       kMostGrids, components.size(), settings.most_condition);
}

/// Numbers as short as they may be with none like its neighbour.
std::vector<std::string> distinct_numbers(const std::vector<double>& ascending) {
  for (int digits = 6;; ++digits) {
    std::vector<std::string> texts;
    for (const double number : ascending) texts.push_back(fmt::format("{:.{}g}", number, digits));
    if (digits == std::numeric_limits<double>::max_digits10 ||
        std::adjacent_find(texts.begin(), texts.end()) == texts.end())
      return texts;
  }
}

std::string hash_of(const Components& components, const Settings& settings) {
  ContentHash hash;
  hash.take(components.hash());
  hash.take(fmt::format("|{}|{}|{}|{}|{:.17g}", static_cast<int>(settings.layout),
                        static_cast<int>(settings.kernel), static_cast<int>(settings.scaling),
                        settings.n_grids, settings.sigma));
  return hash.hex();
}

/// The rows of `weights` from `begin` on, as many as `out` has; neither is empty.
void mix(Device& device, MatrixView<const double> h, const Weights& weights, std::int64_t begin,
         MatrixView<double> out) {
  Backend& backend = device.backend();
  const Place there = backend.place();
  const auto entries_of = [&](std::int64_t from, std::int64_t count) {
    return weights.first[from + count] - weights.first[from];
  };
  if (there == Place{}) {
    const std::int64_t entry = weights.first[begin], entries = entries_of(begin, out.rows);
    backend.mixtures().mix_rows({{weights.first.data() + begin, out.rows + 1},
                                 {weights.component.data() + entry, entries},
                                 {weights.weight.data() + entry, entries}},
                                h, out);
    return;
  }
  const std::int64_t width = h.cols;
  const Scratch<double> h_there(backend, h.rows, width);
  const auto put = [&](void* to, const void* from, std::int64_t bytes) {
    backend.copy(to, there, from, Place{}, static_cast<std::size_t>(bytes));
  };
  put(h_there.data(), h.data, 8 * h.rows * width);
  const std::int64_t row_bytes = 8 * width + 12 * h.rows + 8;
  const auto room =
      static_cast<std::int64_t>((backend.memory_limit() - backend.memory_in_use()) / 2) / row_bytes;
  const std::int64_t tile = std::max<std::int64_t>(1, std::min({room, kTileRows, out.rows}));
  const Scratch<double> result(backend, tile, width);
  for (std::int64_t done = 0; done < out.rows; done += tile) {
    const std::int64_t count = std::min(tile, out.rows - done), row = begin + done;
    const std::int64_t entry = weights.first[row], entries = entries_of(row, count);
    const Scratch<std::int64_t> first(backend, count + 1);
    const Scratch<std::int32_t> component(backend, entries);
    const Scratch<double> weight(backend, entries);
    put(first.data(), &weights.first[row], 8 * (count + 1));
    put(component.data(), weights.component.data() + entry, 4 * entries);
    put(weight.data(), weights.weight.data() + entry, 8 * entries);
    const MatrixView<double> part = result.matrix().rows_from(0, count);
    backend.mixtures().mix_rows({first.vector(), component.vector(), weight.vector()},
                                h_there.matrix(), part);
    for (std::int64_t i = 0; i < (out.ld == width ? 1 : count); ++i)
      backend.copy(
          out.row(done + i), Place{}, part.row(i), there,
          static_cast<std::size_t>(out.ld == width ? count * width : width) * sizeof(double));
    backend.synchronize();
  }
}

/// Rows in a part of a job on several devices: each gets some parts, if they are not too small.
std::int64_t rows_in_part(std::int64_t rows, std::size_t devices) {
  if (devices == 1) return std::max<std::int64_t>(1, rows);
  constexpr std::int64_t kPartsPerDevice = 4, kFewest = 256;
  return std::max(kFewest, tiles_of(rows, kPartsPerDevice * static_cast<std::int64_t>(devices)));
}

void transform_on(std::span<Device> devices, MatrixView<const double> h, const Weights& weights,
                  MatrixView<double> out) {
  require_devices(devices.size());
  if (weights.components != h.rows)
    fail(Errc::invalid_argument, "the weights are of {} components, the descriptor has {}",
         weights.components, h.rows);
  weights.check();
  if (out.rows != weights.rows() || out.cols != h.cols || out.place != Place{})
    fail(Errc::invalid_argument,
         "a host matrix of {} x {} values is expected for the descriptors, not {} x {}",
         weights.rows(), h.cols, out.rows, out.cols);
  const std::int64_t rows = rows_in_part(out.rows, devices.size());
  side_by_side(devices.size(), tiles_of(out.rows, rows), [&](const Part& part) {
    const std::int64_t begin = part.number() * rows;
    mix(devices[part.worker()], h, weights, begin,
        out.rows_from(begin, std::min(rows, out.rows - begin)));
  });
}

}  // namespace

Descriptor::Descriptor(Components components, const Settings& settings)
    : components_(std::move(components)), settings_(settings) {
  check_settings(settings_);
  components_.check();
  if (components_.size() < 2)
    fail(Errc::invalid_argument, "a descriptor needs two components at least, and there is only {}",
         printable(components_.names.front()));
  check_features(components_);
  const bool grid = settings_.layout == Layout::grid;
  if (settings_.scaling == Scaling::automatic)
    settings_.scaling = grid ? Scaling::min_max : Scaling::z_score;
  if (grid) {
    if (settings_.n_grids == 0) settings_.n_grids = chosen_grids(components_, settings_);
    width_ = static_cast<std::int64_t>(components_.features.size()) * settings_.n_grids;
    h_ = grid_matrix(components_, settings_, settings_.n_grids);
  } else {
    if (settings_.sigma == 0) settings_.sigma = joint_length_scale(components_, settings_);
    width_ = components_.size();
    h_ = joint_matrix(components_, settings_);
  }
  condition_ = condition_of(h());
  hash_ = hash_of(components_, settings_);
}

std::vector<std::string> Descriptor::names() const {
  if (settings_.layout == Layout::joint) return components_.names;
  const Ranges ranges = ranges_of(components_);
  std::vector<std::string> names;
  for (std::size_t f = 0; f < components_.features.size(); ++f) {
    std::vector<double> points;
    for (std::int64_t j = 0; j < settings_.n_grids; ++j)
      points.push_back(ranges.low[f] + (ranges.high[f] - ranges.low[f]) * static_cast<double>(j) /
                                           static_cast<double>(settings_.n_grids - 1));
    for (const std::string& point : distinct_numbers(points))
      names.push_back(components_.features[f] + "@" + point);
  }
  return names;
}

void Descriptor::transform(Device& device, const Weights& weights, MatrixView<double> out) const {
  transform_on({&device, 1}, h(), weights, out);
}

void Descriptor::transform(std::vector<Device>& devices, const Weights& weights,
                           MatrixView<double> out) const {
  transform_on(devices, h(), weights, out);
}

}  // namespace kronite::kmd
