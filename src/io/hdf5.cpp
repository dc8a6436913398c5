// The way to the HDF5 module.
#include "io/hdf5.hpp"

#include "base/fail.hpp"    // for fail
#include "base/module.hpp"  // for open_module

namespace kronite::io {
namespace {

constexpr const char* kModuleName = "libkronite_hdf5.so";

const Hdf5Module& hdf5_module() {
  static const OpenedModule file =
      open_module(kModuleName, "KRONITE_HDF5_MODULE", "kronite_hdf5_module");
  if (file.path.empty())
    fail(Errc::unavailable,
         "this kronite was built without HDF5 (there is no {}; Debian has the library in "
         "libhdf5-dev); numpy.savez(\"weights.npz\", *model.get_weights()) makes a file that it "
         "reads",
         kModuleName);
  if (!file.why.empty()) fail(Errc::unavailable, "the HDF5 module cannot be loaded ({})", file.why);
  using Entry = const Hdf5Module* (*)();
  const auto entry = reinterpret_cast<Entry>(file.entry);
  const Hdf5Module* module = entry ? entry() : nullptr;
  if (!module || module->version != kHdf5ModuleVersion)
    fail(Errc::unavailable, "{} belongs to another version of kronite", file.path);
  return *module;
}

}  // namespace

Hdf5Content read_hdf5(const std::string& path) { return hdf5_module().read(path); }

}  // namespace kronite::io
