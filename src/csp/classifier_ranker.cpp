// The learned ranker: templates that are most probably alike first.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "base/fail.hpp"               // for fail
#include "csp/describe_templates.hpp"  // for covered_templates, sort_best_first
#include "device/attachments.hpp"
#include "kronite/array.hpp"  // for Array
#include "kronite/model.hpp"  // for Classifier

namespace kronite::csp {
namespace {

using Probability = Classifier::Probability;

std::string called(const Model& model) {
  const std::string name = model.card_value("name");
  return name.empty() ? "this model" : fmt::format("the model \"{}\"", name);
}

/// @throws Error invalid_argument.
void check_table(const Model& model, const ElementTable& table) {
  if (model.element_table != table.hash())
    fail(Errc::invalid_argument,
         "{} was trained with the element table {}, not with this one ({}); use that table, train "
         "a model with this one, or rank by distance",
         called(model), model.element_table, table.hash());
  const std::size_t width = 5 * table.features().size();
  if (model.mean.size() != width)
    fail(Errc::invalid_argument, "{} takes {} values, but the element table makes {}",
         called(model), model.mean.size(), width);
}

/// Mean and standard deviation of what the networks say of pair n: p[m * pairs + n].
Probability over_members(const std::vector<float>& p, std::size_t pairs, std::size_t n) {
  const std::size_t members = p.size() / pairs;
  double mean = 0, squares = 0;
  for (std::size_t m = 0; m < members; ++m) mean += p[m * pairs + n];
  mean /= static_cast<double>(members);
  for (std::size_t m = 0; m < members; ++m)
    squares += (p[m * pairs + n] - mean) * (p[m * pairs + n] - mean);
  if (!std::isfinite(mean))
    fail(Errc::numerical, "the model gives no probability: its weights are too large");
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  return {mean, members > 1 ? std::sqrt(squares / static_cast<double>(members - 1)) : kNone};
}

}  // namespace

Classifier::Classifier(Model model, const ElementTable& table)
    : model_(std::make_shared<const Model>(std::move(model))), table_(table) {
  model_->check();
  check_table(*model_, table_);
}

std::vector<Probability> Classifier::score(Device& device, const std::vector<Composition>& first,
                                           const std::vector<Composition>& second) const {
  const auto described = [&](const std::vector<Composition>& compositions) {
    const auto x = standardised_descriptors(compositions, table_, model_->mean, model_->std);
    return Array<float>(device, {x.begin(), x.end()},
                        static_cast<std::int64_t>(compositions.size()), model_->ensemble.inputs());
  };
  const auto n = static_cast<std::int64_t>(second.size());
  const Array<float> rows = described(first), others = described(second);
  std::vector<std::int32_t> other(second.size());
  std::iota(other.begin(), other.end(), 0);
  const std::vector<std::int32_t> row =
      first.size() == 1 ? std::vector<std::int32_t>(other.size()) : other;
  const Array<std::int32_t> row_index(device, row, 1, n), other_index(device, other, 1, n);

  const auto& ensemble = device.attachments().get<DeviceEnsemble>(
      model_, [&] { return DeviceEnsemble(device, model_->ensemble); });
  const auto& members = ensemble.view().members;
  Array<float> p(device, static_cast<std::int64_t>(members.size()), n);
  for (std::size_t m = 0; m < members.size(); ++m)
    score_pairs(device, rows.view(), others.view(), {row_index.vector(), other_index.vector()},
                EnsembleView<float>{{members[m]}},
                {p.view().row(static_cast<std::int64_t>(m)), n, device.place()});
  const auto values = p.to_host();

  std::vector<Probability> scores;
  for (std::size_t i = 0; i < second.size(); ++i)
    scores.push_back(over_members(values, second.size(), i));
  return scores;
}

std::vector<Probability> Classifier::probabilities(Device& device,
                                                   const std::vector<Composition>& first,
                                                   const std::vector<Composition>& second) const {
  if (first.size() != second.size())
    fail(Errc::invalid_argument, "probabilities: {} compositions are to be compared with {}",
         first.size(), second.size());
  constexpr std::size_t kTile = 1 << 14;  // pairs described at a time, 76 MB of descriptors
  const auto part = [](const std::vector<Composition>& all, std::size_t begin) {
    std::vector<Composition> reduced;
    for (std::size_t i = begin; i < std::min(begin + kTile, all.size()); ++i)
      reduced.push_back(all[i].reduced());
    return reduced;
  };
  std::vector<Probability> found;
  for (std::size_t begin = 0; begin < first.size(); begin += kTile) {
    const auto scores = score(device, part(first, begin), part(second, begin));
    found.insert(found.end(), scores.begin(), scores.end());
  }
  return found;
}

std::vector<Ranker::Scored> Classifier::rank(Device& device, const Composition& query,
                                             const TemplateLibrary& library,
                                             TemplateRange range) const {
  const CoveredTemplates covered = covered_templates(library, range, table_);
  if (covered.index.empty()) return {};
  const auto scores = score(device, {query.reduced()}, covered.compositions);
  std::vector<Scored> scored;
  for (std::size_t i = 0; i < scores.size(); ++i)
    scored.push_back({covered.index[i], scores[i].p, scores[i].p, scores[i].p_std});
  sort_best_first(scored);
  return scored;
}

std::unique_ptr<Ranker> classifier_ranker(Model model, const ElementTable& table) {
  return std::make_unique<Classifier>(std::move(model), table);
}

}  // namespace kronite::csp
