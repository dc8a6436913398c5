// The keys of pymatgen's dictionaries, for writing (structure_record.cpp reads them).
#include "io/pymatgen_json.hpp"

#include <string>
#include <utility>

namespace kronite::io {

nlohmann::ordered_json to_pymatgen(const Structure& structure) {
  using Json = nlohmann::ordered_json;
  Json sites = Json::array();
  for (std::size_t i = 0; i < structure.size(); ++i) {
    const std::string symbol(element_symbol(structure.z[i]));
    sites.push_back({{"species", {{{"element", symbol}, {"occu", 1}}}},
                     {"abc", structure.fractional[i]},
                     {"label", symbol}});
  }
  return {{"@module", "pymatgen.core.structure"},
          {"@class", "Structure"},
          {"lattice", {{"matrix", structure.lattice}}},
          {"sites", std::move(sites)}};
}

}  // namespace kronite::io
