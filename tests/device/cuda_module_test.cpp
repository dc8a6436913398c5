// The CUDA module as a shared object: its entry, and errors that leave it.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "device/backend.hpp"  // for CudaModule
#include "kronite/error.hpp"   // for Error

namespace kronite::test {
namespace {

class CudaModuleFile : public ::testing::Test {
 protected:
  void SetUp() override {
    // As the library opens it: its own symbols are not shared with ours.
    void* handle = ::dlopen(KRONITE_TEST_CUDA_MODULE, RTLD_NOW | RTLD_LOCAL);
    ASSERT_NE(handle, nullptr) << ::dlerror();
    using Entry = const CudaModule* (*)();
    const auto entry = reinterpret_cast<Entry>(::dlsym(handle, "kronite_cuda_module"));
    ASSERT_NE(entry, nullptr);
    module = entry();
  }

  const CudaModule* module = nullptr;
};

TEST_F(CudaModuleFile, IsOfThisVersion) { EXPECT_EQ(module->version, kCudaModuleVersion); }

TEST_F(CudaModuleFile, CountsDevicesOrSaysWhyThereAreNone) {
  const char* why = "";

  const int devices = module->device_count(&why);

  EXPECT_EQ(devices == 0, std::string(why).size() > 0) << devices << " devices, '" << why << "'";
}

TEST_F(CudaModuleFile, ThrowsErrorsThatTheLibraryCatches) {
  try {
    // No machine has so many.
    const std::unique_ptr<Backend> backend(module->make(1000, nullptr, {}));
    ADD_FAILURE() << "device 1000 was made";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::unavailable) << error.what();
    EXPECT_NE(std::string(error.what()), "");
  }
}

}  // namespace
}  // namespace kronite::test
