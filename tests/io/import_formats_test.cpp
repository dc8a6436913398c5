// Every container gives the same crystal, whole data sets come in whole, and an index finds its
// files.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "io/input.hpp"  // for read_file
#include "io/material_id.hpp"
#include "kronite/error.hpp"
#include "kronite/log.hpp"
#include "support/crystals.hpp"
#include "support/data.hpp"
#include "support/temporary_folder.hpp"

namespace kronite {
namespace {

using test::halite;
using test::holds;
using test::read_all;
using test::ReadResult;
using test::same_crystal;
using test::TemporaryFolder;

/// Warnings and notices for as long as this lives.
class Log {
 public:
  Log() {
    set_log_callback([this](LogLevel level, const std::string& message) {
      (level == LogLevel::warning ? warnings : notices).push_back(message);
    });
  }
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  ~Log() { set_log_callback({}); }

  std::vector<std::string> warnings, notices;
};

/// The cell is given by its parameters to eight decimals in CIF texts, else by its vectors.
constexpr double kSame = 1e-6;

// --- containers ----------------------------------------------------------------------------------

TEST(ImportFormats, EveryContainerGivesTheSameCrystal) {
  const TemporaryFolder folder;
  std::vector<std::string> paths = {folder.write("halite.cif", to_cif(halite(), "x", false)),
                                    folder.write("CONTCAR", to_poscar(halite(), "x"))};
  for (const char* name :
       {"halite.csv", "halite.extxyz", "halite.jsonl", "halite.poscar", "halite_list.json",
        "halite_mapping.json", "halite_optimade.jsonl", "halite_optimade_page.json",
        "halite_pymatgen.json", "halite_rest.json", "halite_table.json"})
    paths.push_back(test::golden(std::string("structures/") + name));
  for (const std::string& path : paths) {
    SCOPED_TRACE(path);

    const ReadResult result = read_all(path);

    ASSERT_FALSE(result.records.empty());
    EXPECT_TRUE(same_crystal(result.records[0].structure, halite(), kSame));
    EXPECT_FALSE(result.records[0].disordered);
    EXPECT_TRUE(holds(result.records[0].where, path));
  }
}

struct Example {
  const char* name;
  const char* id;
  bool has_energies;
};

class ImportExample : public ::testing::TestWithParam<Example> {};

TEST_P(ImportExample, IsTheSameHalite) {
  const std::string path = test::import_example(GetParam().name);
  KRONITE_NEEDS_DATA(path);
  const Log log;

  const ReadResult result = read_all(path);

  EXPECT_TRUE(result.skipped.empty());
  EXPECT_TRUE(log.warnings.empty());
  ASSERT_EQ(result.records.size(), 1u);
  const StructureRecord& record = result.records[0];
  EXPECT_TRUE(same_crystal(record.structure, halite(), kSame));
  EXPECT_EQ(record.id, GetParam().id);
  EXPECT_EQ(find_symmetry(record.structure).space_group, 225);
  EXPECT_FALSE(record.disordered);
  if (GetParam().has_energies) {
    EXPECT_EQ(record.e_above_hull, 0);
  } else {
    EXPECT_TRUE(std::isnan(record.e_above_hull));
  }
}

INSTANTIATE_TEST_SUITE_P(Files, ImportExample,
                         ::testing::Values(Example{"POSCAR_nacl", "Na1", false},
                                           Example{"nacl.cif", "NaCl", false},
                                           Example{"nacl.extxyz", "mp-22862", true},
                                           Example{"nacl_mp20_like.csv", "mp-22862", true},
                                           Example{"nacl_mp_rest.json", "mp-22862", true},
                                           Example{"nacl_mp_summary.jsonl", "mp-22862", true},
                                           Example{"nacl_mp_summary_list.json", "mp-22862", true},
                                           Example{"nacl_optimade.jsonl", "mp-22862", true},
                                           Example{"nacl_optimade_response.json", "mp-22862", true},
                                           Example{"nacl_pandas_split.json", "mp-22862", false},
                                           Example{"nacl_pymatgen.json", "", false}),
                         [](const auto& example) {
                           std::string name = example.param.name;
                           std::replace(name.begin(), name.end(), '.', '_');
                           return name;
                         });

// --- whole data sets -----------------------------------------------------------------------------

void expect_whole(const std::string& path, std::size_t expected) {
  const Log log;
  std::size_t records = 0, disordered = 0, without_energy = 0;

  read_structures(path,
                  [&](StructureRecord&& record) {
                    ++records;
                    disordered += record.disordered;
                    without_energy += std::isnan(record.e_above_hull);
                    return true;
                  },
                  {});  // without a skip, the first bad record is thrown

  EXPECT_EQ(records, expected);
  EXPECT_EQ(disordered, 0u);
  EXPECT_EQ(without_energy, 0u);
  EXPECT_TRUE(log.warnings.empty()) << log.warnings.front();
}

TEST(ImportFormats, Mpts52ComesInWhole) {
  const std::string path = test::shared_data("structures/mpts52_val.csv.gz");
  KRONITE_NEEDS_DATA(path);

  expect_whole(path, 4678);
}

TEST(ImportFormats, Mp20ComesInWhole) {
  const std::string path = test::shared_data("structures/mp20_biternary_val.csv.gz");
  KRONITE_NEEDS_DATA(path);

  expect_whole(path, 6707);
}

// --- an index and its files ----------------------------------------------------------------------

std::string cif(double scale = 1) {
  Structure crystal = halite();
  for (Vector3& row : crystal.lattice)
    for (double& x : row) x *= scale;
  return to_cif(crystal, "in_the_file", false);
}

TEST(StructureIndex, ReadsTheFilesThatItNames) {
  const TemporaryFolder folder;
  folder.write("cif/mp-1.cif", cif());
  folder.write("cif/mp-2.cif", cif(1.1));
  const std::string index = folder.write(
      "data.csv",
      "material_id, full_formula, e_above_hull, license, is_stable, spacegroup.number\n"
      "mp-2, NaCl, 0.25, CC-BY-4.0, False, 225\n"
      "mp-1, NaCl, 0, , True, 225\n"
      "mp-3, NaCl, 0, , True, 225\n");

  const ReadResult result = read_all(index);

  ASSERT_EQ(result.records.size(), 2u);
  EXPECT_EQ(result.records[0].id, "mp-2");
  EXPECT_EQ(result.records[0].e_above_hull, 0.25);
  EXPECT_EQ(result.records[0].license, "BY-C");
  EXPECT_EQ(result.records[0].is_stable, false);
  EXPECT_EQ(result.records[0].declared_space_group, 225);
  EXPECT_EQ(result.records[0].where, index + ":2");
  EXPECT_NEAR(volume(result.records[0].structure.lattice), 1.331 * volume(halite().lattice), 1e-4);
  EXPECT_EQ(result.records[1].id, "mp-1");
  EXPECT_EQ(result.records[1].license, "unknown");
  ASSERT_EQ(result.skipped.size(), 1u);
  EXPECT_EQ(result.skipped[0].first, index + ":4");
  EXPECT_TRUE(holds(result.skipped[0].second, "there is no structure file called mp-3 in"));
}

TEST(StructureIndex, NoStructureOfAFolderComesTwice) {
  const TemporaryFolder folder;
  folder.write("a/mp-1.cif", cif());
  folder.write("a/mp-2.cif", cif());
  folder.write("b/mp-1.vasp", to_poscar(halite(), "the same again"));
  folder.write("data.csv", "material_id,e_above_hull\nmp-1,0.5\nmp-2,0\nmp-1,0.5\n");
  folder.write("other.cif", to_cif(halite(), "not_in_the_table"));
  const Log log;

  const ReadResult result = read_all(folder.path());

  ASSERT_EQ(result.records.size(), 3u);
  EXPECT_EQ(result.records[0].id, "mp-1");
  EXPECT_EQ(result.records[0].e_above_hull, 0.5);
  EXPECT_EQ(result.records[1].id, "mp-2");
  EXPECT_EQ(result.records[2].id, "not_in_the_table");
  ASSERT_EQ(result.skipped.size(), 1u);
  EXPECT_TRUE(holds(result.skipped[0].second, "mp-1.cif was read already: another row names it"));
  ASSERT_EQ(log.notices.size(), 1u);
  EXPECT_TRUE(holds(log.notices[0], "1 more files with ids of this table are passed over"));
}

TEST(StructureIndex, SeveralTablesShareTheirFiles) {
  const TemporaryFolder folder;
  folder.write("1.cif", cif());
  folder.write("2.cif", cif());
  folder.write("train.csv", "id,energy_above_hull\n1,0.1\n");
  folder.write("val.csv", "id,energy_above_hull\n2,0.2\n1,0.1\n");

  const ReadResult result = read_all(folder.path());

  ASSERT_EQ(result.records.size(), 2u);
  EXPECT_EQ(result.records[0].e_above_hull, 0.1);
  EXPECT_EQ(result.records[1].e_above_hull, 0.2);
  EXPECT_EQ(result.skipped.size(), 1u);
}

TEST(StructureIndex, IdsOfBothSpellingsAreOne) {
  const TemporaryFolder folder;
  folder.write("mp-149.cif", cif());

  const ReadResult result = read_all(folder.write("data.csv", "material_id\nmp-aaaaaaft\n"));

  ASSERT_EQ(result.records.size(), 1u);
  EXPECT_EQ(result.records[0].id, "mp-aaaaaaft");
}

TEST(StructureIndex, BadFilesAndRowsLeaveTheOthers) {
  const TemporaryFolder folder;
  folder.write("good.cif", cif());
  folder.write("bad.cif", "data_x\n_cell_length_a ?\n");
  folder.write("two.cif", cif() + cif());
  folder.write("old.cif", cif());
  const std::string index = folder.write(
      "data.csv", "id,deprecated\nbad,\ntwo,\nold,True\ngood,False,extra\n,\ngood,False\n");

  const ReadResult result = read_all(index);

  ASSERT_EQ(result.records.size(), 1u);
  EXPECT_EQ(result.records[0].id, "good");
  ASSERT_EQ(result.skipped.size(), 5u);
  EXPECT_TRUE(holds(result.skipped[0].second, "bad.cif:1, data_x: _cell_length_a is ?"));
  EXPECT_TRUE(
      holds(result.skipped[1].second, "two.cif: 2 structures, where the index expects one"));
  EXPECT_TRUE(holds(result.skipped[2].second, "old is marked as deprecated"));
  EXPECT_TRUE(holds(result.skipped[3].second, "3 cells, but the header names 2 columns"));
  EXPECT_TRUE(holds(result.skipped[4].second, "the row has no id"));
}

TEST(StructureIndex, ATableWithoutFilesIsNone) {
  const TemporaryFolder folder;
  const std::string table = folder.write("data.csv", "material_id,formula\nmp-1,NaCl\n");

  EXPECT_THROW(
      {
        try {
          read_all(table);
        } catch (const Error& error) {
          EXPECT_TRUE(
              holds(error.what(), "data.csv: a table that has no column cif, and in whose"));
          throw;
        }
      },
      Error);
}

TEST(MaterialId, NumbersInBase26AndInBase10AreOneId) {
  EXPECT_EQ(io::canonical_id("mp-149"), "mp-149");
  EXPECT_EQ(io::canonical_id("mp-aaft"), "mp-149");
  EXPECT_EQ(io::canonical_id("mp-aaaaaaft"), "mp-149");
  EXPECT_EQ(io::canonical_id("mp-lxf"), "mp-8039");
  EXPECT_EQ(io::canonical_id("mvc-12"), "mvc-12");
  for (const char* opaque : {"", "mp-", "mp-Ab", "mp-1a", "01HV5B3YSB2ZK5B1V9C3R8T7QX", "149",
                             "agm002153972", "oqmd-0149", "mp-zzzzzzzzzzzzzzzzzzzz"})
    EXPECT_EQ(io::canonical_id(opaque), opaque);
}

// --- declared formulas ---------------------------------------------------------------------------

TEST(ImportFormats, FormulasThatTheSitesContradictAreOneWarning) {
  const TemporaryFolder folder;
  std::string frames;
  for (int i = 0; i < 100; ++i)
    frames += to_extxyz(halite(), i % 10 == 3 ? "formula=NaF"
                                  : i % 2     ? "formula=Na4Cl4"
                                              : "formula=?");
  const std::string path = folder.write("a.extxyz", frames);
  const Log log;

  const ReadResult result = read_all(path);

  EXPECT_EQ(result.records.size(), 100u);
  ASSERT_EQ(log.warnings.size(), 1u);
  EXPECT_EQ(log.warnings[0], "10 of 100 records declare a formula that their sites do not have; " +
                                 path + ":13 says NaF, its sites are NaCl");
}

}  // namespace
}  // namespace kronite
