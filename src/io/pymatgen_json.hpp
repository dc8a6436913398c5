// A structure as pymatgen writes it.
#pragma once

#include <nlohmann/json.hpp>

#include "kronite/structure.hpp"  // for Structure

namespace kronite::io {

/// As Structure.as_dict(), in the fields that Structure.from_dict() needs.
nlohmann::ordered_json to_pymatgen(const Structure& structure);

}  // namespace kronite::io
