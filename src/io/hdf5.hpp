// HDF5 files, as far as files of weights need it. The HDF5 library is used by a module of its own,
// which is opened when a file is read: linked into kronite, it would double the time that the
// program takes to start.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kronite::io {

/// A data set of numbers.
struct Hdf5Array {
  std::string path;  ///< "/group/name"
  std::vector<std::int64_t> shape;
  std::vector<double> values;  ///< row-major
};

/// An attribute that is a list of texts.
struct Hdf5Texts {
  std::string path;  ///< of the group, then '@', then the attribute's name: "/group@name"
  std::vector<std::string> texts;
};

struct Hdf5Content {
  std::vector<Hdf5Array> arrays;
  std::vector<Hdf5Texts> texts;
};

/// All data sets of numbers and all attributes of groups that are lists of texts, in the order of
/// their names. Links to other places are not followed.
/// The library that reads them trusts some bytes of a file: one that was changed on purpose can end
/// the program.
/// @throws Error parse when the file is damaged or larger than weights are; unavailable when this
/// kronite was built without HDF5.
Hdf5Content read_hdf5(const std::string& path);

/// What the module exports as kronite_hdf5_module().
struct Hdf5Module {
  int version;
  Hdf5Content (*read)(const std::string& path);
};
inline constexpr int kHdf5ModuleVersion = 1;

}  // namespace kronite::io
