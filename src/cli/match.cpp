// kronite match: whether two crystals are the same one, and how well they lie on each other.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/fail.hpp"        // for fail
#include "base/log.hpp"         // for notice
#include "cli/commands.hpp"     // for add_match
#include "cli/structures.hpp"   // for read_structure_list
#include "cli/terminal.hpp"     // for Table, ProgressLine, tolerance
#include "io/escape.hpp"        // for one_line
#include "kronite/matcher.hpp"  // for match_pairs

namespace kronite::cli {
namespace {

/// The crystals of one side, in order.
struct Side {
  std::vector<StructureRecord> records;
  std::vector<MatchCell> cells;
  std::vector<std::optional<Symmetry>> symmetries;  ///< nothing where spglib finds none

  std::size_t size() const { return records.size(); }
  std::string formula(std::size_t i) const {
    return records[i].structure.composition().reduced_formula();
  }
};

/// Which crystals of two sides are compared.
using Places = std::vector<std::pair<std::int32_t, std::int32_t>>;

struct MatchCommand {
  std::string a, b;
  MatchOptions options;
  ReadOptions reading;
  double symprec = 0.01;
  bool json = false, no_space_groups = false;

  void run() const;

 private:
  Side read(const std::string& reference) const;
  std::vector<Match> compare(const Side& first, const Side& second, const Places& places) const;
};

std::optional<Symmetry> symmetry_of(const Structure& structure, double symprec) {
  try {
    return find_symmetry(structure, symprec);
  } catch (const Error& error) {
    if (error.code() != Errc::numerical) throw;
    return std::nullopt;
  }
}

Side MatchCommand::read(const std::string& reference) const {
  Side side;
  {
    ProgressLine progress("crystals read");
    side.records = read_structure_list(reference, reading, std::ref(progress));
  }
  for (const StructureRecord& record : side.records)
    if (record.disordered)
      notice(record.where +
             " is disordered: every site that it lists counts, as its most "
             "frequent element");
  ProgressLine progress("cells and space groups");
  for (const StructureRecord& record : side.records) {
    if (!progress(std::ssize(side.cells), std::ssize(side.records)))
      fail(Errc::cancelled, "stopped after {} of {} crystals of {}", side.cells.size(), side.size(),
           reference);
    try {
      side.cells.emplace_back(record.structure);
    } catch (const Error& error) {
      fail(error.code(), "{}: {}", record.where, error.what());
    }
    side.symmetries.push_back(no_space_groups ? std::nullopt
                                              : symmetry_of(record.structure, symprec));
  }
  return side;
}

/// Two crystals, by their places in the lists of the sides, and what became of them.
struct Pair {
  const Side &a, &b;
  std::size_t i, j;
  Match match;

