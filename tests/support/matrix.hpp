// Matrices of tests: on the host with a row stride, and the same on a device.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "kronite/array.hpp"   // for Array
#include "support/random.hpp"  // for random_value

namespace kronite::test {

/// What lies between the rows of a matrix with ld > cols, and what an operation must leave there.
template <class T>
inline constexpr T kPadding = static_cast<T>(-77);

/// rows x cols values with `pad` more between rows. at(i, j) does not check.
template <class T>
struct HostMatrix {
  std::int64_t rows, cols, ld;
  std::vector<T> values;

  HostMatrix(std::int64_t rows_, std::int64_t cols_, std::int64_t pad = 0)
      : rows(rows_),
        cols(cols_),
        ld(cols_ + pad),
        values(static_cast<std::size_t>(rows_ * (cols_ + pad)), kPadding<T>) {}

  T& at(std::int64_t i, std::int64_t j) { return values[static_cast<std::size_t>(i * ld + j)]; }
  T at(std::int64_t i, std::int64_t j) const {
    return values[static_cast<std::size_t>(i * ld + j)];
  }
  MatrixView<const T> view() const { return {values.data(), rows, cols, ld, Place{}}; }

  /// Sets every value (not the padding) to f(i, j).
  template <class F>
  HostMatrix& fill(const F& f) {
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t j = 0; j < cols; ++j) at(i, j) = static_cast<T>(f(i, j));
    return *this;
  }

  bool padding_is_untouched() const {
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t j = cols; j < ld; ++j)
        if (at(i, j) != kPadding<T>) return false;
    return true;
  }
};

/// Uniform in [-1, 1), times `scale`.
template <class T>
HostMatrix<T> random_matrix(std::uint64_t seed, std::int64_t rows, std::int64_t cols,
                            std::int64_t pad = 0, double scale = 1) {
  HostMatrix<T> m(rows, cols, pad);
  m.fill([&](std::int64_t i, std::int64_t j) {
    return scale * random_value(seed, static_cast<std::uint64_t>(i * cols + j));
  });
  return m;
}

/// A copy of a host matrix on a device.
template <class T>
class DeviceMatrix {
 public:
  DeviceMatrix(Device& device, const HostMatrix<T>& m)
      : shape_(m), array_(device, m.values, m.rows, m.ld) {}

  MatrixView<T> view() {
    const MatrixView<T> whole = array_.view();
    return {whole.data, shape_.rows, shape_.cols, shape_.ld, whole.place};
  }
  VectorView<T> vector() { return array_.vector(); }

  HostMatrix<T> to_host() const {
    HostMatrix<T> m = shape_;
    m.values = array_.to_host();
    return m;
  }

 private:
  HostMatrix<T> shape_;
  Array<T> array_;
};

}  // namespace kronite::test
