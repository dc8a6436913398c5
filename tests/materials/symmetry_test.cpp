// Space groups and standard cells against pymatgen's numbers
// (tests/golden/make_structure_golden.py), and what must not change them.
#include "materials/symmetry.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <numbers>
#include <set>
#include <thread>

#include "io/csv.hpp"
#include "kronite/error.hpp"
#include "kronite/templates.hpp"
#include "materials/lattice.hpp"
#include "support/crystals.hpp"
#include "support/data.hpp"

namespace kronite {
namespace {

using test::halite;
using test::supercell;

/// Rows of structures.csv by the names of its columns.
using Row = std::map<std::string, std::string>;

std::vector<Row> golden_rows() {
  io::CsvReader csv(test::golden("structures.csv"));
  std::vector<std::string> header, cells;
  EXPECT_TRUE(csv.next(header));
  std::vector<Row> rows;
  while (csv.next(cells)) {
    rows.emplace_back();
    for (std::size_t i = 0; i < header.size(); ++i) rows.back()[header[i]] = cells.at(i);
  }
  return rows;
}

/// The prototypes by the names of their data blocks.
std::map<std::string, Structure> prototypes() {
  std::map<std::string, Structure> all;
  for (const auto& record : test::read_all(test::golden("structures/prototypes.cif")).records)
    all[record.id] = record.structure;
  return all;
}

/// "O:f4 Ti:a2": element, Wyckoff letter and sites of each orbit, sorted.
std::string orbits(const Structure& cell, const Symmetry& symmetry) {
  std::map<int, int> count;
  for (const int first : symmetry.equivalent) ++count[first];
  std::multiset<std::string> words;
  for (const auto& [first, sites] : count)
    words.insert(std::string(element_symbol(cell.z[first])) + ':' + symmetry.wyckoff[first] +
                 std::to_string(sites));
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

TEST(Symmetry, AgreesWithPymatgenOnThePrototypes) {
  auto crystals = prototypes();
  const std::vector<Row> rows = golden_rows();
  ASSERT_EQ(rows.size(), 9u);
  for (Row row : rows) {
    SCOPED_TRACE(row["block"]);
    const Structure& crystal = crystals.at(row["block"]);

    const StandardCell standard = standardise(crystal);

    EXPECT_EQ(crystal.composition().reduced_formula(), row["formula"]);
    EXPECT_EQ(crystal.size(), std::stoul(row["sites"]));
    EXPECT_NEAR(volume(crystal.lattice), std::stod(row["volume"]), 1e-8);  // nine decimals
    EXPECT_EQ(find_symmetry(crystal).space_group, std::stoi(row["space_group"]));
    EXPECT_EQ(standard.symmetry.international, row["symbol"]);
    EXPECT_EQ(standard.symmetry.hall, row["hall"]);
    EXPECT_EQ(standard.primitive.size(), std::stoul(row["primitive_sites"]));
    EXPECT_EQ(standard.conventional.size(), std::stoul(row["conventional_sites"]));
    EXPECT_EQ(orbits(standard.conventional, standard.symmetry), row["orbits"]);
    const Vector3 length = lengths(standard.conventional.lattice);
    const Vector3 angle = angles(standard.conventional.lattice);
    const char* names[] = {"a", "b", "c", "alpha", "beta", "gamma"};
    for (int k = 0; k < 3; ++k) {
      EXPECT_NEAR(length[k], std::stod(row[names[k]]), 1e-8);
      EXPECT_NEAR(angle[k], std::stod(row[names[3 + k]]), 1e-8);
    }
  }
}

TEST(Symmetry, LettersAndOrbitsBelongToTheGivenSites) {
  const Structure cells = supercell(halite(), 2, 1, 1);

  const Symmetry symmetry = find_symmetry(cells);

  EXPECT_EQ(symmetry.international, "Fm-3m");
  EXPECT_EQ(symmetry.hall, "-F 4 2 3");
  ASSERT_EQ(symmetry.wyckoff.size(), 4u);
  EXPECT_EQ(symmetry.wyckoff[0], symmetry.wyckoff[2]);
  EXPECT_NE(symmetry.wyckoff[0], symmetry.wyckoff[1]);
  EXPECT_EQ(symmetry.equivalent, (std::vector<int>{0, 1, 0, 1}));
}

TEST(StandardCell, DoesNotDependOnTheCellThatIsGiven) {
  for (const auto& [name, crystal] : prototypes()) {
    SCOPED_TRACE(name);
    // Another cell of the same crystal: doubled along c, turned, wrapped differently.
    Structure other = supercell(crystal, 1, 1, 2);
    const double c = std::cos(0.7), s = std::sin(0.7);
    for (Vector3& v : other.lattice) v = {c * v[0] - s * v[1], s * v[0] + c * v[1], v[2]};
    for (Vector3& x : other.fractional) x = {x[0] + 3, x[1] - 2, x[2]};

    const StandardCell a = standardise(crystal), b = standardise(other);

    EXPECT_EQ(a.symmetry.space_group, b.symmetry.space_group);
    EXPECT_EQ(a.primitive.size(), b.primitive.size());
    const Vector3 la = lengths(a.conventional.lattice), lb = lengths(b.conventional.lattice);
    for (int k = 0; k < 3; ++k) EXPECT_NEAR(la[k], lb[k], 1e-9);
  }
}

TEST(StandardCell, PrimitiveAndConventionalAreOneCrystal) {
  for (const auto& [name, crystal] : prototypes()) {
    SCOPED_TRACE(name);

    const StandardCell standard = standardise(crystal);

    const double cells = double(standard.conventional.size()) / double(standard.primitive.size());
    EXPECT_NEAR(volume(standard.conventional.lattice), cells * volume(standard.primitive.lattice),
                1e-9 * volume(standard.conventional.lattice));
    // Both lie in one frame: every site of the large cell is a site of the small one.
    const Lattice to_primitive = reciprocal(standard.primitive.lattice);
    for (std::size_t i = 0; i < standard.conventional.size(); ++i) {
      const Vector3 place =
          cartesian(standard.conventional.lattice, standard.conventional.fractional[i]);
      int partners = 0;
      for (std::size_t j = 0; j < standard.primitive.size(); ++j)
        partners += standard.primitive.z[j] == standard.conventional.z[i] &&
                    test::distance(standard.primitive.lattice, fractional(to_primitive, place),
                                   standard.primitive.fractional[j]) < 1e-9;
      EXPECT_EQ(partners, 1) << "site " << i;
    }
    EXPECT_EQ(standard.primitive.composition().reduced_formula(),
              crystal.composition().reduced_formula());
  }
}

TEST(StandardCell, ComesBackFromThePrimitiveCellWithOtherElements) {
  for (const auto& [name, crystal] : prototypes()) {
    SCOPED_TRACE(name);
    const StandardCell expected = standardise(crystal);
    Structure primitive = expected.primitive;
    for (std::uint8_t& z : primitive.z) z = static_cast<std::uint8_t>(z + 1);
    for (Vector3& row : primitive.lattice)
      for (double& x : row) x *= 1.1;

    const StandardCell found = from_primitive(primitive, expected.symmetry.space_group);

    Structure scaled = expected.conventional;
    for (std::uint8_t& z : scaled.z) z = static_cast<std::uint8_t>(z + 1);
    for (Vector3& row : scaled.lattice)
      for (double& x : row) x *= 1.1;
    EXPECT_TRUE(test::same_crystal(found.conventional, scaled, 1e-9));
    EXPECT_EQ(found.symmetry.hall_number, expected.symmetry.hall_number);
    EXPECT_EQ(found.symmetry.international, expected.symmetry.international);
    EXPECT_EQ(found.symmetry.hall, expected.symmetry.hall);
    EXPECT_EQ(
        std::set<int>(found.symmetry.equivalent.begin(), found.symmetry.equivalent.end()).size(),
        std::set<int>(expected.symmetry.equivalent.begin(), expected.symmetry.equivalent.end())
            .size());
  }
}

TEST(StandardCell, RefusesACellWithoutTheSymmetryThatIsNamed) {
  EXPECT_THROW(from_primitive(test::triclinic(), 225), Error);
  EXPECT_THROW(from_primitive(halite(), 0), Error);
  EXPECT_THROW(from_primitive(halite(), 231), Error);
}

TEST(StandardCell, KeepsTheOrderOfElementsAndTidyNumbers) {
  const Structure perovskite = prototypes().at("perovskite");

  const Structure cell = conventional_cell(supercell(perovskite, 2, 2, 2));

  EXPECT_EQ(cell.z, (std::vector<std::uint8_t>{38, 22, 8, 8, 8}));
  for (const Vector3& x : cell.fractional)
    for (const double c : x) EXPECT_TRUE(c == 0 || c == 0.5) << c;
  EXPECT_EQ(cell.lattice[0][1], 0);
}

TEST(Symmetry, OperationsAndNamesOfEverySetting) {
  std::set<std::string> names;
  for (int hall_number = 1; hall_number <= 530; ++hall_number) {
    const std::vector<SymmetryOperation> operations = operations_of(hall_number);
    ASSERT_FALSE(operations.empty());
    EXPECT_EQ(operations[0].rotation,
              (std::array<std::array<int, 3>, 3>{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}}));
    names.insert(hermann_mauguin(hall_number));
  }

  for (const char* expected : {"P 1", "P 21/c", "P -3 1 m", "F d -3 m:1", "F d -3 m:2", "R -3 c:H",
                               "R -3 c:R", "I 41/a m d:2", "P 63/m m c", "P 41 3 2", "I a -3 d"})
    EXPECT_EQ(names.count(expected), 1u) << expected;
}

TEST(Symmetry, RefusesWhatSpglibCannotBear) {
  Structure bad = halite();
  bad.fractional[0][0] = std::numeric_limits<double>::quiet_NaN();

  EXPECT_THROW(find_symmetry(bad), Error);
  EXPECT_THROW(primitive_cell(bad), Error);
  EXPECT_THROW(find_symmetry(halite(), -1), Error);
  EXPECT_THROW(find_symmetry(halite(), std::numeric_limits<double>::quiet_NaN()), Error);
}

TEST(Symmetry, RefusesCellsThatTakeSpglibForever) {
  Structure slab = halite();
  slab.lattice = {{{3, 0, 0}, {0, 2500, 0}, {0, 0, 3}}};

  try {
    find_symmetry(slab);
    FAIL() << "searched";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::numerical);
    EXPECT_STREQ(error.what(),
                 "a lattice vector is 2500 Å long; symmetry is searched up to 2000 Å");
  }
}

TEST(Symmetry, MayBeAskedByManyThreads) {
  std::vector<int> found(8, 0);
  std::vector<std::thread> threads;
  const auto crystals = prototypes();
  for (std::size_t t = 0; t < found.size(); ++t)
    threads.emplace_back([&, t] {
      for (const auto& [name, crystal] : crystals) found[t] += find_symmetry(crystal).space_group;
    });
  for (std::thread& thread : threads) thread.join();

  for (const int sum : found) EXPECT_EQ(sum, found[0]);
  EXPECT_GT(found[0], 0);
}

TEST(Symmetry, FindsTheOrbitsOfThePrimitiveCellThatASearchOfItFinds) {
  const TemplateLibrary library = TemplateLibrary::embedded();
  std::int64_t fewer = 0;

  for (std::int64_t i = 0; i < library.size(); i += 8) {
    const StandardCell crystal = standardise(supercell(library.structure(i), 1, 2, 1));
    const std::vector<int> orbits = primitive_orbits(crystal);
    const std::vector<int> searched = find_symmetry(crystal.primitive).equivalent;

    EXPECT_EQ(orbits, searched) << library.info(i).id;
    fewer += std::set<int>(orbits.begin(), orbits.end()).size() < crystal.primitive.size();
  }

  EXPECT_GT(fewer, 10);
}

TEST(Symmetry, AgreesWithTheSpaceGroupsOfMp20) {
  const std::string path = test::shared_data("structures/mp20_biternary_val.csv.gz");
  KRONITE_NEEDS_DATA(path);
  constexpr int kEvery = 17;        // 395 of 6,707: a few seconds
  constexpr double kSymprec = 0.1;  // as the Materials Project takes it
  std::map<std::string, int> declared;
  io::CsvReader csv(path);
  std::vector<std::string> header, cells;
  ASSERT_TRUE(csv.next(header));
  const auto column = [&](const char* name) {
    return static_cast<std::size_t>(std::find(header.begin(), header.end(), name) - header.begin());
  };
  while (csv.next(cells))
    declared[cells.at(column("material_id"))] = std::stoi(cells.at(column("spacegroup.number")));

  int seen = 0, asked = 0, agreed = 0;
  read_structures(path,
                  [&](StructureRecord&& record) {
                    if (seen++ % kEvery != 0) return true;
                    ++asked;
                    agreed += find_symmetry(record.structure, kSymprec).space_group ==
                              declared.at(record.id);
                    return true;
                  },
                  {});

  EXPECT_EQ(seen, 6707);
  // The texts hold eight decimals of structures that were once relaxed further or less far.
  EXPECT_GE(agreed, asked * 99 / 100) << agreed << " of " << asked;
}

}  // namespace
}  // namespace kronite
