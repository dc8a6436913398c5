// The journal of a build: what is written is read back, and a damaged end is forgotten.
#include "materials/build_journal.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include "kronite/error.hpp"
#include "kronite/log.hpp"
#include "support/crystals.hpp"
#include "support/temporary_folder.hpp"

namespace kronite {
namespace {

Template halite(const std::string& id) {
  Template t;
  t.structure = test::halite();
  t.composition = t.structure.composition().reduced();
  t.id = id;
  t.formula = "NaCl";
  t.ratio = "1:1";
  t.license = "CC0";
  t.source = "two\nlines, and a \0 byte";
  t.where = "salts.cif:1";
  t.space_group = 225;
  t.e_above_hull = 0.1;
  t.formation_energy = std::numeric_limits<double>::quiet_NaN();
  t.fingerprint.assign(kFingerprintSize, 0.3f);
  return t;
}

LeftOut refused(const std::string& id) {
  return {"a.cif:3", id, "FeO", LeftOutReason::disordered, "partial sites"};
}

class Journal : public testing::Test {
 protected:
  /// The ids in the file, which read() gives in order.
  static std::vector<std::string> ids(BuildJournal& journal) {
    journal.flush();
    std::vector<std::string> found;
    for (std::int64_t i = 0; i < journal.size(); ++i)
      found.push_back(std::visit([](const auto& entry) { return entry.id; }, journal.read(i)));
    return found;
  }
  std::string bytes() const {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write_three() const {
    BuildJournal journal(path_, "key");
    journal.append(halite("one"));
    journal.append(refused("two"));
    journal.append(halite("three"));
  }

  test::TemporaryFolder folder_;
  std::string path_ = folder_.path("out.ktl.journal");
};

TEST_F(Journal, GivesBackWhatWasWritten) {
  write_three();

  BuildJournal journal(path_, "key");
  journal.flush();
  const auto t = std::get<Template>(journal.read(0));
  const auto left = std::get<LeftOut>(journal.read(1));

  ASSERT_EQ(journal.size(), 3);
  const Template expected = halite("one");
  EXPECT_EQ(t.structure.lattice, expected.structure.lattice);
  EXPECT_EQ(t.structure.fractional, expected.structure.fractional);
  EXPECT_EQ(t.structure.z, expected.structure.z);
  EXPECT_EQ(t.composition, expected.composition);
  EXPECT_EQ(t.id, "one");
  EXPECT_EQ(t.source, expected.source);
  EXPECT_EQ(t.where, "salts.cif:1");
  EXPECT_EQ(t.space_group, 225);
  EXPECT_EQ(t.e_above_hull, 0.1);
  EXPECT_TRUE(std::isnan(t.formation_energy));
  EXPECT_EQ(t.fingerprint, expected.fingerprint);
  EXPECT_EQ(left.id, "two");
  EXPECT_EQ(left.reason, LeftOutReason::disordered);
}

TEST_F(Journal, ForgetsWhateverIsNotWholeAtItsEnd) {
  write_three();
  const std::string whole = bytes();

  // The last entry holds a fingerprint: it is longer than 900 bytes.
  for (std::size_t size = whole.size() - 1; size > whole.size() - 900; size -= 13) {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << whole.substr(0, size);
    BuildJournal journal(path_, "key");

    EXPECT_EQ(ids(journal), (std::vector<std::string>{"one", "two"})) << size;

    journal.append(halite("again"));
    EXPECT_EQ(ids(journal), (std::vector<std::string>{"one", "two", "again"})) << size;
  }
}

TEST_F(Journal, ForgetsEverythingBehindADamagedEntry) {
  write_three();
  std::string damaged = bytes();
  damaged[damaged.size() / 4] = static_cast<char>(damaged[damaged.size() / 4] ^ 1);
  std::ofstream(path_, std::ios::binary | std::ios::trunc) << damaged;

  BuildJournal journal(path_, "key");

  EXPECT_EQ(journal.size(), 0);
}

TEST_F(Journal, StartsAfreshForAnotherBuildAndSaysSo) {
  write_three();
  std::string message;
  set_log_callback([&](LogLevel, const std::string& text) { message = text; });

  BuildJournal journal(path_, "another key");
  set_log_callback({});

  EXPECT_EQ(journal.size(), 0);
  EXPECT_NE(message.find("starting afresh"), std::string::npos) << message;
}

TEST_F(Journal, LeavesAFileAloneThatIsNoJournal) {
  folder_.write("out.ktl.journal", "my laboratory journal");

  EXPECT_THROW(BuildJournal(path_, "key"), Error);

  EXPECT_EQ(bytes(), "my laboratory journal");
}

TEST_F(Journal, BelongsToOneBuildAtATime) {
  BuildJournal journal(path_, "key");

  try {
    BuildJournal second(path_, "key");
    FAIL() << "opened twice";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::unavailable);
  }
}

TEST_F(Journal, IsGoneWhenDiscarded) {
  BuildJournal journal(path_, "key");
  journal.append(halite("one"));

  journal.discard();

  EXPECT_FALSE(std::filesystem::exists(path_));
}

}  // namespace
}  // namespace kronite
