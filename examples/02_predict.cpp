// 02: crystal structures for a formula, as CIF files in the current folder.
//   build/cpu/bin/example_02_predict SrTiO3 [library.ktl]
#include <cstdio>
#include <exception>
#include <fstream>
#include <kronite/kronite.hpp>
#include <string>

int main(int argc, char** argv) try {
  const auto query = kronite::Composition::parse(argc > 1 ? argv[1] : "SrTiO3");
  const auto library =
      argc > 2 ? kronite::TemplateLibrary::open(argv[2]) : kronite::TemplateLibrary::embedded();
  auto device = kronite::Device::parse("cpu");
  const auto ranker = kronite::csp::open_ranker();  // the best one inside
  kronite::csp::PredictOptions options;
  options.top = 3;

  const auto prediction = kronite::csp::predict(device, query, library, *ranker, options);
  std::printf("%s: %lld templates of ratio %s. %s\n", prediction.query.c_str(),
              static_cast<long long>(prediction.templates), prediction.ratio.c_str(),
              prediction.note.c_str());
  for (const auto& candidate : prediction.candidates) {
    const auto path = prediction.query + "_" + std::to_string(candidate.rank) + ".cif";
    std::ofstream file(path);
    file << kronite::to_cif(candidate.structure, prediction.query);
    if (!file.flush()) throw kronite::Error(kronite::Errc::io, path + ": cannot be written");
    std::printf("%2d  %-10s from %-12s volume x %.3f  -> %s\n", candidate.rank,
                candidate.international.c_str(), candidate.template_formula.c_str(),
                candidate.volume_factor, path.c_str());
  }
} catch (const std::exception& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
