#!/bin/sh
# fetch.sh DEST: puts the newest mbedTLS 3.6 source of Debian's archive into DEST/src.
#
# Debian 12 has mbedTLS 2.28, Debian 13 a 3.6 with faults that matter to a TLS client, so the source
# comes from the suites that have a good one, whatever this machine itself runs, by ../debian.sh.
# The lowest version that is accepted guards against being served an old one.
#
# Environment: DEBIAN_MIRROR (else the mirror in this machine's apt sources), MBEDTLS_SUITES.
set -eu

# shellcheck source=cmake/debian.sh
. "$(dirname "$0")/../debian.sh"

say() { echo "mbedtls: $*" >&2; }
die() { say "$*"; exit 1; }

# shellcheck disable=SC2086 # words on purpose
fetch_source mbedtls "${1:?usage: fetch.sh DEST}" 3.6.7 3.7 ${MBEDTLS_SUITES:-trixie forky sid}
