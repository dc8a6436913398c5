// Zip archives: stored and deflated members, and every damage refused.
#include "io/zip.hpp"

#include <gtest/gtest.h>

#include <string>

#include "io/input.hpp"  // for read_file
#include "io/npy.hpp"    // for parse_npy
#include "kronite/error.hpp"

namespace kronite::io {
namespace {

std::string golden(const std::string& name) {
  return read_file(std::string(KRONITE_TEST_SOURCE) + "/golden/keras/" + name);
}

std::string refusal(const std::string& archive) {
  try {
    unzip(archive, "a.npz");
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::parse);
    return e.what();
  }
  return "nothing is wrong";
}

TEST(Zip, UnpacksStoredAndDeflatedMembersInTheirOrder) {
  for (const char* name : {"after.npz", "before.npz"}) {
    const auto members = unzip(golden(name), name);

    ASSERT_EQ(members.size(), 14u) << name;
    EXPECT_EQ(members[0].name, "arr_0.npy");
    EXPECT_EQ(members[13].name, "arr_13.npy");
    EXPECT_EQ(parse_npy(members[0].content, name).shape, (std::vector<std::int64_t>{6, 5}));
    EXPECT_EQ(parse_npy(members[13].content, name).shape, std::vector<std::int64_t>{2});
  }
}

TEST(Zip, ReadsAnEmptyArchive) {
  EXPECT_TRUE(unzip(std::string("PK\x05\x06") + std::string(18, '\0'), "a.npz").empty());
}

TEST(Zip, RefusesEveryTruncation) {
  const std::string whole = golden("before.npz");
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_NE(refusal(whole.substr(0, length)).find("a.npz: this is not a readable zip archive"),
              std::string::npos)
        << length;
}

TEST(Zip, RefusesDamagedMembersByName) {
  const std::string whole = golden("after.npz");
  std::string damaged = whole;
  damaged[whole.find("\x93NUMPY") + 200] ^= 1;  // a value of the first array

  EXPECT_NE(refusal(damaged).find("arr_0.npy is damaged"), std::string::npos) << refusal(damaged);
}

TEST(Zip, RefusesWhatItDoesNotReadAndWhatExpandsTooMuch) {
  const std::string whole = golden("after.npz");
  const std::size_t entry = whole.find("PK\x01\x02");
  std::string encrypted = whole, other_method = whole, bomb = whole;
  encrypted[entry + 8] |= 1;
  other_method[entry + 10] = 14;  // LZMA
  bomb.replace(entry + 24, 4, "\xFE\xFF\xFF\xFF", 4);

  EXPECT_NE(refusal(encrypted).find("arr_0.npy is encrypted"), std::string::npos);
  EXPECT_NE(refusal(other_method).find("another way than deflate"), std::string::npos);
  EXPECT_NE(refusal(bomb).find("expands beyond"), std::string::npos);
}

}  // namespace
}  // namespace kronite::io
