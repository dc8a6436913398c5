# KRONITE_CUDA=AUTO|ON|OFF -> KRONITE_HAVE_CUDA. Included before the first target: architectures that
# are set after add_library() are not seen.
set(KRONITE_HAVE_CUDA OFF)
if(NOT KRONITE_CUDA MATCHES "^(AUTO|ON|OFF)$")
  message(FATAL_ERROR "KRONITE_CUDA is AUTO, ON or OFF, not '${KRONITE_CUDA}'")
endif()

# kronite_no_cuda(reason): an error where CUDA was asked for, a line of the log where it was not.
macro(kronite_no_cuda reason)
  if(KRONITE_CUDA STREQUAL "ON")
    message(FATAL_ERROR "KRONITE_CUDA=ON, but ${reason}")
  endif()
  message(STATUS "kronite: no CUDA module, because ${reason}")
endmacro()

if(KRONITE_CUDA STREQUAL "OFF")
  message(STATUS "kronite: no CUDA module (KRONITE_CUDA=OFF)")
else()
  include(CheckLanguage)
  check_language(CUDA)
  if(NOT CMAKE_CUDA_COMPILER)
    kronite_no_cuda("there is no CUDA compiler: put nvcc on PATH or set CMAKE_CUDA_COMPILER")
  else()
    if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
      # A100; H100 and H200, whose PTX newer GPUs compile when the module is loaded.
      set(CMAKE_CUDA_ARCHITECTURES 80-real 90)
    endif()
    enable_language(CUDA)
    if(CMAKE_VERSION VERSION_LESS 3.26 AND NOT TARGET CUDA::nvToolsExt)
      # CMake 3.25 sets a property of this target unasked; CUDA 13 no longer has the library.
      add_library(CUDA::nvToolsExt INTERFACE IMPORTED)
    endif()
    find_package(CUDAToolkit QUIET)
    if(CMAKE_CUDA_COMPILER_VERSION VERSION_LESS 12.0)
      # C++20 in .cu files and the 64-bit cuBLAS functions begin there.
      kronite_no_cuda("CUDA ${CMAKE_CUDA_COMPILER_VERSION} is older than 12.0")
    elseif(NOT (TARGET CUDA::cudart_static AND TARGET CUDA::cublas AND TARGET CUDA::cusolver))
      kronite_no_cuda("the CUDA Toolkit has no cuBLAS, cuSOLVER or static runtime to link: install its development packages")
    else()
      set(KRONITE_HAVE_CUDA ON)
      message(STATUS "kronite: CUDA module for ${CMAKE_CUDA_ARCHITECTURES} by nvcc ${CMAKE_CUDA_COMPILER_VERSION}")
    endif()
    # CMake 3.25.1 does not know C++20 for nvcc and, unless told, silently compiles C++17.
    if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)
      set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
      set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
    endif()
  endif()
endif()

if(KRONITE_CUDA_STATIC AND NOT KRONITE_HAVE_CUDA)
  message(FATAL_ERROR "KRONITE_CUDA_STATIC=ON links the CUDA backend into the library, but this build has none")
endif()
