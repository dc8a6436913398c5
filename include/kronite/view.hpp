// Non-owning views on host or device memory: what every public call takes.
#pragma once

#include <cstdint>
#include <type_traits>

namespace kronite {

/// DLPack's numbers, so that values of __dlpack_device__ pass straight through.
enum class DeviceKind : std::int32_t { cpu = 1, cuda = 2 };

/// Where memory lives.
struct Place {
  DeviceKind kind = DeviceKind::cpu;
  std::int32_t id = 0;

  friend bool operator==(Place a, Place b) { return a.kind == b.kind && a.id == b.id; }
  friend bool operator!=(Place a, Place b) { return !(a == b); }
};

/// `size` contiguous values.
template <class T>
struct VectorView {
  T* data = nullptr;
  std::int64_t size = 0;
  Place place{};

  VectorView() = default;
  VectorView(T* data_, std::int64_t size_, Place place_ = {})
      : data(data_), size(size_), place(place_) {}
  template <class U, class = std::enable_if_t<std::is_same_v<const U, T>>>
  VectorView(const VectorView<U>& v) : data(v.data), size(v.size), place(v.place) {}
};

/// rows x cols values, row-major; row i begins at data + i * ld, ld >= cols.
template <class T>
struct MatrixView {
  T* data = nullptr;
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::int64_t ld = 0;
  Place place{};

  MatrixView() = default;
  MatrixView(T* data_, std::int64_t rows_, std::int64_t cols_, Place place_ = {})
      : MatrixView(data_, rows_, cols_, cols_, place_) {}
  MatrixView(T* data_, std::int64_t rows_, std::int64_t cols_, std::int64_t ld_, Place place_)
      : data(data_), rows(rows_), cols(cols_), ld(ld_), place(place_) {}
  template <class U, class = std::enable_if_t<std::is_same_v<const U, T>>>
  MatrixView(const MatrixView<U>& m)
      : data(m.data), rows(m.rows), cols(m.cols), ld(m.ld), place(m.place) {}

  T* row(std::int64_t i) const { return data + i * ld; }
  MatrixView rows_from(std::int64_t first, std::int64_t count) const {
    return {row(first), count, cols, ld, place};
  }
};

}  // namespace kronite
