# One static library per folder of src/, linked to exactly the folders that it may know.
#
#   tripos_folder(log KNOWS model io USES ZSTD::ZSTD)
#
# Every *.cc of the folder (and its subfolders that have no CMakeLists.txt of their own) belongs to it, except *_test.cc, which
# make up the one test program of the folder, and main.cc, which is a program's and not the library's. THREADS: there are several, so
# that its tests are among those that run under the thread sanitizer.
if(TRIPOS_TESTS)
  add_custom_target(unit_tests)  # all of them: what runs under sanitizers
  add_custom_target(threads_tests)
endif()

function(tripos_folder name)
  cmake_parse_arguments(ARG "THREADS" "" "KNOWS;USES;SOURCES;TEST_KNOWS;TEST_USES" ${ARGN})
  string(REPLACE "/" "_" target ${name})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  file(GLOB_RECURSE nested CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*/CMakeLists.txt)
  foreach(list_file ${nested})
    get_filename_component(nested_folder ${list_file} DIRECTORY)
    list(FILTER sources EXCLUDE REGEX "^${nested_folder}/")
  endforeach()
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "(_test|/main)\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  add_library(tripos_${target} STATIC ${sources} ${ARG_SOURCES})
  # Public towards our own folders: their headers name each other's types. The tidy test holds the includes to the list in
  # docs/architecture.md.
  foreach(known ${ARG_KNOWS})
    string(REPLACE "/" "_" known ${known})
    target_link_libraries(tripos_${target} PUBLIC tripos_${known})
  endforeach()
  target_link_libraries(tripos_${target} PUBLIC tripos_options PRIVATE ${ARG_USES})
  tripos_precompile(tripos_${target})
  if(TRIPOS_TESTS AND tests)
    add_executable(${target}_test ${tests})
    tripos_compile_test(${target}_test)
    target_link_libraries(${target}_test PRIVATE tripos_${target} ${ARG_USES} ${ARG_TEST_USES} GTest::gtest_main)
    foreach(known ${ARG_TEST_KNOWS})
      string(REPLACE "/" "_" known ${known})
      target_link_libraries(${target}_test PRIVATE tripos_${known})
    endforeach()
    add_test(NAME ${target} COMMAND ${target}_test)
    set_tests_properties(${target} PROPERTIES LABELS unit)
    add_dependencies(unit_tests ${target}_test)
    if(ARG_THREADS)
      set_tests_properties(${target} PROPERTIES LABELS "unit;threads")
      add_dependencies(threads_tests ${target}_test)
    endif()
  endif()
endfunction()
