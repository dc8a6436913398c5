// Every CUDA, cuBLAS and cuSOLVER call is wrapped in KRONITE_CHECK: a failure becomes one Error.
// Messages of .cu files are put together without fmt, whose checked format strings nvcc refuses.
#pragma once

#include <cublas_v2.h>
#include <cuda_runtime.h>
#include <cusolverDn.h>

#include <string>

#include "kronite/error.hpp"  // for Error, Errc

namespace kronite::cuda {

inline Errc code_of(cudaError_t status) {
  switch (status) {
    case cudaErrorMemoryAllocation:
      return Errc::out_of_memory;
    case cudaErrorNoDevice:
    case cudaErrorInvalidDevice:
    case cudaErrorInsufficientDriver:
    case cudaErrorSystemDriverMismatch:
    case cudaErrorSystemNotReady:
    case cudaErrorDevicesUnavailable:
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorUnsupportedPtxVersion:
      return Errc::unavailable;
    default:
      return Errc::internal;
  }
}

[[noreturn]] inline void fail_call(Errc code, const char* library, const char* call,
                                   const std::string& answer) {
  throw Error(code, std::string("the ") + library + " call " + call + " failed: " + answer);
}

inline void check(cudaError_t status, const char* call) {
  if (status == cudaSuccess) return;
  static_cast<void>(cudaGetLastError());  // reported here, so not again by the caller's next check
  fail_call(code_of(status), "CUDA", call, cudaGetErrorString(status));
}

inline void check(cublasStatus_t status, const char* call) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  fail_call(status == CUBLAS_STATUS_ALLOC_FAILED ? Errc::out_of_memory : Errc::internal, "cuBLAS",
            call, cublasGetStatusString(status));
}

inline void check(cusolverStatus_t status, const char* call) {
  if (status == CUSOLVER_STATUS_SUCCESS) return;
  fail_call(status == CUSOLVER_STATUS_ALLOC_FAILED ? Errc::out_of_memory : Errc::internal,
            "cuSOLVER", call, "status " + std::to_string(static_cast<int>(status)));
}

/// The text of the call is part of the message.
#define KRONITE_CHECK(call) ::kronite::cuda::check((call), #call)

}  // namespace kronite::cuda
