// Trained rankers of templates behind the C interface.
#include "kronite/model.hpp"

#include <string>
#include <vector>

#include "capi/formula.hpp"    // for parse_formula
#include "capi/guard.hpp"      // for guarded, put_text
#include "capi/handles.hpp"    // for kronite_model
#include "csp/model_file.hpp"  // for models_inside
#include "kronite/metric.hpp"  // for MetricRanker

using kronite::Composition;
using kronite::Errc;
using kronite::fail;
using namespace kronite::capi;

namespace {

using kronite::csp::Classifier;
using kronite::csp::MetricRanker;
using kronite::csp::models_inside;

}  // namespace

int kronite_model_open(const char* path_or_name, kronite_model** model) {
  return guarded([&] {
    given(model, "model");
    *model = new kronite_model{kronite::csp::open_ranker(path_or_name ? path_or_name : "")};
  });
}

void kronite_model_close(kronite_model* model) { delete model; }

int kronite_model_count(size_t* count) {
  return guarded([&] { given(count, "count") = models_inside().size(); });
}

int kronite_model_name(size_t index, char* text, size_t capacity, size_t* needed) {
  return guarded([&] {
    const auto names = models_inside();
    if (index >= names.size())
      fail(Errc::invalid_argument, "there is no model number {} inside this kronite; it has {}",
           index, names.size());
    put_text(names[index], text, capacity, needed);
  });
}

int kronite_model_card(const kronite_model* model, const char* key, char* text, size_t capacity,
                       size_t* needed) {
  return guarded([&] {
    const auto& ranker = *given(model, "model").ranker;
    const std::string name = &given(key, "key");
    const auto* metric = dynamic_cast<const MetricRanker*>(&ranker);
    put_text(metric ? metric->metric().card_value(name)
                    : dynamic_cast<const Classifier&>(ranker).model().card_value(name),
             text, capacity, needed);
  });
}

int kronite_model_probabilities(const kronite_model* model, kronite_device* device,
                                const char* const* first, const char* const* second, size_t count,
                                double* p, double* p_std) {
  return guarded([&] {
    given_array(first, count == 0, "first");
    given_array(second, count == 0, "second");
    given_array(p, count == 0, "p");
    const auto* classifier = dynamic_cast<const Classifier*>(given(model, "model").ranker.get());
    if (!classifier)
      fail(Errc::invalid_argument,
           "this model is a learned metric, whose p is of one library; give a classifier, such as "
           "\"best\"");
    std::vector<Composition> a, b;
    for (std::size_t i = 0; i < count; ++i) {
      a.push_back(parse_formula(first[i]));
      b.push_back(parse_formula(second[i]));
    }
    const auto found = classifier->probabilities(*given(device, "device").device, a, b);
    for (std::size_t i = 0; i < count; ++i) {
      p[i] = found[i].p;
      if (p_std) p_std[i] = found[i].p_std;
    }
  });
}
