// What no crystal is, and what few crystals are, in every format that can say it: refused by name
// or read, and the records around it unharmed.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "kronite/error.hpp"
#include "support/crystals.hpp"
#include "support/temporary_folder.hpp"

namespace kronite {
namespace {

using test::halite;
using test::holds;
using test::read_all;
using test::ReadResult;
using test::TemporaryFolder;

/// A site as text, so that it can be wrong.
struct Site {
  const char* element;
  const char* x;
  const char* y;
  const char* z;
  const char* occupancy = "1";
};

struct Case {
  const char* name;
  const char* a;  ///< lengths of an orthorhombic cell
  const char* b;
  const char* c;
  std::vector<Site> sites;
  /// Parts of the reasons; "" where it is read. Formats without occupancies take it as 1.
  const char* cif;
  const char* json;
  const char* extxyz;
  const char* poscar;
};

const char kCloseSites[] = "Å apart, less than 0.1 Å";

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"coincident_atoms_of_two_elements",
       "4",
       "4",
       "4",
       {{"Na", "0", "0", "0"}, {"Cl", "0", "0", "0.01"}},
       "the occupancies of a site add up to 2",
       kCloseSites,
       kCloseSites,
       kCloseSites},
      {"an_atom_and_its_periodic_image",
       "4",
       "4",
       "4",
       {{"Na", "0.001", "0", "0"}, {"Cl", "0.999", "0", "0"}},
       "the occupancies of a site add up to 2",
       kCloseSites,
       kCloseSites,
       kCloseSites},
      {"a_cell_of_volume_0",
       "4",
       "4",
       "0",
       {{"Na", "0", "0", "0"}},
       "cell lengths must be positive",
       "volume is 0",
       "volume is 0",
       "volume is 0"},
      {"a_tiny_cell",
       "0.05",
       "4",
       "4",
       {{"Na", "0", "0", "0"}},
       "less than 0.1 Å",
       "less than 0.1 Å",
       "less than 0.1 Å",
       "less than 0.1 Å"},
      {"a_length_that_is_nan",
       "nan",
       "4",
       "4",
       {{"Na", "0", "0", "0"}},
       "_cell_length_a is nan, expected a number",
       "no number",
       "Lattice must hold nine numbers",
       "expected a lattice vector of three numbers"},
      {"a_length_beyond_all_numbers",
       "1e200",
       "1e200",
       "1e200",
       {{"Na", "0", "0", "0"}},
       "too large",
       "too large",
       "too large",
       "too large"},
      {"a_coordinate_that_is_nan",
       "4",
       "4",
       "4",
       {{"Na", "0", "nan", "0"}},
       "its coordinate y is nan, not a number",
       "'abc' holds a value that is no number",
       "nan is not a number",
       "expected a position of three numbers"},
      {"a_coordinate_far_outside",
       "4",
       "4",
       "4",
       {{"Na", "0", "1e9", "0"}},
       "lies beyond 1e+06 cells",
       "lies beyond 1e+06 cells",
       "lies beyond 1e+06 cells",
       "lies beyond 1e+06 cells"},
      {"an_unknown_element",
       "4",
       "4",
       "4",
       {{"Xx", "0", "0", "0"}},
       "Xx is not an element",
       "Xx is not an element",
       "Xx is not an element",
       "Xx is not an element"},
      {"an_occupancy_over_1",
       "4",
       "4",
       "4",
       {{"Na", "0", "0", "0", "1.5"}},
       "an occupancy is 1.5, expected more than 0 and at most 1",
       "an occupancy is 1.5, expected more than 0 and at most 1",
       "",
       ""},
      {"an_occupancy_below_0",
       "4",
       "4",
       "4",
       {{"Na", "0", "0", "0", "-0.5"}},
       "an occupancy is -0.5",
       "an occupancy is -0.5",
       "",
       ""},
      {"no_sites",
       "4",
       "4",
       "4",
       {},
       "no atom sites",
       "no sites",
       "no sites",
       "expected element symbols"},
      {"one_atom", "3", "3", "3", {{"Po", "0.3", "0.3", "0.3"}}, "", "", "", ""},
      {"a_needle",
       "3",
       "3",
       "3000",
       {{"Na", "0", "0", "0"}, {"Cl", "0", "0", "0.5"}},
       "",
       "",
       "",
       ""},
      {"a_plate", "900", "900", "2.5", {{"Na", "0", "0", "0"}}, "", "", "", ""},
      {"a_molecule_in_a_box",
       "30",
       "30",
       "30",
       {{"O", "0.5", "0.5", "0.5"}, {"H", "0.52", "0.52", "0.5"}, {"H", "0.48", "0.52", "0.5"}},
       "",
       "",
       "",
       ""},
  };
  return all;
}

std::string in_quotes(const std::string& text) { return '"' + text + '"'; }

/// A bare NaN in JSON is read as null.
std::string json_number(const std::string& text) { return text == "nan" ? "NaN" : text; }

// --- the formats ---------------------------------------------------------------------------------

std::string cif_of(const Case& c) {
  std::string text = std::string("data_") + c.name + "\n_cell_length_a " + c.a +
                     "\n_cell_length_b " + c.b + "\n_cell_length_c " + c.c +
                     "\n_space_group_IT_number 1\nloop_\n_atom_site_type_symbol\n"
                     "_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n"
                     "_atom_site_occupancy\n";
  for (const Site& s : c.sites)
    text += std::string(s.element) + " " + s.x + " " + s.y + " " + s.z + " " + s.occupancy + "\n";
  // A loop without rows is not CIF.
  return c.sites.empty() ? text.substr(0, text.find("loop_")) : text;
}

