// One pass over the text with a stack of open brackets: no recursion, so that no text can exhaust
// the program's stack, and at most one entry per element and open bracket in memory.
#include "materials/formula.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>

#include "base/ascii.hpp"               // for is_digit, is_upper, is_lower
#include "base/printable.hpp"           // for printable, character_at
#include "materials/decimal.hpp"        // for Decimal
#include "materials/formula_error.hpp"  // for refuse_formula

namespace kronite {
namespace {

constexpr std::size_t kDeepestBracket = 64;
/// Signs between a compound and what is added to it, as in CuSO4·5H2O: U+00B7, U+2022 and *.
constexpr std::array<std::string_view, 3> kSeparators = {"\xC2\xB7", "\xE2\x80\xA2", "*"};
constexpr const char* kPointRule =
    "a decimal point stands between digits; what is added to a compound follows a centred dot, as "
    "in CuSO4·5H2O";

constexpr bool is_space(char c) { return c == ' ' || c == '\t'; }
constexpr bool is_opening(char c) { return c == '(' || c == '[' || c == '{'; }
constexpr bool is_closing(char c) { return c == ')' || c == ']' || c == '}'; }
constexpr char partner(char open) { return open == '(' ? ')' : open == '[' ? ']' : '}'; }

class FormulaParser {
 public:
  FormulaParser(std::string_view text, std::vector<std::string>* notices)
      : text_(text), notices_(notices) {
    entries_.reserve(8);
  }

  std::vector<ElementAmount> parse() {
    skip_spaces();
    if (at_ == text_.size()) refuse(at_, "the text is empty");
    begin_part();
    for (skip_spaces(); at_ < text_.size(); skip_spaces()) {
      const char c = text_[at_];
      if (is_upper(c))
        read_element();
      else if (is_opening(c))
        open_bracket();
      else if (is_closing(c))
        close_bracket();
      else if (const std::size_t bytes = separator_length(); bytes > 0)
        read_separator(bytes);
      else
        refuse_character();
    }
    end_part();
    return amounts();
  }

 private:
  struct Entry {
    int z;
    Decimal amount;
  };
  struct Bracket {
    std::size_t at;     ///< in the text
    std::size_t first;  ///< of its entries
  };

  /// The character at or behind the present place; NUL behind the end.
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  void skip_spaces() {
    while (is_space(peek())) ++at_;
  }
  [[noreturn]] void refuse(std::size_t at, const std::string& reason) const {
    refuse_formula(text_, at, reason);
  }

  // --- parts: an optional factor, then elements and brackets; separators stand between them ---

  std::size_t separator_length() const {
    for (const std::string_view separator : kSeparators)
      if (text_.substr(at_).starts_with(separator)) return separator.size();
    return 0;
  }

  void begin_part() {
    skip_spaces();
    part_first_ = entries_.size();
    part_factor_ = is_digit(peek()) ? read_number() : Decimal(1, 0);
  }

  void end_part() {
    if (!brackets_.empty()) {
      const std::size_t at = brackets_.back().at;
      refuse(at, fmt::format("the bracket {} is never closed", text_[at]));
    }
    if (entries_.size() == part_first_) refuse(at_, "an element is expected here");
    multiply(part_first_, part_factor_);
    join(0, part_first_);
  }

  void read_separator(std::size_t bytes) {
    if (!brackets_.empty())
      refuse(at_, fmt::format("{} cannot stand inside brackets", text_.substr(at_, bytes)));
    end_part();
    at_ += bytes;
    begin_part();
  }

  // --- elements and brackets ---

  void read_element() {
    const std::size_t begin = at_++;
    while (is_lower(peek())) ++at_;
    const std::string_view symbol = text_.substr(begin, at_ - begin);
    const int z = element_number(symbol);
    if (z == 0) refuse(begin, fmt::format("there is no element {}", printable(symbol)));
    if (symbol == "D") mention_isotope(heard_of_d_, "D (deuterium) is counted as H");
    if (symbol == "T") mention_isotope(heard_of_t_, "T (tritium) is counted as H");
    entries_.push_back({z, read_amount()});
    join(group_first(), entries_.size() - 1);
  }

  void open_bracket() {
    if (brackets_.size() == kDeepestBracket)
      refuse(at_, fmt::format("more than {} brackets are open", kDeepestBracket));
    brackets_.push_back({at_++, entries_.size()});
  }

  void close_bracket() {
    const char close = text_[at_];
    if (brackets_.empty()) refuse(at_, fmt::format("no bracket is open that {} closes", close));
    const Bracket bracket = brackets_.back();
    if (partner(text_[bracket.at]) != close)
      refuse(at_, fmt::format("the bracket {} is closed by {}", text_[bracket.at], close));
    if (entries_.size() == bracket.first) refuse(bracket.at, "these brackets are empty");
    ++at_;
    brackets_.pop_back();
    multiply(bracket.first, read_amount());
    join(group_first(), bracket.first);
  }

  /// First entry of the innermost open bracket, else of the part.
  std::size_t group_first() const {
    return brackets_.empty() ? part_first_ : brackets_.back().first;
  }

  void multiply(std::size_t first, const Decimal& factor) {
    for (std::size_t i = first; i < entries_.size(); ++i) entries_[i].amount *= factor;
  }

  /// Adds the entries from `first` on to those of the same element in [group, first).
  void join(std::size_t group, std::size_t first) {
    std::size_t kept = first;
    for (std::size_t i = first; i < entries_.size(); ++i) {
      std::size_t same = group;
      while (same < first && entries_[same].z != entries_[i].z) ++same;
      if (same < first)
        entries_[same].amount += entries_[i].amount;
      else
        entries_[kept++] = entries_[i];
    }
    entries_.resize(kept);
  }

