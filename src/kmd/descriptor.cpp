// Descriptors: settings as chosen, H with its condition, names, and the forward map.
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/fail.hpp"          // for fail
#include "base/hash.hpp"          // for ContentHash
#include "base/printable.hpp"     // for printable
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
  if (weights.components != components_.size())
    fail(Errc::invalid_argument, "the weights are of {} components, the descriptor has {}",
         weights.components, components_.size());
  weights.check();
  if (out.rows != weights.rows() || out.cols != width_ || out.place != Place{})
    fail(Errc::invalid_argument,
         "a host matrix of {} x {} values is expected for the descriptors, not {} x {}",
         weights.rows(), width_, out.rows, out.cols);
  if (out.rows == 0) return;
  Backend& backend = device.backend();
  const Place there = backend.place();
  if (there == Place{}) {
    const std::int64_t entries = std::ssize(weights.component);
    backend.mixtures().mix_rows({{weights.first.data(), std::ssize(weights.first)},
                                 {weights.component.data(), entries},
                                 {weights.weight.data(), entries}},
                                h(), out);
    return;
  }
  const Scratch<double> h_there(backend, components_.size(), width_);
  backend.copy(h_there.data(), there, h_.data(), Place{}, h_.size() * sizeof(double));
  const std::int64_t row_bytes = 8 * width_ + 12 * components_.size() + 8;
  const auto room =
      static_cast<std::int64_t>((backend.memory_limit() - backend.memory_in_use()) / 2) / row_bytes;
  const std::int64_t tile = std::max<std::int64_t>(1, std::min({room, kTileRows, out.rows}));
  const Scratch<double> result(backend, tile, width_);
  for (std::int64_t begin = 0; begin < out.rows; begin += tile) {
    const std::int64_t count = std::min(tile, out.rows - begin);
    const std::int64_t entry = weights.first[begin], entries = weights.first[begin + count] - entry;
    const Scratch<std::int64_t> first(backend, count + 1);
    const Scratch<std::int32_t> component(backend, entries);
    const Scratch<double> weight(backend, entries);
    const auto put = [&](void* to, const void* from, std::int64_t bytes) {
      backend.copy(to, there, from, Place{}, static_cast<std::size_t>(bytes));
    };
    put(first.data(), &weights.first[begin], 8 * (count + 1));
    put(component.data(), weights.component.data() + entry, 4 * entries);
    put(weight.data(), weights.weight.data() + entry, 8 * entries);
    const MatrixView<double> part = result.matrix().rows_from(0, count);
    backend.mixtures().mix_rows({first.vector(), component.vector(), weight.vector()},
                                h_there.matrix(), part);
    for (std::int64_t i = 0; i < (out.ld == width_ ? 1 : count); ++i)
      backend.copy(
          out.row(begin + i), Place{}, part.row(i), there,
          static_cast<std::size_t>(out.ld == width_ ? count * width_ : width_) * sizeof(double));
    backend.synchronize();
  }
}

}  // namespace kronite::kmd
