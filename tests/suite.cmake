# What `ctest` runs; included by CMakeLists.txt.

set(test_environment
    # A leak is a failure, and so is the use of a returned function's locals.
    "ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1"
    "UBSAN_OPTIONS=print_stacktrace=1"
    "SOURCE_DIR=${CMAKE_SOURCE_DIR}"
    "BUILD_DIR=${CMAKE_BINARY_DIR}"
    "CC=${CMAKE_C_COMPILER}")

# Programs run under valgrind on request; scripts never do.
set(runner "")
if(SIPSD_VALGRIND)
  find_program(VALGRIND valgrind REQUIRED)
  set(runner ${VALGRIND} --quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=all
             --errors-for-leak-kinds=all
             --suppressions=${CMAKE_CURRENT_SOURCE_DIR}/valgrind.supp)
endif()

# NAME LABEL TIMEOUT COMMAND...: the time-out, in seconds, is for what hangs, not for what is slow on
# a busy machine or under valgrind.
function(add_suite_test NAME LABEL TIMEOUT)
  if(SIPSD_VALGRIND)
    math(EXPR TIMEOUT "10 * ${TIMEOUT}")
  endif()
  add_test(NAME ${NAME} COMMAND ${ARGN} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${NAME} PROPERTIES LABELS ${LABEL} TIMEOUT ${TIMEOUT}
                       SKIP_RETURN_CODE 77 ENVIRONMENT "${test_environment}")
endfunction()

# Every header compiles alone: what it needs it includes.
file(GLOB headers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/*/*.h ${CMAKE_SOURCE_DIR}/include/sipsd/*.h)
set(sources "")
foreach(header IN LISTS headers)
  file(RELATIVE_PATH header ${CMAKE_SOURCE_DIR} ${header})
  set(source ${CMAKE_CURRENT_BINARY_DIR}/headers/${header}.c)
  file(GENERATE OUTPUT ${source} CONTENT "#include \"${CMAKE_SOURCE_DIR}/${header}\"\n")
  list(APPEND sources ${source})
endforeach()
if(sources)
  add_library(test_headers OBJECT ${sources})
  target_link_libraries(test_headers PRIVATE sipsd_warnings test_product PkgConfig::LIBUV
                                             PkgConfig::CARES)
endif()

# What several tests share, asserting for them; of an archive, only what a program asks for is linked.
function(add_shared NAME PATTERN)
  file(GLOB shared CONFIGURE_DEPENDS ${PATTERN})
  list(FILTER shared EXCLUDE REGEX "/test_")
  add_library(${NAME} STATIC ${shared})
  target_include_directories(${NAME} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(${NAME} PRIVATE sipsd_warnings PkgConfig::CMOCKA PUBLIC test_tools)
endfunction()

add_shared(test_unit unit/*/*.c)
file(GLOB sources CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} unit/*/test_*.c)
foreach(source IN LISTS sources)
  add_test_program(name ${source} PkgConfig::CMOCKA test_unit)
  string(REGEX REPLACE "\\.c$" "" test ${source})
  add_suite_test(${test} unit 180 ${runner} $<TARGET_FILE:${name}>)
endforeach()

# The simulated system goes in as objects, so that its loop_*, dns_* ... are there before the linker
# gets to the real ones in sipsd_sys, and those are never pulled in.
file(GLOB simulated CONFIGURE_DEPENDS sim/*.c)
file(GLOB sources CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} scenario/test_*.c)
if(simulated)
  add_library(test_sim OBJECT ${simulated})
  target_include_directories(test_sim PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(test_sim PRIVATE sipsd_warnings PkgConfig::CMOCKA test_product)
  add_shared(test_lab scenario/*.c)
  foreach(source IN LISTS sources)
    add_test_program(name ${source} PkgConfig::CMOCKA $<TARGET_OBJECTS:test_sim> test_lab)
    string(REGEX REPLACE "\\.c$" "" test ${source})
    add_suite_test(${test} scenario 180 ${runner} $<TARGET_FILE:${name}>)
  endforeach()
endif()

# Long rows of runs, each synced to the disk.
set_tests_properties(scenario/test_provision_cuts scenario/test_provision_many PROPERTIES TIMEOUT 600)

# With libFuzzer's own main the programs would need clang; with driver.c any compiler replays the
# corpus, and a fixed number of mutations of it.
if(NOT SIPSD_FUZZ)
  file(GLOB sources CONFIGURE_DEPENDS fuzz/fuzz_*.c)
  foreach(source IN LISTS sources)
    add_test_program(name ${source})
    target_sources(${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/driver.c)
    string(REGEX REPLACE "^fuzz_" "" corpus ${name})
    add_suite_test(fuzz/${corpus} fuzz 300 ${runner} $<TARGET_FILE:${name}>
                   ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus/${corpus})
  endforeach()
endif()

# Scripts get the built programs' paths: SIPSD, SIPSCTL, REGISTRAR, ...
find_package(Python3 REQUIRED COMPONENTS Interpreter)
foreach(program sipsd sipsctl sipsd-factory registrar testpki mkbuiltin tlspeer fetch certload killat)
  if(TARGET ${program})
    string(TOUPPER ${program} variable)
    string(REPLACE "-" "_" variable ${variable})
    list(APPEND test_environment "${variable}=$<TARGET_FILE:${program}>")
  endif()
endforeach()
list(APPEND test_environment "PYTHONPATH=${CMAKE_CURRENT_SOURCE_DIR}/interop"
     "PYTHONDONTWRITEBYTECODE=1")

file(GLOB scripts CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} interop/test_*.py)
foreach(script IN LISTS scripts)
  string(REGEX REPLACE "\\.py$" "" test ${script})
  add_suite_test(${test} interop 180 ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/${script})
endforeach()

# sipsd is started twice for each of some thirty steps.
set_tests_properties(interop/test_provision_killed PROPERTIES TIMEOUT 600)

# Chains that are generated, and public ones where they are there, through `sipsctl verify`.
file(GLOB scripts CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} certs/test_*.py)
foreach(script IN LISTS scripts)
  string(REGEX REPLACE "\\.py$" "" test ${script})
  add_suite_test(${test} certs 600 ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/${script})
endforeach()

file(GLOB scripts CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} style/test_*.py style/test_*.sh)
foreach(script IN LISTS scripts)
  string(REGEX REPLACE "\\.(py|sh)$" "" test ${script})
  if(script MATCHES "\\.py$")
    set(interpreter ${Python3_EXECUTABLE})
  else()
    set(interpreter sh)
  endif()
  add_suite_test(${test} style 300 ${interpreter} ${CMAKE_CURRENT_SOURCE_DIR}/${script})
endforeach()
