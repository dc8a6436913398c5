// kronite devices: what this machine and this build can run on.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/commands.hpp"
#include "cli/terminal.hpp"    // for Table
#include "kronite/device.hpp"  // for Device

namespace kronite::cli {

void add_devices(CLI::App& program) {
  CLI::App* command = program.add_subcommand("devices", "List the devices that --device accepts");
  command->footer("Example:  kronite devices");
  command->callback([] {
    Table table({"device", "description", "working memory / MiB"});
    for (const auto& name : Device::available()) {
      const Device device = Device::parse(name);
      table.add({name, device.description(), fmt::format("{}", device.memory_limit() >> 20)});
    }
    table.print();
    if (const auto why = Device::cuda_unavailable_reason(); !why.empty())
      fmt::print("No CUDA device: {}\n", why);
  });
}

}  // namespace kronite::cli
