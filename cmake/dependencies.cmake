# All from the distribution's packages; nothing is downloaded at configure time.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(ZLIB REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(tl-expected REQUIRED)
find_package(CLI11 REQUIRED)
find_package(yaml-cpp REQUIRED)
# pkg-config, not find_package(prometheus-cpp): the CMake config also demands civetweb and curl, which
# only the pull and push libraries need.
pkg_check_modules(PROMETHEUS_CPP_CORE REQUIRED IMPORTED_TARGET prometheus-cpp-core)
pkg_check_modules(LIBNL REQUIRED IMPORTED_TARGET libnl-3.0)
