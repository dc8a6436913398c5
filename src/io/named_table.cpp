// Tables of numbers whose rows and columns have names.
#include "io/named_table.hpp"

#include <cstddef>
#include <unordered_set>

#include "base/fail.hpp"       // for fail
#include "base/number.hpp"     // for to_number
#include "base/printable.hpp"  // for printable

namespace kronite::io {
namespace {

class NamedTableReader {
 public:
  NamedTable read(CsvReader& csv, const std::string& rows_of, const RowNameCheck& check_name) {
    std::vector<std::string> cells;
    if (!csv.next(cells))
      fail(Errc::parse, "{}: a header with the names of features is expected", csv.where());
    read_header(csv, cells);
    while (csv.next(cells)) read_row(csv, cells, check_name);
    if (table_.rows.empty())
      fail(Errc::parse, "{}: rows of {} are expected below the header", csv.where(), rows_of);
    return std::move(table_);
  }

 private:
  void read_header(const CsvReader& csv, const std::vector<std::string>& cells) {
    table_.columns.assign(cells.begin() + 1, cells.end());
    if (table_.columns.empty())
      fail(Errc::parse, "{}: names of features are expected behind the first cell", csv.where());
    std::unordered_set<std::string> seen;
    for (std::size_t j = 0; j < table_.columns.size(); ++j) {
      if (table_.columns[j].empty())
        fail(Errc::parse, "{}: column {} has no name", csv.where(), j + 2);
      if (!seen.insert(table_.columns[j]).second)
        fail(Errc::parse, "{}: two columns are called {}", csv.where(),
             printable(table_.columns[j]));
    }
  }

  void read_row(const CsvReader& csv, const std::vector<std::string>& cells,
                const RowNameCheck& check_name) {
    const std::string& name = cells.front();
    if (const std::string why = check_name(name); !why.empty())
      fail(Errc::parse, "{}: {}", csv.where(), why);
    if (!seen_.insert(name).second)
      fail(Errc::parse, "{}: a second row for {}", csv.where(), printable(name));
    if (cells.size() != table_.columns.size() + 1)
      fail(Errc::parse, "{}: {} cells, the header has {}", csv.where(), cells.size(),
           table_.columns.size() + 1);
    table_.rows.push_back(name);
    for (std::size_t j = 1; j < cells.size(); ++j) table_.values.push_back(number(csv, cells, j));
  }

  double number(const CsvReader& csv, const std::vector<std::string>& cells,
                std::size_t column) const {
    const std::string& cell = cells[column];
    const auto value = to_number(cell);
    if (!value)
      fail(Errc::parse, "{}: column {} ({}) of {}: a number is expected, not \"{}\"", csv.where(),
           column + 1, printable(table_.columns[column - 1]), printable(cells.front()),
           printable(cell));
    return *value;
  }

  NamedTable table_;
  std::unordered_set<std::string> seen_;
};

}  // namespace

NamedTable read_named_table(CsvReader& csv, const std::string& rows_of,
                            const RowNameCheck& check_name) {
  return NamedTableReader().read(csv, rows_of, check_name);
}

}  // namespace kronite::io
