// Cuts a CIF file into its data blocks, so that an unreadable block does not spoil the others.
#pragma once

#include <cstdint>
#include <string>

#include "io/input.hpp"  // for LineReader

namespace kronite::io {

struct CifText {
  std::string name;  ///< behind data_
  std::string text;  ///< from the heading on; comments above the first heading belong to it
  std::int64_t first_line = 0;    ///< of the text
  std::int64_t heading_line = 0;  ///< of data_
};

class CifBlocks {
 public:
  explicit CifBlocks(const std::string& path) : lines_(path) {}

  /// False at the end of the file.
  bool next(CifText& block);

 private:
  LineReader lines_;
  std::string heading_, line_;
  std::int64_t heading_line_ = 0;
};

/// The name behind "data_" when the line starts a block.
bool starts_cif_block(const std::string& line, std::string* name = nullptr);

}  // namespace kronite::io
