#!/bin/sh
# fetch.sh DEST: puts the newest mbedTLS 3.6 source of Debian's archive into DEST/src.
#
# Debian 12 has mbedTLS 2.28, Debian 13 a 3.6 with faults that matter to a TLS client, so the source
# comes from the suites that have a good one, whatever this machine itself runs. It is ordinary apt
# in a private apt state: the sources, lists, pins and packages of the machine stay as they are.
# Trust is apt's: the signature of InRelease covers the index, whose hash covers the files.
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

say() { echo "mbedtls: $*" >&2; }
die() { say "$*"; exit 1; }

if [ -f "$DEST/version" ] && [ -d "$DEST/src/library" ]; then
    exit 0
fi

for tool in apt-get dpkg-source; do
    command -v $tool >/dev/null || die "$tool is missing (package dpkg-dev); or give an unpacked" \
        "source with -DMBEDTLS_SOURCE_DIR=DIR"
done

find_keyring() {
    for key in /usr/share/keyrings/debian-archive-keyring.gpg \
               /usr/share/keyrings/debian-archive-keyring.pgp; do
        if [ -e "$key" ]; then
            echo "$key"
            return
        fi
    done
    die "the keys of Debian's archive are missing (package debian-archive-keyring)"
}

# The mirror that this machine takes its Debian packages from.
find_mirror() {
    if [ -n "${DEBIAN_MIRROR:-}" ]; then
        echo "$DEBIAN_MIRROR"
        return
    fi
    # shellcheck disable=SC2016 # apt's variables, not the shell's
    apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' 'Created-By: Packages' |
        awk -F'|' '$1 == "Debian" && $2 == "Debian" { print $3; exit }'
}

make_apt_state() { # DIR MIRROR KEYRING
    mkdir -p "$1/lists/partial" "$1/cache/archives/partial" "$1/sources"
    for suite in $SUITES; do
        printf 'Types: deb-src\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' \
            "$2" "$suite" "$3" >"$1/sources/$suite.sources"
    done
    cat >"$1/apt.conf" <<EOF
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$1/sources";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State::lists "$1/lists";
Dir::Cache "$1/cache";
APT::Sandbox::User "$(id -un)";
Acquire::Languages "none";
Acquire::Retries "3";
EOF
}

newest_version() {
    newest=
    for v in $(apt-cache showsrc --only-source mbedtls | awk '$1 == "Version:" { print $2 }'); do
        dpkg --compare-versions "$v" ge "$MIN" || continue
        dpkg --compare-versions "$v" lt "$MAX" || continue
        if [ -z "$newest" ] || dpkg --compare-versions "$v" gt "$newest"; then
            newest=$v
        fi
    done
    echo "$newest"
}

keyring=$(find_keyring)
mirror=$(find_mirror)
[ -n "$mirror" ] || die "no Debian archive among this machine's apt sources;" \
    "run 'apt-get update', or set DEBIAN_MIRROR"

mkdir -p "$DEST"
# Unpacked beside its place and moved there whole: a run that was cut short leaves nothing half done.
work=$(mktemp -d "$DEST/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
chmod 755 "$work"

make_apt_state "$work" "$mirror" "$keyring"
export APT_CONFIG="$work/apt.conf"
apt-get -qq update >&2 || say "not every suite could be read; going on with the rest"
version=$(newest_version)
[ -n "$version" ] || die "no version in [$MIN, $MAX) in: $SUITES (from $mirror)"
mkdir "$work/source"
(cd "$work/source" && apt-get -qq --only-source source "mbedtls=$version") >&2 ||
    die "could not get mbedtls $version from $mirror"

rm -rf "$DEST/src"
mv "$work"/source/mbedtls-3.6.*/ "$DEST/src"
(cd "$work/source" && sha256sum mbedtls_*) >"$DEST/SHA256SUMS"
echo "$version" >"$DEST/version"
say "fetched $version"
