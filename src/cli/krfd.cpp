// kronite krfd: the command, whose parts lie in files of their own.
#include "cli/krfd.hpp"

#include <CLI/CLI.hpp>

#include "cli/commands.hpp"  // for add_krfd

namespace kronite::cli {

void add_krfd(CLI::App& program) {
  CLI::App* krfd = program.add_subcommand(
      "krfd", "Kernel regression of functions, with bands: spectra, curves, profiles");
  krfd->require_subcommand(1);
  krfd->footer("Example:  kronite krfd fit --x X.csv --y Y.csv --t t.csv --out model.safetensors");
  add_krfd_compare(*krfd);
  add_krfd_demo_data(*krfd);
  add_krfd_evaluate(*krfd);
  add_krfd_fit(*krfd);
  add_krfd_predict(*krfd);
  add_krfd_sample(*krfd);
  add_krfd_tune(*krfd);
}

}  // namespace kronite::cli
