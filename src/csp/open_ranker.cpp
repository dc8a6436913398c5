// The ranker behind the name of a model, whichever kind that is.
#include "base/fail.hpp"       // for fail
#include "kronite/csp.hpp"     // for open_ranker
#include "kronite/metric.hpp"  // for metric_ranker, names_a_metric
#include "kronite/model.hpp"   // for classifier_ranker

namespace kronite::csp {
namespace {

std::string best_inside() {
  for (const auto& names : {embedded_metrics(), embedded_models()})
    if (!names.empty()) return names.front();
  fail(Errc::unavailable, "there is no model inside this kronite; give a model file");
}

}  // namespace

std::unique_ptr<Ranker> open_ranker(const std::string& name_or_path, const ElementTable& table) {
  const std::string name = name_or_path.empty() ? best_inside() : name_or_path;
  if (names_a_metric(name)) return metric_ranker(open_metric(name), table);
  return classifier_ranker(open_model(name), table);
}

}  // namespace kronite::csp
