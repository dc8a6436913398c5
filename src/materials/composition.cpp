// Compositions: sums, reduction to smallest integers, and how they are written.
#include "kronite/composition.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <numeric>
#include <utility>

#include "base/fail.hpp"           // for fail
#include "materials/elements.hpp"  // for formula_order, electronegativity
#include "materials/formula.hpp"   // for parse_formula

namespace kronite {
namespace {

using Parts = std::vector<ElementAmount>;

constexpr double kIntegerTolerance = 1e-8;  // pymatgen's Composition.amount_tolerance
constexpr double kLargestInteger = 1e15;    // integers up to here and their neighbours are exact
constexpr std::int64_t kLargestRatioTotal = 1'000'000;
constexpr int kRatioDigits = 12;
// pymatgen brackets the last two elements of a formula as a polyanion below this difference of
// electronegativity.
constexpr double kPolyanionDifference = 1.65;

/// Integer amounts in the order of a composition's parts.
struct Counts {
  std::array<std::int64_t, kElements> of{};
  std::size_t size = 0;

  std::int64_t gcd() const {
    return std::accumulate(of.begin(), of.begin() + size, std::int64_t{0},
                           [](std::int64_t a, std::int64_t b) { return std::gcd(a, b); });
  }
  void divide(std::int64_t divisor) {
    for (std::size_t i = 0; i < size; ++i) of[i] /= divisor;
  }
};

/// False when an amount is no integer.
bool integer_amounts(const Parts& parts, Counts& counts) {
  for (const ElementAmount& part : parts) {
    const double rounded = std::nearbyint(part.amount);
    if (rounded < 1 || rounded > kLargestInteger ||
        std::abs(part.amount - rounded) >= kIntegerTolerance)
      return false;
    counts.of[counts.size++] = static_cast<std::int64_t>(rounded);
  }
  return true;
}

/// digits * 10^exponent without trailing zeros.
struct DecimalDigits {
  std::int64_t digits = 0;
  int exponent = 0;
};

DecimalDigits decimal_digits(double amount) {
  std::array<char, 32> text;
  const char* end = std::to_chars(text.data(), text.data() + text.size(), amount,
                                  std::chars_format::scientific, kRatioDigits - 1)
                        .ptr;
  const char* e = std::find(static_cast<const char*>(text.data()), end, 'e');
  DecimalDigits decimal;
  for (const char* c = text.data(); c < e; ++c)
    if (*c != '.') decimal.digits = 10 * decimal.digits + (*c - '0');
  std::from_chars(e[1] == '+' ? e + 2 : e + 1, end, decimal.exponent);
  decimal.exponent -= kRatioDigits - 1;
  for (; decimal.digits % 10 == 0; decimal.digits /= 10) ++decimal.exponent;
  return decimal;
}

/// The smallest power of ten that makes the amounts' digits integers; false when they are then too
/// large for a ratio.
bool scaled_amounts(const Parts& parts, Counts& counts) {
  std::array<DecimalDigits, kElements> decimals;
  int finest = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    decimals[i] = decimal_digits(parts[i].amount);
    finest = i == 0 ? decimals[i].exponent : std::min(finest, decimals[i].exponent);
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    for (; decimals[i].exponent > finest; --decimals[i].exponent)
      if (__builtin_mul_overflow(decimals[i].digits, std::int64_t{10}, &decimals[i].digits))
        return false;
    counts.of[i] = decimals[i].digits;
  }
  counts.size = parts.size();
  return true;
}

/// The molecules of one element and the peroxides that pymatgen's reduced formulas write with a
/// factor of two (Composition.special_formulas). `counts` are without common divisor.
bool keeps_factor_of_two(const Parts& parts, const Counts& counts) {
  const auto among = [](int z, std::initializer_list<int> list) {
    return std::find(list.begin(), list.end(), z) != list.end();
  };
  constexpr int kH = 1, kLi = 3, kN = 7, kO = 8, kF = 9, kNa = 11, kCl = 17, kK = 19, kRb = 37,
                kCs = 55;
  if (parts.size() == 1) return among(parts[0].z, {kH, kN, kO, kF, kCl});
  if (parts.size() != 2 || counts.of[0] != 1 || counts.of[1] != 1) return false;
  return (parts[0].z == kO && among(parts[1].z, {kNa, kK, kRb, kCs})) ||
         (parts[1].z == kO && among(parts[0].z, {kH, kLi}));
}

/// As pymatgen's reduced composition has them; false when the amounts are no integers.
bool reduced_counts(const Parts& parts, Counts& counts) {
  if (parts.empty() || !integer_amounts(parts, counts)) return false;
  counts.divide(counts.gcd());
  if (keeps_factor_of_two(parts, counts))
    for (std::size_t i = 0; i < counts.size; ++i) counts.of[i] *= 2;
  return true;
}

void append(std::string& text, std::int64_t count) {
  std::array<char, 24> digits;
  text.append(digits.data(),
              std::to_chars(digits.data(), digits.data() + digits.size(), count).ptr);
}

void append_with_count(std::string& text, std::string_view what, std::int64_t count) {
  text += what;
  if (count != 1) append(text, count);
}

/// The shortest digits that read back the same, without an exponent (at most 325 characters).
void append_fixed(std::string& text, double amount) {
  std::array<char, 400> digits;
  text.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), amount,
                                           std::chars_format::fixed)
                                 .ptr);
}

