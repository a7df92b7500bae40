# The libraries that come as source: where it is, and whether it is one that fits.

# Where fetched sources are kept; the environment's is for several trees.
set(_deps ${CMAKE_SOURCE_DIR}/.deps)
if(NOT "$ENV{SIPSD_DEPS}" STREQUAL "")
  set(_deps $ENV{SIPSD_DEPS})
endif()
set(SIPSD_DEPS ${_deps} CACHE PATH "Where fetched sources are kept")

# Sets OUT to the directory that has the pristine source of NAME, which people call TITLE: the one given
# with -D<NAME>_SOURCE_DIR for building without a network, or Debian's, that NAME/fetch.sh fetches into
# SIPSD_DEPS when it is not there.
function(find_source OUT NAME TITLE)
  string(TOUPPER ${NAME}_SOURCE_DIR option)
  set(${option} "" CACHE PATH "Unpacked ${TITLE} source; empty: fetch Debian's")
  if(${option})
    set(${OUT} ${${option}} PARENT_SCOPE)
    return()
  endif()
  execute_process(COMMAND ${CMAKE_SOURCE_DIR}/cmake/${NAME}/fetch.sh ${SIPSD_DEPS}/${NAME}
                  RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "${TITLE} could not be fetched (see above); to build without a network, give "
                        "its source with -D${option}=DIR")
  endif()
  set(${OUT} ${SIPSD_DEPS}/${NAME}/src PARENT_SCOPE)
endfunction()

# Stops unless SOURCE is TITLE in a version from MIN on, below LIMIT: what its HEADER defines MACRO as.
function(check_source SOURCE TITLE HEADER MACRO MIN LIMIT)
  if(NOT EXISTS ${SOURCE}/${HEADER})
    message(FATAL_ERROR "${SOURCE} is not the source of ${TITLE}: there is no ${HEADER} in it")
  endif()
  file(STRINGS ${SOURCE}/${HEADER} line REGEX "define ${MACRO} ")
  string(REGEX MATCH "[0-9]+\\.[0-9]+\\.[0-9]+" version "${line}")
  if(version VERSION_LESS ${MIN} OR NOT version VERSION_LESS ${LIMIT})
    message(FATAL_ERROR "${TITLE} ${version} in ${SOURCE}: it must be at least ${MIN}, and below ${LIMIT}")
  endif()
  message(STATUS "${TITLE} ${version} from ${SOURCE}")
endfunction()
