#!/bin/sh
# fetch.sh DEST: puts the newest mbedTLS 3.6 source of Debian's archive into DEST/src.
#
# Debian 12 has mbedTLS 2.28, Debian 13 a 3.6 with faults that matter to a TLS client, so the source
# comes from the suites that have a good one, whatever this machine itself runs, by ../debian.sh.
#
# The highest version in [MIN, MAX) is taken and never an exact one: old versions leave the archive.
# MIN guards against being served an old one.
#
# Environment: DEBIAN_MIRROR (else the mirror in this machine's apt sources), MBEDTLS_SUITES.
set -eu

DEST=${1:?usage: fetch.sh DEST}
SUITES=${MBEDTLS_SUITES:-trixie forky sid}
MIN=3.6.7
MAX=3.7

# shellcheck source=cmake/debian.sh
. "$(dirname "$0")/../debian.sh"

say() { echo "mbedtls: $*" >&2; }
die() { say "$*"; exit 1; }

if [ -f "$DEST/version" ] && [ -d "$DEST/src/library" ]; then
    exit 0
fi

for tool in apt-get dpkg-source; do
    command -v $tool >/dev/null || die "$tool is missing (package dpkg-dev); or give an unpacked" \
        "source with -DMBEDTLS_SOURCE_DIR=DIR"
done

mkdir -p "$DEST"
# Unpacked beside its place and moved there whole: a run that was cut short leaves nothing half done.
work=$(mktemp -d "$DEST/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

# shellcheck disable=SC2086 # words on purpose
use_apt_state "$work" deb-src $SUITES
version=$(apt-cache showsrc --only-source mbedtls | awk '$1 == "Version:" { print $2 }' |
    newest_version "$MIN" "$MAX")
[ -n "$version" ] || die "no version in [$MIN, $MAX) in: $SUITES"
mkdir "$work/source"
(cd "$work/source" && apt-get -qq --only-source source "mbedtls=$version") >&2 ||
    die "could not get mbedtls $version"

rm -rf "$DEST/src"
mv "$work"/source/mbedtls-3.6.*/ "$DEST/src"
(cd "$work/source" && sha256sum mbedtls_*) >"$DEST/SHA256SUMS"
echo "$version" >"$DEST/version"
say "fetched $version"