/// Indices of the parts in the order in which a formula lists them.
using WrittenOrder = std::array<std::uint8_t, kElements>;

WrittenOrder written_order(const Parts& parts) {
  WrittenOrder order;
  std::iota(order.begin(), order.begin() + parts.size(), std::uint8_t{0});
  std::sort(order.begin(), order.begin() + parts.size(), [&](std::uint8_t a, std::uint8_t b) {
    return formula_order(parts[a].z) < formula_order(parts[b].z);
  });
  return order;
}

std::string integer_formula(const Parts& parts, const Counts& counts) {
  const WrittenOrder order = written_order(parts);
  const std::size_t n = parts.size();
  std::size_t plain = n;
  std::int64_t anions = 1;
  if (n >= 3 &&
      electronegativity(parts[order[n - 1]].z) - electronegativity(parts[order[n - 2]].z) <
          kPolyanionDifference)
    anions = std::gcd(counts.of[order[n - 2]], counts.of[order[n - 1]]);
  if (anions != 1) plain = n - 2;

  std::string formula;
  for (std::size_t i = 0; i < n; ++i) {
    if (i == plain) formula += '(';
    append_with_count(formula, element_symbol(parts[order[i]].z),
                      counts.of[order[i]] / (i < plain ? 1 : anions));
  }
  if (plain < n) append_with_count(formula, ")", anions);
  return formula;
}

}  // namespace

Composition::Composition(std::vector<ElementAmount> parts) : parts_(std::move(parts)) {
  for (const ElementAmount& part : parts_) {
    if (part.z < 1 || part.z > kElements)
      fail(Errc::invalid_argument, "a composition: there is no element with atomic number {}",
           part.z);
    if (!(part.amount > 0 && std::isfinite(part.amount)))
      fail(Errc::invalid_argument,
           "a composition: the amount of {} is {}, a finite number above zero is expected",
           element_symbol(part.z), part.amount);
  }
  std::stable_sort(parts_.begin(), parts_.end(),
                   [](const ElementAmount& a, const ElementAmount& b) { return a.z < b.z; });
  std::size_t kept = 0;
  for (const ElementAmount part : parts_) {
    if (kept > 0 && parts_[kept - 1].z == part.z)
      parts_[kept - 1].amount += part.amount;
    else
      parts_[kept++] = part;
  }
  parts_.resize(kept);
  if (!std::isfinite(total()))
    fail(Errc::invalid_argument, "a composition: the amounts are too large for double precision");
}

Composition Composition::parse(std::string_view formula, std::vector<std::string>* notices) {
  Composition composition;
  composition.parts_ = parse_formula(formula, notices);
  return composition;
}

double Composition::total() const {
  double sum = 0;
  for (const ElementAmount& part : parts_) sum += part.amount;
  return sum;
}

double Composition::amount(int z) const {
  for (const ElementAmount& part : parts_)
    if (part.z == z) return part.amount;
  return 0;
}

std::vector<ElementAmount> Composition::fractions() const {
  const double sum = total();
  std::vector<ElementAmount> fractions = parts_;
  for (ElementAmount& part : fractions) part.amount /= sum;
  return fractions;
}

Composition Composition::reduced() const {
  Composition composition = *this;
  Counts counts;
  if (reduced_counts(parts_, counts))
    for (std::size_t i = 0; i < parts_.size(); ++i)
      composition.parts_[i].amount = static_cast<double>(counts.of[i]);
  return composition;
}

std::string Composition::reduced_formula() const {
  Counts counts;
  if (reduced_counts(parts_, counts)) return integer_formula(parts_, counts);
  std::string formula;
  const WrittenOrder order = written_order(parts_);
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    formula += element_symbol(parts_[order[i]].z);
    append_fixed(formula, parts_[order[i]].amount);
  }
  return formula;
}

std::string Composition::ratio_label() const {
  Counts counts;
  if (parts_.empty()) return {};
  if (!integer_amounts(parts_, counts)) {
    counts = Counts();
    if (!scaled_amounts(parts_, counts)) return {};
  }
  counts.divide(counts.gcd());
  const auto end = counts.of.begin() + counts.size;
  std::sort(counts.of.begin(), end, std::greater<>());
  std::int64_t total = 0;
  for (auto count = counts.of.begin(); count != end; ++count) {
    total += *count;
    if (total > kLargestRatioTotal) return {};
  }

  std::string label;
  for (std::size_t i = 0; i < counts.size; ++i) {
    if (i > 0) label += ':';
    append(label, counts.of[i]);
  }
  return label;
}

}  // namespace kronite
