// CIF in: symmetry by operators and names, special positions, disorder, damaged blocks.
#include <gtest/gtest.h>

#include <map>

#include "io/cif_blocks.hpp"
#include "kronite/error.hpp"
#include "support/crystals.hpp"
#include "support/data.hpp"
#include "support/temporary_folder.hpp"

namespace kronite {
namespace {

using test::holds;
using test::read_all;
using test::ReadResult;
using test::TemporaryFolder;

constexpr const char* kCubicCell =
    "_cell_length_a 4\n_cell_length_b 4\n_cell_length_c 4\n"
    "_cell_angle_alpha 90\n_cell_angle_beta 90\n_cell_angle_gamma 90\n";
constexpr const char* kAtomLoop =
    "loop_\n_atom_site_label\n_atom_site_type_symbol\n_atom_site_fract_x\n_atom_site_fract_y\n"
    "_atom_site_fract_z\n";

/// A block of a cubic cell with these lines of symmetry and atoms.
std::string block(const std::string& name, const std::string& symmetry, const std::string& atoms) {
  return "data_" + name + "\n" + kCubicCell + symmetry + kAtomLoop + atoms;
}

ReadResult read_text(const std::string& text) {
  const TemporaryFolder folder;
  return read_all(folder.write("some.cif", text));
}

std::string reason(const std::string& text) {
  const ReadResult result = read_text(text);
  return result.skipped.empty() ? "" : result.skipped.front().second;
}

std::map<std::string, StructureRecord> prototypes() {
  std::map<std::string, StructureRecord> all;
  for (StructureRecord& record : read_all(test::golden("structures/prototypes.cif")).records)
    all[record.id] = std::move(record);
  return all;
}

TEST(Cif, GivesEveryBlockThatHoldsAStructure) {
  const ReadResult result = read_all(test::golden("structures/prototypes.cif"));

  EXPECT_EQ(result.records.size(), 10u);
  ASSERT_EQ(result.skipped.size(), 1u);
  EXPECT_TRUE(holds(result.skipped[0].first, "prototypes.cif:200, data_unknown_coordinates"));
  EXPECT_TRUE(holds(result.skipped[0].second, "site Al1: its coordinate x is ?"));
}

TEST(Cif, PutsAtomsOnTheSpecialPositionsThatRoundedNumbersMiss) {
  const Structure wurtzite = prototypes().at("wurtzite").structure;

  ASSERT_EQ(wurtzite.size(), 4u);
  // 0.333 and 0.667 stand for 1/3 and 2/3: the mean over the site's symmetry is exact.
  EXPECT_NEAR(wurtzite.fractional[0][0], 1.0 / 3, 1e-15);
  EXPECT_NEAR(wurtzite.fractional[0][1], 2.0 / 3, 1e-15);
  EXPECT_EQ(find_symmetry(wurtzite, 1e-5).space_group, 186);
}

TEST(Cif, ReadsTheSameAtomOnceHoweverOftenItIsWritten) {
  const Structure silicon = prototypes().at("silicon_with_all_atoms").structure;

  EXPECT_EQ(silicon.size(), 8u);
}

TEST(Cif, FlagsSharedSitesAndKeepsTheMajority) {
  const StructureRecord alloy = prototypes().at("alloy");

  EXPECT_TRUE(alloy.disordered);
  EXPECT_EQ(alloy.structure.z, (std::vector<std::uint8_t>{29, 29, 29, 29}));
  EXPECT_FALSE(prototypes().at("rutile").disordered);
}

TEST(Cif, FlagsPartialSitesAndHydrogenThatIsNotListed) {
  const std::string loop =
      "loop_\n_atom_site_type_symbol\n_atom_site_fract_x\n_atom_site_fract_y\n"
      "_atom_site_fract_z\n_atom_site_occupancy\n_atom_site_attached_hydrogens\n";
  const std::string head = std::string("data_x\n") + kCubicCell + loop;

  EXPECT_TRUE(read_text(head + "Na 0 0 0 0.5 0\n").records.at(0).disordered);
  EXPECT_TRUE(read_text(head + "O 0 0 0 1 2\n").records.at(0).disordered);
  EXPECT_FALSE(read_text(head + "Na 0 0 0 1 .\n").records.at(0).disordered);
  EXPECT_EQ(read_text(head + "Na 0 0 0 ? 0\nCl .5 .5 .5 0 0\n").records.at(0).structure.size(), 1u);
}

TEST(Cif, KeepsCoordinatesAsTheyAreWrittenInP1) {
  const Structure cell = read_text(block("p1", "_space_group_IT_number 1\n",
                                         "Na1 Na 1.25 -0.5 0\nCl1 Cl 0.5 0.5 0.5\n"))
                             .records.at(0)
                             .structure;

  EXPECT_EQ(cell.fractional[0], (Vector3{1.25, -0.5, 0}));
}

TEST(Cif, PrefersOperatorsThenHallSymbolThenNameThenNumber) {
  const std::string name = "_symmetry_space_group_name_H-M 'F m -3 m'\n";
  const std::string hall = "_symmetry_space_group_name_Hall '-P 4 2 3'\n";
  const std::string number = "_symmetry_Int_Tables_number 229\n";
  const std::string operators = "loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n'-x, -y, -z'\n";
  const auto sites = [](const std::string& symmetry) {
    return read_text(block("x", symmetry, "Na1 Na 0.25 0 0\n")).records.at(0).structure.size();
  };

  EXPECT_EQ(sites(operators + hall + name + number), 2u);
  EXPECT_EQ(sites(hall + name + number), 6u);
  EXPECT_EQ(sites(name + number), 24u);
  EXPECT_EQ(sites(number), 12u);
  EXPECT_EQ(sites(""), 1u);
}

TEST(Cif, RefusesSymmetryThatItDoesNotKnow) {
  EXPECT_TRUE(holds(reason(block("x", "_space_group_name_H-M_alt 'Q 17'\n", "Na Na 0 0 0\n")),
                    "the space group 'Q 17' is not known"));
  for (const char* bad : {"x,y", "x,y,w", "x,y,2*z", "x,y,999999999999z", "x,x,x", "x,y,z+1/7"})
    EXPECT_TRUE(holds(reason(block("x", std::string("_symmetry_equiv_pos_as_xyz '") + bad + "'\n",
                                   "Na Na 0 0 0\n")),
                      "symmetry operation"))
        << bad;
  EXPECT_TRUE(holds(reason(block("x", "_symmetry_equiv_pos_as_xyz 'x,x,x'\n", "Na Na 0 0 0\n")),
                    "x,x,x changes volumes"));
}

TEST(Cif, RefusesSymmetryThatDoesNotFitTheCell) {
  const std::string threefold = "loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n-y,x-y,z\n-x+y,-x,z\n";
  std::string long_c = block("x", "_space_group_IT_number 221\n", "Na Na 0 0 0\n");
  long_c.replace(long_c.find("_length_c 4"), 11, "_length_c 5");

  EXPECT_TRUE(holds(reason(block("x", threefold, "Na Na 0 0 0\n")),
                    "-y,x-y,z does not fit the cell: it changes angles"));
  EXPECT_TRUE(holds(reason(long_c), "does not fit the cell: it changes lengths"));
  EXPECT_TRUE(holds(reason(block("x", "_symmetry_equiv_pos_as_xyz -x,-y,-z\n", "Na Na 0 0 0\n")),
                    "the symmetry operations lack x,y,z"));
  EXPECT_TRUE(holds(reason(block("x", "_symmetry_equiv_pos_as_xyz 'x+y/2,y,z'\n", "Na Na 0 0 0\n")),
                    "maps no lattice onto itself"));
}

TEST(Cif, RefusesSymmetryThatDoesNotFitTheCoordinates) {
  const std::string inversion = "loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n-x,-y,-z\n";
  // 2 x 0.05 x 4 Å = 0.4 Å: no atom, and not rounded 0 either
  const std::string off_centre = block("x", inversion, "Na1 Na 0.05 0 0\n");
  // the first two meet, the third has no partner: no group does that
  const std::string uneven = block("x", inversion + "x+1/2,y,z\n", "Na1 Na 0 0 0\n");
  const std::string other_origin = block("x", inversion + "_chemical_formula_sum 'Na Cl'\n",
                                         "Na1 Na 0.25 0 0\nCl1 Cl 0 0 0.5\n");

  EXPECT_TRUE(holds(reason(off_centre), "site Na1: two of its images by symmetry are 0.4 Å apart"));
  EXPECT_TRUE(holds(reason(uneven), "site Na1: of its 3 images by symmetry some meet"));
  EXPECT_TRUE(holds(reason(other_origin),
                    "the symmetry makes Na2Cl of its sites, but the declared formula is Na Cl"));
}

TEST(Cif, ReadsAnAtomThatIsSplitOverItsImages) {
  const std::string loop =
      "loop_\n_atom_site_type_symbol\n_atom_site_fract_x\n_atom_site_fract_y\n"
      "_atom_site_fract_z\n_atom_site_occupancy\n";

  const ReadResult result = read_text(std::string("data_x\n") + kCubicCell +
                                      "loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n-x,-y,-z\n" +
                                      loop + "Na 0.05 0 0 0.5\n");

  ASSERT_EQ(result.records.size(), 1u);
  EXPECT_EQ(result.records[0].structure.size(), 2u);
  EXPECT_TRUE(result.records[0].disordered);
}

TEST(Cif, AnOperationThatIsListedTwiceCountsOnce) {
  const std::string symmetry = "loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n-x,-y,-z\n'x, y, z+1'\n";

  EXPECT_EQ(read_text(block("x", symmetry, "Na1 Na 0 0 0\nCl Cl .25 .5 .5\n"))
                .records.at(0)
                .structure.size(),
            3u);
}

TEST(Cif, TakesElementsFromTypeSymbolsAndFromLabelsThatLeaveNoDoubt) {
  const auto element = [](const std::string& label, const std::string& symbol) {
    const ReadResult result = read_text(block("x", "", label + " " + symbol + " 0 0 0\n"));
    return result.records.empty() ? 0 : int(result.records[0].structure.z[0]);
  };

  EXPECT_EQ(element("X1", "Fe3+"), 26);
  EXPECT_EQ(element("X1", "FE"), 26);
  EXPECT_EQ(element("X1", "D"), 1);
  EXPECT_EQ(element("Na1", "?"), 11);
  EXPECT_EQ(element("Fe2A", "."), 26);
  EXPECT_EQ(element("SiA", "."), 14);
  EXPECT_EQ(element("O1W", "."), 8);
  EXPECT_EQ(element("OW2", "."), 8);
  EXPECT_EQ(element("CL1", "."), 0);  // chlorine or a carbon called L1
  EXPECT_EQ(element("CO1", "."), 0);
  EXPECT_EQ(element("Wat", "."), 0);  // water, not tungsten
  EXPECT_EQ(element("Na1", "Wat"), 0);
}

TEST(Cif, SaysWhatIsMissing) {
  const std::string cell = kCubicCell, atoms = std::string(kAtomLoop) + "Na Na 0 0 0\n";

  EXPECT_TRUE(holds(reason("data_x\n" + atoms), "_cell_length_a is missing"));
  EXPECT_TRUE(holds(reason("data_x\n" + cell), "no atom sites"));
  EXPECT_TRUE(holds(reason("data_x\n_cell_length_a ?\n" + atoms), "_cell_length_a is ?"));
  EXPECT_TRUE(
      holds(reason("data_x\n" + cell + "loop_\n_atom_site_label\n_atom_site_Cartn_x\nNa1 0.5\n"),
            "Cartesian coordinates only"));
  EXPECT_TRUE(holds(reason(block("x", "", "Na Na 0 0\n")), "Wrong number of values in the loop"));
  EXPECT_TRUE(holds(reason(block("x", "", "Na Na 0 0 0\nCl Cl 0 0 0.01\n")),
                    "the occupancies of a site add up to 2"));
}

TEST(Cif, OneUnreadableBlockLeavesTheOthers) {
  std::string text;
  for (int i = 0; i < 1000; ++i)
    text += i == 500 ? "data_bad\n_cell_length_a 'never closed\n"
                     : block("b" + std::to_string(i), "", "Na Na 0 0 0\n");

  const ReadResult result = read_text(text);

  EXPECT_EQ(result.records.size(), 999u);
  ASSERT_EQ(result.skipped.size(), 1u);
  EXPECT_TRUE(holds(result.skipped[0].first, "some.cif:7001, data_bad")) << result.skipped[0].first;
  EXPECT_TRUE(holds(result.skipped[0].second, "line 7002: not CIF (unterminated 'string')"))
      << result.skipped[0].second;
}

TEST(Cif, DataInATextFieldStartsNoBlock) {
  const ReadResult result =
      read_text(block("x", "_publ_section_title\n;\ndata_in_the_title\n;\n", "Na Na 0 0 0\n"));

  ASSERT_EQ(result.records.size(), 1u);
  EXPECT_EQ(result.records[0].id, "x");
}

TEST(Cif, KeepsCitationAndPublicDomain) {
  const ReadResult result =
      read_text("# This file is in the public domain.\n" +
                block("1000041",
                      "_cod_database_code 1000041\n_journal_name_full 'Example Journal'\n"
                      "_journal_volume 7\n_journal_year 1999\n_journal_page_first 12\n"
                      "_chemical_formula_sum 'Na'\n",
                      "Na Na 0 0 0\n"));

  ASSERT_EQ(result.records.size(), 1u);
  EXPECT_EQ(result.records[0].source, "COD 1000041; Example Journal 7 (1999) 12");
  EXPECT_EQ(result.records[0].license, "PD");
  EXPECT_EQ(result.records[0].declared_formula, "Na");
}

}  // namespace
}  // namespace kronite
