# Installs the library, headers, CMake package and licence; the program and the CUDA module are
# installed where they are made (src/cli, src/cuda).
if(NOT KRONITE_INSTALL)
  return()
endif()
include(CMakePackageConfigHelpers)
set(KRONITE_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/kronite)

install(TARGETS kronite EXPORT kroniteTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY include/kronite ${PROJECT_BINARY_DIR}/include/kronite
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
# The library carries the data of data/, so their licences go where it goes.
install(FILES LICENSE data/PROVENANCE.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY data/licenses DESTINATION ${CMAKE_INSTALL_DOCDIR})

install(EXPORT kroniteTargets NAMESPACE kronite:: DESTINATION ${KRONITE_CMAKE_DIR})
configure_package_config_file(cmake/kroniteConfig.cmake.in ${PROJECT_BINARY_DIR}/kroniteConfig.cmake
  INSTALL_DESTINATION ${KRONITE_CMAKE_DIR} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/kroniteConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/kroniteConfig.cmake ${PROJECT_BINARY_DIR}/kroniteConfigVersion.cmake
  DESTINATION ${KRONITE_CMAKE_DIR})
