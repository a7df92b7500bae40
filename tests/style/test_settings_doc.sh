#!/bin/sh
# The reference of the settings in docs/ is the one that the table of keys makes.
set -eu
cd "${SOURCE_DIR:-.}"
tool=${BUILD_DIR:-build/asan}/settings_doc
if ! [ -x "$tool" ]; then
    echo "settings_doc is not built: nothing is checked"
    exit 77
fi
page=docs/settings.md
if ! "$tool" <"$page" | diff -u docs/settings.md -; then
    echo "docs/settings.md is not what src/control/keys.c says; make it anew:" >&2
    echo "    $tool <docs/settings.md >new && mv new docs/settings.md" >&2
    exit 1
fi
