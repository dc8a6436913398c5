# Every library kronite uses, in one place, each with its Debian package and the reason it is here.
# Nothing is downloaded.
find_package(PkgConfig QUIET)
set(THREADS_PREFER_PTHREAD_FLAG ON)

# kronite_need(found what package): one sentence instead of a page of CMake.
macro(kronite_need found what package)
  if(NOT ${found})
    message(FATAL_ERROR "kronite needs ${what}: apt-get install ${package} (or name its place in CMAKE_PREFIX_PATH)")
  endif()
endmacro()

find_package(Threads REQUIRED)
find_package(OpenMP QUIET COMPONENTS CXX)        # tiles on all cores
kronite_need(OpenMP_CXX_FOUND "OpenMP" "g++")
find_package(Eigen3 3.4 QUIET NO_MODULE)         # dense linear algebra on the CPU
kronite_need(Eigen3_FOUND "Eigen 3.4" "libeigen3-dev")
find_package(fmt QUIET)                          # text of messages and tables
kronite_need(fmt_FOUND "fmt" "libfmt-dev")
find_package(ZLIB QUIET)                         # .gz inputs, checksums
kronite_need(ZLIB_FOUND "zlib" "zlib1g-dev")
find_package(nlohmann_json QUIET)                # structures, results and settings as JSON
kronite_need(nlohmann_json_FOUND "nlohmann-json" "nlohmann-json3-dev")
find_package(dlpack QUIET)                       # what arrays of other libraries look like
kronite_need(dlpack_FOUND "DLPack" "libdlpack-dev")
find_package(simdjson QUIET)                     # bulk import: 15 times as fast as nlohmann-json
kronite_need(simdjson_FOUND "simdjson" "libsimdjson-dev")

# More compressions of input, each optional: without its library, such a file is refused by name.
# kronite_optional_decoder(NAME header library package): makes kronite_NAME where the library is.
macro(kronite_optional_decoder name header library package)
  string(TOUPPER ${name} upper)
  find_path(${upper}_INCLUDE_DIR ${header})
  find_library(${upper}_LIBRARY ${library})
  if(${upper}_INCLUDE_DIR AND ${upper}_LIBRARY)
    set(KRONITE_HAVE_${upper} ON)
    add_library(kronite_${name} INTERFACE)
    target_include_directories(kronite_${name} SYSTEM INTERFACE ${${upper}_INCLUDE_DIR})
    target_link_libraries(kronite_${name} INTERFACE ${${upper}_LIBRARY})
  else()
    message(STATUS "kronite: no ${library} (${package}); files compressed with it are refused")
  endif()
endmacro()
kronite_optional_decoder(lzma lzma.h lzma liblzma-dev)   # .xz inputs
kronite_optional_decoder(zstd zstd.h zstd libzstd-dev)   # .zst inputs
kronite_optional_decoder(bzip2 bzlib.h bz2 libbz2-dev)   # .bz2 inputs

# Optional: weights of Keras in HDF5. Used by a module of its own (src/io/hdf5.hpp says why).
find_path(HDF5_INCLUDE_DIR hdf5.h PATH_SUFFIXES hdf5/serial)
find_library(HDF5_LIBRARY NAMES hdf5_serial hdf5)
if(HDF5_INCLUDE_DIR AND HDF5_LIBRARY)
  set(KRONITE_HAVE_HDF5 ON)
else()
  message(STATUS "kronite: no HDF5 (libhdf5-dev); 'kronite model convert' reads .npz only")
endif()

find_package(LAPACK QUIET)                       # optional: eigen-decompositions past n = 100
if(LAPACK_FOUND)
  message(STATUS "kronite: LAPACK ${LAPACK_LIBRARIES}")
else()
  message(STATUS "kronite: no LAPACK (libopenblas-dev); Eigen's own eigen-solver is used")
endif()

# gemmi reads CIF. Debian's package is headers without a CMake file, and needs two more packages.
find_path(GEMMI_INCLUDE_DIR gemmi/cif.hpp)
find_path(PEGTL_INCLUDE_DIR tao/pegtl.hpp)
find_path(STB_INCLUDE_DIR stb/stb_sprintf.h stb_sprintf.h)
kronite_need(GEMMI_INCLUDE_DIR "gemmi" "gemmi-dev")
kronite_need(PEGTL_INCLUDE_DIR "PEGTL (used by gemmi)" "tao-pegtl-dev")
add_library(kronite_gemmi INTERFACE)
target_include_directories(kronite_gemmi SYSTEM INTERFACE ${GEMMI_INCLUDE_DIR} ${PEGTL_INCLUDE_DIR})
if(STB_INCLUDE_DIR)
  target_include_directories(kronite_gemmi SYSTEM INTERFACE ${STB_INCLUDE_DIR} ${STB_INCLUDE_DIR}/stb)
endif()

# toml++ reads settings. Used as headers, so that the library needs no other at run time.
find_path(TOMLPLUSPLUS_INCLUDE_DIR toml++/toml.h)
kronite_need(TOMLPLUSPLUS_INCLUDE_DIR "toml++" "libtomlplusplus-dev")
add_library(kronite_tomlplusplus INTERFACE)
target_include_directories(kronite_tomlplusplus SYSTEM INTERFACE ${TOMLPLUSPLUS_INCLUDE_DIR})

# spglib finds space groups and standard cells. Debian's package has no CMake file.
find_path(SPGLIB_INCLUDE_DIR spglib.h PATH_SUFFIXES spglib)
find_library(SPGLIB_LIBRARY symspg)
kronite_need(SPGLIB_LIBRARY "spglib" "libsymspg-dev")
add_library(kronite_spglib INTERFACE)
target_include_directories(kronite_spglib SYSTEM INTERFACE ${SPGLIB_INCLUDE_DIR})
target_link_libraries(kronite_spglib INTERFACE ${SPGLIB_LIBRARY})

if(KRONITE_BUILD_PROGRAM)
  find_package(CLI11 QUIET)                      # the command line
  kronite_need(CLI11_FOUND "CLI11" "libcli11-dev")
endif()
if(KRONITE_BUILD_TESTS)
  find_package(GTest QUIET)                      # tests
  kronite_need(GTest_FOUND "GoogleTest" "libgtest-dev")
  find_package(Python3 QUIET COMPONENTS Interpreter)  # tests of the program and of the scripts
  kronite_need(Python3_FOUND "Python 3" "python3")
endif()
if(KRONITE_BUILD_BENCH)
  find_package(benchmark QUIET)                  # Google Benchmark
  kronite_need(benchmark_FOUND "Google Benchmark" "libbenchmark-dev")
endif()
