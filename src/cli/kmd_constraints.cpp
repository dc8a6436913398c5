// Names, bounds and oxidation states out of texts.
#include "cli/kmd_constraints.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "base/fail.hpp"            // for fail
#include "base/printable.hpp"       // for printable
#include "kronite/composition.hpp"  // for element_number

namespace kronite::cli {
namespace {

/// Non-empty pieces of a text between any of `separators`.
std::vector<std::string> pieces(std::string_view text, std::string_view separators) {
  std::vector<std::string> all;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(separators), text.size());
    if (end > 0) all.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return all;
}

std::vector<std::string> pieces(const std::vector<std::string>& texts,
                                std::string_view separators) {
  std::vector<std::string> all;
  for (const std::string& text : texts)
    for (std::string& piece : pieces(text, separators)) all.push_back(std::move(piece));
  return all;
}

template <class T>
bool read_number(std::string_view text, T& value) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && stop == end;
}

/// "Li" and "0.1-0.3" of "Li:0.1-0.3".
std::pair<std::string, std::string> name_and_rest(const std::string& text, const char* option,
                                                  const char* example) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == text.size())
    fail(Errc::invalid_argument, "{} \"{}\": a name, a colon and more are expected, such as {}",
         option, printable(text), example);
  return {text.substr(0, colon), text.substr(colon + 1)};
}

kmd::Constraints::Bounds read_bounds(const std::string& text) {
  const auto [name, range] = name_and_rest(text, "--bounds", "Li:0.1-0.3");
  kmd::Constraints::Bounds bounds{name, 0, 1};
  const std::size_t dash = range.find('-');
  const std::string low = range.substr(0, dash);
  const std::string high = dash == std::string::npos ? low : range.substr(dash + 1);
  if ((!low.empty() && !read_number(low, bounds.lower)) ||
      (!high.empty() && !read_number(high, bounds.upper)) || (low.empty() && high.empty()))
    fail(Errc::invalid_argument,
         "--bounds \"{}\": fractions are expected behind the colon, such as 0.1-0.3, 0.1-, -0.3 "
         "or 0.2",
         printable(text));
  return bounds;
}

kmd::Constraints::States read_states(const std::string& text) {
  const auto [name, list] = name_and_rest(text, "--oxidation", "Fe:2,3");
  kmd::Constraints::States states{name, {}};
  for (const std::string& piece : pieces(list, ",")) {
    int state = 0;
    if (!read_number(piece, state))
      fail(Errc::invalid_argument,
           "--oxidation \"{}\": integers are expected behind the colon, such as Fe:2,3",
           printable(text));
    states.states.push_back(state);
  }
  return states;
}

/// Elements without a stable isotope, and noble gases, among those of the components.
bool is_radioactive(int z) { return z == 43 || z == 61 || z >= 84; }
bool is_noble(int z) {
  constexpr int kNoble[] = {2, 10, 18, 36, 54, 86};
  return std::find(std::begin(kNoble), std::end(kNoble), z) != std::end(kNoble);
}

}  // namespace

kmd::Constraints ConstraintOptions::read(const kmd::Components& components) const {
  constexpr std::string_view kBetween = ", ;\t";
  kmd::Constraints constraints;
  constraints.allowed = pieces(allow, kBetween);
  constraints.required = pieces(require, kBetween);
  for (const std::string& piece : pieces(forbid, kBetween)) {
    if (piece != "radioactive" && piece != "noble") {
      constraints.forbidden.push_back(piece);
      continue;
    }
    for (const std::string& name : components.names) {
      const int z = element_number(name);
      const bool given = std::find(constraints.required.begin(), constraints.required.end(),
                                   name) != constraints.required.end();
      if (z > 0 && !given && (piece == "noble" ? is_noble(z) : is_radioactive(z)))
        constraints.forbidden.push_back(name);
    }
  }
  for (const std::string& piece : pieces(bounds, " ;\t"))
    constraints.bounds.push_back(read_bounds(piece));
  if (most) constraints.most_components = *most;
  constraints.least_weight = least;
  constraints.neutral = neutral;
  if (!oxidation.empty() && !neutral)
    fail(Errc::invalid_argument, "--oxidation is for --neutral, which is not given");
  for (const std::string& piece : pieces(oxidation, " ;\t"))
    constraints.states.push_back(read_states(piece));
  if (!neutral) return constraints;
  for (const std::string& name : components.names) {
    const auto given = std::find_if(constraints.states.begin(), constraints.states.end(),
                                    [&](const auto& states) { return states.component == name; });
    if (given == constraints.states.end())
      constraints.states.push_back({name, common_oxidation_states(element_number(name))});
  }
  return constraints;
}

void ConstraintOptions::add(CLI::App& command) {
  const auto list = [&](const char* name, std::vector<std::string>& to, const char* type,
                        const char* help) {
    command.add_option(name, to, help)->type_name(type)->allow_extra_args(false);
  };
  list("--allow", allow, "LIST", "Elements that may be there: Ca,Zr,O; default: all");
  list("--require", require, "LIST", "Elements that must be there");
  list("--forbid", forbid, "LIST",
       "Elements that must not; \"radioactive\" and \"noble\" stand for those without a stable\n"
       "isotope and for noble gases, but what is required");
  list("--bounds", bounds, "LIST",
       "Atomic fractions: 'Li:0.1-0.3 O:0.5-' ; a lower bound above 0 requires the element");
  command
      .add_option("--most-elements,--most-components", most,
                  "Elements of a mixture, at most; 0: any number [as many as the target has; 4\n"
                  "for --file]")
      ->check(CLI::Range(0, 1000000).description(""))
      ->type_name("N");
  command
      .add_option("--least", least, "An element that is there has at least this atomic fraction")
      ->type_name("X")
      ->capture_default_str();
  command.add_flag("--neutral", neutral,
                   "Charges balance, with one oxidation state for each element: common ones, but\n"
                   "what --oxidation says");
  list("--oxidation", oxidation, "LIST", "Oxidation states to choose from: 'Fe:2,3 O:-2'");
}

}  // namespace kronite::cli
