// Structures as JSON: every container, what may be missing and what may not.
#include <gtest/gtest.h>

#include <cmath>

#include "io/json_text.hpp"
#include "kronite/error.hpp"
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

constexpr const char* kLattice = R"("lattice":{"matrix":[[4,0,0],[0,4,0],[0,0,4]]})";
constexpr const char* kSites = R"("sites":[{"species":[{"element":"Na","occu":1}],"abc":[0,0,0]}])";

std::string structure() { return std::string("{") + kLattice + "," + kSites + "}"; }

ReadResult read_text(const std::string& text, const std::string& name = "some.json") {
  const TemporaryFolder folder;
  return read_all(folder.write(name, text));
}

std::string reason(const std::string& text) {
  const ReadResult result = read_text(text);
  return result.skipped.empty() ? "" : result.skipped.front().second;
}

/// What read_structures() throws of a file as a whole.
std::string failure(const std::string& text) {
  try {
    read_text(text);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::parse);
    return e.what();
  }
  return {};
}

TEST(StructureJson, EveryContainerGivesTheSameCrystal) {
  for (const char* name : {"halite_pymatgen.json", "halite_list.json", "halite_rest.json",
                           "halite_mapping.json", "halite_table.json", "halite.jsonl",
                           "halite_optimade.jsonl", "halite_optimade_page.json", "halite.csv"}) {
    SCOPED_TRACE(name);

    const ReadResult result = read_all(test::golden(std::string("structures/") + name));

    ASSERT_FALSE(result.records.empty());
    // The CSV gives the cell by its parameters, to eight decimals.
    EXPECT_TRUE(same_crystal(result.records[0].structure, halite(), 1e-6));
    EXPECT_FALSE(result.records[0].disordered);
  }
}

TEST(StructureJson, ReadsSummaries) {
  const ReadResult result = read_all(test::golden("structures/halite.jsonl"));

  ASSERT_EQ(result.records.size(), 3u);
  EXPECT_EQ(result.records[0].id, "example-1");
  EXPECT_EQ(result.records[0].declared_formula, "NaCl");
  EXPECT_EQ(result.records[0].e_above_hull, 0);
  EXPECT_EQ(result.records[0].formation_energy, -2.1);
  EXPECT_EQ(result.records[0].license, "BY-C");
  EXPECT_TRUE(holds(result.records[0].where, "halite.jsonl:1"));
}

TEST(StructureJson, KeepsWhatASummarySaysOfItself) {
  const std::string said = R"("symmetry":{"number":225},"is_stable":true,"thermo_type":"R2SCAN",)"
                           R"("builder_meta":{"database_version":"2025.09.25"},"structure":)";

  const ReadResult full = read_text("{" + said + structure() + "}");
  const ReadResult bare = read_text("{\"is_stable\":null,\"structure\":" + structure() + "}");

  ASSERT_EQ(full.records.size(), 1u);
  EXPECT_EQ(full.records[0].declared_space_group, 225);
  EXPECT_EQ(full.records[0].is_stable, true);
  EXPECT_EQ(full.records[0].theoretical, std::nullopt);  // absent is not false
  EXPECT_EQ(full.records[0].thermo_type, "R2SCAN");
  EXPECT_EQ(full.records[0].database_version, "2025.09.25");
  ASSERT_EQ(bare.records.size(), 1u);
  EXPECT_EQ(bare.records[0].declared_space_group, 0);
  EXPECT_EQ(bare.records[0].is_stable, std::nullopt);
}

TEST(StructureJson, ReadsPythonsNanCartesianPositionsAndTheLicenceOfGnome) {
  const ReadResult result = read_all(test::golden("structures/halite.jsonl"));

  ASSERT_EQ(result.records.size(), 3u);
  EXPECT_TRUE(std::isnan(result.records[1].e_above_hull));
  EXPECT_TRUE(same_crystal(result.records[1].structure, halite(), 1e-12));
  EXPECT_EQ(result.records[1].license, "BY-NC");
}

