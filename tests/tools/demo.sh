#!/bin/sh
# demo.sh BUILD_DIR [--seconds N]: sipsd with config/demo.cfg, a registrar and a throw-away PKI, and a
# live picture of its accounts, until Ctrl-C or for N seconds. It leaves nothing behind.
set -eu

# What the servers of the accounts in demo.cfg have for a certificate, one after the other.
PROFILES="good wrong-name expired unknown-ca unknown-ca"

case $#:${2-} in
1:) seconds= ;;
3:--seconds) seconds=$3 ;;
*)
    echo "usage: ./dev run [--seconds N]" >&2
    exit 2
    ;;
esac
build=$1
top=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
pids=

# The last one started ends first: sipsd un-registers while the registrar is there.
end() {
    trap '' INT TERM
    for pid in $pids; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap end EXIT
trap 'exit 0' INT TERM

# In a session of its own, which Ctrl-C does not reach: end() ends it.
background() { # NAME COMMAND...
    log=$work/$1.log
    shift
    setsid "$@" >"$log" 2>&1 </dev/null &
    pids="$! $pids"
}

wait_for() { # NAME COMMAND...
    name=$1
    shift
    tries=0
    until "$@"; do
        tries=$((tries + 1))
        if [ $tries -gt 100 ]; then
            echo "the demo's $name did not start:" >&2
            cat "$work/$name.log" >&2
            exit 1
        fi
        sleep 0.1
    done
}

start_registrar() {
    # shellcheck disable=SC2086 # words on purpose
    "$build/testpki" --name localhost "$work/pki" $PROFILES
    set --
    for profile in $PROFILES; do
        dir=$work/pki/$profile
        set -- "$@" --endpoint "127.0.0.1:0,$dir/chain.pem,$dir/key.pem"
    done
    background registrar "$build/registrar" --user alice:demo "$@"
    wait_for registrar has_all_ports
}

has_all_ports() {
    # shellcheck disable=SC2086 # words on purpose
    set -- $PROFILES
    [ "$(grep -c '^listening' "$work/registrar.log")" -eq $# ]
}

# demo.cfg with the ports that the registrar got, account by account.
write_settings() {
    awk '
        FNR == NR { sub(/.*:/, ""); port[FNR] = $0; next }
        match($0, /^account\.[0-9]+\.sip_server\.1\.port = /) {
            split($0, name, ".")
            $0 = substr($0, 1, RLENGTH) port[name[2]]
        }
        { print }
    ' "$work/registrar.log" "$top/config/demo.cfg" >"$work/demo.cfg"
    chmod 600 "$work/demo.cfg"
}

start_phone() {
    mkdir -p "$work/state/generations/00000001" "$work/run" "$work/factory"
    cp "$work/pki/ca.pem" "$work/state/generations/00000001/ca.demo.pem"
    background sipsd "$build/sipsd" --config "$work/demo.cfg" --state-dir "$work/state" \
        --run-dir "$work/run" --factory-dir "$work/factory" --mac 00:15:65:12:34:56
    wait_for sipsd test -S "$work/run/events.sock"
}

start_registrar
write_settings
start_phone
if [ -n "$seconds" ]; then
    timeout --foreground "$seconds" "$build/sipsctl" --run-dir "$work/run" watch || [ $? -eq 124 ]
else
    "$build/sipsctl" --run-dir "$work/run" watch
fi
