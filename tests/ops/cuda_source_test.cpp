// What the source of every CUDA kernel and every call of a CUDA library has to say, read as text:
// it holds on machines without a GPU and without nvcc.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <vector>

namespace kronite::test {
namespace {

struct Source {
  std::string name;
  std::vector<std::string> lines;
};

std::vector<Source> cuda_sources() {
  std::vector<Source> sources;
  for (const auto& entry :
       std::filesystem::directory_iterator(KRONITE_TEST_SOURCE "/../src/cuda")) {
    const std::string ending = entry.path().extension();
    if (ending != ".cu" && ending != ".cuh") continue;
    Source source{entry.path().filename(), {}};
    std::ifstream in(entry.path());
    for (std::string line; std::getline(in, line);) source.lines.push_back(line);
    sources.push_back(std::move(source));
  }
  return sources;
}

bool is_comment(const std::string& line) { return line.rfind("///", 0) == 0; }

/// The comment above line n, over the line of template parameters between the two.
std::string comment_above(const Source& source, std::size_t n) {
  std::size_t end = n;
  if (end > 0 && source.lines[end - 1].rfind("template", 0) == 0) --end;
  std::size_t begin = end;
  while (begin > 0 && is_comment(source.lines[begin - 1])) --begin;
  std::string text;
  for (std::size_t i = begin; i < end; ++i) text += source.lines[i].substr(3);
  return text;
}

TEST(CudaSource, EveryKernelSaysItsGridBoundsIndexWidthAndCost) {
  int kernels = 0;
  for (const Source& source : cuda_sources())
    for (std::size_t n = 0; n < source.lines.size(); ++n) {
      if (source.lines[n].find("__global__") == std::string::npos) continue;
      ++kernels;
      const std::string comment = comment_above(source, n);
      for (const char* part : {"Grid:", "Bounds:", "64-bit +index", "byte| T |sizeof",
                               "operation|comparison", "per|Per|one thread\\."})
        EXPECT_TRUE(std::regex_search(comment, std::regex(part)))
            << source.name << ", line " << n + 1 << ": the comment does not say '" << part << "'";
    }
  EXPECT_GT(kernels, 40) << "this test reads the wrong files";
}

TEST(CudaSource, EveryKernelBoundsItsRegistersByItsBlock) {
  for (const Source& source : cuda_sources())
    for (std::size_t n = 0; n < source.lines.size(); ++n) {
      if (source.lines[n].find("__global__") == std::string::npos) continue;
      // A kernel of one thread has nothing to gain.
      if (comment_above(source, n).find("Grid: one thread.") != std::string::npos) continue;
      EXPECT_NE(source.lines[n].find("__launch_bounds__"), std::string::npos)
          << source.name << ", line " << n + 1;
    }
}

/// Calls of CUDA libraries whose answer is looked at: in a check, kept for one, or given up on in
/// words (a destructor, a message).
bool looked_at(const std::string& before) {
  static const std::regex kGood(
      R"((KRONITE_CHECK|check)\($|static_cast<void>\($|status = $|return $|<< ?$|\+ $|", $|call, $)");
  return std::regex_search(before, kGood);
}

TEST(CudaSource, EveryLaunchAndEveryCallIsChecked) {
  const std::regex call(R"(\b(cuda|cublas|cusolver)[A-Z]\w*\()");
  int calls = 0;
  for (const Source& source : cuda_sources())
    for (std::size_t n = 0; n < source.lines.size(); ++n) {
      const std::string& line = source.lines[n];
      if (line.find("//") == line.find_first_not_of(' ')) continue;
      EXPECT_EQ(line.find("<<<"), std::string::npos)
          << source.name << ", line " << n + 1 << ": kernels go through launch()";
      std::smatch match;
      if (!std::regex_search(line, match, call)) continue;
      ++calls;
      EXPECT_TRUE(looked_at(match.prefix()))
          << source.name << ", line " << n + 1 << ": " << match.str() << "...) is not checked";
    }
  EXPECT_GT(calls, 30) << "this test reads the wrong files";
}

TEST(CudaSource, TakesMemoryInOnePlace) {
  const std::regex taking(R"(cudaMalloc\w*\(|cudaFree\w*\(|thrust::device_vector|new \w+\[)");
  int found = 0;
  for (const Source& source : cuda_sources())
    for (std::size_t n = 0; n < source.lines.size(); ++n) {
      if (!std::regex_search(source.lines[n], taking)) continue;
      ++found;
      EXPECT_EQ(source.name, "cuda_backend.cu")
          << "line " << n + 1 << ": working memory is a Scratch, which may be lent";
    }
  EXPECT_EQ(found, 2) << "one place takes memory, one gives it back";
}

}  // namespace
}  // namespace kronite::test