std::string json_of(const Case& c) {
  std::string sites;
  for (const Site& s : c.sites)
    sites += std::string(sites.empty() ? "" : ",") + R"({"species":[{"element":)" +
             in_quotes(s.element) + ",\"occu\":" + s.occupancy + "}],\"abc\":[" + json_number(s.x) +
             "," + json_number(s.y) + "," + json_number(s.z) + "]}";
  return R"({"lattice":{"matrix":[[)" + json_number(c.a) + ",0,0],[0," + json_number(c.b) +
         ",0],[0,0," + json_number(c.c) + "]]},\"sites\":[" + sites + "]}\n";
}

/// Of fractional coordinates, times the length of the cell.
std::string cartesian_text(const char* fraction, const char* length) {
  const double x = std::strtod(fraction, nullptr) * std::strtod(length, nullptr);
  return std::isfinite(x) ? std::to_string(x) : "nan";
}

std::string extxyz_of(const Case& c) {
  std::string text = std::to_string(c.sites.size()) + "\nLattice=\"" + c.a + " 0 0 0 " + c.b +
                     " 0 0 0 " + c.c + "\"\n";
  for (const Site& s : c.sites)
    text += std::string(s.element) + " " + cartesian_text(s.x, c.a) + " " +
            cartesian_text(s.y, c.b) + " " + cartesian_text(s.z, c.c) + "\n";
  return text;
}

std::string poscar_of(const Case& c) {
  std::string symbols, counts, sites;
  for (const Site& s : c.sites) {
    symbols += std::string(s.element) + " ";
    counts += "1 ";
    sites += std::string(s.x) + " " + s.y + " " + s.z + "\n";
  }
  return std::string(c.name) + "\n1\n" + c.a + " 0 0\n0 " + c.b + " 0\n0 0 " + c.c + "\n" +
         symbols + "\n" + counts + "\nDirect\n" + sites;
}

class WrongStructure : public ::testing::TestWithParam<std::size_t> {
 protected:
  const Case& given() const { return cases()[GetParam()]; }

  /// Reads text between two good records of the same format.
  void expect_among(const std::string& name, const std::string& good, const std::string& text,
                    const std::string& reason) const {
    SCOPED_TRACE(name);
    const TemporaryFolder folder;
    expect(read_all(folder.write(name, good + text + good)), 2, reason);
  }

  /// `others` good records, and this one too unless there is a reason against it.
  static void expect(const ReadResult& result, std::size_t others, const std::string& reason) {
    EXPECT_EQ(result.records.size(), others + (reason.empty() ? 1 : 0));
    ASSERT_EQ(result.skipped.size(), reason.empty() ? 0u : 1u)
        << (result.skipped.empty() ? "" : result.skipped[0].second);
    if (!reason.empty()) {
      EXPECT_TRUE(holds(result.skipped[0].second, reason)) << result.skipped[0].second;
    }
  }
};

TEST_P(WrongStructure, InCif) {
  expect_among("a.cif", to_cif(halite(), "good", false), cif_of(given()), given().cif);
}

TEST_P(WrongStructure, InJsonLines) {
  const Case good = {"", "4", "4", "4", {{"Na", "0", "0", "0"}}, "", "", "", ""};

  expect_among("a.jsonl", json_of(good), json_of(given()), given().json);
}

TEST_P(WrongStructure, InExtendedXyz) {
  expect_among("a.extxyz", to_extxyz(halite()), extxyz_of(given()), given().extxyz);
}

TEST_P(WrongStructure, AmongPoscars) {
  const TemporaryFolder folder;
  folder.write("1.vasp", to_poscar(halite(), "x"));
  folder.write("2.vasp", poscar_of(given()));
  folder.write("3.vasp", to_poscar(halite(), "x"));

  expect(read_all(folder.path()), 2, given().poscar);
}

INSTANTIATE_TEST_SUITE_P(Cases, WrongStructure, ::testing::Range<std::size_t>(0, cases().size()),
                         [](const auto& index) { return std::string(cases()[index.param].name); });

// --- large and skewed ----------------------------------------------------------------------------

TEST(WrongStructures, TenThousandAtomsAreReadAndAnyTwoThatMeetAreFound) {
  constexpr int kTimes = 11;  // 8 atoms x 11^3 = 10,648
  const Structure large = test::supercell(conventional_cell(halite()), kTimes, kTimes, kTimes);
  Structure doubled = large;
  doubled.fractional.push_back(doubled.fractional[5000]);
  doubled.z.push_back(11);
  const TemporaryFolder folder;

  const ReadResult good = read_all(folder.write("a.extxyz", to_extxyz(large)));

  ASSERT_EQ(good.records.size(), 1u);
  EXPECT_EQ(good.records[0].structure.size(), large.size());
  EXPECT_EQ(read_all(folder.write("b.cif", to_cif(large, "x", false))).records.size(), 1u);
  EXPECT_EQ(read_all(folder.write("c.vasp", to_poscar(large, "x"))).records.size(), 1u);
  EXPECT_THROW(check_structure(doubled), Error);
}

TEST(WrongStructures, ASkewedCellIsAsGoodAsAnyOther) {
  Structure skewed = halite();
  for (int k = 0; k < 3; ++k) skewed.lattice[2][k] += 40 * skewed.lattice[0][k];
  skewed.fractional[1] = {0.5 - 20, 0.5, 0.5};

  EXPECT_NO_THROW(check_structure(skewed));
  skewed.lattice[2] = skewed.lattice[1];
  EXPECT_THROW(check_structure(skewed), Error);
}

}  // namespace
}  // namespace kronite
