// kronite csp
#include "cli/commands.hpp"

namespace kronite::cli {
void add_csp(CLI::App&) {}
}  // namespace kronite::cli
