#!/bin/sh
# Every shell script of the tree passes shellcheck.
set -eu
cd "$(dirname "$0")/../.."

if ! command -v shellcheck >/dev/null; then
    echo "skipped: shellcheck is not installed"
    exit 77
fi

find . \( -name .git -o -name .deps -o -name build -o -name corpus \) -prune -o -type f -print |
    while read -r file; do
        if head -n 1 "$file" | grep -aqE '^#! ?/(usr/)?bin/(env )?(ba|da)?sh'; then
            echo "$file"
        fi
    done | sort | xargs shellcheck --external-sources
