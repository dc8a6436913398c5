// Scores of many labelled pairs.
#include "learn/pair_probabilities.hpp"

#include <algorithm>

#include "base/fail.hpp"        // for fail
#include "learn/on_device.hpp"  // for MatrixOnDevice, upload

namespace kronite::learn {
namespace {

constexpr std::int64_t kTilePairs = 1 << 20;

template <class T>
std::span<const T> part(const std::vector<T>& values, std::int64_t first, std::int64_t count) {
  return std::span(values).subspan(static_cast<std::size_t>(first),
                                   static_cast<std::size_t>(count));
}

}  // namespace

void check_pairs(const LabelledPairs& pairs, std::int64_t rows, const char* name) {
  if (pairs.second.size() != pairs.first.size() || pairs.alike.size() != pairs.first.size())
    fail(Errc::invalid_argument,
         "{} pairs: {} first and {} second rows with {} labels, expected as many of each", name,
         pairs.first.size(), pairs.second.size(), pairs.alike.size());
  const auto inside = [&](std::int32_t row) { return row >= 0 && row < rows; };
  for (std::size_t i = 0; i < pairs.first.size(); ++i) {
    if (!inside(pairs.first[i]) || !inside(pairs.second[i]))
      fail(Errc::invalid_argument, "{} pair {} is ({}, {}), but there are {} rows", name, i,
           pairs.first[i], pairs.second[i], rows);
    if (pairs.alike[i] > 1)
      fail(Errc::invalid_argument, "{} pair {} has the label {}, expected 0 or 1", name, i,
           pairs.alike[i]);
  }
}

std::vector<float> pair_probabilities(Device& device, const Ensemble& ensemble,
                                      MatrixView<const float> rows, const LabelledPairs& pairs) {
  std::vector<float> p(pairs.first.size());
  Backend& backend = device.backend();
  const DeviceEnsemble on_device(device, ensemble);
  const std::int64_t tile = std::min(kTilePairs, pairs.size());
  const Scratch<std::int32_t> first(backend, tile), second(backend, tile);
  const Scratch<float> scores(backend, tile);
  for (std::int64_t begin = 0; begin < pairs.size(); begin += tile) {
    const std::int64_t count = std::min(tile, pairs.size() - begin);
    upload(backend, part(pairs.first, begin, count), first.data());
    upload(backend, part(pairs.second, begin, count), second.data());
    const PairView view{{first.data(), count, backend.place()},
                        {second.data(), count, backend.place()}};
    network<float>(device).score_pairs(rows, rows, view, on_device.view(), Precision::fp32,
                                       {scores.data(), count, backend.place()});
    backend.copy(p.data() + begin, Place{}, scores.data(), backend.place(),
                 static_cast<std::size_t>(count) * sizeof(float));
    backend.synchronize();
  }
  return p;
}

std::vector<float> probabilities(Device& device, const Ensemble& ensemble,
                                 MatrixView<const float> rows, const LabelledPairs& pairs) {
  check_pairs(pairs, rows.rows, "given");
  if (ensemble.inputs() != rows.cols)
    fail(Errc::invalid_argument, "the networks take {} values, the rows have {}", ensemble.inputs(),
         rows.cols);
  const MatrixOnDevice on_device(device.backend(), rows);
  return pair_probabilities(device, ensemble, on_device.view(), pairs);
}

}  // namespace kronite::learn
