// Reading formulas and gathering what is wrong with them.
#include "cli/formulas.hpp"

#include <algorithm>
#include <utility>

#include "base/fail.hpp"                // for fail
#include "base/log.hpp"                 // for notice, warning
#include "io/formula_list.hpp"          // for read_formula_list
#include "materials/element_table.hpp"  // for require_elements

namespace kronite::cli {
namespace {

constexpr std::size_t kShown = 20;

class Reader {
 public:
  explicit Reader(const ElementTable& table) : table_(table) {}

  void read_argument(const std::string& text) {
    std::vector<std::string> notices;
    guard("", [&] { add(text, Composition::parse(text, &notices)); });
    for (const auto& message : notices) notice(message);
  }

  void read_list(const std::string& path) {
    const auto skip = [this](const std::string& where, const std::string& why) {
      reject(where, why);
    };
    for (auto& listed : io::read_formula_list(path, skip))
      guard(fmt::format("{}:{}", path, listed.line),
            [&] { add(listed.text, std::move(listed.composition)); });
  }

  std::vector<Formula> finish(bool skip_bad);

 private:
  template <class Action>
  void guard(const std::string& where, const Action& action) {
    try {
      action();
    } catch (const Error& e) {
      reject(where, e.what());
    }
  }
  void add(const std::string& text, Composition composition) {
    require_elements(composition, table_);
    formulas_.push_back({text, std::move(composition)});
  }
  void reject(const std::string& where, const std::string& why) {
    rejected_.push_back(where.empty() ? why : where + ": " + why);
  }

  const ElementTable& table_;
  std::vector<Formula> formulas_;
  std::vector<std::string> rejected_;
};

std::vector<Formula> Reader::finish(bool skip_bad) {
  if (rejected_.size() == 1 && formulas_.empty()) fail(Errc::parse, "{}", rejected_.front());
  for (std::size_t i = 0; i < std::min(rejected_.size(), kShown); ++i) warning(rejected_[i]);
  if (rejected_.size() > kShown)
    warning(fmt::format("... and {} more like these", rejected_.size() - kShown));
  if (formulas_.empty()) fail(Errc::parse, "none of the {} formulas can be used", rejected_.size());
  if (rejected_.empty()) return std::move(formulas_);
  if (!skip_bad)
    fail(Errc::parse,
         "{} of {} formulas cannot be used, so nothing was done; --skip-bad leaves them out",
         rejected_.size(), rejected_.size() + formulas_.size());
  notice(fmt::format("{} of {} formulas left out", rejected_.size(),
                     rejected_.size() + formulas_.size()));
  return std::move(formulas_);
}

}  // namespace

std::vector<Formula> read_formulas(const std::vector<std::string>& arguments,
                                   const std::string& list, const ElementTable& table,
                                   bool skip_bad) {
  if (arguments.empty() && list.empty())
    fail(Errc::invalid_argument, "no formula: give one such as SrTiO3, or --file with a list");
  Reader reader(table);
  for (const auto& text : arguments) reader.read_argument(text);
  if (!list.empty()) reader.read_list(list);
  return reader.finish(skip_bad);
}

}  // namespace kronite::cli
