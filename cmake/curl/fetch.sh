#!/bin/sh
# fetch.sh DEST: puts the newest curl 8.14 source of Debian's archive into DEST/src, by ../debian.sh.
#
# 8.14 is Debian 13's, where faults are mended for years without anything else changing: curl_config.h
# beside this script stays right.
#
# Environment: DEBIAN_MIRROR (else the mirror in this machine's apt sources), CURL_SUITES.
set -eu

# shellcheck source=cmake/debian.sh
. "$(dirname "$0")/../debian.sh"

say() { echo "curl: $*" >&2; }
die() { say "$*"; exit 1; }

# shellcheck disable=SC2086 # words on purpose
fetch_source curl "${1:?usage: fetch.sh DEST}" 8.14.1 8.15 ${CURL_SUITES:-trixie forky sid}
