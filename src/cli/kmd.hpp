// The commands of `kronite kmd`, one function and one file each.
#pragma once

namespace CLI {
class App;
}

namespace kronite::cli {

void add_kmd_design(CLI::App& kmd);     // kmd_design.cpp
void add_kmd_evaluate(CLI::App& kmd);   // kmd_evaluate.cpp
void add_kmd_invert(CLI::App& kmd);     // kmd_invert.cpp
void add_kmd_map(CLI::App& kmd);        // kmd_map.cpp
void add_kmd_search(CLI::App& kmd);     // kmd_search.cpp
void add_kmd_transform(CLI::App& kmd);  // kmd_transform.cpp

}  // namespace kronite::cli
