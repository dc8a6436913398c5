// What the settings of all trainings share: how they are read from TOML, written, and told apart.
#pragma once

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "io/toml_table.hpp"         // for TomlTable
#include "kronite/csp_training.hpp"  // for HoldOut, FitOptions, CardTexts

namespace kronite::csp {

/// Names and values, in order: "pairs.tau" and its value as TOML writes it.
using TrainSettings = std::vector<std::pair<std::string, std::string>>;

/// Keys of [card], which are also those of the model's card.
struct CardKey {
  const char* key;
  std::string CardTexts::*text;
};
inline constexpr CardKey kCardKeys[] = {
    {"data", &CardTexts::data}, {"licence", &CardTexts::licence}, {"metrics", &CardTexts::metrics}};

// --- reading: what the table does not say keeps its value. @throws Error parse
// ---------------------

void read_hold_out(io::TomlTable& table, HoldOut& hold_out);
/// The key "parts" of the table called `section`.
void read_parts(io::TomlTable& table, const std::string& section, std::array<double, 3>& parts);
/// All of [training]; `least_batch`: the smallest batch.
void read_fit(io::TomlTable table, int least_batch, learn::FitOptions& fit);
void read_card(io::TomlTable table, CardTexts& card);
/// `where`: of training.patience. @throws Error parse when validation is asked for and has no
/// share.
void check_validation(const std::string& where, const std::string& section, int patience,
                      const std::array<double, 3>& parts);

// --- writing
// ----------------------------------------------------------------------------------------

/// As TOML writes a floating-point number: 0.3, 1.0, 1e-07.
std::string toml_number(double value);
/// In quotes that TOML reads back.
std::string toml_text(const std::string& text);
std::string toml_flag(bool value);
std::string toml_name(HoldOut hold_out);
std::string toml_parts(const std::array<double, 3>& parts);
std::string toml_list(const std::vector<std::int64_t>& values);
/// "training.batch" and so on.
void add_fit(TrainSettings& settings, const learn::FitOptions& fit);
/// Texts that are not empty.
void add_card(TrainSettings& settings, const CardTexts& card);
/// Library and excluded formulas.
void add_inputs(TrainSettings& settings, const TemplateLibrary& library,
                const std::vector<std::string>& excluded_formulas);
/// A file that reads back as the same settings.
std::string to_toml(const TrainSettings& settings);

}  // namespace kronite::csp
