// The element table of KmdPlus, its 35,463 formulas, and small components for tests.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "io/formula_list.hpp"  // for read_formula_list
#include "kronite/error.hpp"
#include "kronite/kmd.hpp"
#include "support/data.hpp"
#include "support/random.hpp"  // for random_value

namespace kronite::kmd::test {

inline std::string element_features() {
  return kronite::test::shared_data("composition/element_features.csv");
}
inline std::string stable_formulas() {
  return kronite::test::shared_data("composition/mp_stable_formula.csv.gz");
}

inline std::vector<Composition> compositions_of(const std::string& path) {
  std::vector<Composition> compositions;
  for (io::ListedFormula& formula : io::read_formula_list(path))
    compositions.push_back(std::move(formula.composition));
  return compositions;
}

/// n components with values that no two of them share.
inline Components random_components(std::int64_t n, std::int64_t features, std::uint64_t seed = 7) {
  Components c;
  for (std::int64_t i = 0; i < n; ++i) c.names.push_back("c" + std::to_string(i));
  for (std::int64_t f = 0; f < features; ++f) c.features.push_back("f" + std::to_string(f));
  for (std::int64_t i = 0; i < n * features; ++i)
    c.values.push_back(kronite::test::random_value(seed, static_cast<std::uint64_t>(i)));
  return c;
}

/// `rows` mixtures of 1 to `most` of n components.
inline Weights random_weights(std::int64_t rows, std::int64_t n, std::int64_t most) {
  Weights w;
  w.components = n;
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::int64_t count = 1 + i % most;
    double sum = 0;
    for (std::int64_t k = 0; k < count; ++k) {
      // One of each of `count` runs of components.
      const std::int64_t begin = k * n / count, end = (k + 1) * n / count;
      const std::uint64_t draw =
          kronite::test::random_bits(11, static_cast<std::uint64_t>(i * most + k));
      w.component.push_back(static_cast<std::int32_t>(
          begin + static_cast<std::int64_t>(draw % static_cast<std::uint64_t>(end - begin))));
      w.weight.push_back(0.05 + static_cast<double>(draw >> 40) / (1 << 24));
      sum += w.weight.back();
    }
    for (std::int64_t k = 0; k < count; ++k) w.weight[w.weight.size() - 1 - k] /= sum;
    w.first.push_back(w.first.back() + count);
  }
  return w;
}

/// W as rows with zeros.
inline std::vector<double> dense(const Weights& w) {
  std::vector<double> values(static_cast<std::size_t>(w.rows() * w.components), 0.0);
  for (std::int64_t i = 0; i < w.rows(); ++i)
    for (std::int64_t e = w.first[i]; e < w.first[i + 1]; ++e)
      values[i * w.components + w.component[e]] = w.weight[e];
  return values;
}

/// That f() throws an Error of this code whose message holds every one of `words`.
template <class F>
void expect_error(Errc code, const std::vector<std::string>& words, const F& f) {
  try {
    f();
    ADD_FAILURE() << "no error, where one with \"" << words.front() << "\" is expected";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), code) << e.what();
    for (const std::string& word : words)
      EXPECT_NE(std::string(e.what()).find(word), std::string::npos)
          << e.what() << " does not say " << word;
  }
}

}  // namespace kronite::kmd::test
