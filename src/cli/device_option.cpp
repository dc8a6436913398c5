// Devices by their names on the command line.
#include "cli/device_option.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

namespace kronite::cli {

void add_device_option(CLI::App& command, std::string& name, Devices devices) {
  command
      .add_option(
          "--device", name,
          devices == Devices::one
              ? "auto, cpu, cuda or cuda:N"
              : "auto, cpu, cuda or cuda:N; cuda:all for every GPU, or several with commas\n"
                "between them, which share the work")
      ->type_name(devices == Devices::one ? "NAME" : "NAME,...")
      ->capture_default_str();
}

void DeviceOption::add(CLI::App& command, Devices devices) {
  add_device_option(command, name, devices);
  command.add_option("--threads", threads, "Threads on the CPU; 0: all")
      ->check(CLI::Range(0, 4096).description(""))
      ->type_name("N")
      ->capture_default_str();
}

Device DeviceOption::open(double work) const {
  DeviceOptions options;
  options.threads = threads;
  return Device::parse(name, work, options);
}

std::vector<Device> DeviceOption::open_all(double work) const {
  DeviceOptions options;
  options.threads = threads;
  return Device::parse_all(name, work, options);
}

std::string description_of(const std::vector<Device>& devices) {
  std::vector<std::pair<std::string, int>> counted;
  for (const Device& device : devices) {
    const std::string text = device.description();
    const auto found = std::find_if(counted.begin(), counted.end(),
                                    [&](const auto& known) { return known.first == text; });
    if (found == counted.end())
      counted.emplace_back(text, 1);
    else
      ++found->second;
  }
  std::string all;
  for (const auto& [text, count] : counted)
    all += (all.empty() ? "" : "; ") + (count > 1 ? fmt::format("{} x ", count) : "") + text;
  return all;
}

}  // namespace kronite::cli
