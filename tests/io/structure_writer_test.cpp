// Structures out, and back in.
#include <gtest/gtest.h>

#include <limits>

#include "kronite/error.hpp"
#include "support/crystals.hpp"
#include "support/data.hpp"
#include "support/temporary_folder.hpp"

namespace kronite {
namespace {

using test::halite;
using test::holds;
using test::read_all;
using test::same_crystal;
using test::supercell;
using test::TemporaryFolder;
using test::triclinic;

// Texts hold twelve decimals; angles of the cell lose two digits on the way through cosines.
constexpr double kReadsBack = 1e-9;

Structure read_back(const std::string& name, const std::string& text) {
  const TemporaryFolder folder;
  auto result = read_all(folder.write(name, text));
  EXPECT_EQ(result.records.size(), 1u);
  EXPECT_TRUE(result.skipped.empty()) << result.skipped.at(0).second;
  return result.records.at(0).structure;
}

TEST(ToCif, SymmetrisedTextReadsBackToTheConventionalCell) {
  for (const auto& record : read_all(test::golden("structures/prototypes.cif")).records) {
    SCOPED_TRACE(record.id);

    const Structure back = read_back("a.cif", to_cif(record.structure, record.id));

    EXPECT_TRUE(same_crystal(back, conventional_cell(record.structure), kReadsBack));
  }
}

TEST(ToCif, NamesTheGroupTheFormulaAndTheOrbits) {
  const std::string text = to_cif(supercell(halite(), 2, 2, 2), "my crystal");

  for (const char* line :
       {"data_my_crystal\n", "_chemical_formula_structural     NaCl\n",
        "_chemical_formula_sum            'Cl Na'\n", "_cell_formula_units_Z            4\n",
        "_cell_length_a                   5.588126\n", "_cell_angle_alpha                90.0\n",
        "_space_group_IT_number           225\n", "_space_group_name_H-M_alt        'F m -3 m'\n",
        "_space_group_name_Hall           '-F 4 2 3'\n", "  2 '-x, -y, -z'\n",
        "  Na1 Na 4 a 0.0 0.0 0.0 1\n", "  Cl1 Cl 4 b 0."})
    EXPECT_TRUE(holds(text, line)) << line << '\n' << text;
}

TEST(ToCif, WithoutSymmetryKeepsTheCell) {
  const Structure cells = supercell(triclinic(), 1, 2, 1);

  const std::string text = to_cif(cells, "", false);

  EXPECT_TRUE(same_crystal(read_back("a.cif", text), cells, kReadsBack));
  EXPECT_TRUE(holds(text, "data_structure\n"));
  EXPECT_TRUE(holds(text, "_space_group_name_H-M_alt        'P 1'\n"));
  EXPECT_TRUE(holds(text, "  1 'x, y, z'\n"));
}

TEST(ToCif, AStandardCellIsWrittenAsItIs) {
  const StandardCell standard = standardise(halite());

  EXPECT_EQ(to_cif(standard, "x"), to_cif(halite(), "x"));
  EXPECT_EQ(to_cif(StandardCell{halite(), {}, {}}, "x"), to_cif(halite(), "x"));
  EXPECT_THROW(to_cif(StandardCell{halite(), {}, standard.symmetry}, "x"), Error);
}

TEST(ToPoscar, GroupsTheElementsAndReadsBack) {
  Structure mixed = triclinic();
  std::swap(mixed.z[0], mixed.z[2]);  // O O Fe S
  std::swap(mixed.z[1], mixed.z[3]);  // O S Fe O

  const std::string text = to_poscar(mixed, "two\nlines");

  EXPECT_TRUE(same_crystal(read_back("POSCAR", text), mixed, kReadsBack));
  EXPECT_EQ(text.find("two lines\n1.0\n"), 0u);
  EXPECT_TRUE(holds(text, "    O    S   Fe\n    2    1    1\nDirect\n")) << text;
}

TEST(ToExtxyz, IsOneFrameWithMetadata) {
  const std::string text = to_extxyz(triclinic(), "material_id=\"a b\" e_above_hull=0.5");
  const TemporaryFolder folder;

  const auto result = read_all(folder.write("a.extxyz", text + text));

  ASSERT_EQ(result.records.size(), 2u);
  EXPECT_TRUE(same_crystal(result.records[1].structure, triclinic(), kReadsBack));
  EXPECT_EQ(result.records[1].id, "a b");
  EXPECT_EQ(result.records[1].e_above_hull, 0.5);
  EXPECT_TRUE(holds(text, "Properties=species:S:1:pos:R:3 pbc=\"T T T\" material_id"));
}

TEST(Writers, RefuseWhatIsNoStructure) {
  Structure bad = halite();
  bad.lattice[0][0] = std::numeric_limits<double>::infinity();

  EXPECT_THROW(to_cif(bad, "x"), Error);
  EXPECT_THROW(to_poscar(bad, "x"), Error);
  EXPECT_THROW(to_extxyz(bad), Error);
}

TEST(Writers, RoundTripsOfTheLargeDataSet) {
  const std::string path = test::shared_data("structures/mp_stable.jsonl.gz");
  KRONITE_NEEDS_DATA(path);
  constexpr int kEvery = 199;  // 145 crystals: a few seconds
  const TemporaryFolder folder;
  int seen = 0;
  read_structures(
      path,
      [&](StructureRecord&& record) {
        if (seen++ % kEvery != 0) return true;
        SCOPED_TRACE(record.id);
        const Structure& structure = record.structure;
        const StandardCell standard = standardise(structure);
        EXPECT_TRUE(same_crystal(
            from_primitive(standard.primitive, standard.symmetry.space_group).conventional,
            standard.conventional, kReadsBack));
        EXPECT_TRUE(same_crystal(read_back("a.cif", to_cif(standard, record.id)),
                                 standard.conventional, kReadsBack));
        EXPECT_TRUE(
            same_crystal(read_back("POSCAR", to_poscar(structure, "x")), structure, kReadsBack));
        EXPECT_TRUE(same_crystal(read_back("a.xyz", to_extxyz(structure)), structure, kReadsBack));
        return true;
      },
      {});

  EXPECT_EQ(seen, 28810);
}

}  // namespace
}  // namespace kronite
