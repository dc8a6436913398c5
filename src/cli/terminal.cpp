// Progress, tables and interrupts of the program.
#include "cli/terminal.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <csignal>

#include "base/printable.hpp"  // for continues_character

namespace kronite::cli {
namespace {

std::atomic<int> g_signals{0};

void on_signal(int signal) {
  if (g_signals.fetch_add(1) == 0) return;
  // Asked twice: die of the signal itself, so that the shell sees why.
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

bool is_terminal() { return ::isatty(STDERR_FILENO) != 0; }

/// 279630 is 280000.
long long two_digits(long long value) {
  long long unit = 1;
  while (value / unit >= 100) unit *= 10;
  return (value + unit / 2) / unit * unit;
}

std::size_t code_points(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !continues_character(c); }));
}

bool numeric(const std::string& cell) {
  return cell.empty() || cell == "-" ||
         cell.find_first_not_of("0123456789.+-e %±") == std::string::npos;
}

/// In single quotes where the shell would read something else.
std::string shell_word(const std::string& word) {
  constexpr const char* kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+=.,:/@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string& kept_command_line() {
  static std::string line;
  return line;
}

}  // namespace

void print_message(const std::string& message) {
  // Not fmt::print, which throws when the stream is closed.
  std::fputs(("kronite: " + message + "\n").c_str(), stderr);
}

std::string tolerance(const std::string& text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  const bool good = error == std::errc() && stop == end && value >= 1e-6 && value <= 1;  // no NaN
  return good ? "" : "\"" + text + "\" is no length from 1e-6 to 1 Å";
}

void set_command_line(int argc, char** argv) {
  std::string line = "kronite";
  for (int i = 1; i < argc; ++i) line += " " + shell_word(argv[i]);
  kept_command_line() = std::move(line);
}

const std::string& command_line() { return kept_command_line(); }

void catch_interrupts() {
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  // A file over the shell's limit then fails like one on a full disk, with a sentence.
  std::signal(SIGXFSZ, SIG_IGN);
}

void die_on_interrupt() {
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}

bool interrupted() { return g_signals.load() > 0; }

std::string duration(double seconds) {
  const auto s = static_cast<long long>(seconds + 0.5);
  if (s < 60) return fmt::format("{} s", s);
  if (s < 3600) return fmt::format("{}:{:02} min", s / 60, s % 60);
  return fmt::format("{}:{:02} h", s / 3600, s / 60 % 60);
}

void StatusLine::clear() {
  if (open_) std::fputs("\r\033[K", stderr);
  open_ = false;
}

bool StatusLine::due() const {
  const auto every =
      is_terminal() ? std::chrono::milliseconds(200) : std::chrono::milliseconds(10000);
  const auto now = Clock::now();
  return now - begun_ > std::chrono::seconds(2) && now - shown_ > every;
}

void StatusLine::show(const std::string& text) {
  const bool terminal = is_terminal();
  shown_ = Clock::now();
  std::fputs(((terminal ? "\r\033[K" : "") + text + (terminal ? "" : "\n")).c_str(), stderr);
  std::fflush(stderr);
  open_ = terminal;
}

double StatusLine::elapsed() const {
  return std::chrono::duration<double>(Clock::now() - begun_).count();
}

bool ProgressLine::operator()(long long done, long long total) {
  if (line_.due()) {
    std::string text = fmt::format("{}: {}", what_, done);
    const double elapsed = line_.elapsed();
    if (total > 0 && done > 0)
      text += fmt::format(
          " of {}{} ({:.0f} %), {} left", guessed_ ? "about " : "",
          guessed_ ? two_digits(total) : total,
          100.0 * static_cast<double>(done) / static_cast<double>(total),
          duration(elapsed * static_cast<double>(total - done) / static_cast<double>(done)));
    else
      text += fmt::format(", {}", duration(elapsed));
    line_.show(text);
  }
  return !interrupted();
}

void Table::print(std::FILE* to) const {
  std::vector<std::size_t> width(rows_.front().size(), 0);
  std::vector<bool> right(width.size(), true);
  for (std::size_t r = 0; r < rows_.size(); ++r)
    for (std::size_t c = 0; c < width.size(); ++c) {
      width[c] = std::max(width[c], code_points(rows_[r][c]));
      if (r > 0 && !numeric(rows_[r][c])) right[c] = false;
    }
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t c = 0; c < width.size(); ++c) {
      const std::string gap(width[c] - code_points(row[c]), ' ');
      if (c > 0) line += "  ";
      line += right[c] ? gap + row[c] : row[c] + gap;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    fmt::print(to, "{}\n", line);
  }
}

}  // namespace kronite::cli
