// Runs a fuzz target where there is no libFuzzer: first the given inputs, then damaged copies of
// them. Takes libFuzzer's names for its options, as far as it has them. The target works in a child
// process, so that a crash, a hang or a loss of memory leaves the input behind for the parent.
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "base/fail.hpp"       // for fail
#include "base/hash.hpp"       // for content_hash
#include "fuzz/mutator.hpp"    // for Mutator, read_dictionary
#include "fuzz/target.hpp"     // for LLVMFuzzerTestOneInput
#include "io/atomic_file.hpp"  // for write_file
#include "io/mapped_file.hpp"  // for MappedFile

namespace kronite::fuzz {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

struct Options {
  long long runs = -1;            ///< damaged inputs; -1: until the time is over
  long long max_total_time = 60;  ///< seconds
  long long timeout = 20;         ///< seconds per input
  long long rss_limit_mb = 2048;
  long long seed = 1;
  std::string dict, artifact_prefix;
  std::vector<std::string> paths;
};

constexpr const char* kUsage =
    "usage: TARGET FILE...                     runs these inputs\n"
    "       TARGET [-OPTION=VALUE...] FOLDER... runs the inputs in these folders, then damaged "
    "copies\n"
    "options: -runs=N damaged inputs, -max_total_time=SECONDS (60), -timeout=SECONDS per input "
    "(20),\n"
    "         -rss_limit_mb=MIB (2048), -seed=N (1), -dict=FILE, -artifact_prefix=PATH/\n";

Options parse(int count, char** arguments) {
  Options options;
  const std::pair<std::string_view, long long*> numbers[] = {
      {"-runs=", &options.runs},
      {"-max_total_time=", &options.max_total_time},
      {"-timeout=", &options.timeout},
      {"-rss_limit_mb=", &options.rss_limit_mb},
      {"-seed=", &options.seed}};
  const std::pair<std::string_view, std::string*> texts[] = {
      {"-dict=", &options.dict}, {"-artifact_prefix=", &options.artifact_prefix}};
  for (int i = 1; i < count; ++i) {
    const std::string_view argument = arguments[i];
    bool known = !argument.starts_with('-');
    if (known) options.paths.emplace_back(argument);
    for (const auto& [name, value] : numbers)
      if (argument.starts_with(name)) {
        const char* end = argument.data() + argument.size();
        known = std::from_chars(argument.data() + name.size(), end, *value).ptr == end;
      }
    for (const auto& [name, value] : texts)
      if (argument.starts_with(name)) *value = argument.substr(name.size()), known = true;
    if (!known)
      fail(Errc::invalid_argument, "{}: no such option or value; run without any for help",
           argument);
  }
  return options;
}

std::vector<std::string> files_of(const Options& options) {
  std::vector<std::string> files;
  for (const std::string& path : options.paths) {
    if (!fs::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    const std::size_t first = files.size();
    for (const auto& entry : fs::recursive_directory_iterator(path))
      if (entry.is_regular_file()) files.push_back(entry.path().string());
    std::sort(files.begin() + static_cast<std::ptrdiff_t>(first), files.end());
  }
  return files;
}

std::string content_of(const std::string& path) {
  const io::MappedFile file(path);
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

/// What the child is at, in memory that both processes see.
struct Current {
  static constexpr std::size_t kMost = 1 << 20;
  std::atomic<long long> runs = 0;
  std::atomic<std::size_t> size = 0;
  char bytes[kMost];
};

/// Resident memory of this process at its peak.
long long peak_mib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss >> 10;
}

void run(const std::string& input, Current& current, const Options& options) {
  current.size = std::min(input.size(), Current::kMost);
  std::memcpy(current.bytes, input.data(), current.size);
  ++current.runs;
  // Exactly as large as the input, so that AddressSanitizer sees reads behind its end.
  const std::vector<std::uint8_t> copy(current.bytes, current.bytes + current.size);
  LLVMFuzzerTestOneInput(copy.data(), copy.size());
  if (peak_mib() > options.rss_limit_mb) {
    std::fprintf(stderr, "more than %lld MiB of memory\n", options.rss_limit_mb);
    std::abort();
  }
}

/// The child: the inputs as they are, then damaged.
int work(const Options& options, Current& current) {
  std::vector<std::string> inputs;
  for (const std::string& path : files_of(options)) {
    inputs.push_back(content_of(path));
    run(inputs.back(), current, options);
  }
  const auto is_file = [](const std::string& path) { return !fs::is_directory(path); };
  if (std::all_of(options.paths.begin(), options.paths.end(), is_file)) return 0;
  Mutator mutator(
      std::move(inputs),
      options.dict.empty() ? std::vector<std::string>() : read_dictionary(content_of(options.dict)),
      static_cast<unsigned>(options.seed));
  const auto end = Clock::now() + std::chrono::seconds(options.max_total_time);
  for (long long i = 0; options.runs >= 0 ? i < options.runs : Clock::now() < end; ++i)
    run(mutator.next(), current, options);
  return 0;
}

/// Waits for the child; one that stays at an input for too long is ended.
int wait_for(pid_t child, const Current& current, const Options& options, bool& hangs) {
  long long runs = -1;
  auto since = Clock::now();
  for (int status = 0;;) {
    if (::waitpid(child, &status, WNOHANG) == child) return status;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    if (current.runs != runs) {
      runs = current.runs;
      since = Clock::now();
    }
    hangs = Clock::now() - since > std::chrono::seconds(options.timeout);
    if (hangs) ::kill(child, SIGKILL);
  }
}

int main(int count, char** arguments) {
  const Options options = parse(count, arguments);
  if (options.paths.empty()) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  void* shared =
      ::mmap(nullptr, sizeof(Current), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) fail(Errc::out_of_memory, "no memory to share with the child process");
  auto& current = *new (shared) Current;
  const auto begin = Clock::now();
  const pid_t child = ::fork();
  if (child == 0) std::exit(work(options, current));
  bool hangs = false;
  const int status = wait_for(child, current, options, hangs);
  const auto took = std::chrono::duration<double>(Clock::now() - begin).count();
  std::fprintf(stderr, "%lld inputs in %.1f s\n", current.runs.load(), took);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return 0;

  const std::string_view input(current.bytes, current.size);
  const std::string path = options.artifact_prefix + "finding-" + content_hash(input);
  io::write_file(path, std::string(input));
  std::fprintf(stderr, "%s; the input is kept, this runs it again:\n  %s %s\n",
               hangs ? "an input takes too long" : "an input breaks a promise or crashes",
               arguments[0], path.c_str());
  return 1;
}

}  // namespace
}  // namespace kronite::fuzz

int main(int count, char** arguments) {
  try {
    return kronite::fuzz::main(count, arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", arguments[0], error.what());
    return 2;
  }
}
