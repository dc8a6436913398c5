// A block starts at a line with data_ that is not inside a text field.
#include "io/cif_blocks.hpp"

#include <utility>

#include "base/ascii.hpp"  // for to_lower

namespace kronite::io {

bool starts_cif_block(const std::string& line, std::string* name) {
  constexpr std::string_view kKeyword = "data_";
  const std::size_t at = line.find_first_not_of(" \t");
  if (at == std::string::npos || to_lower(line.substr(at, kKeyword.size())) != kKeyword)
    return false;
  if (name) {
    const std::size_t from = at + kKeyword.size();
    *name = line.substr(from, line.find_first_of(" \t#", from) - from);
  }
  return true;
}

bool CifBlocks::next(CifText& block) {
  block = {};
  bool found = false;
  if (!heading_.empty()) {
    found = starts_cif_block(heading_, &block.name);
    block.text = std::exchange(heading_, {}) + '\n';
    block.first_line = block.heading_line = heading_line_;
  }
  bool in_text_field = false;
  while (lines_.next(line_)) {
    if (block.first_line == 0) block.first_line = lines_.line_number();
    if (!line_.empty() && line_.front() == ';') in_text_field = !in_text_field;
    std::string name;
    if (!in_text_field && starts_cif_block(line_, &name)) {
      if (found) {
        heading_ = line_;
        heading_line_ = lines_.line_number();
        return true;
      }
      found = true;
      block.name = std::move(name);
      block.heading_line = lines_.line_number();
    }
    block.text += line_;
    block.text += '\n';
  }
  return found;
}

}  // namespace kronite::io
