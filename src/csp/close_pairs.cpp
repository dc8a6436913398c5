// Pairs of nearly the same structure: tiles of distances from the device, scanned on the host.
#include "csp/close_pairs.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_map>

#include "device/backend.hpp"       // for kernels
#include "kronite/array.hpp"        // for Array
#include "kronite/fingerprint.hpp"  // for dissimilarity, kFingerprintSize

namespace kronite::csp {
namespace {

// Rows of a tile. Below the diagonal a tile computes what is not needed: the more, the higher.
constexpr std::int64_t kTileRows = 256;
// A sum of 244 rounded squares of rounded differences is off by at most 246 half units in the last
// place of a float, 1.5e-5 of its value, in whatever order it is formed.
constexpr double kRounding = 3e-5;

std::vector<float> rows_of(const TemplateLibrary& library, std::span<const std::int32_t> members) {
  const MatrixView<const float> all = library.fingerprints();
  std::vector<float> rows;
  rows.reserve(members.size() * kFingerprintSize);
  for (const std::int32_t i : members) rows.insert(rows.end(), all.row(i), all.row(i) + all.cols);
  return rows;
}

}  // namespace

bool CloseEnough::operator()(double squared, std::int64_t a, std::int64_t b) const {
  if (squared <= limit_ * limit_ * (1 - kRounding)) return true;
  if (squared > limit_ * limit_ * (1 + kRounding)) return false;
  const auto fingerprint = [&](std::int64_t place) {
    return library_.fingerprint(members_[static_cast<std::size_t>(place)]);
  };
  return dissimilarity(fingerprint(a), fingerprint(b)) <= limit_;
}

void for_close_pairs(Device& device, const TemplateLibrary& library,
                     std::span<const std::int32_t> members, double limit,
                     const ClosePairSink& take) {
  const auto n = static_cast<std::int64_t>(members.size());
  if (n < 2) return;
  const CloseEnough close_enough(library, members, limit);
  const Array<float> rows(device, rows_of(library, members), n, kFingerprintSize);
  for (std::int64_t begin = 0; begin < n; begin += kTileRows) {
    const std::int64_t height = std::min(kTileRows, n - begin), width = n - begin;
    Array<float> tile(device, height, width);
    kernels<float>(device).squared_distances(rows.view().rows_from(begin, height),
                                             rows.view().rows_from(begin, width), tile.view());
    const std::vector<float> squared = tile.to_host();
    for (std::int64_t a = 0; a < height; ++a)
      for (std::int64_t b = a + 1; b < width; ++b) {
        const float value = squared[static_cast<std::size_t>(a * width + b)];
        if (close_enough(static_cast<double>(value), begin + a, begin + b))
          take(static_cast<std::int32_t>(begin + a), static_cast<std::int32_t>(begin + b), value);
      }
  }
}

std::vector<std::pair<std::int32_t, std::int32_t>> close_pairs(
    Device& device, const TemplateLibrary& library, std::span<const std::int32_t> members,
    double limit) {
  std::vector<std::pair<std::int32_t, std::int32_t>> pairs;
  for_close_pairs(device, library, members, limit,
                  [&](std::int32_t a, std::int32_t b, float) { pairs.emplace_back(a, b); });
  return pairs;
}

FingerprintClasses fingerprint_classes(const TemplateLibrary& library,
                                       std::span<const std::int32_t> members) {
  const MatrixView<const float> all = library.fingerprints();
  const std::size_t bytes = static_cast<std::size_t>(all.cols) * sizeof(float);
  FingerprintClasses classes;
  std::unordered_map<std::string_view, std::int32_t> known;
  for (const std::int32_t i : members) {
    const std::string_view row(reinterpret_cast<const char*>(all.row(i)), bytes);
    const auto next = static_cast<std::int32_t>(classes.size());
    const auto [found, is_new] = known.emplace(row, next);
    if (is_new) classes.first.push_back(i);
    classes.of.push_back(found->second);
  }
  return classes;
}

CloseLists close_lists(Device& device, const TemplateLibrary& library,
                       const FingerprintClasses& classes, double limit) {
  CloseLists lists(classes.size());
  for (std::int32_t c = 0; c < std::ssize(lists); ++c)
    lists[static_cast<std::size_t>(c)].push_back(c);
  for_close_pairs(device, library, classes.first, limit,
                  [&](std::int32_t a, std::int32_t b, float) {
                    lists[static_cast<std::size_t>(a)].push_back(b);
                    lists[static_cast<std::size_t>(b)].push_back(a);
                  });
  for (auto& list : lists) std::sort(list.begin(), list.end());
  return lists;
}

std::vector<double> sums_of_classes(std::span<const std::int32_t> class_of, std::size_t classes,
                                    std::span<const double> values) {
  std::vector<double> sums(classes, 0.0);
  for (std::size_t i = 0; i < values.size(); ++i)
    sums[static_cast<std::size_t>(class_of[i])] += values[i];
  return sums;
}

}  // namespace kronite::csp
