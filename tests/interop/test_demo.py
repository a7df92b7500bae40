#!/usr/bin/env python3
"""The demo of ./dev run: what it shows, that it ends, and that it leaves nothing behind."""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

SOURCE = os.environ.get("SOURCE_DIR", os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.environ.get("BUILD_DIR", os.path.join(SOURCE, "build", "asan"))
LIMIT_S = 60  # for anything to happen

# What a line of `sipsctl watch` has of each account, whatever the wording around it.
SHOWN = [
    ("account 1: locked", "localhost"),
    ("account 2: down", "other.example.net"),
    ("account 3: down", "expired"),
    ("account 4: down", "not among the trusted certificates"),
    ("account 5: encrypted only", "trust checking is off"),
]


class Demo(unittest.TestCase):
    def setUp(self):
        self.tmp = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.tmp)

    def start(self, *options):
        demo = os.path.join(SOURCE, "tests", "tools", "demo.sh")
        process = subprocess.Popen([demo, BUILD, *options], start_new_session=True, text=True,
                                   env={**os.environ, "TMPDIR": self.tmp},
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.addCleanup(process.stdout.close)
        return process

    def processes_left(self):
        left = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    if self.tmp.encode() in f.read():
                        left.append(int(pid))
            except OSError:
                pass  # gone meanwhile
        return left

    def assert_nothing_left(self):
        self.assertEqual([], self.processes_left())
        self.assertEqual([], os.listdir(self.tmp))

    def test_shows_five_accounts_and_ends_by_itself(self):
        demo = self.start("--seconds", "5")
        shown, _ = demo.communicate(timeout=LIMIT_S)
        self.assertEqual(0, demo.returncode, shown)
        for account, words in SHOWN:
            lines = [line for line in shown.splitlines() if account in line and words in line]
            self.assertTrue(lines, f"no '{account} ... {words}' in:\n{shown}")
        self.assert_nothing_left()

    def test_ctrl_c_ends_all_of_it(self):
        demo = self.start()
        self.assertIn("account", demo.stdout.readline())
        os.killpg(demo.pid, signal.SIGINT)
        self.assertEqual(0, demo.wait(timeout=LIMIT_S))
        self.assert_nothing_left()

    def test_what_it_does_not_understand(self):
        usage = subprocess.run([os.path.join(SOURCE, "tests", "tools", "demo.sh"), BUILD,
                                "--minutes", "1"], capture_output=True, text=True, check=False,
                               timeout=LIMIT_S)
        self.assertEqual(2, usage.returncode)
        self.assertIn("usage", usage.stderr)


if __name__ == "__main__":
    if not os.path.exists(os.path.join(BUILD, "sipsd")):
        print("skipped: sipsd is not built")
        sys.exit(77)
    unittest.main()
