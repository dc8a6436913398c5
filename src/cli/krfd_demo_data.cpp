// kronite krfd demo-data: artificial curves to try the other commands on.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include "base/fail.hpp"         // for fail
#include "cli/krfd.hpp"          // for add_krfd_demo_data
#include "cli/krfd_options.hpp"  // for point_names
#include "io/atomic_file.hpp"    // for write_file
#include "io/csv.hpp"            // for append_csv_row
#include "io/folder.hpp"         // for make_folder
#include "krfd/artificial.hpp"   // for dense_curves, sparse_curves

namespace kronite::cli {
namespace {

struct DemoDataCommand {
  std::string out;
  std::uint64_t seed = 1122;
  std::int64_t systems = 0, points = 51;
  bool sparse = false;

  void run() const;

 private:
  std::string path(const char* name) const { return (std::filesystem::path(out) / name).string(); }
  void write_rows(const char* name, const std::vector<std::string>& columns,
                  const std::vector<double>& values) const;
  void write_dense() const;
  void write_sparse() const;
};

std::string id_of(std::int64_t system) { return fmt::format("s{}", system + 1); }

void DemoDataCommand::write_rows(const char* name, const std::vector<std::string>& columns,
                                 const std::vector<double>& values) const {
  std::string text;
  io::append_csv_header(text, "id", columns);
  const std::size_t width = columns.size();
  for (std::size_t i = 0; i < values.size() / width; ++i)
    io::append_csv_row(text, id_of(static_cast<std::int64_t>(i)),
                       {values.data() + i * width, width});
  io::write_file(path(name), text);
}

void DemoDataCommand::write_dense() const {
  const auto curves = krfd::dense_curves(systems == 0 ? 1000 : systems, points, seed);
  const auto names = point_names({curves.t.data(), std::ssize(curves.t), 1});
  write_rows("X.csv", {"a", "b", "c", "d", "e"}, curves.x);
  write_rows("Y.csv", names, curves.y);
  write_rows("Y_true.csv", names, curves.truth);
  std::string text = "t\n";
  for (const std::string& name : names) text += name + "\n";
  io::write_file(path("t.csv"), text);
  fmt::print("{}: {} systems at {} points: X.csv, Y.csv, t.csv, and Y_true.csv without noise\n",
             out, curves.systems, curves.t.size());
}

void DemoDataCommand::write_sparse() const {
  const auto curves = krfd::sparse_curves(systems == 0 ? 500 : systems, seed);
  write_rows("X.csv", {"a", "b", "c", "d", "e"}, curves.x);
  const auto write = [&](const char* name, const std::vector<double>& y) {
    std::string text = "id,t,y\n";
    for (std::size_t n = 0; n < curves.t.size(); ++n) {
      const double row[] = {curves.t[n], y[n]};
      io::append_csv_row(text, id_of(curves.curve[n]), row);
    }
    io::write_file(path(name), text);
  };
  write("long.csv", curves.y);
  write("long_true.csv", curves.truth);
  fmt::print(
      "{}: {} systems at {} points of their own: X.csv, long.csv, and long_true.csv without "
      "noise\n",
      out, curves.systems, curves.t.size());
}

void DemoDataCommand::run() const {
  io::make_folder(out);
  if (sparse)
    write_sparse();
  else
    write_dense();
}

}  // namespace

void add_krfd_demo_data(CLI::App& krfd) {
  CLI::App* app = krfd.add_subcommand(
      "demo-data",
      "Artificial curves y = a sin(b t + c) + d t + e with noise of 0.2, on which KRFD was first\n"
      "shown: tables for the other commands");
  const auto command = std::make_shared<DemoDataCommand>();
  app->add_option("--out", command->out, "Folder for the tables")->required()->type_name("DIR");
  app->add_option("--seed", command->seed, "Seed of the random numbers")
      ->type_name("N")
      ->capture_default_str();
  app->add_option("--systems", command->systems, "Curves [1000; with --sparse 500]")
      ->check(CLI::Range(1, 10000000).description(""))
      ->type_name("N");
  CLI::Option* points =
      app->add_option("--points", command->points, "Points of every curve, on [0, 2]")
          ->check(CLI::Range(1, 1000000).description(""))
          ->type_name("N")
          ->capture_default_str();
  app->add_flag("--sparse", command->sparse,
                "Each curve at 2 to 20 points of its own: long.csv with id, t and y")
      ->excludes(points);
  app->footer("Example:  kronite krfd demo-data --out curves");
  app->callback([command] { command->run(); });
}

}  // namespace kronite::cli
