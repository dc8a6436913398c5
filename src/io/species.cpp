// Elements, numbers and licences as structure files spell them.
#include <algorithm>
#include <array>

#include "base/ascii.hpp"           // for is_letter, to_lower
#include "base/fail.hpp"            // for fail
#include "io/structure_reader.hpp"  // for the declarations

namespace kronite::io {
namespace {

/// "", "+", "3+", "+2", "2.67+": how files write charges behind a symbol.
bool is_charge(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return is_digit(c) || c == '.' || c == '+' || c == '-'; });
}

/// Clauses of the Creative Commons licences without their signs, the longer before its beginnings.
constexpr std::pair<const char*, const char*> kCreativeCommons[] = {
    {"byncsa", "BY-NC-SA"}, {"byncnd", "BY-NC-ND"}, {"bync", "BY-NC"},
    {"bysa", "BY-SA"},      {"bynd", "BY-ND"},      {"by", "BY-C"},
};

/// Letters and digits in lower case, clauses by their signs: both "CC BY-NC 4.0" and "CC
/// Attribution-NonCommercial 4.0" are "ccbync40".
std::string plain_license(std::string_view text) {
  constexpr std::pair<std::string_view, std::string_view> kClauses[] = {
      {"attribution", "by"},   {"noncommercial", "nc"}, {"sharealike", "sa"},
      {"noderivatives", "nd"}, {"noderivs", "nd"},
  };
  std::string plain;
  for (const char c : text)
    if (is_alnum(c)) plain += to_lower(c);
  for (const auto& [word, sign] : kClauses)
    for (std::size_t at; (at = plain.find(word)) != std::string::npos;)
      plain.replace(at, word.size(), sign);
  return plain;
}

/// One short word as SPDX writes licences: "Apache-2.0", "GPL-3.0+".
bool is_identifier(std::string_view text) {
  constexpr std::size_t kLongest = 40;
  return !text.empty() && text.size() <= kLongest && is_letter(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alnum(c) || c == '-' || c == '.' || c == '+'; });
}

}  // namespace

int element_of(std::string_view symbol) {
  const auto end = std::find_if_not(symbol.begin(), symbol.end(), is_letter);
  std::string letters(symbol.begin(), end);
  if (letters.empty() || letters.size() > 2 || !is_charge({end, symbol.end()})) return 0;
  letters[0] = to_upper(letters[0]);
  if (letters.size() == 2) letters[1] = to_lower(letters[1]);
  return element_number(letters);
}

SiteElement majority_element(const std::vector<std::pair<int, double>>& occupancies) {
  constexpr double kWhole = 1e-3;  // occupancies are printed with three to six digits
  SiteElement site;
  double most = 0, total = 0;
  for (const auto& [z, occupancy] : occupancies) {
    if (!(occupancy > 0 && occupancy <= 1 + kWhole))
      fail(Errc::parse, "an occupancy is {}, expected more than 0 and at most 1", occupancy);
    total += occupancy;
    if (occupancy > most) most = occupancy, site.z = z;
  }
  if (site.z == 0) fail(Errc::parse, "a site names no element");
  if (total > 1 + kWhole) fail(Errc::parse, "the occupancies of a site add up to {:.4g}", total);
  site.shared = most < 1 - kWhole;
  return site;
}

std::string license_of(std::string_view text) {
  const std::string plain = plain_license(text);
  const std::string versionless = plain.substr(0, plain.find_last_not_of("0123456789") + 1);
  const auto holds = [&](const std::string& part) { return plain.find(part) != std::string::npos; };
  for (const auto& [clauses, name] : kCreativeCommons)
    if (holds(std::string("cc") + clauses) || holds(std::string("licenses") + clauses) ||
        holds(std::string("commons") + clauses) || versionless == clauses)
      return name;
  if (plain == "byc") return "BY-C";
  if (holds("cc0") || holds("publicdomainzero")) return "CC0";
  if (holds("publicdomain") || plain == "pd" || holds("pddl")) return "PD";
  return is_identifier(text) ? std::string(text) : "unknown";
}

std::vector<std::string_view> split_words(std::string_view line) {
  constexpr std::string_view kBlanks = " \t\r\n\f\v";
  std::vector<std::string_view> words;
  for (std::size_t at = 0;;) {
    at = line.find_first_not_of(kBlanks, at);
    if (at == std::string_view::npos) return words;
    const std::size_t end = std::min(line.find_first_of(kBlanks, at), line.size());
    words.push_back(line.substr(at, end - at));
    at = end;
  }
}

}  // namespace kronite::io
