# For the unoptimised build (./run quick), where reading the standard library and fmt is most of what a translation unit costs: one
# precompiled header of them, made with tripos_base, serves every folder. Other builds are unity builds (CMAKE_UNITY_BUILD), which read
# them once for twelve files. So a file that forgets an include, or a name that two files of a folder give to different things, fails in
# one of the two.
option(TRIPOS_PRECOMPILE "Build with a precompiled header" OFF)
set(CMAKE_UNITY_BUILD_BATCH_SIZE 12)

if(TRIPOS_PRECOMPILE AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  # g++ 12 forgets, for its late warnings, that what is inlined from a precompiled header came from the system's headers, and shows
  # false alarms of std::string (libstdc++'s bug 109299) that it otherwise keeps to itself.
  add_compile_options(-Wno-array-bounds -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread)
endif()

function(tripos_precompile target)
  if(NOT TRIPOS_PRECOMPILE)
    return()
  endif()
  if(target STREQUAL tripos_base)
    target_precompile_headers(${target} PRIVATE <algorithm> <array> <atomic> <charconv> <chrono> <cstdint> <deque> <functional> <map>
      <memory> <mutex> <optional> <set> <span> <string> <string_view> <thread> <unordered_map> <utility> <variant> <vector>
      <fmt/format.h> <tl/expected.hpp>)
  else()
    target_precompile_headers(${target} REUSE_FROM tripos_base)
  endif()
endfunction()
