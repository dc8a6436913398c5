// VASP's POSCAR and CONTCAR. From version 5 on, element symbols stand on the sixth line; older
// files have none.
#include <algorithm>
#include <cmath>

#include "base/fail.hpp"            // for fail
#include "base/number.hpp"          // for to_number
#include "io/input.hpp"             // for LineReader
#include "io/structure_reader.hpp"  // for Records, element_of, split_words
#include "materials/lattice.hpp"    // for reciprocal, fractional

namespace kronite::io {
namespace {

class PoscarReader {
 public:
  PoscarReader(const std::string& path, const std::vector<std::string>& species)
      : lines_(path), species_(species) {}

  StructureRecord read() {
    StructureRecord record;
    const std::string comment = line("a comment");
    read_lattice(record.structure.lattice);
    read_elements(record.structure.z);
    read_sites(record.structure);
    const auto words = split_words(comment);
    if (!words.empty()) record.id = words.front();
    return record;
  }

 private:
  [[noreturn]] void expected(const std::string& what) const {
    fail(Errc::parse, "line {}: expected {}", lines_.line_number(), what);
  }

  const std::string& line(const char* what) {
    if (!lines_.next(line_))
      fail(Errc::parse, "the file ends after line {}: expected {}", lines_.line_number(), what);
    return line_;
  }

  /// The first `count` words of the current line as numbers.
  std::vector<double> numbers(std::size_t count, const char* what) const {
    const auto words = split_words(line_);
    std::vector<double> values;
    for (std::size_t i = 0; i < std::min(count, words.size()); ++i)
      if (const auto value = to_number(words[i])) values.push_back(*value);
    if (values.size() != count) expected(what);
    return values;
  }

  /// One factor, a negative one that gives the volume, or one factor per Cartesian axis.
  void read_lattice(Lattice& lattice) {
    line("a scale factor");
    const std::size_t factors = split_words(line_).size() >= 3 ? 3 : 1;
    const std::vector<double> factor = numbers(factors, "one or three scale factors");
    const bool is_volume = factors == 1 && factor[0] < 0;
    if (!is_volume && std::any_of(factor.begin(), factor.end(), [](double f) { return f <= 0; }))
      expected("a scale factor other than 0 (a negative one gives the volume)");
    for (Vector3& row : lattice) {
      line("a lattice vector");
      const auto values = numbers(3, "a lattice vector of three numbers");
      std::copy(values.begin(), values.end(), row.begin());
    }
    scale_.fill(is_volume ? std::cbrt(-factor[0] / volume(lattice)) : factor[0]);
    if (factors == 3) std::copy(factor.begin(), factor.end(), scale_.begin());
    for (Vector3& row : lattice)
      for (int k = 0; k < 3; ++k) row[k] *= scale_[k];
  }

  std::vector<int> elements_called(const std::vector<std::string_view>& names) const {
    std::vector<int> elements;
    for (const std::string_view name : names) {
      elements.push_back(element_of(name.substr(0, name.find_first_of("_/"))));  // Na_pv, Cu/6a5c
      if (elements.back() == 0)
        fail(Errc::parse, "line {}: {} is not an element symbol", lines_.line_number(), name);
    }
    return elements;
  }

  /// What the caller says of a file of VASP 4 with this many counts.
  std::vector<int> given_elements(std::size_t counts) const {
    if (species_.empty())
      fail(Errc::parse,
           "line {}: no element symbols (a file of VASP 4); write them on a line of their own "
           "before the counts, or name them by --species (ReadOptions::species in a program)",
           lines_.line_number());
    if (species_.size() != counts)
      fail(Errc::parse, "line {}: {} counts and no element symbols, but {} species were named",
           lines_.line_number(), counts, species_.size());
    return elements_called({species_.begin(), species_.end()});
  }

  void read_elements(std::vector<std::uint8_t>& z) {
    const std::string symbols = line("element symbols");
    const auto names = split_words(symbols);
    if (names.empty()) expected("element symbols");
    const bool is_vasp4 = to_number(names.front()).has_value();
    const std::vector<int> elements =
        is_vasp4 ? given_elements(names.size()) : elements_called(names);
    if (!is_vasp4) line("the number of sites of each element");
    constexpr double kMost = 1e7;  // sites of a file: room is made before they are read
    const std::vector<double> counts = numbers(elements.size(), "one count per element");
    const auto words = split_words(line_);
    if (words.size() > counts.size() && to_number(words[counts.size()]))
      expected("one count per element");  // what counts beyond them mean, nobody can tell
    for (std::size_t i = 0; i < counts.size(); ++i) {
      if (!(counts[i] >= 1) || counts[i] != std::floor(counts[i]))
        expected("whole counts of sites, 1 or more");
      if (static_cast<double>(z.size()) + counts[i] > kMost)
        expected(fmt::format("at most {} sites", kMost));
      z.insert(z.end(), static_cast<std::size_t>(counts[i]),
               static_cast<std::uint8_t>(elements[i]));
    }
  }

  void read_sites(Structure& structure) {
    line("Direct or Cartesian");
    if (first_letter() == 's') line("Direct or Cartesian");  // Selective dynamics
    const char mode = first_letter();
    const bool is_cartesian = mode == 'c' || mode == 'k';
    if (!is_cartesian && mode != 'd') expected("Direct or Cartesian");
    const Lattice to_fractional = reciprocal(structure.lattice);
    for (std::size_t i = 0; i < structure.z.size(); ++i) {
      line("the position of a site");
      const auto values = numbers(3, "a position of three numbers");
      Vector3 x = {values[0], values[1], values[2]};
      if (is_cartesian) {
        for (int k = 0; k < 3; ++k) x[k] *= scale_[k];
        x = fractional(to_fractional, x);
      }
      structure.fractional.push_back(x);
    }
  }

  char first_letter() const {
    const auto words = split_words(line_);
    return words.empty() ? ' ' : static_cast<char>(words.front().front() | 0x20);
  }

  LineReader lines_;
  const std::vector<std::string>& species_;
  std::string line_;
  Vector3 scale_{};
};

}  // namespace

bool read_poscar(const std::string& path, Records& records) {
  PoscarReader reader(path, records.options().species);
  return records.take(path, [&] { return reader.read(); });
}

}  // namespace kronite::io
