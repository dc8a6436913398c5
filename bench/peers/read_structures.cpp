// Reads structures and says in one line each what they are, for bench/peers/cif.py: what reading
// costs, without anything done to what was read.
#include <cstdio>
#include <exception>
#include <kronite/kronite.hpp>
#include <string>

int main(int argc, char** argv) try {
  for (int i = 1; i < argc; ++i)
    kronite::read_structures(
        argv[i],
        [](kronite::StructureRecord&& record) {
          const std::string formula = record.structure.composition().reduced_formula();
          std::printf("%s,%s,%zu,%.9g\n", record.where.c_str(), formula.c_str(),
                      record.structure.size(), kronite::volume(record.structure.lattice));
          return true;
        },
        [](const std::string& where, const std::string& why) {
          std::fprintf(stderr, "%s: %s\n", where.c_str(), why.c_str());
        });
} catch (const std::exception& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
