// 03: scoring pairs of descriptors with an ensemble of networks, and the best two for each query.
//   build/cpu/bin/example_03_score_pairs [cpu|cuda]
// The data are made up; on a GPU, Array holds them there.
#include <cstdint>
#include <cstdio>
#include <exception>
#include <kronite/kronite.hpp>
#include <vector>

int main(int argc, char** argv) try {
  using kronite::Array;
  auto device = kronite::Device::parse(argc > 1 ? argv[1] : "cpu");

  // Two queries and three candidates with two values each, and all six pairs of them.
  const Array<float> queries(device, {0.0F, 0.0F, 1.0F, 1.0F}, 2, 2);
  const Array<float> candidates(device, {0.9F, 1.0F, 0.1F, 0.0F, 0.5F, 0.4F}, 3, 2);
  const Array<std::int32_t> query_of(device, {0, 0, 0, 1, 1, 1}, 6, 1);
  const Array<std::int32_t> candidate_of(device, {0, 1, 2, 0, 1, 2}, 6, 1);

  // One network of one layer with one logit: P = 1 / (1 + exp(-(2 - 3 |d1| - 3 |d2|))).
  const Array<float> weight(device, {-3.0F, -3.0F}, 1, 2), bias(device, {2.0F}, 1, 1);
  kronite::EnsembleView<float> ensemble;
  ensemble.members.push_back({{{weight.view(), bias.vector(), kronite::Activation::none}}});

  // Both calls queue on the device's stream; to_host() waits.
  Array<float> p(device, 2, 3), best(device, 2, 2);
  Array<std::int32_t> index(device, 2, 2);
  kronite::csp::score_pairs(device, queries.view(), candidates.view(),
                            {query_of.vector(), candidate_of.vector()}, ensemble, p.vector());
  kronite::csp::top_k_rows(device, p.view(), best.view(), index.view());

  const auto values = best.to_host();
  const auto indices = index.to_host();
  for (std::size_t q = 0; q < 2; ++q)
    std::printf("query %zu: candidate %d (p = %.3f), then %d (p = %.3f)\n", q, indices[2 * q],
                static_cast<double>(values[2 * q]), indices[2 * q + 1],
                static_cast<double>(values[2 * q + 1]));
} catch (const std::exception& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
