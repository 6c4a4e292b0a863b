# Precompiled headers. For the unoptimised build (./run quick), where reading the standard library and fmt is most of what a translation
# unit costs: one precompiled header of them, made with tripos_base, serves every folder. Other builds are unity builds (CMAKE_UNITY_BUILD),
# which read them once for twelve files. So a file that forgets an include, or a name that two files of a folder give to different things,
# fails in one of the two.
option(TRIPOS_PRECOMPILE "Build with a precompiled header" OFF)
set(CMAKE_UNITY_BUILD_BATCH_SIZE 12)

if(TRIPOS_PRECOMPILE AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  # g++ 12 forgets, for its late warnings, that what is inlined from a precompiled header came from the system's headers, and shows
  # false alarms of std::string (libstdc++'s bug 109299) that it otherwise keeps to itself.
  add_compile_options(-Wno-array-bounds -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread)
endif()

set(precompiled <algorithm> <array> <atomic> <charconv> <chrono> <cstdint> <deque> <functional> <map> <memory> <mutex> <optional> <set>
  <span> <string> <string_view> <thread> <unordered_map> <utility> <variant> <vector> <fmt/format.h> <tl/expected.hpp>)

# Made with target `owner`, which comes first; used by all others, which are compiled with the same options.
function(tripos_precompile_once owner target)
  if(target STREQUAL owner)
    target_precompile_headers(${target} PRIVATE ${ARGN})
  else()
    target_precompile_headers(${target} REUSE_FROM ${owner})
  endif()
endfunction()

function(tripos_precompile target)
  if(TRIPOS_PRECOMPILE)
    tripos_precompile_once(tripos_base ${target} ${precompiled})
  endif()
endfunction()

# Tests: never optimised, since what a test itself does is not worth the time; no unity build, since fixtures of a folder have the same
# names; so always with a precompiled header, theirs.
function(tripos_compile_test target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD OFF)
  target_compile_options(${target} PRIVATE -O0)
  tripos_precompile_once(base_test ${target} ${precompiled} <gtest/gtest.h>)
endfunction()
