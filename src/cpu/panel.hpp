// Panels of pairs: the microkernel of scoring. Pairs lie along the lanes of a vector, so that
// layers of any width fill them. A panel is [step][pair], one word of 4 bytes each; what a word
// holds is the format's choice.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#if defined(__AVX512BF16__)
#include <immintrin.h>  // for _mm512_dpbf16_ps
#endif

#include "cpu/simd.hpp"         // for Simd, transpose
#include "kronite/network.hpp"  // for Activation

namespace kronite {

inline constexpr int kVectors = 2;
inline constexpr int kPanel = kVectors * kLanes<float>;  // pairs per panel
/// Units whose sums stay in registers; 10 and 5 divide the 50 and 400 units of the published
/// networks, and with kVectors inputs and a weight they fit in 32 and 16 registers. bf16 needs an
/// even number.
inline constexpr int kUnits = kVectorRegisters == 32 ? 10 : 5;

/// One value per word.
struct Fp32Words {
  static constexpr int kDepth = 1;  ///< inputs per step

  static Simd<float> word(const Simd<float>* rows) { return rows[0]; }
  static Simd<float> multiply_add(Simd<float> sum, float weight, Simd<float> in) {
    return sum + weight * in;
  }
};

#if defined(__AVX512BF16__)
/// Two values per word, rounded to bf16, the first one in the low half.
struct Bf16Words {
  static constexpr int kDepth = 2;

  static Simd<float> word(const Simd<float>* rows) {
    return (Simd<float>)(rounded(rows[0]) | rounded(rows[1]) << 16);
  }
  static Simd<float> multiply_add(Simd<float> sum, float weight, Simd<float> in) {
    return (Simd<float>)_mm512_dpbf16_ps((__m512)sum, (__m512bh)in,
                                         (__m512bh)_mm512_set1_ps(weight));
  }

 private:
  typedef std::uint16_t Halves __attribute__((vector_size(kVectorBytes / 2)));

  static Simd<std::uint32_t> rounded(Simd<float> row) {
    return __builtin_convertvector((Halves)_mm512_cvtneps_pbh((__m512)row), Simd<std::uint32_t>);
  }
};
#endif

template <class Words>
constexpr std::int64_t steps_of(std::int64_t inputs) {
  return (inputs + Words::kDepth - 1) / Words::kDepth;
}

/// Stores rows [input][lane] as words at out, the pairs of one vector. Rows up to the next multiple
/// of kDepth are read; those past `count` are zero.
template <class Words>
void store_words(const Simd<float>* rows, int count, float* out) {
  for (int i = 0; i < count; i += Words::kDepth)
    store<float>(out + i / Words::kDepth * kPanel, Words::word(rows + i));
}

inline Simd<float> absolute(Simd<float> x) {
  typedef std::int32_t Bits __attribute__((vector_size(kVectorBytes)));
  return (Simd<float>)((Bits)x & 0x7fffffff);
}

/// The first `count` values, zeros behind.
inline Simd<float> load_some(const float* from, int count) {
  Simd<float> v{};
  std::memcpy(&v, from, sizeof(float) * static_cast<std::size_t>(count));
  return v;
}

/// out = |q_p - t_p| for the pairs p of one panel.
template <class Words>
void difference_panel(const float* const* q, const float* const* t, std::int64_t features,
                      float* out) {
  constexpr int lanes = kLanes<float>;
  for (std::int64_t f = 0; f < features; f += lanes) {
    const auto count = static_cast<int>(std::min<std::int64_t>(lanes, features - f));
    for (int v = 0; v < kVectors; ++v) {
      const float *const *qv = q + v * lanes, *const *tv = t + v * lanes;
      Simd<float> rows[lanes];
      if (count == lanes)
        for (int i = 0; i < lanes; ++i) rows[i] = absolute(load(qv[i] + f) - load(tv[i] + f));
      else
        for (int i = 0; i < lanes; ++i)
          rows[i] = absolute(load_some(qv[i] + f, count) - load_some(tv[i] + f, count));
      transpose<float>(rows);
      store_words<Words>(rows, count, out + f / Words::kDepth * kPanel + v * lanes);
    }
  }
}

/// What becomes of the sums of a layer.
struct LayerEnd {
  Activation activation = Activation::none;
  bool last = false;  ///< stored as fp32, [unit][pair], whatever the words
};

/// y_u = activation(bias_u + sum_k weight_uk x_k) for `units` units and one panel.
template <class Words, int units>
void unit_block(std::int64_t steps, const float* x, const float* weight, const float* bias,
                LayerEnd end, float* y) {
  constexpr int lanes = kLanes<float>;
  Simd<float> sum[kVectors][units + 1];  // one more, zero, where the last word is not full
  for (int v = 0; v < kVectors; ++v) {
    for (int u = 0; u < units; ++u) sum[v][u] = bias[u] - Simd<float>{};
    sum[v][units] = Simd<float>{};
  }
  for (std::int64_t k = 0; k < steps; ++k, x += kPanel, weight += units) {
    Simd<float> in[kVectors];
    for (int v = 0; v < kVectors; ++v) in[v] = load(x + v * lanes);
    for (int u = 0; u < units; ++u)
      for (int v = 0; v < kVectors; ++v)
        sum[v][u] = Words::multiply_add(sum[v][u], weight[u], in[v]);
  }
  for (int v = 0; v < kVectors; ++v) {
    if (end.activation == Activation::relu)
      for (int u = 0; u < units; ++u)
        sum[v][u] = 0.0F > sum[v][u] ? Simd<float>{} : sum[v][u];  // NaN stays
    if (end.last)
      store_words<Fp32Words>(sum[v], units, y + v * lanes);
    else
      store_words<Words>(sum[v], units, y + v * lanes);
  }
}

using UnitBlock = void (*)(std::int64_t, const float*, const float*, const float*, LayerEnd,
                           float*);

template <class Words, int... units>
constexpr UnitBlock block_of(int count, std::integer_sequence<int, units...>) {
  constexpr UnitBlock table[] = {&unit_block<Words, units + 1>...};
  return table[count - 1];
}

}  // namespace kronite
