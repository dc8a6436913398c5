// A decimal comma for as long as this lives: in C++ always, in C where such a locale is installed.
#pragma once

#include <clocale>
#include <locale>
#include <string>

namespace kronite::test {

class CommaLocale {
 public:
  CommaLocale() {
    std::locale::global(std::locale(std::locale(), new Comma));
    for (const char* name : {"de_DE.UTF-8", "fr_FR.UTF-8", "pt_BR.UTF-8"})
      if (std::setlocale(LC_NUMERIC, name)) break;
  }
  CommaLocale(const CommaLocale&) = delete;
  CommaLocale& operator=(const CommaLocale&) = delete;
  ~CommaLocale() {
    std::locale::global(before_);
    std::setlocale(LC_NUMERIC, c_before_.c_str());
  }

 private:
  struct Comma : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
    char do_thousands_sep() const override { return '.'; }
    std::string do_grouping() const override { return "\3"; }
  };

  std::locale before_;
  std::string c_before_ = std::setlocale(LC_NUMERIC, nullptr);
};

}  // namespace kronite::test
