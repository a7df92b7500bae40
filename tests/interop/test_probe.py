"""sipsctl probe against OpenSSL's server: what it says of a server, and the exit status that scripts go by."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from peers import Process, accepts, free_port, make_pki, wait_until
from phone import Phone


class Probe(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = Path(tempfile.mkdtemp(prefix="sipsd-probe-"))
        cls.addClassCleanup(shutil.rmtree, cls.directory)
        cls.pki = make_pki(cls.directory / "pki", "good", "expired", "wrong-name", "via-intermediate",
                           "missing-intermediate", "home-made", "client", "client-unknown-ca")

    def server(self, profile, *options):
        """Starts one, and returns its port."""
        port = free_port()
        process = Process(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-key", self.pki / profile / "key.pem",
                           "-cert", self.pki / profile / "chain.pem", "-cert_chain", self.pki / profile / "chain.pem",
                           "-www", *options], self.directory / f"log-{port}")
        self.addCleanup(process.stop)
        wait_until(lambda: accepts(port), 10, "OpenSSL to listen")
        return port

    def probe(self, target, *options, trusted=True):
        trust = ["--trusted", str(self.pki / "ca.pem")] if trusted else []
        return subprocess.run([os.environ["SIPSCTL"], "probe", *trust, *options, target], capture_output=True, text=True,
                              timeout=30)

    def answer(self, target, *options, **how):
        done = self.probe(target, "--json", *options, **how)
        return done.returncode, json.loads(done.stdout)

    def test_accepted(self):
        port = self.server("via-intermediate")
        for version in "1.2", "1.3":
            status, answer = self.answer(f"localhost:{port}", "--tls", version)
            self.assertEqual((status, answer["verdict"], answer["open"]), (0, "verified", True))
            self.assertEqual(answer["protocol"], "TLSv" + version)
            self.assertEqual(answer["address"], f"127.0.0.1:{port}")
            self.assertEqual(len(answer["chain"]), 3)
        text = self.probe(f"127.0.0.1:{port}").stdout
        self.assertIn("Verified: 127.0.0.1, issued by Example Test Issuing CA", text)

    def test_refused(self):
        for profile, code, alert in (("expired", "expired", "certificate_expired"),
                                     ("wrong-name", "name_mismatch", "bad_certificate"),
                                     ("missing-intermediate", "missing_intermediate", "unknown_ca")):
            with self.subTest(profile):
                status, answer = self.answer(f"localhost:{self.server(profile)}")
                self.assertEqual((status, answer["code"], answer["alert"], answer["open"]), (1, code, alert, False))

    def test_not_trusted_without_the_ca(self):
        status, answer = self.answer(f"localhost:{self.server('good')}", trusted=False)
        self.assertEqual((status, answer["code"]), (1, "unknown_ca"))

    def test_name_and_time(self):
        port = self.server("good")
        self.assertEqual(self.answer(f"127.0.0.1:{port}", "--name", "localhost")[0], 0)
        status, answer = self.answer(f"localhost:{port}", "--name", "sip.example.org")
        self.assertEqual((status, answer["code"]), (1, "name_mismatch"))
        status, answer = self.answer(f"localhost:{port}", "--time", "2001-01-01")
        self.assertEqual((status, answer["code"]), (1, "not_yet_valid"))

    def test_client_certificate(self):
        """TLS 1.3: the server's word on our certificate comes after the handshake, and is waited for."""
        port = self.server("good", "-Verify", "2", "-CAfile", str(self.pki / "ca.pem"), "-verify_return_error")
        for version in "1.2", "1.3":
            with self.subTest(version):
                mine = ["--cert", str(self.pki / "client/chain.pem"), "--key", str(self.pki / "client/key.pem")]
                status, answer = self.answer(f"localhost:{port}", "--tls", version, *mine)
                self.assertEqual((status, answer["open"], answer["sent_certificate"]), (0, True, True))
                other = ["--cert", str(self.pki / "client-unknown-ca/chain.pem"),
                         "--key", str(self.pki / "client-unknown-ca/key.pem")]
                status, answer = self.answer(f"localhost:{port}", "--tls", version, *other)
                self.assertEqual((status, answer["verdict"], answer["open"]), (1, "verified", False))
                self.assertEqual(answer["alert_received"], "unknown_ca")
                status, answer = self.answer(f"localhost:{port}", "--tls", version)
                self.assertEqual((status, answer["verdict"], answer["open"]), (1, "verified", False))

    def test_as_an_account(self):
        """What the daemon would make of the server: its name, its profile, its trusted certificates."""
        own, port = self.server("home-made"), self.server("home-made")
        phone = Phone(self.directory / "phone", trusted=[self.pki / "ca.pem"])
        self.addCleanup(phone.stop)
        compatible = {"security.certificate_profile": "compatible"}
        phone.account(1, own)
        phone.account(2, free_port(), **compatible)
        phone.account(3, free_port(), host="127.0.0.2", **compatible, **{"security.cn_validation": 0})
        phone.account(4, free_port(), **compatible, **{"security.ca_cert": 0})
        phone.start().events().wait_refused(1, "malformed")

        def ask(*options):
            done = subprocess.run([os.environ["SIPSCTL"], "--run-dir", phone.run, "probe", "--json", *options],
                                  capture_output=True, text=True, timeout=30)
            return done.returncode, json.loads(done.stdout)["code"] if done.stdout else done.stderr
        target = f"localhost:{port}"
        self.assertEqual(ask("--account", "1"), (1, "malformed"))
        self.assertEqual(ask("--account", "1", target), (1, "malformed"))
        self.assertEqual(ask("--account", "1", "--profile", "compatible", target), (0, "none"))
        self.assertEqual(ask("--account", "2", target), (0, "none"))
        self.assertEqual(ask("--account", "2", f"127.0.0.1:{port}"), (0, "none"))
        self.assertEqual(ask("--account", "2", "--name", "sip.example.org", target), (1, "name_mismatch"))
        self.assertEqual(ask("--account", "3", target), (0, "none"))
        self.assertEqual(ask("--account", "4", target), (1, "unknown_ca"))
        self.assertEqual(ask("--account", "9", target)[0], 2)
        self.assertEqual(ask("--account", "0", target)[0], 2)

    def test_could_not_be_asked(self):
        for target in (f"localhost:{free_port()}", "localhost:0", "localhost:99999", ":5061", "", "no such host"):
            with self.subTest(target):
                self.assertEqual(self.probe(target).returncode, 2)
        self.assertEqual(self.probe("localhost", "--key", "/nowhere").returncode, 2)
        self.assertEqual(self.probe("localhost", "--cert", "/nowhere").returncode, 2)
        self.assertEqual(self.probe("localhost", "--time", "tomorrow").returncode, 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
