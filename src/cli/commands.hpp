// The subcommands of the program, one function and one file each.
#pragma once

namespace CLI {
class App;
}

namespace kronite::cli {

void add_csp(CLI::App& program);          // csp.cpp
void add_kmd(CLI::App& program);          // kmd.cpp
void add_templates(CLI::App& program);    // templates.cpp
void add_describe(CLI::App& program);     // describe.cpp
void add_fingerprint(CLI::App& program);  // fingerprint.cpp
void add_compare(CLI::App& program);      // compare.cpp
void add_match(CLI::App& program);        // match.cpp
void add_model(CLI::App& program);        // model.cpp
void add_devices(CLI::App& program);      // devices.cpp

}  // namespace kronite::cli
