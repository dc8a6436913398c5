// Options of fits for many systems, their costs as a table, and what such a fit says of itself.
#include "cli/krfd_scale.hpp"

#include <fmt/format.h>

#include <unistd.h>
#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>
#include <limits>

#include "base/fail.hpp"       // for fail
#include "cli/terminal.hpp"    // for Table, duration
#include "krfd/fit_scale.hpp"  // for tile_of

namespace kronite::cli {
namespace {

/// Iterations of conjugate gradients that a table of costs is made for.
constexpr int kExpectedIterations = 100;

}  // namespace

double held_now() {
  std::ifstream file("/proc/self/statm");
  double pages = 0, resident = 0;
  if (!(file >> pages >> resident)) return 0;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

std::string memory_text(double bytes) {
  return bytes < 1e9 ? fmt::format("{:.0f} MB", bytes / 1e6)
                     : fmt::format("{:.2f} GB", bytes / 1e9);
}

void ScaleChoice::add(CLI::App& command) {
  command_ = &command;
  command
      .add_option(
          "--solver", solver,
          "exact; tiled: the same by Cholesky factors in host memory, one device or several\n"
          "work on tiles of them; pcg: the same by conjugate gradients, in memory that grows\n"
          "with the number of systems, to --tolerance; nystrom: kernels restricted to\n"
          "functions of --centres, with an estimate of what that changes")
      ->check(CLI::IsMember({"exact", "tiled", "pcg", "nystrom"}).description(""))
      ->type_name("exact|tiled|pcg|nystrom")
      ->capture_default_str();
  command.add_option("--tile", scale.tile, "tiled: rows of a tile; 0: by the memory of the device")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 40).description(""))
      ->type_name("N")
      ->capture_default_str();
  command
      .add_option("--centres", scale.centres,
                  "pcg, nystrom: systems drawn at random, for the preconditioner or as centres")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 40).description(""))
      ->type_name("M")
      ->capture_default_str();
  command.add_option("--tolerance", scale.tolerance, "pcg: residual over the right-hand side")
      ->check(CLI::Range(1e-300, 0.999).description(""))
      ->type_name("E")
      ->capture_default_str();
  command.add_option("--max-iterations", scale.max_iterations, "pcg: iterations at most")
      ->check(CLI::Range(1, std::numeric_limits<int>::max()).description(""))
      ->type_name("N")
      ->capture_default_str();
  command
      .add_option(
          "--rank-tolerance", rank_tolerance,
          "Leave out components along t whose eigenvalue is below this share of the largest")
      ->check(CLI::Range(0.0, 0.999).description(""))
      ->type_name("E")
      ->capture_default_str();
}

krfd::FitOptions ScaleChoice::options(krfd::FitOptions fit) const {
  const auto only_for = [&](const char* option, bool fits, const char* solvers) {
    if (!fits && command_->count(option) > 0)
      fail(Errc::invalid_argument, "{} is for --solver {}", option, solvers);
  };
  only_for("--tile", solver == "tiled", "tiled");
  only_for("--centres", solver == "pcg" || solver == "nystrom", "pcg or nystrom");
  only_for("--tolerance", solver == "pcg", "pcg");
  only_for("--max-iterations", solver == "pcg", "pcg");
  // No bands are asked for here: those of a prediction are made from the model file.
  fit.uncertainty = false;
  fit.scale = scale;
  fit.rank_tolerance = rank_tolerance;
  if (solver == "tiled") fit.path = krfd::FitPath::tiled;
  if (solver == "pcg") fit.path = krfd::FitPath::conjugate_gradients;
  if (solver == "nystrom") fit.path = krfd::FitPath::nystrom;
  return fit;
}

void print_costs(Device& device, const krfd::FitShape& shape, const krfd::FitOptions& chosen,
                 const Speed& speed, double held) {
  using krfd::FitPath;
  const bool one_memory = device.place() == Place{};
  Table table(one_memory ? std::vector<std::string>{"fit", "operations", "expected time", "memory"}
                         : std::vector<std::string>{"fit", "operations", "expected time", "device",
                                                    "host"});
  krfd::FitOptions options = chosen;
  const auto add = [&](const std::string& name, FitPath path) {
    options.path = path;
    const krfd::FitCost cost = krfd::fit_cost(shape, options, kExpectedIterations);
    const double rate = path == FitPath::spectral ? speed.eigenvalues : speed.products;
    // A model file is put together from copies of the data and the coefficients.
    const auto n = static_cast<double>(shape.systems);
    const double writing =
        8 * n * (3 * static_cast<double>(shape.features) + 10 * static_cast<double>(shape.points));
    const double device_bytes = cost.device_bytes, host = std::max(cost.host_bytes, writing) + held,
                 both = std::max(device_bytes + cost.host_bytes, writing) + held;
    std::vector<std::string> cells{name + (path == chosen.path ? " (chosen)" : ""),
                                   fmt::format("{:.2e}", cost.operations),
                                   duration(cost.operations / rate)};
    if (one_memory)
      cells.push_back(memory_text(both));
    else
      cells.insert(cells.end(), {memory_text(device_bytes), memory_text(host)});
    table.add(cells);
  };
  if (chosen.rank_tolerance == 0) add("exact, by Cholesky factors", FitPath::cholesky);
  add("exact, by eigenvalues", FitPath::spectral);
  options.path = FitPath::tiled;
  if (chosen.rank_tolerance == 0 && krfd::tile_of(shape, options) > 0)
    add(fmt::format("tiled, {} rows, {} moved", krfd::tile_of(shape, options),
                    memory_text(krfd::fit_cost(shape, options).moved_bytes)),
        FitPath::tiled);
  const auto centres = std::min(options.scale.centres, shape.systems);
  add(fmt::format("pcg, {} iterations, {} centres", kExpectedIterations, centres),
      FitPath::conjugate_gradients);
  add(fmt::format("nystrom, {} centres", centres), FitPath::nystrom);
  table.print();
}

std::string distance_text(const krfd::Model& model, bool truncated) {
  const krfd::FitReport& report = model.report();
  std::string text;
  if (model.path() == krfd::FitPath::conjugate_gradients)
    text = fmt::format(
        "conjugate gradients: {} iterations, residual {:.1e} of the right-hand side{}",
        report.iterations, report.relative_residual, report.converged ? "" : ", not converged");
  if (model.path() == krfd::FitPath::tiled)
    text = fmt::format("Cholesky factors in tiles of {} rows, {} moved between host and device",
                       report.tile, memory_text(report.moved_bytes));
  if (model.path() == krfd::FitPath::nystrom)
    text = fmt::format(
        "nystrom: {} centres miss {:.2g} of k_G and {:.2g} of k_M; with half of them fitted "
        "values\n"
        "change by {:.3g} (root mean square)",
        report.centres, report.missed_g, report.missed_m, report.change);
  if (truncated)
    text += fmt::format(
        "{}{} of {} components along t; a component left out would have been fitted "
        "to {:.2g} of its size at most",
        text.empty() ? "" : "\n", report.rank_t, model.points(), report.dropped_t);
  return text;
}

}  // namespace kronite::cli