  // --- numbers ---

  /// The amount behind an element or bracket, 1 when there is none.
  Decimal read_amount() {
    skip_spaces();
    return is_digit(peek()) ? read_number() : Decimal(1, 0);
  }

  /// digits [ . digits ] [ e [sign] digits ], above zero and within the range of a double.
  Decimal read_number() {
    const std::size_t begin = at_;
    Digits digits;
    while (is_digit(peek())) digits.append(text_[at_++]);
    std::size_t point = std::string_view::npos;
    if (peek() == '.') {
      point = at_++;
      if (!is_digit(peek())) refuse(point, kPointRule);
      while (is_digit(peek())) digits.append_decimal(text_[at_++]);
    }
    digits.exponent += read_exponent();
    const Decimal number = digits.exact ? Decimal(digits.value, digits.exponent)
                                        : Decimal::inexact(nearest_double(begin));
    const double value = number.value();
    if (digits.zero) refuse(begin, "an amount must be above zero");
    if (!(value > 0 && std::isfinite(value)))
      refuse(begin, "this amount is outside the range of double precision");
    if (point != std::string_view::npos) mention_hydrate(point);
    return number;
  }

  struct Digits {
    std::uint64_t value = 0;
    int exponent = 0;
    bool exact = true;
    bool zero = true;

    void append(char c) {
      const auto digit = static_cast<std::uint64_t>(c - '0');
      exact = exact && !__builtin_mul_overflow(value, std::uint64_t{10}, &value) &&
              !__builtin_add_overflow(value, digit, &value);
      zero = zero && digit == 0;
    }
    void append_decimal(char c) {
      append(c);
      if (exact) --exponent;
    }
  };

  /// "e-5" or "E3"; an e that no number follows is not part of the amount (Es is an element).
  int read_exponent() {
    if (peek() != 'e' && peek() != 'E') return 0;
    const bool sign = peek(1) == '+' || peek(1) == '-';
    if (!is_digit(peek(sign ? 2 : 1))) return 0;
    const bool negative = peek(1) == '-';
    at_ += sign ? 2 : 1;
    constexpr int kBeyondDouble = 100000;
    int exponent = 0;
    for (; is_digit(peek()); ++at_)
      exponent = std::min(10 * exponent + (text_[at_] - '0'), kBeyondDouble);
    return negative ? -exponent : exponent;
  }

  /// For numbers with more digits than Decimal holds. Infinite when out of range.
  double nearest_double(std::size_t begin) const {
    double value = 0;
    const auto result = std::from_chars(text_.data() + begin, text_.data() + at_, value);
    return result.ec == std::errc() ? value : std::numeric_limits<double>::infinity();
  }

  // --- what is worth a word ---

  void mention(const std::string& what) const {
    if (notices_) notices_->push_back(fmt::format("{}: {}", printable(text_), what));
  }

  void mention_isotope(bool& heard_of, const char* what) {
    if (!heard_of) mention(what);
    heard_of = true;
  }

  /// "CuSO4.5H2O" is O4.5 by the grammar and a hydrate to many eyes.
  void mention_hydrate(std::size_t point) const {
    std::string_view rest = text_.substr(at_);
    while (!rest.empty() && is_space(rest.back())) rest.remove_suffix(1);
    while (!rest.empty() && is_space(rest.front())) rest.remove_prefix(1);
    if (rest != "H2O" && rest != "D2O") return;
    std::string hydrate(text_);
    hydrate.replace(point, 1, "·");
    mention("\".\" is read as a decimal point; a hydrate is written " + printable(hydrate));
  }

  [[noreturn]] void refuse_character() const {
    const char c = text_[at_];
    if (is_digit(c)) refuse(at_, "a number is expected only behind an element or a bracket");
    if (is_lower(c)) refuse(at_, "a symbol of an element begins with a capital letter");
    if (c == '.') refuse(at_, kPointRule);
    if (c == ',') refuse(at_, "a comma has no meaning here; the decimal sign is a point");
    if (c == '+' || c == '-') refuse(at_, "charges, ranges and unknown amounts cannot be read");
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
      refuse(at_, fmt::format("the control character with code {} has no meaning here", int{c}));
    refuse(at_, fmt::format("{} has no meaning here", printable(character_at(text_, at_))));
  }

  // --- the result ---

  std::vector<ElementAmount> amounts() const {
    std::vector<ElementAmount> parts;
    parts.reserve(entries_.size());
    double total = 0;
    for (const Entry& entry : entries_) {
      parts.push_back({entry.z, entry.amount.value()});
      if (!(parts.back().amount > 0)) refuse(0, "an amount is too small for double precision");
      total += parts.back().amount;
    }
    if (!std::isfinite(total)) refuse(0, "the amounts are too large for double precision");
    std::sort(parts.begin(), parts.end(),
              [](const ElementAmount& a, const ElementAmount& b) { return a.z < b.z; });
    return parts;
  }

  std::string_view text_;
  std::vector<std::string>* notices_;
  std::size_t at_ = 0;
  std::vector<Entry> entries_;  ///< of finished parts, then of this part, then of its open brackets
  std::vector<Bracket> brackets_;
  std::size_t part_first_ = 0;
  Decimal part_factor_;
  bool heard_of_d_ = false, heard_of_t_ = false;
};

}  // namespace

std::vector<ElementAmount> parse_formula(std::string_view formula,
                                         std::vector<std::string>* notices) {
  return FormulaParser(formula, notices).parse();
}

}  // namespace kronite
