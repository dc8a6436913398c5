# Installs the library, headers, program, module and CMake package.
include(CMakePackageConfigHelpers)
install(TARGETS kronite EXPORT kroniteTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY include/kronite ${PROJECT_BINARY_DIR}/include/kronite
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
install(EXPORT kroniteTargets NAMESPACE kronite:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/kronite)
configure_package_config_file(cmake/kroniteConfig.cmake.in ${PROJECT_BINARY_DIR}/kroniteConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/kronite)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/kroniteConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/kroniteConfig.cmake ${PROJECT_BINARY_DIR}/kroniteConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/kronite)
