# A room is a folder under src/ with a CMakeLists.txt of its own; its tests mirror it under tests/.

add_library(funcpipe_flags INTERFACE)
target_include_directories(funcpipe_flags INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_options(funcpipe_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wno-missing-field-initializers)
if(FUNCPIPE_SANITIZE)
  target_compile_options(funcpipe_flags INTERFACE -fsanitize=${FUNCPIPE_SANITIZE} -fno-omit-frame-pointer -g1)
  target_link_options(funcpipe_flags INTERFACE -fsanitize=${FUNCPIPE_SANITIZE})
  target_sources(funcpipe_flags INTERFACE
    $<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:${PROJECT_SOURCE_DIR}/cmake/sanitizer_options.cpp>)
endif()
find_program(MOLD_LINKER mold)
if(MOLD_LINKER)
  target_link_options(funcpipe_flags INTERFACE -fuse-ld=mold)
endif()

function(funcpipe_rooms)
  foreach(room IN LISTS ARGN)
    add_subdirectory(src/${room})
    if(FUNCPIPE_TESTS AND EXISTS ${PROJECT_SOURCE_DIR}/tests/${room}/CMakeLists.txt)
      add_subdirectory(tests/${room})
    endif()
  endforeach()
endfunction()

# Headers that many targets include are parsed once, by the target that names the header, for all that name the target.
# No source may rely on it: each includes what it uses (`./dev check` compiles without).
function(funcpipe_precompile target named_by)
  if(named_by MATCHES "\\.h$")
    target_precompile_headers(${target} PRIVATE ${named_by})
  elseif(NOT named_by STREQUAL target)
    target_precompile_headers(${target} REUSE_FROM ${named_by})
  endif()
endfunction()

# funcpipe_library(NAME SOURCES a.cpp ... USES room ... LIBRARIES third-party ... [PRECOMPILED header.h | target])
function(funcpipe_library name)
  cmake_parse_arguments(ARG "" "PRECOMPILED" "SOURCES;USES;LIBRARIES" ${ARGN})
  list(TRANSFORM ARG_USES PREPEND funcpipe_)
  if(ARG_SOURCES)
    add_library(funcpipe_${name} STATIC ${ARG_SOURCES})
    target_link_libraries(funcpipe_${name} PUBLIC funcpipe_flags ${ARG_USES} ${ARG_LIBRARIES})
    if(NOT ARG_PRECOMPILED)
      set(ARG_PRECOMPILED funcpipe_base)
    endif()
    funcpipe_precompile(funcpipe_${name} ${ARG_PRECOMPILED})
  else()
    add_library(funcpipe_${name} INTERFACE)
    target_link_libraries(funcpipe_${name} INTERFACE funcpipe_flags ${ARG_USES} ${ARG_LIBRARIES})
  endif()
endfunction()

# funcpipe_test(NAME SOURCES a_test.cpp ... USES room ... [TIMEOUT seconds] [LABELS label ...] [PRECOMPILED header.h |
# target]): one binary, one ctest entry.
function(funcpipe_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT;PRECOMPILED" "SOURCES;USES;LIBRARIES;LABELS" ${ARGN})
  list(TRANSFORM ARG_USES PREPEND funcpipe_)
  add_executable(${name}_test ${ARG_SOURCES})
  target_link_libraries(${name}_test PRIVATE funcpipe_flags ${ARG_USES} ${ARG_LIBRARIES} GTest::gmock GTest::gtest_main)
  target_include_directories(${name}_test PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_compile_definitions(${name}_test PRIVATE FUNCPIPE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  # -O1 compiles sooner; what is tested is built as it is shipped. There GCC 12 warns of strings that are in order.
  target_compile_options(${name}_test PRIVATE -O1 -Wno-array-bounds -Wno-stringop-overflow)
  if(NOT ARG_PRECOMPILED)
    set(ARG_PRECOMPILED base_test)
  endif()
  funcpipe_precompile(${name}_test ${ARG_PRECOMPILED})
  add_test(NAME ${name} COMMAND ${name}_test)
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  if(FUNCPIPE_SANITIZE)
    math(EXPR ARG_TIMEOUT "${ARG_TIMEOUT} * 5")  # sanitizers slow programs down by up to an order of magnitude
  endif()
  # A core each: libtorch's threads wait for one another by spinning, worst where more run than there are cores. On two busy
  # ones model_zoo wants 26 s of processor time with one thread, and was not done after 109 s with two (libtorch 2.6).
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}" ENVIRONMENT "OMP_NUM_THREADS=1")
endfunction()
