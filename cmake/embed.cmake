# kronite_embed(target symbol file): the bytes of a file become part of the target, read-only and
# aligned to 64 bytes, behind
#
#   namespace kronite::embedded { std::span<const std::byte> symbol(); }
#
# which the code that reads them declares. The assembler copies the file as it is, so that megabytes
# cost no compile time.
function(kronite_embed target symbol file)
  cmake_path(ABSOLUTE_PATH file NORMALIZE)
  if(NOT EXISTS ${file})
    message(FATAL_ERROR "kronite_embed: there is no file ${file}")
  endif()
  set(source ${CMAKE_CURRENT_BINARY_DIR}/embedded_${symbol}.cpp)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/embedded.cpp.in ${source} @ONLY)
  # Properties of a source are seen by targets of its own folder only, unless told otherwise.
  set_property(SOURCE ${source} TARGET_DIRECTORY ${target} APPEND PROPERTY OBJECT_DEPENDS ${file})
  target_sources(${target} PRIVATE ${source})
endfunction()
