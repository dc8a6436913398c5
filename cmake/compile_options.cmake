# What every target of kronite is compiled with.
add_library(kronite_compile_options INTERFACE)
target_compile_features(kronite_compile_options INTERFACE cxx_std_20)
target_compile_options(kronite_compile_options INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion>
  # Results must not depend on which products a compiler chose to fuse (docs/design.md).
  $<$<COMPILE_LANGUAGE:CXX>:-ffp-contract=off>
  $<$<AND:$<BOOL:${KRONITE_WERROR}>,$<COMPILE_LANGUAGE:CXX>>:-Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 warns of overlapping copies inside std::string's operator+ at -O3 (GCC PR 105651).
  target_compile_options(kronite_compile_options INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict>)
endif()
if(KRONITE_ARCH)
  target_compile_options(kronite_compile_options INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-march=${KRONITE_ARCH}>)
endif()

# kronite_options(target): warnings, language level and processor, private to the target.
function(kronite_options target)
  target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:kronite_compile_options>)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
endfunction()
