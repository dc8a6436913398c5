// Device handles: names, memory limit, lent memory, and the rules of waiting.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <set>
#include <string>
#include <utility>

#include "cases/linalg_cases.hpp"  // for positive_definite
#include "device/attachments.hpp"
#include "device/backend.hpp"
#include "device/scratch.hpp"
#include "support/near.hpp"
#include "support/on_each_device.hpp"

namespace kronite::test {
namespace {

std::string message_of(const std::function<void()>& f, Errc expected) {
  try {
    f();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), expected) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

// --- names ---------------------------------------------------------------------------------------

TEST(DeviceNames, CpuIsAlwaysThereAndFirst) {
  EXPECT_EQ(Device::available().front(), "cpu");
  EXPECT_EQ(Device::parse("cpu").place(), Place{});
}

TEST(DeviceNames, UnknownOnesAreRefusedWithTheKnownOnes) {
  for (const char* name : {"", "gpu", "CPU", "cpu ", "cuda:", "cuda:x", "cuda:-1", "cuda:1x",
                           "cuda:99999999999999999999"}) {
    const std::string message = message_of([&] { Device::parse(name); }, Errc::invalid_argument);
    EXPECT_NE(message.find(std::string("'") + name + "'"), std::string::npos) << message;
    EXPECT_NE(message.find("cuda:N"), std::string::npos) << message;
  }
}

TEST(DeviceNames, AutoStaysOnTheCpuForLittleWork) {
  EXPECT_EQ(Device::parse("auto", Device::auto_threshold() / 2).place(), Place{});
}

TEST(DeviceNames, AutoWithMuchWorkTakesWhatIsThere) {
  const bool cuda = Device::available().size() > 1;
  EXPECT_EQ(Device::parse("auto").place().kind, cuda ? DeviceKind::cuda : DeviceKind::cpu);
}

TEST(DeviceNames, AnAbsentCudaDeviceSaysWhatIsMissing) {
  const std::string reason = Device::cuda_unavailable_reason();
  const std::string name = reason.empty() ? "cuda:1000" : "cuda";
  const std::string message = message_of([&] { Device::parse(name); }, Errc::unavailable);
  EXPECT_NE(message.find("no CUDA device"), std::string::npos) << message;
  EXPECT_NE(message.find(reason), std::string::npos) << message;
}

TEST(DeviceNames, OneIsAListToo) {
  const auto devices = Device::parse_all("cpu");
  ASSERT_EQ(devices.size(), 1U);
  EXPECT_EQ(devices[0].memory_limit() > 0, Device::cpu().memory_limit() > 0);
  EXPECT_EQ(Device::parse_all("auto", Device::auto_threshold() / 2).front().place(), Place{});
}

TEST(DeviceNames, CpusOfAListShareThreadsAndMemory) {
  DeviceOptions options;
  options.threads = 5;
  const auto devices = Device::parse_all("cpu, cpu,cpu", 1e300, options);
  ASSERT_EQ(devices.size(), 3U);
  const char* const threads[] = {"CPU, 2 threads", "CPU, 2 threads", "CPU, 1 thread,"};
  // What is free on the machine may change between two looks at it.
  const auto whole = static_cast<double>(Device::cpu(options).memory_limit());
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(devices[i].description().rfind(threads[i], 0), 0U) << devices[i].description();
    EXPECT_NEAR(static_cast<double>(devices[i].memory_limit()), whole / 3, whole / 6);
    EXPECT_EQ(devices[i].memory_limit(), devices[0].memory_limit());
  }
}

TEST(DeviceNames, EachCpuOfAListHasAThreadAtLeast) {
  DeviceOptions options;
  options.threads = 1;
  options.memory_limit = 1 << 20;
  for (const Device& device : Device::parse_all("cpu,cpu", 1e300, options)) {
    EXPECT_EQ(device.description().rfind("CPU, 1 thread,", 0), 0U);
    EXPECT_EQ(device.memory_limit(), 1U << 20) << "a limit that is given is each one's";
  }
}

TEST(DeviceNames, AListSaysWhichNameIsWrong) {
  const auto refused = [](const char* names) {
    return message_of([&] { Device::parse_all(names); }, Errc::invalid_argument);
  };
  const auto has = [](const std::string& message, const std::string& part) {
    EXPECT_NE(message.find(part), std::string::npos) << message;
  };
  has(refused("cpu,gpu"), "no device 'gpu', in place 2 of 'cpu,gpu'");
  has(refused("cpu,cuda:x"), "cuda:all");
  has(refused("gpu"), "no device 'gpu': give auto");
  has(refused("cpu,,cpu"), "no name in place 2");
  has(refused("cpu,"), "no name in place 2");
  has(refused(","), "no name in place 1");
  has(refused(""), "no device ''");
  has(refused("cpu,auto"), "'auto' in place 2");
}

TEST(DeviceNames, AllGpusNeedOneAtLeast) {
  const std::string reason = Device::cuda_unavailable_reason();
  if (reason.empty()) {
    EXPECT_EQ(Device::parse_all("cuda:all").size(), Device::available().size() - 1);
    EXPECT_EQ(Device::parse_all("cuda:all,cpu").size(), Device::available().size());
    return;
  }
  for (const char* names : {"cuda:all", "cpu,cuda:all", "cuda:0,cuda:0"})
    EXPECT_NE(message_of([&] { Device::parse_all(names); }, Errc::unavailable).find(reason),
              std::string::npos);
}

TEST(DeviceNames, StreamsOfAGpuShareItsMemory) {
  if (Device::available().size() < 2) GTEST_SKIP() << Device::cuda_unavailable_reason();
  const auto whole = static_cast<double>(Device::cuda().memory_limit());
  for (const Device& device : Device::parse_all("cuda:0,cuda"))
    EXPECT_NEAR(static_cast<double>(device.memory_limit()), whole / 2, whole / 10);
}

TEST(DeviceNames, WhatWorksOnOneDeviceRefusesSeveral) {
  for (const char* names : {"cpu,cpu", "cuda:all"})
    EXPECT_NE(message_of([&] { Device::parse(names); }, Errc::invalid_argument)
                  .find("names several devices, and this works on one"),
              std::string::npos);
}

TEST(DeviceNames, TheCpuTellsItsThreads) {
  DeviceOptions options;
  options.threads = 3;
  EXPECT_EQ(Device::cpu(options).description().rfind("CPU, 3 threads", 0), 0U);
  options.threads = 1;
  EXPECT_EQ(Device::cpu(options).description().rfind("CPU, 1 thread,", 0), 0U);
}

// --- memory --------------------------------------------------------------------------------------

class DeviceMemory : public OnEachDevice {
 protected:
  Device limited(std::size_t bytes) {
    DeviceOptions options;
    options.memory_limit = bytes;
    return Device::parse(GetParam(), 1e300, options);
  }
};
KRONITE_ON_EACH_DEVICE(DeviceMemory);

TEST_P(DeviceMemory, HasALimitWithoutBeingTold) { EXPECT_GT(device.memory_limit(), 1U << 20); }

TEST_P(DeviceMemory, ArraysReturnWhatWasPutIn) {
  const auto m = random_matrix<double>(1, 13, 7);
  const Array<double> array(device, m.values, 13, 7);
  EXPECT_EQ(array.to_host(), m.values);
  EXPECT_EQ(array.view().place, device.place());
}

TEST_P(DeviceMemory, ArraysRefuseValuesOfAnotherShape) {
  EXPECT_THROW(Array<double>(device, {1, 2, 3}, 2, 2), Error);
}

TEST_P(DeviceMemory, IsAlignedForVectorsAndTransactions) {
  for (const std::int64_t bytes : {1, 100, 4097}) {
    const Scratch<char> scratch(device.backend(), bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(scratch.data()) % 256, 0U) << bytes << " bytes";
  }
}

TEST_P(DeviceMemory, EndsAtTheLimitAndSaysSo) {
  Device small = limited(1 << 20);
  const Scratch<char> half(small.backend(), 600 << 10);
  const std::string message =
      message_of([&] { Scratch<char>(small.backend(), 500 << 10); }, Errc::out_of_memory);
  EXPECT_NE(message.find("limit"), std::string::npos) << message;
  EXPECT_EQ(small.backend().memory_in_use(), 600U << 10) << "nothing is held by what failed";
}

TEST_P(DeviceMemory, IsFreeAgainAfterTheScope) {
  Device small = limited(1 << 20);
  for (int round = 0; round < 5; ++round) const Scratch<char> most(small.backend(), 1000 << 10);
  EXPECT_EQ(small.backend().memory_in_use(), 0U);
}

TEST_P(DeviceMemory, NothingIsAskedOfTheDeviceForNoBytes) {
  const Scratch<double> none(device.backend(), 0, 5);
  EXPECT_EQ(none.data(), nullptr);
  EXPECT_EQ(device.backend().memory_in_use(), 0U);
}

// --- lent memory ---------------------------------------------------------------------------------

/// A caller's pool on the host that remembers what it lent.
struct Pool {
  std::set<void*> lent;
  int calls = 0;
  bool empty = false;