TEST(StructureJson, FlagsDisorderAndDropsDeprecatedEntries) {
  const ReadResult result = read_all(test::golden("structures/halite.jsonl"));

  ASSERT_EQ(result.records.size(), 3u);
  EXPECT_TRUE(result.records[2].disordered);
  EXPECT_EQ(result.records[2].structure.z[1], 17);  // 0.6 Cl, 0.4 Br
  ASSERT_EQ(result.skipped.size(), 1u);
  EXPECT_TRUE(holds(result.skipped[0].first, "halite.jsonl:4"));
  EXPECT_TRUE(holds(result.skipped[0].second, "example-4 is marked as deprecated"));
}

TEST(StructureJson, ReadsOptimadeWithItsLicenceAndSource) {
  const ReadResult result = read_all(test::golden("structures/halite_optimade.jsonl"));

  ASSERT_EQ(result.records.size(), 3u);
  const StructureRecord& first = result.records[0];
  EXPECT_EQ(first.structure.z, (std::vector<std::uint8_t>{11, 17}));  // the species "C" is sodium
  EXPECT_EQ(first.license, "BY-C");
  EXPECT_EQ(first.source, "Example database");
  EXPECT_EQ(first.e_above_hull, 0);  // of the mixed functional, not of the first key
  EXPECT_EQ(first.formation_energy, -2.1);
  EXPECT_FALSE(first.disordered);
  EXPECT_TRUE(result.records[1].disordered);  // vacancy
  EXPECT_TRUE(result.records[2].disordered);  // implicit_atoms
  ASSERT_EQ(result.skipped.size(), 2u);
  EXPECT_TRUE(holds(result.skipped[0].second, "periodic in 2 dimensions"));
  EXPECT_TRUE(holds(result.skipped[1].second, "'species' is missing; ask the server for it"));
}

TEST(StructureJson, AnEntrysOwnLicenceAndSourceComeFirst) {
  const std::string entry =
      R"({"type":"structures","id":"a","attributes":{"lattice_vectors":[[4,0,0],[0,4,0],[0,0,4]],)"
      R"("cartesian_site_positions":[[0,0,0]],"species_at_sites":["s"],"species":[{"name":"s",)"
      R"("chemical_symbols":["Na"],"concentration":[1]}],"_kronite_license":"CC0-1.0",)"
      R"("_kronite_source":"a server"}})";

  const ReadResult result = read_text(R"({"meta":{"provider":{"name":"p"}}})"
                                      "\n" +
                                      entry);

  ASSERT_EQ(result.records.size(), 1u);
  EXPECT_EQ(result.records[0].license, "CC0");
  EXPECT_EQ(result.records[0].source, "a server");
}

/// An OPTIMADE page with one sodium; `more` goes into its attributes.
std::string page(const std::string& more,
                 const std::string& species = R"([{"name":"s","chemical_symbols":["Na"],)"
                                              R"("concentration":[1]}])") {
  return R"({"data":[{"type":"structures","id":"a","attributes":{)"
         R"("lattice_vectors":[[4,0,0],[0,4,0],[0,0,4]],"cartesian_site_positions":[[0,0,0]],)"
         R"("species_at_sites":["s"],"species":)" +
         species + (more.empty() ? "" : ",") + more + "}}]}";
}

TEST(StructureJson, NullAttributesOfOptimadeAreAbsentOnes) {
  const ReadResult result = read_text(page(
      R"("chemical_formula_reduced":null,"structure_features":null,"nperiodic_dimensions":null,)"
      R"("_mp_stability":{"gga_gga+u":null},"_oqmd_stability":null,"license":null)"));

  ASSERT_EQ(result.records.size(), 1u);
  EXPECT_TRUE(std::isnan(result.records[0].e_above_hull));
  EXPECT_FALSE(result.records[0].disordered);
  EXPECT_EQ(result.records[0].license, "unknown");
}

