#!/bin/sh
# The man pages are well-formed, and name only pages of ours or of the system.
set -eu
cd "${SOURCE_DIR:-.}"
if ! command -v mandoc >/dev/null; then
    echo "mandoc is not installed: nothing is checked"
    exit 77
fi
mandoc -T lint -W warning docs/man/*.[1-8]
pages=$(sed -n 's/^\.Xr \(sips[a-z-]*\) \([0-9]\).*/\1.\2/p' docs/man/*.[1-8] | sort -u)
for page in $pages; do
    if ! [ -f "docs/man/$page" ]; then
        echo "there is no docs/man/$page, which another page names" >&2
        exit 1
    fi
done
# The keys that sipsd-settings(5) names are in the reference.
keys=$(grep -o 'static\.[a-z_.]*[a-z]' docs/man/sipsd-settings.5 | sort -u)
for key in $keys; do
    case $key in
    static.security | static.security.sip | static.security.auto_provision) ;; # of .NAME
    *) grep -qF "\`$key\`" docs/settings.md || {
        echo "docs/man/sipsd-settings.5: there is no key $key" >&2
        exit 1
    } ;;
    esac
done
