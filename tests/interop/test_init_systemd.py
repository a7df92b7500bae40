#!/usr/bin/env python3
"""The systemd unit: systemd's own checker understands all of it, and sipsd its command line."""
import os
import re
import shutil
import subprocess
import tempfile
import unittest

SOURCE = os.environ.get("SOURCE_DIR", os.path.join(os.path.dirname(__file__), "..", ".."))
INIT = os.path.abspath(os.path.join(SOURCE, "config", "init"))
DAEMON = os.path.abspath(os.environ["SIPSD"])

CONFIG = """#!version:1.0.0.1
account.1.enable = 0
"""


def read(name):
    with open(os.path.join(INIT, name), encoding="utf-8") as f:
        return f.read()


def run(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
    return done.returncode, done.stdout


class Unit(unittest.TestCase):
    def setUp(self):
        tmp = tempfile.TemporaryDirectory()
        self.addCleanup(tmp.cleanup)
        self.tmp = tmp.name
        self.text = read("sipsd.service")
        self.settings = dict(re.findall(r'^Environment="?(\w+)=([^"\n]*)"?$', self.text, re.M))

    def write(self, name, text):
        path = os.path.join(self.tmp, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, 0o600)
        return path

    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not there")
    def test_systemd_understands_all_of_it(self):
        unit = self.write("sipsd.service", self.text.replace("/usr/sbin/sipsd", DAEMON))
        self.assertEqual((0, ""), run("systemd-analyze", "verify", "--man=no",
                                      "--recursive-errors=no", unit))

    def command(self):
        """ExecStart as systemd would make words of it: $NAME is split, ${NAME} is one word."""
        words = re.search(r"^ExecStart=((?:.*\\\n)*.*)$", self.text, re.M)[1]
        for word in words.replace("\\\n", " ").split():
            if word.startswith("$") and not word.startswith("${"):
                yield from self.settings[word[1:]].split()
            else:
                yield re.sub(r"\$\{(\w+)\}", lambda m: self.settings[m[1]], word)

    def test_sipsd_takes_its_command_line(self):
        self.settings["SIPSD_CONFIG"] = self.write("sipsd.cfg", CONFIG)
        daemon, *options = self.command()
        self.assertEqual("/usr/sbin/sipsd", daemon)
        status, said = run(DAEMON, "--check", *options)
        self.assertEqual(0, status, said)

    def test_what_the_default_file_offers_is_used_and_has_the_value_it_says(self):
        shared = read("sipsd.default").split("# Of the init script only", 1)[0]
        offered = dict(re.findall(r'^#(SIPSD_\w+)="?([^"\n]*)"?$', shared, re.M))
        self.assertEqual(self.settings, offered)


if __name__ == "__main__":
    unittest.main()
