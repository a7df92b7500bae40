/*
 * curl as sipsd builds it: an HTTP client and a parser of URLs, nothing else.
 *
 * Its connections are opened by link/channel, with TLS and our judgement of the peer, and curl gets
 * one end of a socket pair. So it needs no TLS library, no resolver, no proxies, and none
 * of the other protocols that it knows. What a 64-bit or 32-bit Linux with any C library has is
 * written down here, not searched for.
 */
#ifndef SIPSD_CURL_CONFIG_H
#define SIPSD_CURL_CONFIG_H

#define CURL_OS           "Linux"
#define _FILE_OFFSET_BITS 64

/* --- what is left out --- */
#define CURL_DISABLE_ALTSVC          1
#define CURL_DISABLE_AWS             1
#define CURL_DISABLE_BEARER_AUTH     1
#define CURL_DISABLE_BINDLOCAL       1
#define CURL_DISABLE_CA_SEARCH       1
#define CURL_DISABLE_COOKIES         1
#define CURL_DISABLE_DICT            1
#define CURL_DISABLE_DOH             1
#define CURL_DISABLE_FILE            1
#define CURL_DISABLE_FORM_API        1
#define CURL_DISABLE_FTP             1
#define CURL_DISABLE_GETOPTIONS      1
#define CURL_DISABLE_GOPHER          1
#define CURL_DISABLE_HSTS            1
#define CURL_DISABLE_IMAP            1
#define CURL_DISABLE_IPFS            1
#define CURL_DISABLE_KERBEROS_AUTH   1
#define CURL_DISABLE_LDAP            1
#define CURL_DISABLE_LDAPS           1
#define CURL_DISABLE_LIBCURL_OPTION  1
#define CURL_DISABLE_MIME            1
#define CURL_DISABLE_MQTT            1
#define CURL_DISABLE_NEGOTIATE_AUTH  1
#define CURL_DISABLE_NETRC           1
#define CURL_DISABLE_NTLM            1
#define CURL_DISABLE_POP3            1
#define CURL_DISABLE_PROGRESS_METER  1
#define CURL_DISABLE_PROXY           1
#define CURL_DISABLE_RTSP            1
#define CURL_DISABLE_SHA512_256      1
#define CURL_DISABLE_SHUFFLE_DNS     1
#define CURL_DISABLE_SMB             1
#define CURL_DISABLE_SMTP            1
#define CURL_DISABLE_SOCKETPAIR      1
#define CURL_DISABLE_TELNET          1
#define CURL_DISABLE_TFTP            1
#define CURL_DISABLE_VERBOSE_STRINGS 1
#define CURL_DISABLE_WEBSOCKETS      1

/* --- Linux --- */
#define STDC_HEADERS                    1
#define HAVE_ARPA_INET_H                1
#define HAVE_BOOL_T                     1
#define HAVE_CLOCK_GETTIME_MONOTONIC    1
#define HAVE_FCNTL                      1
#define HAVE_FCNTL_H                    1
#define HAVE_FCNTL_O_NONBLOCK           1
#define HAVE_FREEADDRINFO               1
#define HAVE_GETADDRINFO                1
#define HAVE_GETADDRINFO_THREADSAFE     1
#define HAVE_GETTIMEOFDAY               1
#define HAVE_GMTIME_R                   1
#define HAVE_INET_NTOP                  1
#define HAVE_INET_PTON                  1
#define HAVE_LOCALE_H                   1
#define HAVE_LONGLONG                   1
#define HAVE_MEMRCHR                    1
#define HAVE_MSG_NOSIGNAL               1
#define HAVE_NETDB_H                    1
#define HAVE_NETINET_IN_H               1
#define HAVE_NETINET_TCP_H              1
#define HAVE_NET_IF_H                   1
#define HAVE_POLL                       1
#define HAVE_POLL_H                     1
#define HAVE_RECV                       1
#define HAVE_SA_FAMILY_T                1
#define HAVE_SELECT                     1
#define HAVE_SEND                       1
#define HAVE_SIGACTION                  1
#define HAVE_SNPRINTF                   1
#define HAVE_SOCKADDR_IN6_SIN6_SCOPE_ID 1
#define HAVE_SOCKET                     1
#define HAVE_STDATOMIC_H                1
#define HAVE_ATOMIC                     1
#define HAVE_STDBOOL_H                  1
#define HAVE_STDINT_H                   1
#define HAVE_STRCASECMP                 1
#define HAVE_STRDUP                     1
#define HAVE_STRINGS_H                  1
#define HAVE_STRUCT_SOCKADDR_STORAGE    1
#define HAVE_STRUCT_TIMEVAL             1
#define HAVE_SUSECONDS_T                1
#define HAVE_SYS_IOCTL_H                1
#define HAVE_SYS_PARAM_H                1
#define HAVE_SYS_POLL_H                 1
#define HAVE_SYS_SELECT_H               1
#define HAVE_SYS_SOCKET_H               1
#define HAVE_SYS_STAT_H                 1
#define HAVE_SYS_TIME_H                 1
#define HAVE_SYS_TYPES_H                1
#define HAVE_UNISTD_H                   1

/* curl sees no address of the peer's, but the URL may hold one. */
#define USE_IPV6 1

#define SIZEOF_INT           __SIZEOF_INT__
#define SIZEOF_LONG          __SIZEOF_LONG__
#define SIZEOF_SIZE_T        __SIZEOF_SIZE_T__
#define SIZEOF_TIME_T        __SIZEOF_LONG__
#define SIZEOF_OFF_T         8
#define SIZEOF_CURL_OFF_T    8
#define SIZEOF_CURL_SOCKET_T __SIZEOF_INT__

/*
 * From system.c: the kernel's random numbers, for the client's nonce in digest authentication (only
 * newer C libraries have an arc4random() of their own); and a look-up that always fails, because
 * the C library's would block the loop. curl needs none, see NOWHERE in control/transfer.
 */
#include <stdint.h>
uint32_t sipsd_curl_random(void);
#define HAVE_ARC4RANDOM 1
#define arc4random      sipsd_curl_random
#define getaddrinfo     sipsd_curl_getaddrinfo

#endif
