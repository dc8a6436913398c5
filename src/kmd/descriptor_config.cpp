// Settings of descriptors in TOML files.
#include "kmd/descriptor_config.hpp"

#include "kmd/setting_names.hpp"  // for layout_names and the like

namespace kronite::kmd {

void read_descriptor(io::TomlTable& table, Kind& kind, Settings& settings) {
  static const std::vector<std::string> kinds = {"kmd", "statistics"};
  read_name(table, "kind", kinds, kind);
  read_name(table, "layout", layout_names(), settings.layout);
  read_name(table, "kernel", kernel_names(), settings.kernel);
  read_name(table, "scaling", scaling_names(), settings.scaling);
  table.read("n_grids", settings.n_grids, {0, kMostGridPoints});
  table.read("sigma", settings.sigma, {0, kLargestCondition});
  table.read("most_condition", settings.most_condition, {1, kLargestCondition});
}

}  // namespace kronite::kmd
