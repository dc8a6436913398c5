// What mixtures are made of: checks, content hash, and where components come from.
#include <cmath>
#include <string_view>
#include <unordered_set>

#include "base/fail.hpp"            // for fail
#include "base/hash.hpp"            // for ContentHash
#include "base/printable.hpp"       // for printable
#include "io/named_table.hpp"       // for read_named_table
#include "kronite/composition.hpp"  // for ElementTable, element_symbol
#include "kronite/kmd.hpp"
#include "materials/elements.hpp"  // for kElements

namespace kronite::kmd {
namespace {

void check_names(const std::vector<std::string>& names, const char* what) {
  std::unordered_set<std::string_view> seen;
  for (const std::string& name : names) {
    if (name.empty()) fail(Errc::invalid_argument, "components: a {} has no name", what);
    if (!seen.insert(name).second)
      fail(Errc::invalid_argument, "components: two {}s are called {}", what, printable(name));
  }
}

}  // namespace

void Components::check() const {
  if (names.empty() || features.empty())
    fail(Errc::invalid_argument, "components: {} components with {} features are none",
         names.size(), features.size());
  if (values.size() != names.size() * features.size())
    fail(Errc::invalid_argument, "components: {} values are expected for {} x {}, not {}",
         names.size() * features.size(), names.size(), features.size(), values.size());
  check_names(names, "component");
  check_names(features, "feature");
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i]))
      fail(Errc::invalid_argument, "components: {} of {} is not a finite number",
           printable(features[i % features.size()]), printable(names[i / features.size()]));
}

std::string Components::hash() const {
  ContentHash hash;
  for (const auto* list : {&names, &features}) {
    for (const std::string& name : *list) {
      hash.take(name);
      hash.take(std::string_view("\0", 1));
    }
    hash.take(std::string_view("\1", 1));
  }
  for (const double number : values) {
    const double value = number + 0.0;  // -0 is 0
    hash.take({reinterpret_cast<const char*>(&value), sizeof value});
  }
  return hash.hex();
}

Components Components::of(const ElementTable& table) {
  Components components;
  components.features = table.features();
  for (int z = 1; z <= kElements; ++z) {
    if (!table.has(z)) continue;
    components.names.emplace_back(element_symbol(z));
    components.values.insert(components.values.end(), table.row(z),
                             table.row(z) + components.features.size());
  }
  return components;
}

Components Components::read_csv(const std::string& path) {
  io::CsvReader csv(path);
  io::NamedTable table = io::read_named_table(csv, "components", [](const std::string& name) {
    return std::string(name.empty() ? "the name of a component is expected in the first column"
                                    : "");
  });
  return {std::move(table.rows), std::move(table.columns), std::move(table.values)};
}

}  // namespace kronite::kmd
