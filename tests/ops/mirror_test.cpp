// The device layer is read side by side: every operation group has a file of the same name on the
// CPU, on CUDA, and in its tests and cases.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <string>

namespace kronite::test {
namespace {

/// Names before `ending` of the files in a folder that end so, without a backend's own machinery.
std::set<std::string> groups(const std::string& folder, const std::string& ending) {
  const std::set<std::string> machinery{"blas",   "cpu_backend", "cuda_backend",
                                        "module", "check",       "launch"};
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(KRONITE_TEST_SOURCE "/" + folder)) {
    const std::string file = entry.path().filename();
    if (file.size() <= ending.size() || !file.ends_with(ending)) continue;
    const std::string name = file.substr(0, file.size() - ending.size());
    if (machinery.count(name) == 0) names.insert(name);
  }
  return names;
}

TEST(Mirror, CpuAndCudaHaveTheSameOperationGroups) {
  EXPECT_EQ(groups("../src/cpu", ".cpp"), groups("../src/cuda", ".cu"));
}

TEST(Mirror, EveryOperationGroupHasItsCases) {
  EXPECT_EQ(groups("../src/cpu", ".cpp"), groups("cases", "_cases.hpp"));
}

TEST(Mirror, EveryOperationGroupHasItsTests) {
  const auto tests = groups("ops", "_test.cpp");
  for (const std::string& group : groups("../src/cpu", ".cpp"))
    EXPECT_EQ(tests.count(group), 1U) << "tests/ops/" << group << "_test.cpp is missing";
}

}  // namespace
}  // namespace kronite::test
