// The card of a trained model.
#include "csp/model_card.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>

#include "base/fail.hpp"         // for fmt::format
#include "csp/train_config.hpp"  // for train_settings
#include "kronite/version.hpp"   // for KRONITE_VERSION

namespace kronite::csp {
namespace {

constexpr const char* kNotGoodFor =
    "Ratios without templates: it orders known crystals and proposes no new structure type. "
    "Disordered, amorphous, molecular and organic crystals, metallic glasses and quasicrystals, "
    "which the training data hardly hold. Polymorphs: it sees compositions only, so that it cannot "
    "tell templates of one formula apart. Stability: p says how alike structures are, not how low "
    "an energy is. p speaks of pairs half of which are alike, as in the published method; most "
    "templates of a ratio are not, so that p is higher than the frequency among them.";

/// "CC-BY-4.0 (28810), CC0 (12)": licences of the templates, most frequent first.
std::string licences(const TemplateLibrary& library) {
  std::map<std::string, std::int64_t> counts;
  for (std::int64_t i = 0; i < library.size(); ++i) {
    const auto license = library.info(i).license;
    ++counts[license.empty() ? "unknown" : std::string(license)];
  }
  std::vector<std::pair<std::string, std::int64_t>> sorted(counts.begin(), counts.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::vector<std::string> texts;
  for (const auto& [name, count] : sorted) texts.push_back(fmt::format("{} ({})", name, count));
  return fmt::format("{}", fmt::join(texts, ", "));
}

/// Where the templates come from; their number when there are too many to list.
std::string sources(const TemplateLibrary& library) {
  constexpr std::size_t kMostListed = 5;
  std::set<std::string> names;
  for (std::int64_t i = 0; i < library.size(); ++i)
    if (const auto source = library.info(i).source; !source.empty()) names.emplace(source);
  if (names.size() > kMostListed) return fmt::format("{} sources", names.size());
  return fmt::format("{}", fmt::join(names, "; "));
}

void add_metrics(Card& card, const std::string& part, const std::vector<MemberReport>& members,
                 const TrainResult& result, PairMetrics Judgement::*metrics) {
  if ((members.front().*metrics).pairs == 0) return;
  for (const auto& [key, metric] : kMetrics)
    card.emplace_back(fmt::format("{}_{}", part, key), mean_and_spread(members, metrics, metric));
  if ((result.ensemble.*metrics).pairs == 0) return;
  for (const auto& [key, metric] : kMetrics)
    card.emplace_back(fmt::format("ensemble_{}_{}", part, key),
                      fmt::format("{:.3f}", result.ensemble.*metrics.*metric));
}

}  // namespace

std::string mean_and_spread(const std::vector<MemberReport>& members, PairMetrics Judgement::*part,
                            double PairMetrics::*metric) {
  const auto n = static_cast<double>(members.size());
  double mean = 0, squares = 0;
  for (const MemberReport& member : members) mean += member.*part.*metric / n;
  for (const MemberReport& member : members)
    squares += (member.*part.*metric - mean) * (member.*part.*metric - mean);
  if (members.size() < 2) return fmt::format("{:.3f}", mean);
  return fmt::format("{:.3f} ± {:.3f}", mean, std::sqrt(squares / (n - 1)));
}

Card begin_card(const std::string& name, const CardTexts& texts, const TemplateLibrary& library,
                std::size_t excluded_formulas) {
  Card card;
  card.emplace_back("name", name);
  for (const auto& [key, text] : kCardKeys)
    if (!(texts.*text).empty()) card.emplace_back(key, texts.*text);
  card.emplace_back("trained_by", fmt::format("kronite {}", KRONITE_VERSION));
  card.emplace_back("training_data",
                    fmt::format("{}: {} templates of {} ratios",
                                std::filesystem::path(library.path()).filename().string(),
                                library.size(), library.ratios().size()));
  card.emplace_back("training_data_hash", library.hash());
  card.emplace_back("training_data_licences", licences(library));
  if (const auto from = sources(library); !from.empty())
    card.emplace_back("training_data_sources", from);
  card.emplace_back("excluded_formulas", fmt::format("{}", excluded_formulas));
  return card;
}

void add_settings(Card& card, const TrainSettings& settings) {
  for (const auto& [key, value] : settings)
    if (key != "name" && key.rfind("card.", 0) != 0) card.emplace_back("setting." + key, value);
}

Card training_card(const TemplateLibrary& library, const TrainOptions& options,
                   const std::vector<std::string>& excluded_formulas, const TrainResult& result) {
  Card card = begin_card(options.name, options.card, library, excluded_formulas.size());
  std::vector<std::string> pairs, epochs;
  for (const MemberReport& member : result.members) {
    pairs.push_back(
        fmt::format("{} ({} alike)", member.training_pairs, member.alike_training_pairs));
    epochs.push_back(fmt::format("{}", member.best_epoch));
  }
  card.emplace_back("training_pairs", fmt::format("{}", fmt::join(pairs, ", ")));
  card.emplace_back("kept_epochs", fmt::format("{}", fmt::join(epochs, ", ")));
  add_settings(card, train_settings(options));
  add_metrics(card, "validation", result.members, result, &Judgement::validation);
  add_metrics(card, "test", result.members, result, &Judgement::test);
  card.emplace_back("not_good_for", kNotGoodFor);
  return card;
}

}  // namespace kronite::csp
