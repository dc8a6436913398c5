// The table of common oxidation states inside the library.
#include <array>
#include <charconv>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/fail.hpp"            // for fail
#include "io/csv.hpp"               // for CsvReader
#include "kronite/composition.hpp"  // for element_number
#include "kronite/kmd_design.hpp"   // for common_oxidation_states
#include "materials/elements.hpp"   // for kByNumber

namespace kronite {

namespace embedded {
std::span<const std::byte> oxidation_states();  // data/common_oxidation_states.csv
}

namespace {

using Table = std::array<std::vector<int>, kByNumber>;

Table read_table() {
  const auto bytes = embedded::oxidation_states();
  io::CsvReader csv("the table of oxidation states",
                    std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  Table table;
  std::vector<std::string> cells;
  csv.next(cells);  // the header
  while (csv.next(cells)) {
    auto& states = table[element_number(cells.front())];
    const char* at = cells.back().data();
    const char* const end = at + cells.back().size();
    while (at != end) {
      int state = 0;
      const auto [next, error] = std::from_chars(at, end, state);
      if (error != std::errc()) fail(Errc::internal, "{}: a number is expected", csv.where());
      states.push_back(state);
      at = next == end ? end : next + 1;
    }
  }
  return table;
}

}  // namespace

std::vector<int> common_oxidation_states(int z) {
  static const Table table = read_table();
  return z > 0 && z < kByNumber ? table[z] : std::vector<int>();
}

}  // namespace kronite
