// 07: how probable it is that two compositions crystallise alike, and which templates are likely.
//   build/cpu/bin/example_07_rank SrTiO3 [model.safetensors]
#include <cstdio>
#include <exception>
#include <kronite/kronite.hpp>
#include <string>

int main(int argc, char** argv) try {
  const auto query = kronite::Composition::parse(argc > 1 ? argv[1] : "SrTiO3");
  const auto inside = kronite::csp::embedded_models();
  if (argc < 3 && inside.empty()) {
    std::puts("this kronite has no model inside; name a model file");
    return 77;
  }
  auto device = kronite::Device::parse("cpu");
  const auto library = kronite::TemplateLibrary::embedded();
  const kronite::csp::Classifier classifier(
      kronite::csp::open_model(argc > 2 ? argv[2] : inside.front()));

  const auto other = kronite::Composition::parse("BaZrO3");
  const auto pair = classifier.probabilities(device, {query}, {other}).front();
  std::printf("p(%s like BaZrO3) = %.3f, spread %.3f\n", query.reduced_formula().c_str(), pair.p,
              pair.p_std);

  kronite::csp::PredictOptions options;
  options.top = 3;
  const auto prediction = kronite::csp::predict(device, query, library, classifier, options);
  std::printf("%lld of %lld templates are likely. %s\n", static_cast<long long>(prediction.likely),
              static_cast<long long>(prediction.templates), prediction.note.c_str());
  for (const auto& c : prediction.candidates)
    std::printf("%2d  p = %.3f  %-10s from %s\n", c.rank, c.p, c.international.c_str(),
                c.template_formula.c_str());
} catch (const std::exception& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
