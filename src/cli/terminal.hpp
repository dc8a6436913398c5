// What the program shows people and hears from them: messages, progress lines, aligned tables, and
// Ctrl-C as a request to stop.
#pragma once

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

namespace kronite::cli {

/// "kronite: <message>" on stderr; a closed stderr is no error.
void print_message(const std::string& message);

/// Why a text is no tolerance of a space group, 1e-6 to 1 Å; empty when it is one.
std::string tolerance(const std::string& text);

/// Keeps the command for command_line(), which gives it as a shell would take it.
void set_command_line(int argc, char** argv);
const std::string& command_line();

/// Makes SIGINT and SIGTERM a request to stop that long calls answer; a second one ends at once.
void catch_interrupts();
bool interrupted();
/// For commands that only print: the first Ctrl-C ends them.
void die_on_interrupt();

/// "12 s", "3:20 min", "1:05 h".
std::string duration(double seconds);

/// Where a job of more than two seconds stands, on stderr: one line rewritten in place on a
/// terminal, a plain line every ten seconds in a log.
class StatusLine {
 public:
  StatusLine() = default;
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;
  ~StatusLine() { clear(); }

  /// Whether it is time for another line.
  bool due() const;
  void show(const std::string& text);
  /// Makes room for other output.
  void clear();
  double elapsed() const;  ///< in seconds

 private:
  using Clock = std::chrono::steady_clock;

  Clock::time_point begun_ = Clock::now();
  Clock::time_point shown_ = begun_;
  bool open_ = false;  ///< a line without its end is on the terminal
};

/// Counts on a status line. Passes as kronite::Progress and stops the job on Ctrl-C.
class ProgressLine {
 public:
  /// `guessed`: the total is an estimate, and said to be one.
  explicit ProgressLine(std::string what, bool guessed = false)
      : what_(std::move(what)), guessed_(guessed) {}

  bool operator()(long long done, long long total);
  /// Makes room for other output.
  void clear() { line_.clear(); }

 private:
  std::string what_;
  bool guessed_;
  StatusLine line_;
};

/// Columns as wide as their longest cell; columns of numbers to the right. Counts code points, so
/// that a name such as "Bärnighausen" keeps its column.
class Table {
 public:
  explicit Table(std::vector<std::string> header) : rows_{std::move(header)} {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  void print(std::FILE* to = stdout) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace kronite::cli
