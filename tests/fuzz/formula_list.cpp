// Lists of formulas, as text and as a table, and tables as such.
#include "io/formula_list.hpp"

#include "fuzz/target.hpp"
#include "io/csv.hpp"  // for CsvReader, append_csv_cell

namespace kronite::fuzz {
namespace {

using Table = std::vector<std::vector<std::string>>;
constexpr int kLines = 3;  // of a refused formula: the reason, the formula, and a caret below it

void check_list(const std::string& path) {
  int skipped = 0;
  const auto skip = [&](const std::string& where, const std::string& why) {
    promise_message(where);
    promise_message(why, kLines);
    ++skipped;
  };
  std::vector<io::ListedFormula> list;
  const bool read = accepts([&] { list = io::read_formula_list(path, skip); }, kLines);
  for (const io::ListedFormula& formula : list)
    promise(Composition::parse(formula.text) == formula.composition && formula.line > 0,
            "a listed formula is what its text says", formula.text);
  const bool all_good = accepts([&] { list = io::read_formula_list(path); }, kLines);
  promise(all_good == (read && skipped == 0), "without skipping, the first bad formula is thrown");
}

bool read_table(std::string_view text, Table& table) {
  return accepts([&] {
    io::CsvReader reader("table.csv", text);
    for (std::vector<std::string> cells; reader.next(cells);) table.push_back(cells);
  });
}

void check_table(std::string_view text) {
  Table table, again;
  if (!read_table(text, table)) return;
  std::string written;
  for (auto& row : table) {
    row.insert(row.begin(), "row");  // an empty line would be no row
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) written += ',';
      io::append_csv_cell(written, row[i]);
    }
    written += '\n';
  }
  promise(read_table(written, again) && again == table, "a written table reads back the same",
          written);
}

}  // namespace
}  // namespace kronite::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kronite::fuzz;
  const std::string_view text = as_text(data, size);
  check_list(as_file("list.txt", text));
  check_list(as_file("list.csv", text));
  check_table(text);
  return 0;
}
