// Tests that run on every device present: the CPU, and each GPU that the CUDA module can use.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "kronite/device.hpp"  // for Device

namespace kronite::test {

class OnEachDevice : public ::testing::TestWithParam<std::string> {
 protected:
  Device device = Device::parse(GetParam());
};

inline std::string device_name(const ::testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), ':', '_');
  return name;
}

/// f(float{}), f(double{}).
template <class F>
void in_each_precision(const F& f) {
  {
    SCOPED_TRACE("float");
    f(float{});
  }
  {
    SCOPED_TRACE("double");
    f(double{});
  }
}

/// f(float{}), and f(double{}) on the CPU: networks and their training have no double on CUDA.
template <class F>
void in_network_precisions(const Device& device, const F& f) {
  {
    SCOPED_TRACE("float");
    f(float{});
  }
  if (device.place().kind == DeviceKind::cpu) {
    SCOPED_TRACE("double");
    f(double{});
  }
}

}  // namespace kronite::test

/// Makes the TEST_P of `suite`, a class derived from OnEachDevice, run everywhere.
#define KRONITE_ON_EACH_DEVICE(suite)                                                      \
  INSTANTIATE_TEST_SUITE_P(On, suite, ::testing::ValuesIn(::kronite::Device::available()), \
                           ::kronite::test::device_name)
