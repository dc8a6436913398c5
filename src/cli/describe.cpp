// kronite describe
#include "cli/commands.hpp"

namespace kronite::cli {
void add_describe(CLI::App&) {}
}  // namespace kronite::cli
