// Trained rankers of templates behind the C interface.
#include "kronite/model.hpp"

#include <vector>

#include "capi/formula.hpp"  // for parse_formula
#include "capi/guard.hpp"    // for guarded, put_text
#include "capi/handles.hpp"  // for kronite_model

using kronite::Composition;
using kronite::Errc;
using kronite::fail;
using namespace kronite::capi;

namespace {

kronite::csp::Model best_model() {
  const auto names = kronite::csp::embedded_models();
  if (names.empty())
    fail(Errc::unavailable, "there is no model inside this kronite; give a model file");
  return kronite::csp::embedded_model(names.front());
}

}  // namespace

int kronite_model_open(const char* path_or_name, kronite_model** model) {
  return guarded([&] {
    given(model, "model");
    *model = new kronite_model{kronite::csp::Classifier(
        path_or_name ? kronite::csp::open_model(path_or_name) : best_model())};
  });
}

void kronite_model_close(kronite_model* model) { delete model; }

int kronite_model_count(size_t* count) {
  return guarded([&] { given(count, "count") = kronite::csp::embedded_models().size(); });
}

int kronite_model_name(size_t index, char* text, size_t capacity, size_t* needed) {
  return guarded([&] {
    const auto names = kronite::csp::embedded_models();
    if (index >= names.size())
      fail(Errc::invalid_argument, "there is no model number {} inside this kronite; it has {}",
           index, names.size());
    put_text(names[index], text, capacity, needed);
  });
}

int kronite_model_card(const kronite_model* model, const char* key, char* text, size_t capacity,
                       size_t* needed) {
  return guarded([&] {
    put_text(given(model, "model").classifier.model().card_value(&given(key, "key")), text,
             capacity, needed);
  });
}

int kronite_model_probabilities(const kronite_model* model, kronite_device* device,
                                const char* const* first, const char* const* second, size_t count,
                                double* p, double* p_std) {
  return guarded([&] {
    given_array(first, count == 0, "first");
    given_array(second, count == 0, "second");
    given_array(p, count == 0, "p");
    const auto& classifier = given(model, "model").classifier;
    std::vector<Composition> a, b;
    for (std::size_t i = 0; i < count; ++i) {
      a.push_back(parse_formula(first[i]));
      b.push_back(parse_formula(second[i]));
    }
    const auto found = classifier.probabilities(*given(device, "device").device, a, b);
    for (std::size_t i = 0; i < count; ++i) {
      p[i] = found[i].p;
      if (p_std) p_std[i] = found[i].p_std;
    }
  });
}
