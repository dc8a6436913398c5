// kronite templates
#include "cli/commands.hpp"

namespace kronite::cli {
void add_templates(CLI::App&) {}
}  // namespace kronite::cli
