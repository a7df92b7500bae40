#!/usr/bin/env python3
"""sipsctl provision --make: the settings file that gives certificates to phones."""

import base64
import os
import re
import shutil
import subprocess
import tempfile
import unittest
import urllib.parse
from pathlib import Path

from peers import make_pki

FIRST = "#!version:1.0.0.1"


class Make(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        directory = Path(tempfile.mkdtemp(prefix="sipsd-make-pki-"))
        cls.addClassCleanup(shutil.rmtree, directory)
        cls.pki = make_pki(directory / "one", "good", "good-rsa", "via-intermediate", "expired", "client")
        cls.other = make_pki(directory / "other", "good")
        cls.ca = cls.pki / "ca.pem"

    def setUp(self):
        self.directory = Path(tempfile.mkdtemp(prefix="sipsd-make-"))
        self.addCleanup(shutil.rmtree, self.directory)

    def run_make(self, *arguments, expect=0, stdin=None):
        done = subprocess.run([os.environ["SIPSCTL"], "provision", "--make", *map(str, arguments)], capture_output=True,
                              input=stdin, text=True, timeout=60, check=False)
        self.assertEqual(expect, done.returncode, f"{arguments}: {done.stdout}{done.stderr}")
        return done

    def make(self, *arguments, **how):
        """The lines that are written, without comments."""
        lines = self.run_make(*arguments, **how).stdout.splitlines()
        self.assertEqual(FIRST, lines[0])
        return [line for line in lines if not line.startswith("#")]

    def refused(self, sentence, *arguments, expect=1, **how):
        done = self.run_make(*arguments, expect=expect, **how)
        self.assertEqual("", done.stdout)
        self.assertRegex(done.stderr, sentence)

    def copy(self, source, name):
        target = self.directory / name
        shutil.copy(source, target)
        return target

    def both(self, profile, name="mine.pem"):
        path = self.directory / name
        path.write_bytes((self.pki / profile / "chain.pem").read_bytes() + (self.pki / profile / "key.pem").read_bytes())
        return path

    def der(self, path):
        text = re.search(r"BEGIN CERTIFICATE-----(.*?)-----END", Path(path).read_text(), re.DOTALL)[1]
        return base64.b64decode(text)

    def test_the_certificates_themselves(self):
        lines = self.make(self.copy(self.ca, "Corp Root.crt"), self.other / "ca.pem")
        self.assertEqual(2, len(lines))
        key, url = lines[0].split(" = ")
        self.assertEqual("static.trusted_certificates.url", key)
        head, data = url.split(",")
        self.assertEqual("data:application/pkix-cert;name=Corp%20Root.crt;base64", head)
        self.assertEqual(self.der(self.ca), base64.b64decode(data))

    def test_each_certificate_of_a_file_has_a_line(self):
        bundle = self.directory / "bundle.pem"
        bundle.write_text(self.ca.read_text() + (self.other / "ca.pem").read_text())
        lines = self.make(bundle)
        self.assertEqual([self.der(self.ca), self.der(self.other / "ca.pem")],
                         [base64.b64decode(line.split(",")[1]) for line in lines])
        self.assertEqual(1, len(self.make("--url", "https://prov.example.com", bundle)))

    def test_the_same_certificate_twice(self):
        self.assertEqual(1, len(self.make(self.ca, self.copy(self.ca, "again.pem"))))

    def test_who_they_are_is_said(self):
        text = self.run_make(self.ca).stdout
        self.assertRegex(text, r"# Example Test Root, until 20\d\d-\d\d-\d\d, SHA-256 [0-9a-f]{64}\n")

    def test_urls(self):
        self.assertEqual(["static.trusted_certificates.url = https://prov.example.com/certs/Corp%20Root.crt",
                          "static.server_certificates.url = https://prov.example.com/certs/mine.pem"],
                         self.make("--url", "https://prov.example.com/certs/", "--identity", self.both("good"),
                                   self.copy(self.ca, "Corp Root.crt")))
        self.assertIn("allow_http", self.run_make("--url", "http://prov.example.com", self.ca).stderr)
        self.refused("URL", "--url", "ftp://prov.example.com", self.ca)
        self.refused("directory", "--url", "https://prov.example.com/?a=", self.ca)
        self.refused("two files", "--url", "https://prov.example.com", self.ca, self.other / "ca.pem")

    def test_an_identity(self):
        for profile in ("good", "via-intermediate"):
            apart = ("--identity", self.pki / profile / "chain.pem", "--key", self.pki / profile / "key.pem")
            for how in (("--identity", self.both(profile)), apart):
                with self.subTest(how):
                    done = self.run_make(*how)
                    self.assertIn("private key", done.stderr)
                    line = done.stdout.splitlines()[-1]
                    self.assertTrue(line.startswith("static.server_certificates.url = data:"))
                    pem = urllib.parse.unquote(line.split(",", 1)[1])
                    (self.directory / "out.pem").write_text(pem)
                    self.assertEqual(self.der(self.pki / profile / "chain.pem"), self.der(self.directory / "out.pem"))
                    self.assertIn("PRIVATE KEY", pem)

    def test_an_identity_that_is_refused(self):
        self.refused("no private key|key", "--identity", self.pki / "good" / "chain.pem")
        self.refused("none of the certificates|key", "--identity", self.pki / "good" / "chain.pem", "--key",
                     self.other / "good" / "key.pem")
        self.refused("expired", "--identity", self.both("expired"))
        self.refused("serverAuth", "--identity", self.both("client"))
        self.refused("--key", "--key", self.pki / "good" / "key.pem", self.ca, expect=2)
        self.refused("one file", "--url", "https://prov.example.com", "--identity", self.pki / "good" / "chain.pem",
                     "--key", self.pki / "good" / "key.pem", expect=2)

    def test_certificates_that_a_phone_refuses(self):
        self.refused("CA", self.pki / "good" / "chain.pem")
        self.refused(r"\.txt", self.copy(self.ca, "ca.txt"))
        self.refused("private key", self.pki / "good" / "key.pem")
        bad = self.directory / "bad.pem"
        bad.write_text("nothing\n")
        self.refused("bad.pem", self.ca, bad)
        self.refused("missing.pem", self.directory / "missing.pem", expect=2)

    def test_standard_input(self):
        self.assertEqual(self.der(self.ca), base64.b64decode(self.make("-", stdin=self.ca.read_text())[0].split(",")[1]))

    def test_deletes_come_first(self):
        self.assertEqual(["static.trusted_certificates.delete = http://localhost/all",
                          "static.trusted_certificates.delete = http://localhost/old%20one",
                          "static.server_certificates.delete = http://localhost/all"],
                         self.make(self.ca, "--delete", "old one", "--delete-all", "--delete-identity")[:3])
        self.assertEqual(1, len(self.make("--delete-all")))

    def test_settings(self):
        done = self.run_make("--set", "account.1.label=Front = desk", "--set", "static.security.ca_cert =", "--set",
                             "phone_setting.lang = English")
        self.assertEqual([FIRST, "account.1.label = Front = desk", "static.security.ca_cert = %NULL%",
                          "phone_setting.lang = English"], done.stdout.splitlines())
        self.assertIn("phone_setting.lang", done.stderr)
        self.refused("has to be 0 or 1", "--set", "account.1.enable=7")
        self.refused("KEY=VALUE", "--set", "account.1.enable")
        self.refused("one line", "--set", "a.b=1\nc.d=2")
        self.refused("one line", "--set", "#a=1")

    def test_nothing_to_make(self):
        self.refused("which certificates", expect=2)
        self.assertIn("--identity FILE", self.run_make("--help").stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
