// 06: how unlike crystals are by the surroundings of their atoms.
//   build/cpu/bin/example_06_fingerprint a.cif b.cif
#include <cstdio>
#include <exception>
#include <kronite/kronite.hpp>
#include <string>
#include <vector>

namespace {

/// The first structure of a file.
kronite::Structure read_first(const std::string& path) {
  kronite::Structure first;
  kronite::read_structures(path,
                           [&](kronite::StructureRecord&& record) {
                             first = std::move(record.structure);
                             return false;  // no more
                           },
                           {});
  return first;
}

/// Diamond and rock salt differ in one coordinate.
std::vector<kronite::Structure> two_crystals() {
  const kronite::Lattice fcc = {{{0, 1.8, 1.8}, {1.8, 0, 1.8}, {1.8, 1.8, 0}}};
  return {{fcc, {{0, 0, 0}, {0.25, 0.25, 0.25}}, {6, 6}},
          {fcc, {{0, 0, 0}, {0.5, 0.5, 0.5}}, {12, 8}}};
}

}  // namespace

int main(int argc, char** argv) try {
  std::vector<kronite::Structure> crystals;
  for (int i = 1; i < argc; ++i) crystals.push_back(read_first(argv[i]));
  if (crystals.size() < 2) crystals = two_crystals();

  // Thousands at once are as simple: fingerprints(device, crystals, out).
  const kronite::Fingerprint a = kronite::fingerprint(crystals[0]);
  const kronite::Fingerprint b = kronite::fingerprint(crystals[1]);
  const double distance = kronite::dissimilarity(a, b);
  std::printf("dissimilarity %.4f: %s\n", distance,
              distance < kronite::kAlikeBelow ? "alike" : "not alike");

  const auto differences = kronite::compare(a, b);
  for (std::size_t i = 0; i < 4; ++i)
    std::printf("%4.1f %%  %-24s %.3f and %.3f\n", 100 * differences[i].share,
                kronite::describe_site_feature(differences[i].feature).c_str(), differences[i].a[0],
                differences[i].b[0]);
} catch (const std::exception& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
