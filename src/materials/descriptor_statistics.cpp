// Two passes, so that values far from zero keep their digits.
#include "materials/descriptor_statistics.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace kronite {

Statistics descriptor_statistics(const std::vector<Composition>& compositions,
                                 const ElementTable& table) {
  constexpr std::size_t kBlock =
      1024;  // descriptors at a time: those of a large library are not kept
  const std::size_t width = 5 * table.features().size();
  std::vector<double> block(kBlock * width);
  const auto for_each_row = [&](auto&& use) {
    for (std::size_t begin = 0; begin < compositions.size(); begin += kBlock) {
      const std::size_t end = std::min(begin + kBlock, compositions.size());
      const std::vector<Composition> part(compositions.begin() + static_cast<std::ptrdiff_t>(begin),
                                          compositions.begin() + static_cast<std::ptrdiff_t>(end));
      describe(
          part, table,
          {block.data(), static_cast<std::int64_t>(end - begin), static_cast<std::int64_t>(width)});
      for (std::size_t i = 0; i < end - begin; ++i) use(block.data() + i * width);
    }
  };

  Statistics s{std::vector<double>(width, 0.0), std::vector<double>(width, 0.0)};
  for_each_row([&](const double* row) {
    for (std::size_t j = 0; j < width; ++j) s.mean[j] += row[j];
  });
  const double n = std::max(1.0, static_cast<double>(compositions.size()));
  for (double& m : s.mean) m /= n;
  for_each_row([&](const double* row) {
    for (std::size_t j = 0; j < width; ++j) s.std[j] += (row[j] - s.mean[j]) * (row[j] - s.mean[j]);
  });
  for (std::size_t j = 0; j < width; ++j) {
    const double deviation = n > 1 ? std::sqrt(s.std[j] / (n - 1)) : 0;
    // Rounding of the mean leaves a constant value a deviation of about 1e-16 of it.
    s.std[j] = deviation > 1e-12 * std::abs(s.mean[j]) ? deviation : 1;
  }
  return s;
}

}  // namespace kronite
