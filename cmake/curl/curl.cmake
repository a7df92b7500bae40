# curl, static, as the HTTP client of control/fetch: the target `curl`. curl_config.h says what is in it.
#
# The source is Debian's (fetch.sh says how it comes), kept in SIPSD_DEPS, or a directory given with
# -DCURL_SOURCE_DIR for building without a network. It is compiled where it lies, unchanged.

set(_here ${CMAKE_CURRENT_LIST_DIR})

find_source(_source curl curl)
check_source(${_source} curl include/curl/curlver.h LIBCURL_VERSION 8.14.1 8.15)

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
