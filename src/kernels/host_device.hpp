// Marks functions that the C++ compiler and nvcc both build. Headers of this folder hold the
// arithmetic that src/cpu and src/cuda share, written once and tested on the CPU.
#pragma once

#ifdef __CUDACC__
#define KRONITE_HD __host__ __device__
#else
#define KRONITE_HD
#endif
