# How everything is compiled. Directory-wide: the language, sanitizers and hardening, which mbedTLS
# shares. The target sipsd_warnings is for the project's own code only.

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

# No -DNDEBUG in any build: a failed assertion is a broken invariant in a program that decides whom to
# trust, and a restart by init is better than going on.
set(CMAKE_C_FLAGS_DEBUG "-Og -g")
if(SIPSD_SANITIZE) # lines are all that a report shows; the rest makes linking slow
  set(CMAKE_C_FLAGS_DEBUG "-Og -g1")
endif()
set(CMAKE_C_FLAGS_MINSIZEREL "-Os -g")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g")
set(CMAKE_C_FLAGS_RELEASE "-O2")

# POSIX.1-2008 and the few Linux calls that sys/ needs.
add_compile_definitions(_GNU_SOURCE)
add_compile_options(-fno-common -ffunction-sections -fdata-sections)
add_link_options(-Wl,--gc-sections)

if(SIPSD_SANITIZE)
  add_compile_options(-fsanitize=${SIPSD_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  string(REPLACE "fuzzer-no-link," "" _at_link "${SIPSD_SANITIZE}")
  add_link_options(-fsanitize=${_at_link})
else()
  include(CheckPIESupported)
  check_pie_supported(LANGUAGES C)
  add_compile_options(-fstack-protector-strong -fstack-clash-protection)
  add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack)
  if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug") # it needs an optimising build
    add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
  endif()
endif()

if(SIPSD_LTO)
  include(CheckIPOSupported)
  check_ipo_supported(LANGUAGES C)
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
endif()

add_library(sipsd_warnings INTERFACE)
# Clang counts {NULL}, which is the empty initialiser of C11, as a missing field; GCC does not. Text
# that is too long for people is cut by snprintf() on purpose.
target_compile_options(
  sipsd_warnings INTERFACE -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wvla -Wformat=2
                           -Wno-missing-field-initializers
                           $<$<C_COMPILER_ID:GNU>:-Wno-format-truncation> -Werror)
