# The standard library and fmt are half of what a translation unit costs: one precompiled header of them, made with tripos_base,
# serves every folder. Not where ccache keeps the objects: it would have to keep one for each folder that a clone lies in. So both
# ways are built, and a file that forgets an include fails without the header.
if(CCACHE)
  set(precompile_default OFF)
else()
  set(precompile_default ON)
endif()
option(TRIPOS_PRECOMPILE "Build with a precompiled header" ${precompile_default})

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
