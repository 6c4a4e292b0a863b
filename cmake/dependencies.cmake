# What Tripos builds on. tools/packages installs it; nothing here downloads.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(tl-expected REQUIRED)
find_package(ZLIB REQUIRED)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(LZ4 REQUIRED IMPORTED_TARGET liblz4)
find_package(Snappy REQUIRED)
find_package(simdjson REQUIRED)
find_package(Boost 1.81 REQUIRED)  # headers only: Asio, Beast, JSON
