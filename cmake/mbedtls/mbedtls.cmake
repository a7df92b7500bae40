# mbedTLS 3.6, static, with our own configuration and patches: the target `mbedtls`.
#
# The source is Debian's (fetch.sh says how it comes), kept in SIPSD_DEPS, or a directory given with
# -DMBEDTLS_SOURCE_DIR for building without a network. It is copied into the build directory and the
# patches are applied to the copy.

set(_here ${CMAKE_CURRENT_LIST_DIR})
set(MBEDTLS_DIR ${CMAKE_BINARY_DIR}/mbedtls-source)

# Copies SOURCE to MBEDTLS_DIR and applies the patches, unless that is what is there already.
function(mbedtls_prepare SOURCE)
  file(GLOB patches CONFIGURE_DEPENDS ${_here}/patches/*.patch)
  set(key "${SOURCE}")
  foreach(patch IN LISTS patches)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${patch})
    file(SHA256 ${patch} hash)
    string(APPEND key "\n${hash}")
  endforeach()
  set(stamp ${MBEDTLS_DIR}/.prepared)
  if(EXISTS ${stamp})
    file(READ ${stamp} prepared)
    if(prepared STREQUAL key)
      return()
    endif()
  endif()

  file(REMOVE_RECURSE ${MBEDTLS_DIR})
  file(MAKE_DIRECTORY ${MBEDTLS_DIR}/3rdparty)
  foreach(part include library 3rdparty/everest)
    # Not file(COPY): it keeps the old dates, and a file whose patch is gone would not be compiled again.
    execute_process(COMMAND cp -R ${SOURCE}/${part} ${MBEDTLS_DIR}/${part} RESULT_VARIABLE failed)
    if(failed)
      message(FATAL_ERROR "mbedTLS: cannot copy ${SOURCE}/${part}")
    endif()
  endforeach()
  foreach(patch IN LISTS patches)
    execute_process(COMMAND patch --quiet --strip=1 --fuzz=0 --no-backup-if-mismatch --batch
                            --input=${patch}
                    WORKING_DIRECTORY ${MBEDTLS_DIR}
                    RESULT_VARIABLE failed OUTPUT_VARIABLE said ERROR_VARIABLE said)
    if(failed)
      message(FATAL_ERROR "mbedTLS: the patch ${patch} does not apply to ${SOURCE}:\n${said}")
    endif()
  endforeach()
  file(WRITE ${stamp} "${key}")
endfunction()

find_source(_source mbedtls mbedTLS)
check_source(${_source} mbedTLS include/mbedtls/build_info.h MBEDTLS_VERSION_STRING 3.6.7 3.7)
mbedtls_prepare(${_source})

# Listed by us, not by its own CMake files: Debian's lack Everest, and bring programs and tests.
set(_everest ${MBEDTLS_DIR}/3rdparty/everest)
set(_everest_files ${_everest}/library/everest.c ${_everest}/library/x25519.c
                   ${_everest}/library/Hacl_Curve25519_joined.c)
file(GLOB _files CONFIGURE_DEPENDS ${MBEDTLS_DIR}/library/*.c)

add_library(mbedtls STATIC ${_files} ${_everest_files} ${_here}/psa_rng.c)
# SYSTEM keeps our warnings out of its headers; it still comes before /usr/include, where another
# version may be.
target_include_directories(mbedtls SYSTEM PUBLIC ${_here}/.. ${MBEDTLS_DIR}/include
                                                 ${_everest}/include
                           PRIVATE ${MBEDTLS_DIR}/library ${_everest}/include/everest
                                   ${_everest}/include/everest/kremlib)
target_compile_definitions(mbedtls PUBLIC MBEDTLS_CONFIG_FILE="mbedtls/config.h")

# Where a handshake and a record spend their time, -O2 whatever the build is: full speed for 13 KB.
# Never -O3: GCC miscompiles GCM with it.
foreach(hot bignum bignum_core ecp ecp_curves constant_time sha256 sha512 aes aesni gcm chacha20
            poly1305)
  set_property(SOURCE ${MBEDTLS_DIR}/library/${hot}.c PROPERTY COMPILE_OPTIONS -O2)
endforeach()
set_property(SOURCE ${_everest_files} PROPERTY COMPILE_OPTIONS -O2 -w)

# Arithmetic is not what fuzzing is about: without instrumentation there are many times as many runs.
if(SIPSD_FUZZ)
  foreach(plain bignum bignum_core ecp ecp_curves ecdsa ecdh sha256 sha512)
    set_property(SOURCE ${MBEDTLS_DIR}/library/${plain}.c APPEND PROPERTY COMPILE_OPTIONS
                 -O2 -fno-sanitize=${SIPSD_SANITIZE})
  endforeach()
  set_property(SOURCE ${_everest_files} APPEND PROPERTY COMPILE_OPTIONS
               -fno-sanitize=${SIPSD_SANITIZE})
endif()
