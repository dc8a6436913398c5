// Host arrays for the duration of a call on a device.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "device/backend.hpp"  // for Backend
#include "device/scratch.hpp"  // for Scratch
#include "kronite/view.hpp"    // for MatrixView

namespace kronite::learn {

template <class T>
void upload(Backend& backend, std::span<const T> values, T* to) {
  backend.copy(to, backend.place(), values.data(), Place{}, values.size_bytes());
}

/// Waits.
template <class T>
std::vector<T> download(Backend& backend, VectorView<T> values) {
  std::vector<T> host(static_cast<std::size_t>(values.size));
  backend.copy(host.data(), Place{}, values.data, values.place, host.size() * sizeof(T));
  backend.synchronize();
  return host;
}

/// A host matrix where the device can read it: itself on the CPU, a copy elsewhere.
class MatrixOnDevice {
 public:
  MatrixOnDevice(Backend& backend, MatrixView<const float> host)
      : copied_(backend.place() != Place{}),
        copy_(backend, copied_ ? host.rows : 0, host.cols),
        view_(copied_ ? copy_.matrix() : host) {
    if (!copied_) return;
    for (std::int64_t i = 0; i < host.rows; ++i)
      upload(backend, std::span(host.row(i), static_cast<std::size_t>(host.cols)),
             copy_.data() + i * host.cols);
  }
  MatrixView<const float> view() const { return view_; }

 private:
  bool copied_;
  Scratch<float> copy_;
  MatrixView<const float> view_;
};

}  // namespace kronite::learn