  bool space_groups_known() const { return a.symmetries[i] && b.symmetries[j]; }
  bool space_groups_agree() const {
    return space_groups_known() && a.symmetries[i]->space_group == b.symmetries[j]->space_group;
  }
};

std::string space_group_text(const std::optional<Symmetry>& symmetry) {
  return symmetry ? fmt::format("{} ({})", symmetry->international, symmetry->space_group) : "-";
}

std::string number(double value) { return std::isnan(value) ? "-" : fmt::format("{:.4f}", value); }

void print_one(const Pair& pair, const MatchOptions& options) {
  const auto line = [](const char* name, const Side& side, std::size_t i) {
    fmt::print("{}: {}, {}, {} sites", name, io::one_line(side.records[i].where), side.formula(i),
               side.records[i].structure.size());
    if (const std::size_t reduced = side.cells[i].reduced().size();
        reduced < side.records[i].structure.size())
      fmt::print(" ({} in the primitive cell)", reduced);
    if (side.symmetries[i]) fmt::print(", {}", space_group_text(side.symmetries[i]));
    fmt::print("\n");
  };
  line("A", pair.a, pair.i);
  line("B", pair.b, pair.j);
  fmt::print("{} (ltol {}, stol {}, angle {}°)\n",
             pair.match.same ? "the same crystal" : "not the same crystal", options.ltol,
             options.stol, options.angle_tol);
  if (!std::isnan(pair.match.rms))
    fmt::print("distance of the sites: rms {:.4f}, largest {:.4f}, in units of (V/n)^(1/3)\n",
               pair.match.rms, pair.match.max_distance);
  if (pair.space_groups_known())
    fmt::print("space groups {}\n", pair.space_groups_agree() ? "agree" : "differ");
}

void print_table(const std::vector<Pair>& pairs) {
  Table table({"A", "B", "formula of A", "formula of B", "same", "rms", "largest",
               "space group of A", "space group of B", "agree"});
  std::size_t same = 0;
  for (const Pair& pair : pairs) {
    const auto yes = [](bool value) { return std::string(value ? "yes" : "no"); };
    table.add({io::one_line(pair.a.records[pair.i].id), io::one_line(pair.b.records[pair.j].id),
               pair.a.formula(pair.i), pair.b.formula(pair.j), yes(pair.match.same),
               number(pair.match.rms), number(pair.match.max_distance),
               space_group_text(pair.a.symmetries[pair.i]),
               space_group_text(pair.b.symmetries[pair.j]),
               pair.space_groups_known() ? yes(pair.space_groups_agree()) : "-"});
    same += pair.match.same;
  }
  table.print();
  fmt::print("{} of {} pairs are the same crystal; distances in units of (V/n)^(1/3)\n", same,
             pairs.size());
}

using Json = nlohmann::ordered_json;

Json crystal_json(const Side& side, std::size_t i) {
  const StructureRecord& record = side.records[i];
  const auto& symmetry = side.symmetries[i];
  return {{"id", record.id},
          {"where", record.where},
          {"formula", side.formula(i)},
          {"sites", record.structure.size()},
          {"reduced_sites", side.cells[i].reduced().size()},
          {"space_group", symmetry ? Json(symmetry->space_group) : Json(nullptr)},
          {"international", symmetry ? Json(symmetry->international) : Json(nullptr)}};
}

/// One line.
void print_json(const Pair& pair) {
  const auto number = [](double value) { return std::isnan(value) ? Json(nullptr) : Json(value); };
  const Json line = {{"a", crystal_json(pair.a, pair.i)},
                     {"b", crystal_json(pair.b, pair.j)},
                     {"same", pair.match.same},
                     {"rms", number(pair.match.rms)},
                     {"max_distance", number(pair.match.max_distance)},
                     {"space_groups_agree",
                      pair.space_groups_known() ? Json(pair.space_groups_agree()) : Json(nullptr)}};
  fmt::print("{}\n", line.dump(-1, ' ', false, Json::error_handler_t::replace));
}

/// In a scope of its own: the line of progress is gone before anything is printed.
std::vector<Match> MatchCommand::compare(const Side& first, const Side& second,
                                         const Places& places) const {
  ProgressLine progress("pairs");
  return match_pairs(first.cells, second.cells, places, options,
                     [&](long long done, long long total) { return progress(done, total); });
}

void MatchCommand::run() const {
  check_match_options(options);
  const Side first = read(a), second = read(b);
  if (first.size() != second.size() && first.size() != 1 && second.size() != 1)
    fail(Errc::invalid_argument,
         "{} holds {} structures and {} holds {}; pairs need equally many, or one on one side", a,
         first.size(), b, second.size());
  const std::size_t count = std::max(first.size(), second.size());
  Places places;
  for (std::size_t n = 0; n < count; ++n)
    places.emplace_back(first.size() == 1 ? 0 : n, second.size() == 1 ? 0 : n);
  const std::vector<Match> matches = compare(first, second, places);

  std::vector<Pair> pairs;
  for (std::size_t n = 0; n < count; ++n)
    pairs.push_back({first, second, static_cast<std::size_t>(places[n].first),
                     static_cast<std::size_t>(places[n].second), matches[n]});
  if (json)
    std::for_each(pairs.begin(), pairs.end(), print_json);
  else if (count == 1)
    print_one(pairs.front(), options);
  else
    print_table(pairs);
}

}  // namespace

void add_match(CLI::App& program) {
  CLI::App* app = program.add_subcommand(
      "match",
      "Whether two crystals are the same: the same elements in the same places, whatever cell,\n"
      "origin, orientation and volume they are written with; and whether their space groups "
      "agree.");
  const auto command = std::make_shared<MatchCommand>();
  app->add_option("A", command->a,
                  "A file with one or more structures, or FILE:ID for one of several; a template\n"
                  "library (.ktl, .ktl:ID) will do")
      ->required();
  app->add_option("B", command->b,
                  "The other one. Structures are paired in order; one is paired with each of many")
      ->required();
  add_match_options(*app, command->options);
  CLI::Option* symprec =
      app->add_option("--symprec", command->symprec, "Tolerance of the space groups in Å")
          ->check(tolerance)
          ->type_name("LENGTH")
          ->capture_default_str();
  app->add_flag("--no-space-groups", command->no_space_groups,
                "Leave out the space groups, which take longer than the comparison")
      ->excludes(symprec);
  app->add_flag("--json", command->json, "A line of JSON per pair on standard output");
  add_species_option(*app, command->reading);
  app->footer("Example:  kronite match relaxed.cif mp.ktl:mp-5229");
  app->callback([command] { command->run(); });
}

}  // namespace kronite::cli