  Allocator allocator() {
    return {[](void* self, std::size_t bytes, CUstream_st*) {
              auto& pool = *static_cast<Pool*>(self);
              ++pool.calls;
              void* memory = pool.empty ? nullptr : std::malloc(bytes);
              if (memory) pool.lent.insert(memory);
              return memory;
            },
            [](void* self, void* memory, std::size_t, CUstream_st*) {
              EXPECT_EQ(static_cast<Pool*>(self)->lent.erase(memory), 1U);
              std::free(memory);
            },
            this};
  }
};

TEST(LentMemory, IsUsedAndGivenBack) {
  Pool pool;
  DeviceOptions options;
  options.allocator = pool.allocator();
  Device device = Device::cpu(options);
  {
    const auto x = random_matrix<float>(1, 40, 10);
    DeviceMatrix<float> dx(device, x), out(device, HostMatrix<float>(40, 40));
    kernels<float>(device).squared_distances(dx.view(), dx.view(), out.view());
    EXPECT_EQ(pool.lent.size(), 2U);
  }
  EXPECT_EQ(pool.calls, 3) << "two arrays and the scratch memory of the operation";
  EXPECT_TRUE(pool.lent.empty());
}

TEST(LentMemory, ThatIsUsedUpIsAnError) {
  Pool pool;
  pool.empty = true;
  DeviceOptions options;
  options.allocator = pool.allocator();
  Device device = Device::cpu(options);
  message_of([&] { Array<float>(device, 10, 10); }, Errc::out_of_memory);
  EXPECT_EQ(device.backend().memory_in_use(), 0U);
}

TEST(LentMemory, NeedsBothOfItsFunctions) {
  Pool pool;
  DeviceOptions options;
  options.allocator = pool.allocator();
  options.allocator.release = nullptr;
  message_of([&] { Device::cpu(options); }, Errc::invalid_argument);
}

// --- order and status ----------------------------------------------------------------------------

class DeviceStatus : public OnEachDevice {
 protected:
  /// Queues a factorisation that fails.
  void fail_quietly(std::int64_t n) {
    auto a = positive_definite<double>(n);
    a.at(0, 0) = -1;
    DeviceMatrix<double> da(device, a);
    linalg<double>(device).cholesky(da.view());
  }
};
KRONITE_ON_EACH_DEVICE(DeviceStatus);

TEST_P(DeviceStatus, KeepsAFailureForTheNextWait) {
  EXPECT_NO_THROW(fail_quietly(5));
  EXPECT_NE(message_of([&] { device.synchronize(); }, Errc::numerical), "");
  EXPECT_NO_THROW(device.synchronize());
}

TEST_P(DeviceStatus, IsTheFirstFailure) {
  fail_quietly(5);
  fail_quietly(6);
  const std::string message = message_of([&] { device.synchronize(); }, Errc::numerical);
  EXPECT_NE(message.find("5 x 5"), std::string::npos) << message;
  EXPECT_NO_THROW(device.synchronize());
}

TEST_P(DeviceStatus, IsRaisedByReadingAnArray) {
  const Array<double> array(device, {1.0}, 1, 1);
  fail_quietly(5);
  EXPECT_THROW(array.to_host(), Error);
}

TEST_P(DeviceStatus, IsRaisedByGrouping) {
  Array<std::int64_t> keys(device, {3, 1}, 2, 1), begin(device, 3, 1);
  Array<std::int32_t> order(device, 2, 1);
  fail_quietly(5);
  EXPECT_THROW(device.backend().group().group_by_key(keys.vector(), order.vector(), begin.vector()),
               Error);
}

TEST_P(DeviceStatus, MovesWithTheDevice) {
  fail_quietly(5);
  Device moved = std::move(device);
  EXPECT_THROW(moved.synchronize(), Error);
}

TEST_P(DeviceStatus, OneDeviceDoesNotSeeAnothersFailure) {
  Device other = Device::parse(GetParam());
  fail_quietly(5);
  EXPECT_NO_THROW(other.synchronize());
  EXPECT_THROW(device.synchronize(), Error);
}

// --- what others keep on a device ----------------------------------------------------------------

TEST(DeviceAttachments, AreMadeOnceForEachOwnerAndGoWithIt) {
  Device device = Device::cpu();
  const auto attach = [&](const std::shared_ptr<const void>& owner, std::int64_t size) {
    return device.attachments()
        .get<Array<float>>(owner, [&] { return Array<float>(device, 1, size); })
        .vector();
  };
  auto first = std::make_shared<int>(), second = std::make_shared<int>();

  EXPECT_EQ(attach(first, 100).size, 100);
  EXPECT_EQ(attach(second, 200).size, 200);
  EXPECT_EQ(attach(first, 300).size, 100);
  EXPECT_EQ(device.backend().memory_in_use(), 300 * sizeof(float));

  first.reset();
  EXPECT_EQ(attach(second, 300).size, 200);
  EXPECT_EQ(device.backend().memory_in_use(), 200 * sizeof(float));
}

TEST(DeviceAttachments, AreGivenBackBeforeTheDeviceGoes) {
  Pool pool;
  DeviceOptions options;
  options.allocator = pool.allocator();
  const auto owner = std::make_shared<int>();
  const auto attach = [&](Device& device) {
    device.attachments().get<Array<float>>(owner, [&] { return Array<float>(device, 1, 10); });
  };

  {
    Device device = Device::cpu(options);
    attach(device);
    Device moved = std::move(device);
    attach(moved);
    EXPECT_EQ(pool.calls, 1);
    moved = Device::cpu(options);
    EXPECT_TRUE(pool.lent.empty());
    attach(moved);
    EXPECT_EQ(pool.calls, 2);
  }

  EXPECT_TRUE(pool.lent.empty());
}

}  // namespace
}  // namespace kronite::test
