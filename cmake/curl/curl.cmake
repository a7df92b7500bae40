# curl, static, as the HTTP client of control/fetch: the target `curl`. curl_config.h says what is in it.
#
# The source is Debian's (fetch.sh says how it comes), kept in SIPSD_DEPS, or a directory given with
# -DCURL_SOURCE_DIR for building without a network. It is compiled where it lies, unchanged.

set(CURL_SOURCE_DIR "" CACHE PATH "Unpacked curl 8.14 source; empty: fetch Debian's")
set(_here ${CMAKE_CURRENT_LIST_DIR})

# Sets OUT to the directory that has the source, fetching it when there is none.
function(curl_find_source OUT)
  if(CURL_SOURCE_DIR)
    set(${OUT} ${CURL_SOURCE_DIR} PARENT_SCOPE)
    return()
  endif()
  execute_process(COMMAND ${_here}/fetch.sh ${SIPSD_DEPS}/curl RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "curl could not be fetched (see above); to build without a network, give "
                        "its source with -DCURL_SOURCE_DIR=DIR")
  endif()
  set(${OUT} ${SIPSD_DEPS}/curl/src PARENT_SCOPE)
endfunction()

function(curl_check_version SOURCE)
  set(header ${SOURCE}/include/curl/curlver.h)
  if(NOT EXISTS ${header} OR NOT EXISTS ${SOURCE}/lib/multi.c)
    message(FATAL_ERROR "${SOURCE} is not a curl source tree")
  endif()
  file(STRINGS ${header} line REGEX "define LIBCURL_VERSION ")
  string(REGEX MATCH "[0-9]+\\.[0-9]+\\.[0-9]+" version "${line}")
  if(version VERSION_LESS 8.14.1 OR NOT version VERSION_LESS 8.15)
    message(FATAL_ERROR "curl ${version} in ${SOURCE}: it must be 8.14, and at least 8.14.1")
  endif()
  message(STATUS "curl ${version} from ${SOURCE}")
endfunction()

curl_find_source(_source)
curl_check_version(${_source})

# Listed by us, not by its own CMake files: those look for a machine's libraries, and build for them.
# What curl_config.h leaves out compiles to nothing.
file(GLOB _files ${_source}/lib/*.c ${_source}/lib/curlx/*.c ${_source}/lib/vauth/*.c
     ${_source}/lib/vquic/*.c ${_source}/lib/vtls/*.c)
list(FILTER _files EXCLUDE REGEX "/dllmain\\.c$")

add_library(curl STATIC ${_files} ${_here}/system.c)
# SYSTEM keeps our warnings out of its headers; before /usr/include, where another version may be.
target_include_directories(curl SYSTEM BEFORE PUBLIC ${_source}/include PRIVATE ${_here}
                           ${_source}/lib)
target_compile_definitions(curl PUBLIC CURL_STATICLIB PRIVATE HAVE_CONFIG_H BUILDING_LIBCURL
                           CURL_HIDDEN_SYMBOLS)
target_compile_options(curl PRIVATE -w)
