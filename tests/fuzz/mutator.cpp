// Small damages: bytes changed, removed, doubled, and words put in that readers dread.
#include "fuzz/mutator.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace kronite::fuzz {
namespace {

constexpr std::size_t kPiece = 40;  // bytes at most that are removed or put in at once

/// The word between the first and the last quote of a line.
std::string unescaped(std::string_view quoted) {
  std::string word;
  for (std::size_t i = 0; i < quoted.size(); ++i) {
    if (quoted[i] != '\\' || i + 1 == quoted.size()) {
      word += quoted[i];
      continue;
    }
    ++i;
    if (quoted[i] != 'x' || i + 2 >= quoted.size()) {
      word += quoted[i];
      continue;
    }
    unsigned value = 0;
    std::from_chars(quoted.data() + i + 1, quoted.data() + i + 3, value, 16);
    word += static_cast<char>(value);
    i += 2;
  }
  return word;
}

}  // namespace

std::vector<std::string> read_dictionary(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::size_t begin = line.find('"'), end = line.rfind('"');
    if (begin < end && line.front() != '#')
      words.push_back(unescaped(line.substr(begin + 1, end - begin - 1)));
  }
  return words;
}

Mutator::Mutator(std::vector<std::string> inputs, std::vector<std::string> words, unsigned seed)
    : inputs_(std::move(inputs)), words_(std::move(words)), random_(seed) {
  if (inputs_.empty()) inputs_.emplace_back();
  for (const char* dreaded : {"", "nan", "-1", "0", "1e999", "99999999999999999999", "\xFF", "\n"})
    words_.emplace_back(dreaded);
  words_.emplace_back(1, '\0');
}

std::size_t Mutator::below(std::size_t n) { return n == 0 ? 0 : random_() % n; }

std::string Mutator::next() {
  std::string text = inputs_[turn_++ % inputs_.size()];
  for (std::size_t times = 1 + below(4); times > 0; --times) damage(text);
  return text;
}

void Mutator::damage(std::string& text) {
  const std::size_t at = below(text.size());
  switch (below(7)) {
    case 0:
      if (!text.empty()) text[at] = static_cast<char>(below(256));
      break;
    case 1:
      text.erase(at, 1 + below(kPiece));
      break;
    case 2:
      text.insert(at, text.substr(below(text.size()), below(kPiece)));
      break;
    case 3:
      text.insert(at, words_[below(words_.size())]);
      break;
    case 4: {
      const std::string& other = inputs_[below(inputs_.size())];
      text.insert(at, other.substr(below(other.size()), below(kPiece)));
      break;
    }
    case 5:
      if (below(4) == 0) text.resize(at);  // cut off
      break;
    default:
      replace_number(text, at);
  }
}

void Mutator::replace_number(std::string& text, std::size_t from) {
  const std::size_t digit = std::min(text.find_first_of("0123456789", from), text.size());
  const std::size_t end = std::min(text.find_first_not_of("0123456789.", digit), text.size());
  text.replace(digit, end - digit, words_[below(words_.size())]);
}

}  // namespace kronite::fuzz
