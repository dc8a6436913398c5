// CIF files.
#include "fuzz/structures.hpp"
#include "fuzz/target.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kronite::fuzz;
  read_and_check(as_file("input.cif", as_text(data, size)));
  return 0;
}
