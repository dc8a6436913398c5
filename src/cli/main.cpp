// The kronite program: a table of subcommands, and one place where errors become a sentence and a
// code.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <system_error>

#include "cli/commands.hpp"   // for add_csp and the like
#include "cli/terminal.hpp"   // for catch_interrupts, set_command_line, print_message
#include "kronite/error.hpp"  // for Error
#include "kronite/log.hpp"    // for set_log_callback
#include "kronite/version.hpp"

namespace {

/// One sentence about arguments that do not fit, and the help that applies to them.
std::string refusal(const CLI::App* program, const CLI::Error& error) {
  const CLI::App* command = program;
  std::string name = program->get_name();
  while (!command->get_subcommands().empty()) {
    command = command->get_subcommands().front();
    name += " " + command->get_name();
  }
  std::string sentence = error.what();
  const bool wants_command = !command->get_subcommands(nullptr).empty();
  if (wants_command && error.get_name() == "RequiredError") {
    const auto rest = command->remaining();
    sentence = rest.empty() ? "a command is expected"
                            : fmt::format("there is no command '{}'", rest.front());
  }
  return fmt::format("kronite: {}\nRun '{} --help' for more information.\n", sentence, name);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace kronite;
  cli::catch_interrupts();
  cli::set_command_line(argc, argv);
  set_log_callback([](LogLevel level, const std::string& message) {
    cli::print_message((level == LogLevel::warning ? "warning: " : "") + message);
  });

  CLI::App program{
      "Crystal structures from formulas, template libraries, descriptors, fingerprints, models.",
      "kronite"};
  program.set_version_flag("--version", "kronite " KRONITE_VERSION);
  program.require_subcommand(1);
  program.failure_message(refusal);
  program.footer("Example:  kronite csp predict SrTiO3 --out results");
  cli::add_csp(program);
  cli::add_kmd(program);
  cli::add_templates(program);
  cli::add_describe(program);
  cli::add_fingerprint(program);
  cli::add_compare(program);
  cli::add_match(program);
  cli::add_model(program);
  cli::add_devices(program);

  try {
    program.parse(argc, argv);
    if (std::fflush(stdout) != 0 || std::ferror(stdout))
      throw Error(Errc::io, "standard output cannot be written");
    return 0;
  } catch (const CLI::ParseError& e) {
    return program.exit(e) == 0 ? 0 : 2;
  } catch (const Error& e) {
    std::fflush(stdout);
    cli::print_message(e.what());
    return e.code() == Errc::cancelled ? 130 : 1;
  } catch (const std::bad_alloc&) {
    cli::print_message("not enough memory");
    return 1;
  } catch (const std::system_error& e) {  // from fmt::print, for one
    cli::print_message(e.what());
    return 1;
  } catch (const std::exception& e) {
    cli::print_message(std::string("internal error, please report it: ") + e.what());
    return 1;
  }
}
