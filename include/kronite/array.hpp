// Owning memory on a device: for callers that have no arrays of their own there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "kronite/device.hpp"  // for Device
#include "kronite/error.hpp"   // for require
#include "kronite/view.hpp"    // for MatrixView

namespace kronite {

namespace detail {
void* allocate(Backend& backend, std::size_t bytes);
void release(Backend& backend, void* pointer, std::size_t bytes) noexcept;
void copy(Backend& backend, void* to, Place to_place, const void* from, Place from_place,
          std::size_t bytes);
void synchronize(Backend& backend);
}  // namespace detail

/// rows x cols values, row-major and contiguous, on `device`, which must outlive it but may be
/// moved.
template <class T>
class Array {
 public:
  Array(Device& device, std::int64_t rows, std::int64_t cols)
      : backend_(&device.backend()),
        place_(device.place()),
        rows_(rows),
        cols_(cols),
        data_(static_cast<T*>(detail::allocate(*backend_, bytes()))) {}
  Array(Device& device, const std::vector<T>& values, std::int64_t rows, std::int64_t cols)
      : Array(device, rows, cols) {
    require_size(values.size());
    detail::copy(*backend_, data_, place_, values.data(), Place{}, bytes());
  }
  Array(Array&& other) noexcept
      : backend_(other.backend_),
        place_(other.place_),
        rows_(other.rows_),
        cols_(other.cols_),
        data_(std::exchange(other.data_, nullptr)) {}
  Array& operator=(Array&&) = delete;
  ~Array() {
    if (data_) detail::release(*backend_, data_, bytes());
  }

  MatrixView<T> view() { return {data_, rows_, cols_, place_}; }
  MatrixView<const T> view() const { return {data_, rows_, cols_, place_}; }
  VectorView<T> vector() { return {data_, rows_ * cols_, place_}; }
  VectorView<const T> vector() const { return {data_, rows_ * cols_, place_}; }

  /// A copy on the host. Waits.
  std::vector<T> to_host() const {
    std::vector<T> values(static_cast<std::size_t>(rows_ * cols_));
    detail::copy(*backend_, values.data(), Place{}, data_, place_, bytes());
    detail::synchronize(*backend_);
    return values;
  }

 private:
  std::size_t bytes() const { return static_cast<std::size_t>(rows_ * cols_) * sizeof(T); }
  void require_size(std::size_t given) const;

  Backend* backend_;
  Place place_;
  std::int64_t rows_, cols_;
  T* data_;
};

template <class T>
void Array<T>::require_size(std::size_t given) const {
  require(given == static_cast<std::size_t>(rows_ * cols_),
          "Array: the values do not fill its shape");
}

}  // namespace kronite
