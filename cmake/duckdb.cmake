# DuckDB without linking to it: the server must not carry its 70 MB, so libduckdb.so is opened when a worker starts.
#
# For every function that duckdb.h declares, a trampoline of the same name is assembled; it jumps to an address that
# load_duckdb() (worker/duckdb_library.h) has put into the table beside it. Code of src/worker includes duckdb.h and calls
# its functions as if it were linked.
set(TRIPOS_DUCKDB ${CMAKE_SOURCE_DIR}/build/deps/duckdb CACHE PATH "Where tools/fetch_duckdb has put DuckDB")
if(NOT EXISTS ${TRIPOS_DUCKDB}/include/duckdb.h OR NOT EXISTS ${TRIPOS_DUCKDB}/lib/libduckdb.so)
  execute_process(COMMAND ${CMAKE_SOURCE_DIR}/tools/fetch_duckdb ${TRIPOS_DUCKDB} RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "DuckDB is missing: run tools/fetch_duckdb")
  endif()
endif()
if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  message(FATAL_ERROR "The trampolines to DuckDB are written for x86-64, not for ${CMAKE_SYSTEM_PROCESSOR}")
endif()

function(tripos_duckdb_trampolines assembly_file names_file)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${TRIPOS_DUCKDB}/include/duckdb.h)
  file(READ ${TRIPOS_DUCKDB}/include/duckdb.h header)
  string(REGEX MATCHALL "DUCKDB_C_API[ \na-zA-Z0-9_*]+\\(" declarations "${header}")
  set(assembly "# Made by cmake/duckdb.cmake from duckdb.h.\n.text\n")
  set(names "// Made by cmake/duckdb.cmake from duckdb.h.\n")
  set(count 0)
  foreach(declaration ${declarations})
    if(NOT declaration MATCHES "(duckdb_[a-zA-Z0-9_]+)\\($")
      continue()  # the macro's own definition
    endif()
    set(name ${CMAKE_MATCH_1})
    math(EXPR position "${count} * 8")
    string(APPEND assembly ".globl ${name}\n.hidden ${name}\n.type ${name}, @function\n"
                           "${name}: endbr64\n jmp *tripos_duckdb_functions+${position}(%rip)\n")
    string(APPEND names "TRIPOS_DUCKDB_FUNCTION(${name})\n")
    math(EXPR count "${count} + 1")
  endforeach()
  math(EXPR size "${count} * 8")
  string(APPEND assembly ".bss\n.balign 8\n.globl tripos_duckdb_functions\n.hidden tripos_duckdb_functions\n"
    "tripos_duckdb_functions: .zero ${size}\n.section .note.GNU-stack,\"\",@progbits\n")
  file(CONFIGURE OUTPUT ${assembly_file} CONTENT "${assembly}" @ONLY)
  file(CONFIGURE OUTPUT ${names_file} CONTENT "${names}" @ONLY)
endfunction()

# The library beside the programs, where they look for it: $ORIGIN/lib.
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
execute_process(COMMAND ${CMAKE_COMMAND} -E create_hardlink ${TRIPOS_DUCKDB}/lib/libduckdb.so ${CMAKE_BINARY_DIR}/lib/libduckdb.so
  RESULT_VARIABLE failed ERROR_QUIET OUTPUT_QUIET)
if(failed)
  file(COPY_FILE ${TRIPOS_DUCKDB}/lib/libduckdb.so ${CMAKE_BINARY_DIR}/lib/libduckdb.so ONLY_IF_DIFFERENT)
endif()
