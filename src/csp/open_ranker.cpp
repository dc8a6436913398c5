// The ranker behind the name of a model, whichever kind that is.
#include <utility>

#include "base/fail.hpp"       // for fail
#include "csp/model_file.hpp"  // for models_inside
#include "kronite/csp.hpp"     // for open_ranker
#include "kronite/metric.hpp"  // for metric_ranker, names_a_metric
#include "kronite/model.hpp"   // for classifier_ranker

namespace kronite::csp {
namespace {

std::string best_inside() {
  std::vector<std::string> names = models_inside();
  if (names.empty())
    fail(Errc::unavailable, "there is no model inside this kronite; give a model file");
  return std::move(names.front());
}

}  // namespace

std::vector<std::string> models_inside() {
  std::vector<std::string> names = embedded_metrics();
  for (std::string& name : embedded_models()) names.push_back(std::move(name));
  return names;
}

std::unique_ptr<Ranker> open_ranker(const std::string& name_or_path, const ElementTable& table) {
  const std::string name = name_or_path.empty() ? best_inside() : name_or_path;
  if (names_a_metric(name)) return metric_ranker(open_metric(name), table);
  return classifier_ranker(open_model(name), table);
}

}  // namespace kronite::csp
