// The benchmark program: says on which machine and from which commit its figures come.
#include <benchmark/benchmark.h>

#include "commit.hpp"   // for kCommit
#include "machine.hpp"  // for targets, processor

int main(int argc, char** argv) {
  using namespace kronite::bench;
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::AddCustomContext("commit", kCommit);
  benchmark::AddCustomContext("processor", processor());
  for (const Target& target : targets())
    benchmark::AddCustomContext(target.name, target.open().description());
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
