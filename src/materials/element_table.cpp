// Element tables: the one inside the library and those of users.
#include "materials/element_table.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <span>
#include <system_error>

#include "base/fail.hpp"            // for fail
#include "base/hash.hpp"            // for ContentHash
#include "base/printable.hpp"       // for printable
#include "io/csv.hpp"               // for CsvReader
#include "kronite/composition.hpp"  // for ElementTable
#include "materials/elements.hpp"   // for kElements, kByNumber

namespace kronite {

namespace embedded {
std::span<const std::byte> elements();  // data/elements.csv
}

/// Fills a table from records and says where a cell is wrong.
class ElementTableReader {
 public:
  ElementTable read(io::CsvReader& csv) {
    std::vector<std::string> cells;
    if (!csv.next(cells))
      fail(Errc::parse, "{}: a header with the names of features is expected", csv.where());
    read_header(csv, cells);
    while (csv.next(cells)) read_row(csv, cells);
    if (std::none_of(table_.present_.begin(), table_.present_.end(), [](auto p) { return p != 0; }))
      fail(Errc::parse, "{}: rows of elements are expected below the header", csv.where());
    table_.hash_ = content_hash();
    return std::move(table_);
  }

 private:
  void read_header(const io::CsvReader& csv, const std::vector<std::string>& cells) {
    table_.features_.assign(cells.begin() + 1, cells.end());
    if (table_.features_.empty())
      fail(Errc::parse, "{}: names of features are expected behind the first cell", csv.where());
    for (std::size_t j = 0; j < table_.features_.size(); ++j) {
      const auto begin = table_.features_.begin();
      if (table_.features_[j].empty())
        fail(Errc::parse, "{}: column {} has no name", csv.where(), j + 2);
      if (std::find(begin, begin + j, table_.features_[j]) != begin + j)
        fail(Errc::parse, "{}: two columns are called {}", csv.where(),
             printable(table_.features_[j]));
    }
    table_.values_.assign(kByNumber * table_.features_.size(), 0.0);
    table_.present_.assign(kByNumber, 0);
  }

  void read_row(const io::CsvReader& csv, const std::vector<std::string>& cells) {
    const int z = element_number(cells.front());
    if (z == 0 || element_symbol(z) != cells.front())
      fail(Errc::parse, "{}: the symbol of an element is expected in the first column, not \"{}\"",
           csv.where(), printable(cells.front()));
    if (table_.present_[z])
      fail(Errc::parse, "{}: a second row for {}", csv.where(), cells.front());
    if (cells.size() != table_.features_.size() + 1)
      fail(Errc::parse, "{}: {} cells, the header has {}", csv.where(), cells.size(),
           table_.features_.size() + 1);
    table_.present_[z] = 1;
    double* row = table_.values_.data() + z * table_.features_.size();
    for (std::size_t j = 0; j < table_.features_.size(); ++j) row[j] = number(csv, cells, j + 1);
  }

  double number(const io::CsvReader& csv, const std::vector<std::string>& cells,
                std::size_t column) const {
    const std::string& cell = cells[column];
    const char* end = cell.data() + cell.size();
    double value = 0;
    const auto [stop, error] = std::from_chars(cell.data(), end, value);
    if (error != std::errc() || stop != end || !std::isfinite(value))
      fail(Errc::parse, "{}: column {} ({}) of {}: a number is expected, not \"{}\"", csv.where(),
           column + 1, printable(table_.features_[column - 1]), cells.front(), printable(cell));
    return value;
  }

  /// Of the names, and of the values of each element by ascending atomic number.
  std::string content_hash() const {
    ContentHash hash;
    for (const std::string& feature : table_.features_) {
      hash.take(feature);
      hash.take(std::string_view("\0", 1));
    }
    for (int z = 1; z <= kElements; ++z) {
      if (!table_.has(z)) continue;
      hash.take(element_symbol(z));
      for (std::size_t j = 0; j < table_.features_.size(); ++j) {
        const double value = table_.row(z)[j] + 0.0;  // -0 is 0
        hash.take({reinterpret_cast<const char*>(&value), sizeof value});
      }
    }
    return hash.hex();
  }

  ElementTable table_;
};

const ElementTable& ElementTable::embedded() {
  static const ElementTable table = [] {
    const std::span<const std::byte> bytes = kronite::embedded::elements();
    io::CsvReader csv("embedded element table",
                      std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
    return ElementTableReader().read(csv);
  }();
  return table;
}

ElementTable ElementTable::read_csv(const std::string& path) {
  io::CsvReader csv(path);
  return ElementTableReader().read(csv);
}

bool ElementTable::has(int z) const {
  return z >= 1 && z < std::ssize(present_) && present_[z] != 0;
}

const double* ElementTable::row(int z) const { return values_.data() + z * features_.size(); }

void require_elements(const Composition& composition, const ElementTable& table) {
  for (const ElementAmount& part : composition.parts())
    if (!table.has(part.z))
      fail(Errc::invalid_argument, "{}: the element table has no values for {}",
           composition.reduced_formula(), element_symbol(part.z));
}

}  // namespace kronite
