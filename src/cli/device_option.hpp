// --device and --threads: where a command works.
#pragma once

#include <string>
#include <vector>

#include "kronite/device.hpp"  // for Device

namespace CLI {
class App;
}

namespace kronite::cli {

/// On how many devices a command can work.
enum class Devices { one, several };

/// --device alone, for commands without --threads.
void add_device_option(CLI::App& command, std::string& name, Devices devices);

/// --device, --threads.
struct DeviceOption {
  std::string name = "auto";
  int threads = 0;

  void add(CLI::App& command, Devices devices = Devices::one);
  /// @throws Error as Device::parse(), also for names of several devices.
  Device open(double work) const;
  /// @throws Error as Device::parse_all().
  std::vector<Device> open_all(double work) const;
};

/// Of all devices, the same ones once: "2 x CPU, 1 thread, AVX-512".
std::string description_of(const std::vector<Device>& devices);

}  // namespace kronite::cli