TEST(StructureJson, AskedForAttributesAreNamedWhereTheyAreNull) {
  EXPECT_TRUE(holds(reason(page("", "null")), "'species' is missing; ask the server for it (resp"));
  for (const std::string key :
       {"lattice_vectors", "cartesian_site_positions", "species_at_sites"}) {
    std::string text = page("");
    text.insert(text.find("\"" + key) + 1, "_");

    EXPECT_TRUE(holds(reason(text), "'" + key + "' is missing; ask the server for it")) << key;
  }
}

TEST(StructureJson, VacantAndUnknownPartsOfAnOptimadeSiteFlagIt) {
  const auto site = [](const std::string& symbols) {
    return R"([{"name":"s","chemical_symbols":[)" + symbols + R"(],"concentration":[0.5,0.5]}])";
  };

  const ReadResult vacant = read_text(page("", site(R"("vacancy","Fe")")));
  const ReadResult unknown = read_text(page("", site(R"("Fe","X")")));

  ASSERT_EQ(vacant.records.size(), 1u);
  EXPECT_TRUE(vacant.records[0].disordered);
  EXPECT_EQ(vacant.records[0].structure.z[0], 26);
  ASSERT_EQ(unknown.records.size(), 1u);
  EXPECT_TRUE(unknown.records[0].disordered);
  EXPECT_TRUE(holds(reason(page("", site(R"("vacancy","X")"))), "a site names no element"));
}

TEST(StructureJson, EveryStructureFeatureFlagsARecord) {
  for (const std::string feature :
       {"disorder", "implicit_atoms", "site_attachments", "assemblies"}) {
    const ReadResult result = read_text(page("\"structure_features\":[\"" + feature + "\"]"));

    ASSERT_EQ(result.records.size(), 1u);
    EXPECT_TRUE(result.records[0].disordered) << feature;
  }
}

TEST(StructureJson, EnergiesOfOptimadeStandWhereEachDatabaseKeepsThem) {
  const auto energies = [](const std::string& more, const ReadOptions& options = {}) {
    const TemporaryFolder folder;
    StructureRecord read;
    read_structures(
        folder.write("a.json", page(more)),
        [&](StructureRecord&& record) {
          read = std::move(record);
          return true;
        },
        {}, options);
    return read;
  };
  ReadOptions mine;
  mine.e_above_hull_key = "_mine.hull.value";
  mine.formation_energy_key = "_mine.formation";

  const StructureRecord mp =
      energies(R"("_mp_stability":{"R2SCAN":{"energy_above_hull":0.2},)"
               R"("GGA_GGA+U_R2SCAN":{"energy_above_hull":0.1,"formation_energy_per_atom":-1}})");
  const StructureRecord oqmd = energies(R"("_oqmd_stability":0.3,"_oqmd_delta_e":-2)");
  const StructureRecord odbx = energies(R"("_odbx_thermodynamics":{"hull_distance":0.4})");
  const StructureRecord own =
      energies(R"("_mine":{"hull":{"value":0.5},"formation":-3},"_oqmd_stability":9)", mine);
  const StructureRecord none = energies(R"("_mine":{"hull":0.5})", mine);

  EXPECT_EQ(mp.e_above_hull, 0.1);
  EXPECT_EQ(mp.formation_energy, -1);
  EXPECT_EQ(mp.thermo_type, "GGA_GGA+U_R2SCAN");
  EXPECT_EQ(oqmd.e_above_hull, 0.3);
  EXPECT_EQ(oqmd.formation_energy, -2);
  EXPECT_EQ(odbx.e_above_hull, 0.4);
  EXPECT_EQ(own.e_above_hull, 0.5);
  EXPECT_EQ(own.formation_energy, -3);
  EXPECT_TRUE(std::isnan(none.e_above_hull));
}

