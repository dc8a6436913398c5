// Ids of the Materials Project in their two spellings.
#pragma once

#include <string>
#include <string_view>

namespace kronite::io {

/// One spelling for ids that name the same entry: since 2025 the Materials Project also writes its
/// numbers in base 26, so that mp-149, mp-aaft and mp-aaaaaaft are one. Other ids stay as they are.
/// For comparing only: what is written out is the id as it was read.
std::string canonical_id(std::string_view id);

}  // namespace kronite::io
