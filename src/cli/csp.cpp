// kronite csp: the command, whose parts lie in files of their own.
#include "cli/csp.hpp"

#include <CLI/CLI.hpp>

#include "cli/commands.hpp"  // for add_csp

namespace kronite::cli {

void add_csp(CLI::App& program) {
  CLI::App* csp =
      program.add_subcommand("csp", "Predict crystal structures by element substitution");
  csp->require_subcommand(1);
  add_csp_evaluate(*csp);
  add_csp_predict(*csp);
  add_csp_score(*csp);
  add_csp_train(*csp);
  add_csp_tune(*csp);
}

}  // namespace kronite::cli
