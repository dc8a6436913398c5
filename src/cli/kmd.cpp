// kronite kmd: the command, whose parts lie in files of their own.
#include "cli/kmd.hpp"

#include <CLI/CLI.hpp>

#include "cli/commands.hpp"  // for add_kmd

namespace kronite::cli {

void add_kmd(CLI::App& program) {
  CLI::App* kmd = program.add_subcommand(
      "kmd", "Kernel mean descriptors of compositions and other mixtures, and their inverse");
  kmd->require_subcommand(1);
  kmd->footer("Example:  kronite kmd transform SrTiO3 'Ca(OH)2' --out kmd.csv");
  add_kmd_design(*kmd);
  add_kmd_evaluate(*kmd);
  add_kmd_invert(*kmd);
  add_kmd_map(*kmd);
  add_kmd_search(*kmd);
  add_kmd_transform(*kmd);
}

}  // namespace kronite::cli
