// The crystals of a command: all of some files, or one picked by name.
#pragma once

#include <string>
#include <vector>

#include "kronite/log.hpp"        // for Progress
#include "kronite/matcher.hpp"    // for MatchOptions
#include "kronite/structure.hpp"  // for StructureRecord, RecordSink, SkipSink

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace kronite::cli {

/// What files do not say of themselves: --species.
void add_species_option(CLI::App& command, ReadOptions& reading);
/// Adds and returns --ltol, --stol, --angle-tol, with the values in `matching` as defaults.
std::vector<CLI::Option*> add_match_options(CLI::App& command, MatchOptions& matching);
/// Where OPTIMADE files keep energies: --hull-energy-key, --formation-energy-key.
void add_energy_key_options(CLI::App& command, ReadOptions& reading);

/// As read_structures(), and template libraries (.ktl) too. A record without an id gets the name of
/// its file. False when the sink stopped it.
bool for_each_structure(const std::string& path, const RecordSink& sink, const SkipSink& skip,
                        const ReadOptions& reading);

/// The crystal that "FILE" or "FILE:ID" names: of a file with one structure, or the one with that
/// id. `progress` is told how many were read, of a number that is not known: 0.
/// @throws Error as read_structures(); invalid_argument with what to write instead; cancelled.
StructureRecord read_one_structure(const std::string& reference, const ReadOptions& reading,
                                   const Progress& progress = {});

/// All crystals of "FILE" in order, or the one that "FILE:ID" names; at least one. One that cannot
/// be read is an error: the others would lose their places. @throws Error as read_one_structure().
std::vector<StructureRecord> read_structure_list(const std::string& reference,
                                                 const ReadOptions& reading,
                                                 const Progress& progress = {});

}  // namespace kronite::cli
