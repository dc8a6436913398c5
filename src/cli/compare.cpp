// kronite compare: how unlike two crystals are by their local order, and by which surroundings.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/fail.hpp"                      // for fail
#include "base/log.hpp"                       // for notice
#include "cli/commands.hpp"                   // for add_compare
#include "cli/structures.hpp"                 // for read_one_structure
#include "cli/terminal.hpp"                   // for Table
#include "io/atomic_file.hpp"                 // for write_file
#include "io/escape.hpp"                      // for one_line
#include "kronite/fingerprint.hpp"            // for compare, dissimilarity, fingerprint
#include "materials/coordination_figure.hpp"  // for draw_coordination

namespace kronite::cli {
namespace {

constexpr std::size_t kShownRows = 10;
constexpr double kShownShare = 0.005;  // of the squared dissimilarity

struct CompareCommand {
  std::string a, b, figure;
  ReadOptions reading;
  bool all = false, json = false;

  void run() const;
};

/// One of the two crystals.
struct Crystal {
  StructureRecord record;
  Fingerprint values;

  std::string formula() const { return record.structure.composition().reduced_formula(); }
};

Crystal read_crystal(const std::string& reference, const ReadOptions& reading) {
  Crystal crystal{read_one_structure(reference, reading), {}};
  if (crystal.record.disordered)
    notice(reference + " is disordered: every site that it lists counts, however it is occupied");
  try {
    crystal.values = fingerprint(crystal.record.structure);
  } catch (const Error& error) {
    fail(error.code(), "{}: {}", crystal.record.where, error.what());
  }
  return crystal;
}

bool is_share_of_sites(int feature) { return site_feature_names()[feature].starts_with("wt CN_"); }

/// "100 %" of a share of the sites, "0.98" of a fit.
std::string value_text(int feature, double value) {
  return is_share_of_sites(feature) ? fmt::format("{:.0f} %", 100 * value)
                                    : fmt::format("{:.2f}", value);
}

/// Smallest and largest value over the sites, where they differ.
std::string range_text(int feature, const std::array<double, kSiteStatistics>& statistics) {
  const std::string least = value_text(feature, statistics[2]);
  const std::string most = value_text(feature, statistics[3]);
  return least == most ? "" : fmt::format("{} to {}", least, most);
}

void print_differences(const std::vector<FeatureDifference>& differences, bool all) {
  Table table({"surroundings", "mean of A", "range of A", "mean of B", "range of B", "share"});
  std::size_t rows = 0;
  for (const FeatureDifference& d : differences) {
    if (!all && (rows == kShownRows || d.share < kShownShare)) break;
    if (d.a == d.b && d.a[3] == 0) continue;  // nothing of it in either
    table.add({describe_site_feature(d.feature), value_text(d.feature, d.a[0]),
               range_text(d.feature, d.a), value_text(d.feature, d.b[0]),
               range_text(d.feature, d.b), fmt::format("{:.1f} %", 100 * d.share)});
    ++rows;
  }
  if (rows == 0) return;
  fmt::print("\n");
  table.print();
  fmt::print(
      "\nPercentages are the share of sites with that coordination number, other numbers how well\n"
      "the neighbours fit the motif (1: exactly); range: over the sites; share: of the squared\n"
      "dissimilarity.{}\n",
      all ? "" : " All features: --all");
}

void print_text(const Crystal& a, const Crystal& b, bool all) {
  const double distance = dissimilarity(a.values, b.values);
  fmt::print("A: {}, {}, {} sites\nB: {}, {}, {} sites\n", io::one_line(a.record.where),
             a.formula(), a.record.structure.size(), io::one_line(b.record.where), b.formula(),
             b.record.structure.size());
  fmt::print("dissimilarity: {:.4f}, {} (alike: less than {})\n", distance,
             distance < kAlikeBelow ? "alike" : "not alike", kAlikeBelow);
  print_differences(compare(a.values, b.values), all);
}

nlohmann::ordered_json statistics_json(const std::array<double, kSiteStatistics>& statistics) {
  return {{"mean", statistics[0]},
          {"std_dev", statistics[1]},
          {"minimum", statistics[2]},
          {"maximum", statistics[3]}};
}

nlohmann::ordered_json crystal_json(const Crystal& crystal) {
  return {{"id", crystal.record.id},
          {"where", crystal.record.where},
          {"formula", crystal.formula()},
          {"sites", crystal.record.structure.size()}};
}

/// Always all features.
void print_json(const Crystal& a, const Crystal& b) {
  const double distance = dissimilarity(a.values, b.values);
  nlohmann::ordered_json root = {
      {"a", crystal_json(a)},       {"b", crystal_json(b)},
      {"dissimilarity", distance},  {"alike", distance < kAlikeBelow},
      {"alike_below", kAlikeBelow}, {"features", nlohmann::ordered_json::array()}};
  for (const FeatureDifference& d : compare(a.values, b.values))
    root["features"].push_back({{"feature", site_feature_names()[d.feature]},
                                {"words", describe_site_feature(d.feature)},
                                {"a", statistics_json(d.a)},
                                {"b", statistics_json(d.b)},
                                {"share", d.share}});
  using Json = nlohmann::ordered_json;
  fmt::print("{}\n", root.dump(1, ' ', false, Json::error_handler_t::replace));
}

void CompareCommand::run() const {
  const Crystal first = read_crystal(a, reading), second = read_crystal(b, reading);
  if (!figure.empty())
    io::write_file(figure, draw_coordination({{first.formula() + " (A)", first.values},
                                              {second.formula() + " (B)", second.values}}));
  if (json)
    print_json(first, second);
  else
    print_text(first, second, all);
}

}  // namespace

void add_compare(CLI::App& program) {
  CLI::App* app = program.add_subcommand(
      "compare",
      "How unlike two crystals are by the surroundings of their atoms: the distance of their\n"
      "fingerprints, and which surroundings make it. Elements play no part, volume next to none.");
  const auto command = std::make_shared<CompareCommand>();
  constexpr const char* kWhat =
      "A file with one structure, or FILE:ID for one of several; a template library\n"
      "(.ktl:ID) will do";
  app->add_option("A", command->a, kWhat)->required();
  app->add_option("B", command->b, "The other one")->required();
  app->add_flag("--all", command->all, "Every feature, not only the largest differences");
  app->add_flag("--json", command->json, "All features as JSON on standard output");
  app->add_option("--figure", command->figure,
                  "Draw the coordination numbers of both into this SVG file")
      ->type_name("FILE");
  add_species_option(*app, command->reading);
  app->footer("Example:  kronite compare relaxed.cif mp.ktl:mp-5229");
  app->callback([command] { command->run(); });
}

}  // namespace kronite::cli
