# The libraries that the system brings; mbedTLS we build ourselves (mbedtls/mbedtls.cmake).
find_package(PkgConfig REQUIRED)
pkg_check_modules(LIBUV REQUIRED IMPORTED_TARGET libuv>=1.40)
pkg_check_modules(CARES REQUIRED IMPORTED_TARGET libcares>=1.17)
pkg_check_modules(OSIP REQUIRED IMPORTED_TARGET libosip2>=5.3)
pkg_check_modules(CJSON REQUIRED IMPORTED_TARGET libcjson>=1.7.14)
if(SIPSD_TESTS)
  pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka>=1.1.5)
endif()
