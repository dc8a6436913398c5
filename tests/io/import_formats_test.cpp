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

}  // namespace
}  // namespace kronite
