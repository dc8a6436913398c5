// What must work across the border of an installed library: values, exceptions, devices.
#include <cstdio>
#include <kronite/kronite.hpp>

static_assert(__cplusplus < 202000L, "this project is to be compiled as C++17");

int main() {
  const auto composition = kronite::Composition::parse("CaCO3");
  if (composition.ratio_label() != "3:1:1") return 1;

  try {
    kronite::Composition::parse("Madeupstuff");
    return 2;
  } catch (const kronite::Error& e) {
    if (e.code() != kronite::Errc::parse) return 3;
  }

  // Rock salt's primitive cell; the symmetry search is spglib's, the next library down.
  kronite::Structure rock_salt;
  rock_salt.lattice = {{{0, 2.8, 2.8}, {2.8, 0, 2.8}, {2.8, 2.8, 0}}};
  rock_salt.fractional = {{0, 0, 0}, {0.5, 0.5, 0.5}};
  rock_salt.z = {11, 17};
  if (kronite::find_symmetry(rock_salt).space_group != 225) return 4;

  auto device = kronite::Device::parse("cpu");
  device.synchronize();
  std::printf("kronite %s on %s\n", KRONITE_VERSION, device.description().c_str());
  return 0;
}
