#!/bin/sh
# demo.sh BUILD_DIR [--seconds N]: sipsd with config/demo.cfg, its registrars and a throw-away PKI, and
# a live picture of its accounts, until Ctrl-C or for N seconds. It leaves nothing behind.
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
case $#:${2-} in
1:) seconds= ;;
3:--seconds) seconds=$3 ;;
*)
    echo "usage: ./dev run [--seconds N]" >&2
    exit 2
    ;;
esac
build=$1

work=$(mktemp -d)
pids=

# The last ones started end first: sipsd un-registers while its registrars are there.
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

background() { # COMMAND...
    "$@" >>"$work/log" 2>&1 &
    pids="$! $pids"
}

wait_for() { # WHAT COMMAND...
    what=$1
    shift
    tries=0
    until "$@" 2>/dev/null; do
        tries=$((tries + 1))
        if [ $tries -gt 100 ]; then
            echo "the demo's $what did not start:" >&2
            cat "$work/log" >&2
            exit 1
        fi
        sleep 0.1
    done
}

# The ports are those of the accounts in demo.cfg.
"$build/testpki" --name localhost "$work/pki" good wrong-name expired unknown-ca
port=25061
for profile in good wrong-name expired unknown-ca unknown-ca; do
    background "$build/registrar" --listen "127.0.0.1:$port" --user alice:demo \
        --cert "$work/pki/$profile/chain.pem" --key "$work/pki/$profile/key.pem"
    port=$((port + 1))
done

mkdir -p "$work/state/trust" "$work/run" "$work/factory"
cp "$work/pki/ca.pem" "$work/state/trust/"
install -m 600 "$top/config/demo.cfg" "$work/demo.cfg"
background "$build/sipsd" --config "$work/demo.cfg" --state-dir "$work/state" \
    --run-dir "$work/run" --factory-dir "$work/factory" --mac 00:15:65:12:34:56
wait_for sipsd test -S "$work/run/events.sock"

if [ -n "$seconds" ]; then
    timeout "$seconds" "$build/sipsctl" --run-dir "$work/run" watch || [ $? -eq 124 ]
else
    "$build/sipsctl" --run-dir "$work/run" watch
fi
