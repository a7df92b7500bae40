# debian.sh, to be sourced: packages of Debian's archive, without touching this machine's apt.
#
# It is ordinary apt in a private apt state: the sources, lists, pins and packages of the machine
# stay as they are. Trust is apt's: the signature of InRelease covers the index, whose hash covers
# the files. The caller has say() and die().
#
# Environment: DEBIAN_MIRROR (else the mirror in this machine's apt sources).
# shellcheck shell=sh

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

# Makes a private apt state in DIR for packages of TYPE (deb or deb-src) and reads the indexes of
# each SUITE. From here on apt works on it.
use_apt_state() { # DIR TYPE SUITE...
    apt_dir=$1
    apt_type=$2
    shift 2
    keyring=$(find_keyring)
    mirror=$(find_mirror)
    [ -n "$mirror" ] || die "no Debian archive among this machine's apt sources;" \
        "run 'apt-get update', or set DEBIAN_MIRROR"
    mkdir -p "$apt_dir/lists/partial" "$apt_dir/cache/archives/partial" "$apt_dir/sources"
    chmod 755 "$apt_dir"
    for suite in "$@"; do
        printf 'Types: %s\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' \
            "$apt_type" "$mirror" "$suite" "$keyring" >"$apt_dir/sources/$suite.sources"
    done
    cat >"$apt_dir/apt.conf" <<EOF
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$apt_dir/sources";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State::lists "$apt_dir/lists";
Dir::State::status "/dev/null";
Dir::Cache "$apt_dir/cache";
APT::Sandbox::User "$(id -un)";
Acquire::Languages "none";
Acquire::Retries "3";
EOF
    export APT_CONFIG="$apt_dir/apt.conf"
    apt-get -qq update >&2 || say "not every suite could be read; going on with the rest"
}

# The highest of the versions on stdin that is at least MIN and, if MAX is not empty, below it.
newest_version() { # MIN MAX
    newest=
    while read -r v; do
        dpkg --compare-versions "$v" ge "$1" || continue
        [ -z "$2" ] || dpkg --compare-versions "$v" lt "$2" || continue
        if [ -z "$newest" ] || dpkg --compare-versions "$v" gt "$newest"; then
            newest=$v
        fi
    done
    echo "$newest"
}

# Puts the newest source package NAME in [MIN, MAX) that can be had from SUITES into DEST/src, its
# version into DEST/version and the hashes of what was fetched into DEST/SHA256SUMS. Nothing is done
# when it is there. Never an exact version: old ones leave the archive, and a mirror that is being
# updated may list one that it does not have yet; then the next older one is tried.
fetch_source() { # NAME DEST MIN MAX SUITE...
    name=$1 dest=$2 min=$3 max=$4
    shift 4
    if [ -f "$dest/version" ] && [ -d "$dest/src" ]; then
        return 0
    fi
    for tool in apt-get dpkg-source; do
        command -v $tool >/dev/null || die "$tool is missing (package dpkg-dev); or give an" \
            "unpacked source (docs/building.md)"
    done
    mkdir -p "$dest"
    # Unpacked beside its place and moved there whole: a run that was cut short leaves nothing half
    # done.
    work=$(mktemp -d "$dest/fetch.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    trap 'exit 1' INT TERM
    use_apt_state "$work" deb-src "$@"
    apt-cache showsrc --only-source "$name" | awk '$1 == "Version:" { print $2 }' >"$work/versions"
    while version=$(newest_version "$min" "$max" <"$work/versions") && [ -n "$version" ]; do
        rm -rf "$work/source"
        mkdir "$work/source"
        if (cd "$work/source" && apt-get -qq --only-source source "$name=$version") >&2; then
            break
        fi
        say "could not get $name $version"
        max=$version
    done
    [ -n "$version" ] || die "no version in [$min, $max) of $name in: $*"
    rm -rf "$dest/src"
    mv "$work/source/$name"-*/ "$dest/src"
    (cd "$work/source" && sha256sum "${name}_"*) >"$dest/SHA256SUMS"
    echo "$version" >"$dest/version"
    say "fetched $version"
}
