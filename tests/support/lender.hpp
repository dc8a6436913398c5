// Memory that runs out: a caller's allocator that refuses one piece after the other, a limit that
// grows, and what has to hold then. On CUDA the lent memory is another device's, so this needs no
// CUDA header.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "device/backend.hpp"
#include "kronite/device.hpp"

namespace kronite::test {

/// Lends memory of a device of its own. What comes back is kept until settle(): the lender does not
/// know when the borrower's stream is done with it.
class Lender {
 public:
  explicit Lender(const std::string& device) : name_(device), owner_(Device::parse(device)) {}
  Lender(const Lender&) = delete;
  Lender& operator=(const Lender&) = delete;
  ~Lender() { settle(); }

  Device open(std::size_t limit = 0) {
    DeviceOptions options;
    options.memory_limit = limit;
    options.threads = 1;
    options.allocator = {allocate, release, this};
    return Device::parse(name_, 1e300, options);
  }
  /// The borrower is gone, or has waited.
  void settle() {
    for (const auto& [memory, bytes] : returned_) owner_.backend().release(memory, bytes);
    returned_.clear();
  }
  /// Refuses request n from now on (0 is the next one).
  void refuse(std::int64_t n) { refused_ = requests + n; }

  std::int64_t requests = 0;
  std::size_t out = 0, most_out = 0;  ///< bytes, now and at the most

 private:
  static void* allocate(void* self, std::size_t bytes, CUstream_st*) {
    auto& lender = *static_cast<Lender*>(self);
    if (lender.requests++ == lender.refused_) return nullptr;
    void* const memory = lender.owner_.backend().allocate(bytes);
    lender.owner_.synchronize();  // from here on it is there for any stream
    lender.lent_.emplace(memory, bytes);
    lender.out += bytes;
    lender.most_out = std::max(lender.most_out, lender.out);
    return memory;
  }
  static void release(void* self, void* memory, std::size_t bytes, CUstream_st*) {
    auto& lender = *static_cast<Lender*>(self);
    const auto found = lender.lent_.find(memory);
    ASSERT_NE(found, lender.lent_.end()) << "given back twice, or never lent";
    EXPECT_EQ(found->second, bytes);
    lender.lent_.erase(found);
    lender.returned_.emplace_back(memory, bytes);
    lender.out -= bytes;
  }

  std::string name_;
  Device owner_;
  std::int64_t refused_ = -1;
  std::map<void*, std::size_t> lent_;
  std::vector<std::pair<void*, std::size_t>> returned_;
};

using Numbers = std::vector<double>;

/// Makes its inputs on a device, runs operations of a group there and reads what came out.
struct Job {
  std::string name;
  std::function<Numbers(Device&)> run;
  /// Tiles, threads and cuBLAS may add up in another order; of the largest value.
  double rounding = 1e-11;
  bool attaches = false;  ///< leaves with the device what its next use needs (attachments.hpp)
};

inline ::testing::AssertionResult same(const Numbers& a, const Numbers& b, double rounding) {
  if (a.size() != b.size()) return ::testing::AssertionFailure() << "the sizes differ";
  double largest = 0;
  for (const double value : b)
    if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i] != b[i] && !(std::isnan(a[i]) && std::isnan(b[i])) &&
        !(std::abs(a[i] - b[i]) <= rounding * largest))
      return ::testing::AssertionFailure() << "value " << i << ": " << a[i] << " and " << b[i];
  return ::testing::AssertionSuccess();
}

/// Runs a job that is to fail for want of memory.
inline void expect_out_of_memory(const Job& job, Device& device) {
  try {
    job.run(device);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::out_of_memory) << error.what();
    EXPECT_NE(std::string(error.what()).find("memory"), std::string::npos) << error.what();
  }
  EXPECT_NO_THROW(device.synchronize()) << "no failure of numbers may be left";
}

/// Whichever piece is refused: one error, nothing kept, and the same device then does the job.
inline void refuse_each_piece(const std::string& device_name, const std::vector<Job>& jobs) {
  for (const Job& job : jobs) {
    SCOPED_TRACE(job.name);
    Lender lender(device_name);
    Numbers expected;
    std::int64_t pieces = 0;
    {
      Device device = lender.open();
      expected = job.run(device);
      pieces = lender.requests;
    }
    ASSERT_GT(pieces, 0);
    // A GPU's library handles take a while to make, so some forty of the pieces are enough there.
    const std::int64_t step = device_name == "cpu" ? 1 : std::max<std::int64_t>(1, pieces / 40);
    for (std::int64_t piece = 0; piece < pieces; piece += step) {
      SCOPED_TRACE("piece " + std::to_string(piece));
      Device device = lender.open();
      lender.refuse(piece);
      expect_out_of_memory(job, device);
      // On CUDA the device keeps what its library handles work with too.
      EXPECT_EQ(lender.out, device.backend().memory_in_use());
      EXPECT_TRUE(lender.out == 0 || job.attaches || device.place() != Place{});
      EXPECT_TRUE(same(job.run(device), expected, job.rounding));
      device.synchronize();
      lender.settle();
    }
    EXPECT_EQ(lender.out, 0U) << "kept beyond the device";
  }
}

/// Under every limit the job is done within it, in tiles, or there is one error.
inline void keep_every_limit(const std::string& device_name, const std::vector<Job>& jobs) {
  for (const Job& job : jobs) {
    SCOPED_TRACE(job.name);
    Numbers expected;
    std::size_t most = 0;
    {
      Lender lender(device_name);
      Device device = lender.open();
      expected = job.run(device);
      most = lender.most_out;
    }
    constexpr std::size_t kSteps = 12;
    int done = 0, refused = 0;
    for (std::size_t step = 0; step <= kSteps; ++step) {
      const std::size_t limit = step == 0 ? 512 : most * step / kSteps;
      SCOPED_TRACE("a limit of " + std::to_string(limit) + " of " + std::to_string(most) +
                   " bytes");
      Lender lender(device_name);
      {
        Device device = lender.open(limit);
        try {
          EXPECT_TRUE(same(job.run(device), expected, job.rounding));
          ++done;
        } catch (const Error& error) {
          EXPECT_EQ(error.code(), Errc::out_of_memory) << error.what();
          ++refused;
        }
        EXPECT_NO_THROW(device.synchronize());
        EXPECT_EQ(lender.out, device.backend().memory_in_use());
      }
      EXPECT_LE(lender.most_out, limit);
      EXPECT_EQ(lender.out, 0U);
    }
    EXPECT_GT(done, 0) << "what was enough before is not enough as a limit";
    EXPECT_GT(refused, 0) << "inputs alone are more than 512 bytes";
  }
}

}  // namespace kronite::test
