// Compressed files: read whole and by lines, they hold the same text.
#include <algorithm>
#include <vector>

#include "fuzz/target.hpp"
#include "io/input.hpp"  // for read_file, LineReader

namespace kronite::fuzz {
namespace {

/// Lines end in "\n" or "\r\n"; the last one may have no end.
std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const bool ended = end < text.size();
    const bool returned = ended && end > 0 && text[end - 1] == '\r';
    lines.emplace_back(text.substr(0, end - (returned ? 1 : 0)));
    text.remove_prefix(end + (ended ? 1 : 0));
  }
  return lines;
}

}  // namespace
}  // namespace kronite::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kronite;
  const std::string path = fuzz::as_file("input", fuzz::as_text(data, size));
  std::string text;
  std::vector<std::string> lines;
  const bool whole = fuzz::accepts([&] { text = io::read_file(path); });
  const bool by_lines = fuzz::accepts([&] {
    io::LineReader reader(path);
    for (std::string line; reader.next(line);) lines.push_back(line);
  });
  fuzz::promise(whole == by_lines, "what can be read whole can be read by lines");
  fuzz::promise(!whole || lines == fuzz::lines_of(text), "the lines are those of the text");
  return 0;
}
