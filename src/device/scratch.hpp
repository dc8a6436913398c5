// Working memory of an operation or algorithm: taken in stream order, given back on leaving the
// scope.
#pragma once

#include <cstdint>

#include "device/backend.hpp"  // for Backend
#include "kronite/view.hpp"    // for MatrixView, VectorView

namespace kronite {

template <class T>
class Scratch {
 public:
  Scratch(Backend& backend, std::int64_t rows, std::int64_t cols = 1)
      : backend_(backend),
        rows_(rows),
        cols_(cols),
        data_(static_cast<T*>(backend.allocate(bytes()))) {}
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { backend_.release(data_, bytes()); }

  T* data() const { return data_; }
  MatrixView<T> matrix() const { return {data_, rows_, cols_, backend_.place()}; }
  VectorView<T> vector() const { return {data_, rows_ * cols_, backend_.place()}; }

 private:
  std::size_t bytes() const { return static_cast<std::size_t>(rows_ * cols_) * sizeof(T); }

  Backend& backend_;
  std::int64_t rows_, cols_;
  T* data_;
};

}  // namespace kronite
