#!/usr/bin/env python3
"""sipsctl check: settings files judged as a phone judges them, without one."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from peers import make_pki

FIRST = "#!version:1.0.0.1\n"
ACCOUNT = """account.1.enable = 1
account.1.user_name = alice
account.1.sip_server.1.address = sip.example.com
account.1.sip_server.1.transport_type = 2
"""


class Check(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        directory = Path(tempfile.mkdtemp(prefix="sipsd-check-pki-"))
        cls.addClassCleanup(shutil.rmtree, directory)
        cls.pki = make_pki(directory / "one", "good", "good-rsa", "expired")
        cls.others = [make_pki(directory / f"other-{n}", "good") for n in range(3)]
        cls.ca = cls.pki / "ca.pem"

    def setUp(self):
        self.directory = Path(tempfile.mkdtemp(prefix="sipsd-check-"))
        self.addCleanup(shutil.rmtree, self.directory)

    def settings(self, text, name="corp.cfg"):
        path = self.directory / name
        path.write_text(FIRST + text)
        return path

    def run_ctl(self, *arguments, expect=0, stdin=""):
        done = subprocess.run([os.environ["SIPSCTL"], *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, input=stdin, timeout=60, check=False, env={**os.environ, "TMPDIR": self.directory})
        self.assertEqual(expect, done.returncode, f"{arguments}: {done.stdout}")
        return done.stdout

    def check(self, *arguments, **how):
        return self.run_ctl("check", *arguments, **how)

    def report(self, *arguments, **how):
        return json.loads(self.run_ctl("--json", "check", *arguments, **how))

    def make(self, *arguments, name="made.cfg"):
        done = subprocess.run([os.environ["SIPSCTL"], "provision", "--make", *map(str, arguments)], check=True, text=True,
                              capture_output=True)
        path = self.directory / name
        path.write_text(done.stdout)
        return path

    def test_a_good_file(self):
        report = self.report(self.settings(ACCOUNT))
        self.assertEqual(["checked", 0], [report["outcome"], len(report["items"])])
        self.assertIn("account.1.enable", report["changed"]["settings"])
        self.assertIn("Would change: account.1.enable", self.check(self.settings(ACCOUNT)))
        self.assertIn("Unchanged", self.check(self.settings("# nothing\n")))

    def test_every_fault_is_told(self):
        file = self.settings("account.1.enable = 7\nlang.gui = English\nno setting\naccount.1.sip_server.1.port = 99999\n")
        said = self.check(file, expect=1)
        self.assertIn("Refused", said)
        for words in ("! corp.cfg:2: account.1.enable", "  corp.cfg:3: there is no key 'lang.gui'", "! corp.cfg:4:",
                      "! corp.cfg:5: account.1.sip_server.1.port"):
            self.assertIn(words, said)
        self.assertEqual([False, True, False, False], [i["ok"] for i in sorted(self.report(file, expect=1)["items"],
                                                                               key=lambda i: i["line"])])

    def test_no_settings_file(self):
        bad = self.directory / "bad.cfg"
        bad.write_text("hello\n")
        self.assertIn("#!version:1.0.0.1", self.check(bad, expect=1))
        self.check(self.directory / "missing.cfg", expect=2)
        self.check(expect=2)
        self.check(self.settings(""), "--mac", "12", expect=2)
        self.check(self.settings(""), "--at", "soon", expect=2)
        self.check(*[self.settings("", f"{n}.cfg") for n in range(9)], expect=1)

    def test_accounts_that_cannot_work(self):
        said = self.check(self.settings("account.2.enable = 1\naccount.2.sip_server.1.transport_type = 2\n"), expect=1)
        self.assertIn("! account 2 has no user name", said)
        self.check(self.settings("account.2.enable = 1\n"))  # without TLS it is another part of the phone's

    def test_no_secret_is_shown(self):
        said = self.check(self.settings(ACCOUNT + "account.1.password = hunter2-and-more\naccount.1.enable = hunter2\n"), expect=1)
        self.assertNotIn("hunter2-and-more", said)

    def test_files_count_together(self):
        common = self.settings(ACCOUNT, "common.cfg")
        phone = self.settings("account.1.sip_server.1.address = \n", "001565a1b2c3.cfg")
        self.check(common)
        self.assertIn("! account 1 has no server", self.check(common, phone, expect=1))
        self.assertIn("for the phone 001565A1B2C3", self.check(phone, "--mac", "00:15:65:00:00:01", expect=1))
        self.check(self.settings("", "00-15-65-A1-B2-C3.cfg"), "--mac", "0015.65a1.b2c3")

    def test_what_make_makes_passes(self):
        file = self.make(self.ca, self.others[0] / "ca.pem", "--identity", self.pki / "good-rsa" / "chain.pem", "--key",
                         self.pki / "good-rsa" / "key.pem", "--delete-all", "--set", "account.1.label=a")
        report = self.report(file)
        self.assertEqual("checked", report["outcome"], report)
        self.assertEqual({"trusted_added": 2, "trusted_removed": 0, "identity": True},
                         {k: report["changed"][k] for k in ("trusted_added", "trusted_removed", "identity")})
        self.assertEqual(["ca.pem", "ca.pem", "chain.pem"],
                         [i["subject"] for i in report["items"] if i["what"] in ("trusted", "identity")])

    def test_certificates_in_a_directory(self):
        here = self.directory / "certs"
        here.mkdir()
        shutil.copy(self.ca, here / "Corp Root.crt")
        file = self.settings("static.trusted_certificates.url = https://prov.example.com/a/Corp%20Root.crt\n"
                             "static.trusted_certificates.url = https://prov.example.com/a/later.pem?x=/y.pem\n")
        report = self.report(file, "--files", here)
        self.assertEqual(["checked", 1], [report["outcome"], report["changed"]["trusted_added"]])
        self.assertEqual([False, True], ["not looked at" in (i["sentence"] or "") for i in report["items"]])
        self.assertEqual(2, self.check(file).count("not looked at"))
        (here / "later.pem").write_text("nothing\n")
        self.assertIn("! corp.cfg:3: later.pem", self.check(file, "--files", here, expect=1))
        outside = self.settings("static.trusted_certificates.url = https://prov.example.com/a/%2e%2e\n")
        self.assertIn("not looked at", self.check(outside, "--files", here))

    def test_certificates_that_are_refused(self):
        file = self.make(self.ca, "--identity", self.pki / "good" / "chain.pem", "--key", self.pki / "good" / "key.pem")
        said = self.check(file, "--at", "2047-01-01T00:00:00Z", expect=1)
        self.assertIn("expired", said)
        self.assertEqual(2, said.count("! made.cfg"))

    def test_with_what_the_phone_has(self):
        cas = [self.directory / f"{n}.pem" for n in range(3)]
        for path, pki in zip(cas, self.others):
            shutil.copy(pki / "ca.pem", path)
        have = [word for path in cas for word in ("--ca", path)]
        report = self.report(self.make(self.ca, self.others[0] / "ca.pem", "--delete", "1"), *have)
        self.assertEqual([1, 1], [report["changed"]["trusted_added"], report["changed"]["trusted_removed"]])
        self.assertEqual("unchanged", self.report(self.make(self.others[1] / "ca.pem"), *have)["outcome"])
        self.assertIn("private key", self.check(self.settings(""), "--ca", self.pki / "good" / "key.pem", expect=2))
        bundle = self.directory / "nine.pem"
        bundle.write_text("".join((make_pki(self.directory / f"pki-{n}", "good") / "ca.pem").read_text() for n in range(9)))
        self.assertIn("10", self.check(self.make(*[pki / "ca.pem" for pki in self.others]), "--ca", bundle, expect=1))
        self.check(self.make("--delete-all", *[pki / "ca.pem" for pki in self.others]), "--ca", bundle)
        self.assertEqual([], list(self.directory.glob("sipsctl-*")))

    def test_standard_input(self):
        self.assertIn("stdin", self.check("-", stdin=FIRST + ACCOUNT))


if __name__ == "__main__":
    unittest.main(verbosity=2)
