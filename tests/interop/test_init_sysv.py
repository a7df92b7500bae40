#!/usr/bin/env python3
"""The BusyBox and System V script, run by `busybox sh` with nothing but busybox around it."""
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

SOURCE = os.environ.get("SOURCE_DIR", os.path.join(os.path.dirname(__file__), "..", ".."))
SCRIPT = os.path.abspath(os.path.join(SOURCE, "config", "init", "S60sipsd"))
DAEMON = os.environ.get("SIPSD")
LIMIT_S = 20  # for anything to happen

CONFIG = """#!version:1.0.0.1
account.1.enable = 0
"""


class Sysv(unittest.TestCase):
    def setUp(self):
        self.tmp = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.tmp)
        subprocess.run(["busybox", "--install", "-s", self.directory("bin")], check=True)
        self.daemon = DAEMON
        self.pidfile = self.path("sipsd.pid")
        self.write("sipsd.cfg", CONFIG)
        os.chmod(self.path("sipsd.cfg"), 0o600)
        self.write("default", "\n".join([
            f"SIPSD_CONFIG={self.path('sipsd.cfg')}",
            f"SIPSD_STATE_DIR={self.path('state')}",
            f"SIPSD_RUN_DIR={self.path('run')}",
            f"SIPSD_FACTORY_DIR={self.directory('factory')}",
            f"SIPSD_PIDFILE={self.pidfile}",
            "SIPSD_PHONE='--mac 00:15:65:12:34:56'",
            "SIPSD_USER=",
        ]))
        self.addCleanup(self.kill_what_is_left)

    def path(self, name):
        return os.path.join(self.tmp, name)

    def directory(self, name):
        os.mkdir(self.path(name))
        return self.path(name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(text)

    def call(self, action):
        """Runs the script; returns its exit status and what it said."""
        environment = {"PATH": self.path("bin"), "SIPSD_DEFAULTS": self.path("default"),
                       "SIPSD_DAEMON": self.daemon}
        environment.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})
        done = subprocess.run([self.path("bin/sh"), SCRIPT, action], env=environment, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60, check=False)
        return done.returncode, done.stdout

    def expect(self, action, status):
        got, said = self.call(action)
        self.assertEqual(status, got, f"{action}: {said}")
        return said

    def pid(self):
        with open(self.pidfile, encoding="ascii") as f:
            return int(f.read())

    @staticmethod
    def is_alive(pid):
        """False for a zombie too: nobody may be there to collect it."""
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii") as f:
                return f.read().rsplit(")", 1)[1].split()[0] != "Z"
        except FileNotFoundError:
            return False

    def wait_for_death(self, pid):
        end = time.monotonic() + LIMIT_S
        while self.is_alive(pid):
            self.assertLess(time.monotonic(), end, f"process {pid} does not end")
            time.sleep(0.02)

    def kill_what_is_left(self):
        try:
            pid = self.pid()
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                ours = self.tmp.encode() in f.read()
        except (FileNotFoundError, ValueError):
            return
        if ours:
            os.kill(pid, signal.SIGKILL)

    def assert_ready(self):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(LIMIT_S)
            s.connect(self.path("run/control.sock"))

    def test_start_status_stop(self):
        self.expect("status", 3)
        self.expect("start", 0)
        self.assert_ready()
        pid = self.pid()
        self.assertIn(str(pid), self.expect("status", 0))
        self.expect("stop", 0)
        self.assertFalse(self.is_alive(pid))
        self.assertFalse(os.path.exists(self.pidfile))
        self.expect("status", 3)

    def test_start_twice_is_one_daemon(self):
        self.expect("start", 0)
        pid = self.pid()
        self.expect("start", 0)
        self.assertEqual(pid, self.pid())
        self.assertTrue(self.is_alive(pid))

    def test_stop_twice(self):
        self.expect("stop", 0)
        self.expect("stop", 0)

    def test_reload_keeps_the_process(self):
        self.expect("reload", 7)
        self.expect("start", 0)
        pid = self.pid()
        self.expect("reload", 0)
        self.assert_ready()
        self.expect("status", 0)
        self.assertEqual(pid, self.pid())

    def test_restart_is_another_process(self):
        self.expect("start", 0)
        pid = self.pid()
        self.expect("restart", 0)
        self.assertNotEqual(pid, self.pid())
        self.assertFalse(self.is_alive(pid))
        self.assert_ready()

    def test_start_after_a_crash(self):
        self.expect("start", 0)
        pid = self.pid()
        os.kill(pid, signal.SIGKILL)
        self.wait_for_death(pid)
        self.expect("status", 1)
        self.expect("start", 0)
        self.assertNotEqual(pid, self.pid())
        self.assert_ready()

    def test_a_pid_that_is_anothers_now(self):
        """After a crash the number in the pid file may be anything's: that must live."""
        other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        self.addCleanup(other.wait)
        self.addCleanup(other.kill)
        self.write("sipsd.pid", f"{other.pid}\n")
        self.expect("status", 1)
        self.expect("reload", 7)
        self.expect("stop", 0)
        self.assertIsNone(other.poll())
        self.write("sipsd.pid", f"{other.pid}\n")
        self.expect("start", 0)
        self.assertNotEqual(other.pid, self.pid())
        self.assertIsNone(other.poll())

    def test_bad_configuration_is_not_started(self):
        self.write("sipsd.cfg", CONFIG + "account.1.sip_server.1.port = never\n")
        self.assertIn("not started", self.expect("start", 6))
        self.expect("status", 3)

    def test_no_configuration(self):
        os.unlink(self.path("sipsd.cfg"))
        self.expect("start", 6)

    def test_not_installed(self):
        self.daemon = self.path("nothing")
        self.expect("start", 5)

    def test_unknown_action(self):
        self.assertIn("usage:", self.expect("dance", 2))


if __name__ == "__main__":
    if DAEMON is None:
        print("skipped: sipsd is not built")
        sys.exit(77)
    unittest.main()
