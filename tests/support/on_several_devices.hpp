// Tests that hold several devices against one of them: parts of the CPU, and streams of a GPU where
// there is one.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "kronite/device.hpp"  // for Device

namespace kronite::test {

class OnSeveralDevices : public ::testing::TestWithParam<std::string> {
 protected:
  std::vector<Device> devices = Device::parse_all(GetParam());
  /// The first of them, alone.
  Device one = Device::parse(GetParam().substr(0, GetParam().find(',')));

  bool on_cpu() const { return one.place().kind == DeviceKind::cpu; }
};

inline std::vector<std::string> several_devices() {
  std::vector<std::string> names{"cpu,cpu", "cpu,cpu,cpu"};
  if (Device::available().size() > 1) names.emplace_back("cuda:0,cuda:0");
  return names;
}

inline std::string several_name(const ::testing::TestParamInfo<std::string>& info) {
  std::string name;
  for (const char c : info.param) name += c == ':' || c == ',' ? '_' : c;
  return name;
}

}  // namespace kronite::test

/// Makes the TEST_P of `suite`, a class derived from OnSeveralDevices, run on each of the lists.
#define KRONITE_ON_SEVERAL_DEVICES(suite)                                                      \
  INSTANTIATE_TEST_SUITE_P(On, suite, ::testing::ValuesIn(::kronite::test::several_devices()), \
                           ::kronite::test::several_name)
