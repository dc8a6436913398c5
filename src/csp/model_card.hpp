// What a trained model says of itself.
#pragma once

#include <string>
#include <vector>

#include "csp/model_parts.hpp"       // for Card
#include "csp/train_settings.hpp"    // for TrainSettings
#include "kronite/csp_training.hpp"  // for TrainOptions, MemberReport

namespace kronite::csp {

/// The metrics that are reported, under their names.
struct MetricName {
  const char* key;
  double PairMetrics::*metric;
};
inline constexpr MetricName kMetrics[] = {{"MAP", &PairMetrics::mean_average_precision},
                                          {"MACC", &PairMetrics::mean_accuracy},
                                          {"AP", &PairMetrics::average_precision},
                                          {"ACC", &PairMetrics::accuracy}};

/// "0.941 ± 0.007": mean and standard deviation (ddof 1) of a metric over networks; of one network
/// the value alone.
std::string mean_and_spread(const std::vector<MemberReport>& members, PairMetrics Judgement::*part,
                            double PairMetrics::*metric);

/// What every card begins with: name, data and licences.
Card begin_card(const std::string& name, const CardTexts& texts, const TemplateLibrary& library,
                std::size_t excluded_formulas);
/// All but the name and the card's own texts.
void add_settings(Card& card, const TrainSettings& settings);

/// Name, data and licences, settings, metrics, limits. Nothing that differs between two runs of the
/// same training, such as dates or seconds.
Card training_card(const TemplateLibrary& library, const TrainOptions& options,
                   const std::vector<std::string>& excluded_formulas, const TrainResult& result);

}  // namespace kronite::csp
