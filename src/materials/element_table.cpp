// Element tables: the one inside the library and those of users.
#include "materials/element_table.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

#include "base/fail.hpp"            // for fail
#include "base/hash.hpp"            // for ContentHash
#include "base/printable.hpp"       // for printable
#include "io/named_table.hpp"       // for read_named_table
#include "kronite/composition.hpp"  // for ElementTable
#include "materials/elements.hpp"   // for kElements, kByNumber

namespace kronite {

namespace embedded {
std::span<const std::byte> elements();  // data/elements.csv
}

/// Takes over a table whose rows are elements.
class ElementTableReader {
 public:
  ElementTable read(io::CsvReader& csv) {
    io::NamedTable named =
        io::read_named_table(csv, "elements", [](const std::string& name) -> std::string {
          const int z = element_number(name);
          if (z != 0 && element_symbol(z) == name) return "";
          return "the symbol of an element is expected in the first column, not \"" +
                 printable(name) + "\"";
        });
    const std::size_t features = named.columns.size();
    table_.features_ = std::move(named.columns);
    table_.values_.assign(kByNumber * features, 0.0);
    table_.present_.assign(kByNumber, 0);
    for (std::size_t i = 0; i < named.rows.size(); ++i) {
      const auto z = static_cast<std::size_t>(element_number(named.rows[i]));
      table_.present_[z] = 1;
      std::copy_n(named.values.begin() + i * features, features,
                  table_.values_.begin() + z * features);
    }
    table_.hash_ = content_hash();
    return std::move(table_);
  }

 private:
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