TEST(StructureJson, LicencesOfTheMaterialsProject) {
  const auto license = [](const std::string& said) {
    return read_text("{" + said + ",\"structure\":" + structure() + "}").records.at(0).license;
  };

  EXPECT_EQ(license(R"("builder_meta":{"license":"BY-C"})"), "BY-C");
  EXPECT_EQ(license(R"("builder_meta":{"license":"BY-NC"})"), "BY-NC");
  EXPECT_EQ(license(R"("builder_meta":{"license":null,"batch_id":"gnome_r2scan_statics"})"),
            "BY-NC");
  EXPECT_EQ(license(R"("builder_meta":{"license":"BY-C","batch_id":"gnome_r2scan_statics"})"),
            "BY-NC");
  EXPECT_EQ(license(R"("builder_meta":null,"license":"CC0-1.0")"), "CC0");
  EXPECT_EQ(license(R"("builder_meta":{"license":null})"), "unknown");
}

TEST(StructureJson, IdsAreOpaque) {
  for (const std::string id : {"mp-149", "mp-aaaaaaft", "mvc-12", "01HV5B3YSB2ZK5B1V9C3R8T7QX",
                               "agm002153972", "oqmd-4061139", "007"}) {
    const ReadResult result =
        read_text(R"({"material_id":")" + id + "\",\"structure\":" + structure() + "}");

    ASSERT_EQ(result.records.size(), 1u);
    EXPECT_EQ(result.records[0].id, id);
  }
}

TEST(StructureJson, RefusesWhatIsNotPeriodicInThreeDirections) {
  std::string slab = structure();
  slab.insert(slab.find("\"matrix\""), "\"pbc\":[true,true,false],");

  EXPECT_TRUE(holds(reason(slab), "'lattice.pbc': not periodic in three directions"));
}

TEST(StructureJson, NamesOfAMappingAreIds) {
  const ReadResult result = read_all(test::golden("structures/halite_mapping.json"));

  ASSERT_EQ(result.records.size(), 2u);
  EXPECT_EQ(result.records[0].id, "first");
  EXPECT_EQ(result.records[1].id, "second");
}

TEST(StructureJson, OtherValuesInAMappingLeaveItsStructures) {
  const ReadResult result = read_text("{\"note\":\"mine\",\"a\":" + structure() +
                                      ",\"b\":{\"sites\":[]},\"c\":" + structure() + "}");

  ASSERT_EQ(result.records.size(), 2u);
  EXPECT_EQ(result.records[1].id, "c");
  ASSERT_EQ(result.skipped.size(), 2u);
  EXPECT_TRUE(holds(result.skipped[1].first, "some.json:1, b"));
}

TEST(StructureJson, OneBadLineLeavesTheOthers) {
  std::string lines;
  for (int i = 1; i <= 1000; ++i) lines += i == 500 ? "{\"lattice\":\n" : structure() + "\n";

  const ReadResult result = read_text(lines, "some.jsonl");

  EXPECT_EQ(result.records.size(), 999u);
  ASSERT_EQ(result.skipped.size(), 1u);
  EXPECT_TRUE(holds(result.skipped[0].first, "some.jsonl:500"));
}

TEST(StructureJson, ABadFirstLineIsABadRecordWhereTheNamePromisesLines) {
  const ReadResult result = read_text("{oops\n" + structure() + "\n", "some.jsonl");

  EXPECT_EQ(result.records.size(), 1u);
  ASSERT_EQ(result.skipped.size(), 1u);
  EXPECT_TRUE(holds(result.skipped[0].first, "some.jsonl:1"));
}

TEST(StructureJson, ABadRecordOfAListIsNamedByItsPlace) {
  const ReadResult result = read_text("[" + structure() + ", {\"lattice\": 1}, 7, []]");

  EXPECT_EQ(result.records.size(), 1u);
  ASSERT_EQ(result.skipped.size(), 2u);
  EXPECT_TRUE(holds(result.skipped[0].first, "some.json:1, record 2"));
  EXPECT_TRUE(holds(result.skipped[1].first, "some.json:1, record 3"));
}

