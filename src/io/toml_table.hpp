// Strict reading of TOML settings: every key is known, every value has its type and range, and what
// does not is refused with file, line and what was expected.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace kronite::io {

/// Numbers a setting may take, both ends included.
struct Range {
  double low = 0;
  double high = 0;
};

/// One table of a file. read() leaves the value as it is when the key is not there; finish()
/// refuses the keys that nobody has asked for. Every function throws Error parse, naming file and
/// line.
class TomlTable {
 public:
  /// @throws Error io; parse.
  static TomlTable open(const std::string& path);
  /// Of a text; `name` stands for the file in messages.
  static TomlTable parse(std::string_view text, const std::string& name);

  void read(std::string_view key, bool& value);
  void read(std::string_view key, double& value, Range range);
  void read(std::string_view key, int& value, Range range);
  void read(std::string_view key, std::int64_t& value, Range range);
  /// Any seed from 0 to 2^63 - 1, which is what TOML can write.
  void read(std::string_view key, std::uint64_t& value);
  /// A text that is not empty.
  void read(std::string_view key, std::string& value);
  /// One of `names`; value: its index.
  void read(std::string_view key, std::size_t& value, const std::vector<std::string>& names);
  /// `least` to `most` values.
  void read(std::string_view key, std::vector<double>& values, Range range, std::size_t least,
            std::size_t most);
  void read(std::string_view key, std::vector<std::int64_t>& values, Range range, std::size_t least,
            std::size_t most);
  /// Texts that are not empty, none twice.
  void read(std::string_view key, std::vector<std::string>& values, std::size_t least,
            std::size_t most);

  /// The table below this one; an empty one when it is not there.
  TomlTable table(std::string_view key);
  /// The tables of an array, written [[key]], in their order; none when it is not there.
  std::vector<TomlTable> tables(std::string_view key);
  void finish() const;

  /// "file:line" of a key that is there, of this table when it is not.
  std::string where(std::string_view key) const;

 private:
  struct Node;
  explicit TomlTable(std::shared_ptr<Node> node) : node_(std::move(node)) {}
  std::shared_ptr<Node> node_;
};

}  // namespace kronite::io
