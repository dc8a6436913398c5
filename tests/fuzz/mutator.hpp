// Damaged copies of good inputs.
#pragma once

#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace kronite::fuzz {

/// Words of a dictionary in libFuzzer's form: lines `"word"` or `name="word"` with \\, \" and \xAB
/// inside, and comments behind #.
std::vector<std::string> read_dictionary(std::string_view text);

/// The same inputs in the same order for the same seed, on every machine.
class Mutator {
 public:
  Mutator(std::vector<std::string> inputs, std::vector<std::string> words, unsigned seed);

  /// The next input in turn, with one to four small damages.
  std::string next();

 private:
  std::size_t below(std::size_t n);
  void damage(std::string& text);
  void replace_number(std::string& text, std::size_t from);

  std::vector<std::string> inputs_, words_;
  std::mt19937_64 random_;
  std::size_t turn_ = 0;
};

}  // namespace kronite::fuzz
