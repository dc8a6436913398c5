// Settings out of toml++'s tree.
#include "io/toml_table.hpp"

#include <stdexcept>

// toml++ 3.3 asserts what some texts break ("[ = a]"). That must neither end the program nor, in a
// release build, pass unseen.
#undef NDEBUG
#define TOML_ASSERT(condition) assert_in_toml(static_cast<bool>(condition))
namespace {
constexpr void assert_in_toml(bool holds) {
  if (!holds) throw std::logic_error("unexpected characters");
}
}  // namespace
#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/fail.hpp"       // for fail
#include "base/printable.hpp"  // for printable
#include "io/input.hpp"        // for read_file

namespace kronite::io {

/// A table of the tree, which lives as long as one of its tables.
struct TomlTable::Node {
  std::shared_ptr<const toml::table> tree;
  const toml::table* table = nullptr;  // null: not in the file
  std::string file;
  std::string path;  // "pairs." of [pairs], empty at the top
  std::vector<std::string> asked;

  /// Notes that the key is known.
  const toml::node* find(std::string_view key) {
    asked.emplace_back(key);
    return table ? table->get(key) : nullptr;
  }
  std::string where(const toml::node& node) const {
    return fmt::format("{}:{}", file, node.source().begin.line);
  }
  [[noreturn]] void refuse(std::string_view key, const toml::node& node,
                           const std::string& expected) const;
};

namespace {

/// A value as the file has it, for messages.
std::string text_of(const toml::node& node) {
  if (const auto* v = node.as_string()) return "\"" + printable(v->get()) + "\"";
  if (const auto* v = node.as_integer()) return fmt::format("{}", v->get());
  if (const auto* v = node.as_floating_point()) return fmt::format("{}", v->get());
  if (const auto* v = node.as_boolean()) return v->get() ? "true" : "false";
  if (node.is_array()) return "an array";
  if (node.is_table()) return "a table";
  return "a date or time";
}

std::string expectation(const char* what, Range range) {
  return fmt::format("{} from {} to {}", what, range.low, range.high);
}

/// False when the node is no number in the range.
bool number(const toml::node& node, Range range, double& value) {
  const auto found = node.value<double>();  // integers too, where a double holds them
  if (!node.is_number() || !found || !(*found >= range.low && *found <= range.high)) return false;
  value = *found;
  return true;
}

bool number(const toml::node& node, Range range, std::int64_t& value) {
  const auto* found = node.as_integer();
  if (!found || static_cast<double>(found->get()) < range.low ||
      static_cast<double>(found->get()) > range.high)
    return false;
  value = found->get();
  return true;
}

template <class T>
bool read_list(const toml::node& node, std::vector<T>& values, Range range, std::size_t least,
               std::size_t most) {
  const auto* array = node.as_array();
  if (!array || array->size() < least || array->size() > most) return false;
  std::vector<T> read(array->size());
  for (std::size_t i = 0; i < read.size(); ++i)
    if (!number(*array->get(i), range, read[i])) return false;
  values = std::move(read);
  return true;
}

std::string list_of(const std::string& what, std::size_t least, std::size_t most) {
  const auto count =
      least == most ? fmt::format("{}", least) : fmt::format("{} to {}", least, most);
  return fmt::format("an array of {} values, each {}", count, what);
}

/// Letters to change, insert or drop to get from a to b.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

/// "; did you mean ...?" or the keys there are.
std::string suggestion(std::string_view key, const std::vector<std::string>& known) {
  constexpr std::size_t kTypo = 2;
  const auto nearest =
      std::min_element(known.begin(), known.end(), [&](const std::string& a, const std::string& b) {
        return edit_distance(key, a) < edit_distance(key, b);
      });
  if (nearest != known.end() && edit_distance(key, *nearest) <= kTypo)
    return fmt::format("did you mean \"{}\"?", *nearest);
  return fmt::format("expected one of {}", fmt::join(known, ", "));
}

}  // namespace

void TomlTable::Node::refuse(std::string_view key, const toml::node& node,
                             const std::string& expected) const {
  fail(Errc::parse, "{}: {}{} is {}; expected {}", where(node), path, key, text_of(node), expected);
}

TomlTable TomlTable::open(const std::string& path) { return parse(read_file(path), path); }

TomlTable TomlTable::parse(std::string_view text, const std::string& name) {
  auto node = std::make_shared<Node>();
  try {
    node->tree = std::make_shared<const toml::table>(toml::parse(text, std::string_view(name)));
  } catch (const toml::parse_error& e) {
    fail(Errc::parse, "{}:{}:{}: this is no TOML: {}", name, e.source().begin.line,
         e.source().begin.column, std::string(e.description()));
  } catch (const std::logic_error& e) {
    fail(Errc::parse, "{}: this is no TOML: {}", name, e.what());
  }
  node->table = node->tree.get();
  node->file = name;
  return TomlTable(std::move(node));
}

void TomlTable::read(std::string_view key, bool& value) {
  const auto* node = node_->find(key);
  if (!node) return;
  if (!node->is_boolean()) node_->refuse(key, *node, "true or false");
  value = node->as_boolean()->get();
}

void TomlTable::read(std::string_view key, double& value, Range range) {
  const auto* node = node_->find(key);
  if (node && !number(*node, range, value))
    node_->refuse(key, *node, expectation("a number", range));
}

void TomlTable::read(std::string_view key, std::int64_t& value, Range range) {
  const auto* node = node_->find(key);
  if (node && !number(*node, range, value))
    node_->refuse(key, *node, expectation("a whole number", range));
}

void TomlTable::read(std::string_view key, int& value, Range range) {
  std::int64_t wide = value;
  read(key, wide, range);
  value = static_cast<int>(wide);
}

void TomlTable::read(std::string_view key, std::uint64_t& value) {
  const auto* node = node_->find(key);
  if (!node) return;
  const auto* found = node->as_integer();
  if (!found || found->get() < 0) node_->refuse(key, *node, "a whole number that is not negative");
  value = static_cast<std::uint64_t>(found->get());
}

void TomlTable::read(std::string_view key, std::string& value) {
  const auto* node = node_->find(key);
  if (!node) return;
  if (!node->is_string() || node->as_string()->get().empty())
    node_->refuse(key, *node, "a text in quotes");
  value = node->as_string()->get();
}

void TomlTable::read(std::string_view key, std::size_t& value,
                     const std::vector<std::string>& names) {
  const auto* node = node_->find(key);
  if (!node) return;
  const auto* text = node->as_string();
  const auto found = text ? std::find(names.begin(), names.end(), text->get()) : names.end();
  if (found == names.end())
    node_->refuse(key, *node, fmt::format("\"{}\"", fmt::join(names, "\" or \"")));
  value = static_cast<std::size_t>(found - names.begin());
}

void TomlTable::read(std::string_view key, std::vector<double>& values, Range range,
                     std::size_t least, std::size_t most) {
  const auto* node = node_->find(key);
  if (node && !read_list(*node, values, range, least, most))
    node_->refuse(key, *node, list_of(expectation("a number", range), least, most));
}

void TomlTable::read(std::string_view key, std::vector<std::int64_t>& values, Range range,
                     std::size_t least, std::size_t most) {
  const auto* node = node_->find(key);
  if (node && !read_list(*node, values, range, least, most))
    node_->refuse(key, *node, list_of(expectation("a whole number", range), least, most));
}

void TomlTable::read(std::string_view key, std::vector<std::string>& values, std::size_t least,
                     std::size_t most) {
  const auto* node = node_->find(key);
  if (!node) return;
  const auto refuse = [&] {
    node_->refuse(key, *node, list_of("a text in quotes, none twice", least, most));
  };
  const auto* array = node->as_array();
  if (!array || array->size() < least || array->size() > most) refuse();
  std::vector<std::string> read;
  for (const toml::node& item : *array) {
    const auto* text = item.as_string();
    if (!text || text->get().empty() ||
        std::find(read.begin(), read.end(), text->get()) != read.end())
      refuse();
    read.push_back(text->get());
  }
  values = std::move(read);
}

TomlTable TomlTable::table(std::string_view key) {
  auto below = std::make_shared<Node>();
  below->tree = node_->tree;
  below->file = node_->file;
  below->path = fmt::format("{}{}.", node_->path, key);
  if (const auto* node = node_->find(key)) {
    below->table = node->as_table();
    if (!below->table)
      node_->refuse(key, *node, fmt::format("a table, written [{}{}]", node_->path, key));
  }
  return TomlTable(std::move(below));
}

std::vector<TomlTable> TomlTable::tables(std::string_view key) {
  std::vector<TomlTable> all;
  const auto* node = node_->find(key);
  if (!node) return all;
  const auto* array = node->as_array();
  if (!array || !array->is_homogeneous<toml::table>())
    node_->refuse(key, *node, fmt::format("tables, each written [[{}{}]]", node_->path, key));
  for (std::size_t i = 0; i < array->size(); ++i) {
    auto below = std::make_shared<Node>();
    below->tree = node_->tree;
    below->file = node_->file;
    below->path = fmt::format("{}{}[{}].", node_->path, key, i + 1);
    below->table = array->get(i)->as_table();
    all.push_back(TomlTable(std::move(below)));
  }
  return all;
}

void TomlTable::finish() const {
  if (!node_->table) return;
  const auto& asked = node_->asked;
  for (const auto& [key, node] : *node_->table)
    if (std::find(asked.begin(), asked.end(), key.str()) == asked.end())
      fail(Errc::parse, "{}: there is no setting \"{}{}\"; {}", node_->where(node), node_->path,
           printable(key.str()), suggestion(key.str(), asked));
}

std::string TomlTable::where(std::string_view key) const {
  if (!node_->table) return node_->file;
  const auto* node = node_->table->get(key);
  return node_->where(node ? *node : *node_->table);
}

}  // namespace kronite::io