TEST(StructureJson, NamesTheKeyThatIsMissingOrWrong) {
  const std::string lattice = kLattice, sites = kSites;
  const auto with_sites = [&](const std::string& given) {
    return reason("{" + lattice + ",\"sites\":" + given + "}");
  };

  EXPECT_TRUE(holds(reason("{" + lattice + "}"), "'sites' is missing"));
  EXPECT_TRUE(holds(reason("{" + sites + "}"), "'lattice' is missing"));
  EXPECT_TRUE(holds(reason("{\"structure\":null}"), "'structure' is missing"));
  EXPECT_TRUE(holds(reason("{\"structure\":3}"), "'structure' must be an object"));
  EXPECT_TRUE(holds(reason(R"({"lattice":{"matrix":[[1,2],[3]]},"sites":[]})"), "three numbers"));
  EXPECT_TRUE(holds(reason(R"({"lattice":{"matrix":[]},"sites":[]})"), "three vectors"));
  EXPECT_TRUE(holds(with_sites("[]"), "no sites"));
  EXPECT_TRUE(holds(with_sites("[1]"), "'sites' must be objects"));
  EXPECT_TRUE(holds(with_sites(R"([{"species":[{"element":"Na"}]}])"), "'xyz' is missing"));
  EXPECT_TRUE(holds(with_sites(R"([{"species":[{"element":"Xx"}],"abc":[0,0,0]}])"),
                    "Xx is not an element"));
  EXPECT_TRUE(holds(with_sites(R"([{"species":[],"abc":[0,0,0]}])"), "a site names no element"));
  EXPECT_TRUE(holds(with_sites(R"([{"species":[{"element":"Na","occu":-1}],"abc":[0,0,0]}])"),
                    "an occupancy is -1"));
  EXPECT_TRUE(holds(with_sites(R"([{"species":[{"element":"Na"}],"abc":[0,0,null]}])"),
                    "'abc' holds a value that is no number"));
  EXPECT_TRUE(holds(reason(R"({"formula_pretty":"NaCl"})"), "no structure here"));
  EXPECT_TRUE(holds(reason("{\"type\":\"structures\",\"id\":\"a\"}"), "'attributes' is missing"));
}

TEST(StructureJson, SaysWhereTheSyntaxIsWrong) {
  const std::string why = failure("{\n \"lattice\": [1, 2,,]\n}");

  EXPECT_TRUE(holds(why, "some.json: not JSON: parse error at line 2")) << why;
  EXPECT_TRUE(holds(failure("[1e999"), "some.json: not JSON"));
}

TEST(StructureJson, DeepNestingIsRefusedNotFollowed) {
  const std::string deep(2'000'000, '[');

  EXPECT_TRUE(holds(failure(deep), "not JSON"));
  EXPECT_TRUE(holds(failure(deep + "\n" + std::string(2'000'000, ']')), "nested too deeply"));
  EXPECT_TRUE(holds(reason("[[[[[[" + structure() + "]]]]]]"), "lists within lists"));
}

TEST(JsonText, NanBecomesNullOutsideStringsOnly) {
  std::string text = R"({"a": NaN, "b": -Infinity, "NaN \" Infinity": [Infinity]})";

  EXPECT_TRUE(io::null_for_nan(text));
  EXPECT_EQ(text, R"({"a": null, "b": null, "NaN \" Infinity": [null]})");
  EXPECT_FALSE(io::null_for_nan(text));
}

TEST(StructureJson, ReadsTheWholeOfMpStable) {
  const std::string path = test::shared_data("structures/mp_stable.jsonl.gz");
  KRONITE_NEEDS_DATA(path);
  std::size_t records = 0, sites = 0, agreeing = 0;

  read_structures(path,
                  [&](StructureRecord&& record) {
                    ++records;
                    sites += record.structure.size();
                    agreeing +=
                        record.structure.composition().reduced_formula() == record.declared_formula;
                    return true;
                  },
                  {});

  EXPECT_EQ(records, 28810u);
  EXPECT_EQ(sites, 763318u);
  EXPECT_EQ(agreeing, records);
}

}  // namespace
}  // namespace kronite
