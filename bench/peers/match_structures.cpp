// Compares the structures of two files pair by pair and says how long it took, for
// bench/peers/match.py. Output: one line per pair (same, rms, largest distance), then the processor
// seconds of the reduction of all cells and of all comparisons, the least of several times.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <kronite/kronite.hpp>
#include <vector>

namespace {

using kronite::Match;
using kronite::MatchCell;

std::vector<kronite::Structure> read(const char* path) {
  std::vector<kronite::Structure> structures;
  kronite::read_structures(path,
                           [&](kronite::StructureRecord&& record) {
                             structures.push_back(std::move(record.structure));
                             return true;
                           },
                           {});
  return structures;
}

template <class F>
double least_seconds(int repeat, const F& work) {
  double least = 1e9;
  for (int i = 0; i < repeat; ++i) {
    const std::clock_t begin = std::clock();
    work();
    least = std::min(least, static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC);
  }
  return least;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 7) {
    std::fprintf(stderr, "usage: %s FIRST SECOND LTOL STOL ANGLE_TOL REPEAT\n", argv[0]);
    return 2;
  }
  const auto first = read(argv[1]), second = read(argv[2]);
  const kronite::MatchOptions options{std::atof(argv[3]), std::atof(argv[4]), std::atof(argv[5])};
  const int repeat = std::atoi(argv[6]);
  const std::size_t count = std::min(first.size(), second.size());

  std::vector<MatchCell> a, b;
  const double reduction = least_seconds(repeat, [&] {
    a = std::vector<MatchCell>(first.begin(), first.end());
    b = std::vector<MatchCell>(second.begin(), second.end());
  });
  std::vector<Match> matches(count);
  const double comparison = least_seconds(repeat, [&] {
    for (std::size_t i = 0; i < count; ++i) matches[i] = kronite::match(a[i], b[i], options);
  });
  for (const Match& m : matches) std::printf("%d,%.9g,%.9g\n", m.same, m.rms, m.max_distance);
  std::printf("%.6f,%.6f\n", reduction, comparison);
} catch (const std::exception& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
