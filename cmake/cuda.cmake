# KRONITE_CUDA=AUTO|ON|OFF -> KRONITE_HAVE_CUDA. Included before the first target: architectures that
# are set after add_library() are not seen.
set(KRONITE_HAVE_CUDA OFF)
if(NOT KRONITE_CUDA STREQUAL "OFF")
  include(CheckLanguage)
  check_language(CUDA)
  if(CMAKE_CUDA_COMPILER)
    if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
      # A100, H100 and H200; PTX of 90 lets newer GPUs compile at load time.
      set(CMAKE_CUDA_ARCHITECTURES 80-real 90)
    endif()
    enable_language(CUDA)
    find_package(CUDAToolkit REQUIRED)
    set(KRONITE_HAVE_CUDA ON)
    # CMake 3.25.1 does not know C++20 for nvcc and, unless told, silently compiles C++17.
    if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)
      set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
      set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
    endif()
  elseif(KRONITE_CUDA STREQUAL "ON")
    message(FATAL_ERROR "KRONITE_CUDA=ON, but there is no CUDA compiler: put nvcc on PATH or set CMAKE_CUDA_COMPILER")
  endif()
endif()
message(STATUS "kronite: CUDA module ${KRONITE_HAVE_CUDA}")
