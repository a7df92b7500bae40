#!/usr/bin/env python3
"""The OpenWrt script under `busybox sh`, in a small stand-in for rc.common and procd.

The stand-in runs the script's functions in the order in which OpenWrt does and records every call of
procd, so that what procd would be told can be looked at.
"""
import os
import subprocess
import tempfile
import textwrap
import unittest

SOURCE = os.environ.get("SOURCE_DIR", os.path.join(os.path.dirname(__file__), "..", ".."))
SCRIPT = os.path.abspath(os.path.join(SOURCE, "config", "init", "sipsd.procd"))

# Arguments: the script, the action. UCI_<option> in the environment are the settings of section
# 'main'; UCI_LIST_<option> are lists. Each call of procd becomes one line, words divided by '|'.
RC_COMMON = textwrap.dedent("""\
    record() { local IFS='|'; echo "$*" >>"$RECORD"; }

    config_load() { record config_load "$@"; }
    config_get() { eval "$1=\\${UCI_$3-\\$4}"; }
    config_get_bool() {
        config_get "$@"
        eval "case \\$$1 in 1|on|true|yes|enabled) $1=1 ;; *) $1=0 ;; esac"
    }
    config_list_foreach() {
        local item list
        eval "list=\\$UCI_LIST_$2"
        for item in $list; do "$3" "$item"; done
    }
    chown() { record chown "$@"; }

    for name in open_service close_service open_instance close_instance set_param append_param \\
        send_signal kill add_config_trigger add_reload_trigger; do
        eval "procd_$name() { record $name \\"\\$@\\"; }"
    done

    initscript=$1
    action=$2
    stop_service() { :; }
    service_triggers() { :; }
    . "$initscript"
    [ "$USE_PROCD" = 1 ] || exit 99
    start() {
        procd_open_service sipsd "$initscript"
        start_service
        service_triggers
        procd_close_service set
    }
    stop() { stop_service; procd_kill sipsd; }
    restart() { stop; start; }
    reload() { if type reload_service >/dev/null; then reload_service; else start; fi; }
    "$action"
    """)


class Procd(unittest.TestCase):
    def setUp(self):
        self.tmp = tempfile.TemporaryDirectory()
        self.addCleanup(self.tmp.cleanup)
        self.common = self.path("rc.common")
        with open(self.common, "w", encoding="ascii") as f:
            f.write(RC_COMMON)

    def path(self, name):
        return os.path.join(self.tmp.name, name)

    def call(self, action, lists=(), **options):
        """Runs the script's ACTION; returns the recorded calls as lists of words."""
        settings = {"state_dir": self.path("state"), "run_dir": self.path("run")}
        settings.update(options)
        environment = {"PATH": os.environ["PATH"], "RECORD": self.path("record")}
        environment.update({f"UCI_{name}": value for name, value in settings.items()})
        environment.update({f"UCI_LIST_{name}": value for name, value in lists})
        with open(self.path("record"), "w", encoding="utf-8"):
            pass
        done = subprocess.run(["busybox", "sh", self.common, SCRIPT, action], env=environment,
                              capture_output=True, text=True, timeout=20, check=False)
        self.assertEqual(("", 0), (done.stderr, done.returncode))
        with open(self.path("record"), encoding="utf-8") as f:
            return [line.rstrip("\n").split("|") for line in f]

    def param(self, calls, name):
        found = [call[2:] for call in calls if call[:2] == ["set_param", name]]
        self.assertEqual(1, len(found), f"{name} in {calls}")
        return found[0]

    def command(self, calls):
        more = [call[2:] for call in calls if call[:2] == ["append_param", "command"]]
        return self.param(calls, "command") + [word for words in more for word in words]

    def option(self, calls, name):
        command = self.command(calls)
        return command[command.index(name) + 1]

    def test_start_describes_one_instance(self):
        calls = [call[0] for call in self.call("start")]
        self.assertEqual(1, calls.count("open_instance"))
        self.assertEqual(1, calls.count("close_instance"))
        first, last = calls.index("open_instance"), calls.index("close_instance")
        params = [i for i, call in enumerate(calls) if call.endswith("_param")]
        self.assertTrue(all(first < i < last for i in params), calls)

    def test_start_in_the_foreground_with_defaults(self):
        calls = self.call("start")
        self.assertEqual("/usr/sbin/sipsd", self.command(calls)[0])
        self.assertEqual("/etc/sipsd/sipsd.cfg", self.option(calls, "--config"))
        self.assertEqual("stderr", self.option(calls, "--log"))
        self.assertEqual(["1"], self.param(calls, "stderr"))
        self.assertEqual("sipsd", self.option(calls, "--user"))

    def test_settings_reach_the_command(self):
        calls = self.call("start", config="/tmp/a b.cfg", interface="eth1", user="nobody",
                          log_level="debug")
        self.assertEqual("/tmp/a b.cfg", self.option(calls, "--config"))
        self.assertEqual("eth1", self.option(calls, "--interface"))
        self.assertEqual("nobody", self.option(calls, "--user"))
        self.assertEqual("debug", self.option(calls, "--log-level"))

    def test_more_options_are_appended(self):
        calls = self.call("start", lists=[("option", "--admin-group admin")])
        self.assertEqual("admin", self.option(calls, "--admin-group"))

    def test_a_mac_address_instead_of_an_interface(self):
        calls = self.call("start", mac="00:15:65:12:34:56")
        self.assertEqual("00:15:65:12:34:56", self.option(calls, "--mac"))
        self.assertNotIn("--interface", self.command(calls))

    def test_directories(self):
        calls = self.call("start")
        self.assertEqual(0o755, os.stat(self.path("run")).st_mode & 0o777)
        self.assertEqual(0o700, os.stat(self.path("state")).st_mode & 0o777)
        owned = [call[1:] for call in calls if call[0] == "chown"]
        self.assertEqual([["sipsd", self.path("run")], ["sipsd", self.path("state")]], owned)

    def test_started_again_for_ever_after_a_crash(self):
        _threshold, _delay, retries = self.param(self.call("start"), "respawn")
        self.assertEqual("0", retries)  # procd: no limit

    def test_not_enabled(self):
        calls = [call[0] for call in self.call("start", enabled="0")]
        self.assertNotIn("open_instance", calls)
        self.assertIn("close_service", calls)

    def test_reload_sends_a_signal_and_starts_nothing(self):
        self.assertEqual([["send_signal", "sipsd"]], self.call("reload"))

    def test_stop(self):
        self.assertEqual([["kill", "sipsd"]], self.call("stop"))

    def test_a_change_of_the_start_options_restarts(self):
        calls = self.call("start")
        self.assertIn(["add_config_trigger", "config.change", "sipsd", "/etc/init.d/sipsd",
                       "restart"], calls)


if __name__ == "__main__":
    unittest.main()
