// Sums per bin, divided at the end.
#include "csp/reliability.hpp"

#include <algorithm>

namespace kronite::csp {

ReliabilityCounter::ReliabilityCounter(int bins) : sums_(static_cast<std::size_t>(bins)) {
  for (int k = 0; k < bins; ++k) {
    sums_[static_cast<std::size_t>(k)].low = static_cast<double>(k) / bins;
    sums_[static_cast<std::size_t>(k)].high = static_cast<double>(k + 1) / bins;
  }
}

void ReliabilityCounter::add(double p, bool alike) {
  const auto bins = static_cast<int>(sums_.size());
  const int k = std::clamp(static_cast<int>(p * bins), 0, bins - 1);
  ReliabilityBin& bin = sums_[static_cast<std::size_t>(k)];
  ++bin.pairs;
  bin.mean_p += p;
  bin.alike += alike ? 1 : 0;
}

void ReliabilityCounter::add(const ReliabilityCounter& other) {
  for (std::size_t k = 0; k < sums_.size(); ++k) {
    sums_[k].pairs += other.sums_[k].pairs;
    sums_[k].mean_p += other.sums_[k].mean_p;
    sums_[k].alike += other.sums_[k].alike;
  }
}

std::vector<ReliabilityBin> ReliabilityCounter::bins() const {
  std::vector<ReliabilityBin> result = sums_;
  for (ReliabilityBin& bin : result) {  // 0 / 0 is the NaN of an empty bin
    bin.mean_p /= static_cast<double>(bin.pairs);
    bin.alike /= static_cast<double>(bin.pairs);
  }
  return result;
}

}  // namespace kronite::csp
