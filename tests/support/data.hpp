// Where tests find their files: golden numbers in the tree, and the large data set where it is.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace kronite::test {

inline std::string golden(const std::string& name) { return KRONITE_TEST_SOURCE "/golden/" + name; }

/// A file of the large data set (KRONITE_TEST_DATA, else the folder beside the checkout); it may
/// not be there.
inline std::string shared_data(const std::string& name) {
  const char* given = std::getenv("KRONITE_TEST_DATA");
  return std::string(given && *given ? given : KRONITE_SHARED_DATA) + "/" + name;
}

/// An example of the import formats, which lie in a folder beside that of the data; it may not be
/// there.
inline std::string import_example(const std::string& name) {
  return shared_data(std::string("../spec/import_examples/") + name);
}

}  // namespace kronite::test

/// Skips the test by name where the large data set is absent.
#define KRONITE_NEEDS_DATA(path) \
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "needs " << (path) << " (not there)"
