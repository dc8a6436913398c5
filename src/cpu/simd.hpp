// Vectors of the widest kind that the compiler was told of, as GCC and Clang vector types: the hot
// loops are written once for every instruction set.
#pragma once

#include <cstring>
#include <utility>

namespace kronite {

#if defined(__AVX512F__)
inline constexpr int kVectorBytes = 64;
inline constexpr int kVectorRegisters = 32;
inline constexpr const char* kInstructionSet = "AVX-512";
#elif defined(__AVX2__)
inline constexpr int kVectorBytes = 32;
inline constexpr int kVectorRegisters = 16;
inline constexpr const char* kInstructionSet = "AVX2";
#else
inline constexpr int kVectorBytes = 16;
inline constexpr int kVectorRegisters = 16;
inline constexpr const char* kInstructionSet = "baseline instructions";
#endif

template <class T>
struct SimdOf {
  typedef T Vector __attribute__((vector_size(kVectorBytes)));
};
template <class T>
using Simd = typename SimdOf<T>::Vector;

/// Values per vector.
template <class T>
inline constexpr int kLanes = kVectorBytes / static_cast<int>(sizeof(T));

/// Through memcpy, so that no alignment is asked of memory that a caller lent.
template <class T>
inline Simd<T> load(const T* from) {
  Simd<T> v;
  std::memcpy(&v, from, sizeof v);
  return v;
}

template <class T>
inline void store(T* to, const Simd<T>& v) {
  std::memcpy(to, &v, sizeof v);
}

namespace detail {

template <class V, int... i>
inline V zip(const V& a, const V& b, int first, std::integer_sequence<int, i...>) {
  constexpr int lanes = sizeof...(i);
  return first == 0 ? __builtin_shufflevector(a, b, (i % 2 * lanes + i / 2)...)
                    : __builtin_shufflevector(a, b, (i % 2 * lanes + (i + lanes) / 2)...);
}

}  // namespace detail

/// Transposes kLanes rows of kLanes values: zipping row i with row i + kLanes / 2 moves one bit of
/// the row number into the column number, so log2(kLanes) rounds exchange them.
template <class T>
inline void transpose(Simd<T> (&rows)[kLanes<T>]) {
  constexpr int lanes = kLanes<T>;
  constexpr auto sequence = std::make_integer_sequence<int, lanes>{};
  for (int round = 1; round < lanes; round *= 2) {
    Simd<T> zipped[lanes];
    for (int i = 0; i < lanes / 2; ++i) {
      zipped[2 * i] = detail::zip(rows[i], rows[i + lanes / 2], 0, sequence);
      zipped[2 * i + 1] = detail::zip(rows[i], rows[i + lanes / 2], 1, sequence);
    }
    for (int i = 0; i < lanes; ++i) rows[i] = zipped[i];
  }
}

}  // namespace kronite
