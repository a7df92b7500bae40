"""The main line against Kamailio: registered and locked; gone and back; and every refusal with its reason."""

import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from peers import Endpoint, Kamailio, make_pki, wait_until
from phone import Phone

if not shutil.which("kamailio"):
    print("skipped: Kamailio is not installed")
    sys.exit(77)

# What the server's certificate is like, the code in our event, a word of its sentence, and the alert that the server gets.
REFUSALS = [
    ("wrong-name", "name_mismatch", "other.example.net", "bad certificate"),
    ("expired", "expired", "expired", "certificate expired"),
    ("not-yet-valid", "not_yet_valid", "not valid", "certificate expired"),
    ("unknown-ca", "unknown_ca", "Elsewhere Test Root", "unknown ca"),
    ("self-signed", "self_signed", "self-signed", "unknown ca"),
    ("missing-intermediate", "missing_intermediate", "Example Test Issuing CA", "unknown ca"),
    ("issuer-not-ca", "not_a_ca", "may not issue certificates: it is not a CA's", "bad certificate"),
    ("client-purpose", "ext_key_usage", "is not for a TLS server", "bad certificate"),
    ("home-made", "malformed", "to accept it, set static.security.certificate_profile = compatible",
     "bad certificate"),
    ("outside-constraints", "name_constraints", "Example Constrained CA", "bad certificate"),
    ("outside-soft-constraints", "name_constraints", "Example Constrained CA", "bad certificate"),
]


class Case(unittest.TestCase):
    """Each test has its own phone and servers in a directory of its own; the PKI is made once."""

    def setUp(self):
        self.directory = Path(tempfile.mkdtemp(prefix="sipsd-interop-"))
        self.addCleanup(shutil.rmtree, self.directory)
        self.pki = PKI
        self.phone = Phone(self.directory / "phone", trusted=[self.pki / "ca.pem"])
        self.addCleanup(self.phone.stop)
        self.addCleanup(self.show_logs)

    def show_logs(self):
        """What a failed test needs to be understood; called before the directory goes."""
        failed = any(error for _, error in getattr(self._outcome, "errors", [])) or not self._outcome.success
        if failed:
            for log in self.directory.glob("*/log"):
                print(f"--- {log.parent.name}\n{log.read_text(errors='replace')[-6000:]}", file=sys.stderr)

    def kamailio(self, *endpoints, name="kamailio", **options):
        server = Kamailio(self.directory / name, list(endpoints), **options).start()
        self.addCleanup(server.stop)
        return server


class Registers(Case):
    def check_locked(self, endpoint=None, version=None, **options):
        endpoint = endpoint or Endpoint(self.pki, "good")
        server = self.kamailio(endpoint, **options)
        started = time.monotonic()
        events = self.phone.account(1, endpoint.port).start().events()
        account = events.wait_locked(1)
        self.assertLess(time.monotonic() - started, 5)
        self.assertEqual(account["assurance"], "full")
        self.assertEqual(account["verdict"], "verified")
        if version:
            self.assertEqual(account["peer"]["protocol"], version)
        wait_until(lambda: len(server.saved(endpoint)) == 1, 5, "Kamailio to say so, too")
        return server, endpoint, events

    def test_md5_digest(self):
        self.check_locked()

    def test_sha256_digest(self):
        self.check_locked(algorithm="SHA-256")

    def test_tls_1_2_only(self):
        self.check_locked(Endpoint(self.pki, "good", "TLSv1.2"), version="TLSv1.2")

    def test_tls_1_3_only(self):
        """Kamailio 5.6 cannot be told so, but a server whose only older ciphers are for a key it has not is one."""
        endpoint = Endpoint(self.pki, "good", ciphers="ECDHE-RSA-AES256-GCM-SHA384")
        self.check_locked(endpoint, version="TLSv1.3")

    def test_rsa_over_tls_1_2(self):
        self.check_locked(Endpoint(self.pki, "good-rsa", "TLSv1.2"), version="TLSv1.2")

    def test_intermediate(self):
        self.check_locked(Endpoint(self.pki, "via-intermediate"))

    def test_chains_that_others_trip_over(self):
        """Each is right, and each is refused by some verifier that phones have."""
        profiles = ["cross-signed", "constrained", "constrained-softly", "p384", "rsa-pss", "with-root"]
        endpoints = [Endpoint(self.pki, profile) for profile in profiles]
        stray = self.add_stray_certificate(Endpoint(self.pki, "good"))
        self.kamailio(*endpoints, stray)
        for number, endpoint in enumerate([*endpoints, stray], 1):
            self.phone.account(number, endpoint.port)
        events = self.phone.start().events()
        for number, profile in enumerate([*profiles, "a stray certificate"], 1):
            with self.subTest(profile):
                account = events.wait_locked(number)
                self.assertEqual(account["assurance"], "full")
                self.assertIn("Verified: localhost, issued by Example", account["sentence"])

    def add_stray_certificate(self, endpoint):
        """One with a kind of key that mbedTLS cannot read, behind a chain that does not need it."""
        stray = self.directory / "stray.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-subj", "/CN=stray", "-out", stray,
                        "-keyout", self.directory / "stray.key"], check=True, capture_output=True)
        endpoint.chain = self.directory / "chain-and-stray.pem"
        endpoint.chain.write_text((self.pki / "good/chain.pem").read_text() + stray.read_text())
        return endpoint

    def test_interval_too_brief(self):
        """423: the server's Min-Expires is taken."""
        endpoint = Endpoint(self.pki, "good")
        server = self.kamailio(endpoint, refuse_below=900)
        events = self.phone.account(1, endpoint.port, **{"sip_server.1.expires": 60}).start().events()
        account = events.wait_locked(1)
        self.assertEqual(account["registration"]["expires_s"], 900)
        wait_until(lambda: server.saved(endpoint) == ["900"], 5, "Kamailio to say so, too")

    def test_end_removes_the_registration(self):
        server, endpoint, _ = self.check_locked()
        self.phone.stop()
        wait_until(lambda: "0" in server.saved(endpoint), 5, "the un-REGISTER")

    def test_wrong_password(self):
        endpoint = Endpoint(self.pki, "good")
        server = self.kamailio(endpoint)
        events = self.phone.account(1, endpoint.port, password="wrong").start().events()
        account = events.wait(lambda a: a[1]["registration"].get("error"), 10, "the registration's error")[1]
        self.assertIn("password", account["registration"]["error"])
        self.assertTrue(account["lock"], "the connection is encrypted and verified, whatever the password")
        time.sleep(1)
        self.assertLessEqual(len(server.requests(endpoint)), 4, "a refused password is not hammered")


class ComesBack(Case):
    def test_lock_follows_the_server(self):
        endpoint = Endpoint(self.pki, "good")
        server = self.kamailio(endpoint)
        events = self.phone.account(1, endpoint.port).start().events()
        events.wait_locked(1)
        stopped = time.monotonic()
        server.stop()
        events.wait(lambda a: not a[1]["lock"], 5, "the lock to go")
        self.assertLess(time.monotonic() - stopped, 5)
        server.start()
        events.wait_locked(1, 30)


class Refuses(Case):
    def test_each_bad_certificate(self):
        """All at once: one account for each, none of which may send a byte of SIP."""
        endpoints = [Endpoint(self.pki, profile) for profile, *_ in REFUSALS]
        server = self.kamailio(*endpoints)
        for number, endpoint in enumerate(endpoints, 1):
            self.phone.account(number, endpoint.port)
        events = self.phone.start().events()
        clock_is_set = events.call("status")["clock"]["state"] == "set"
        for number, (profile, code, word, alert) in enumerate(REFUSALS, 1):
            with self.subTest(profile):
                if code == "not_yet_valid" and not clock_is_set:
                    # A machine without NTP: it may be the phone's own clock that is wrong.
                    code, word, alert = "clock_unset", "clock", "bad certificate"
                account = events.wait_refused(number, code)
                self.assertFalse(account["lock"])
                self.assertEqual(account["assurance"], "none")
                self.assertEqual(account["verdict"], "rejected")
                self.assertIn(word, account["sentence"])
                wait_until(lambda: re.search(rf"alert {alert}", server.text()), 5, f"the alert {alert} at the server")
        self.assertEqual([server.requests(e) for e in endpoints], [[] for _ in endpoints])

    def test_trust_checking_off(self):
        """Encrypted, not verified: the manual's icon, and what it is worth."""
        endpoint = Endpoint(self.pki, "expired")
        self.kamailio(endpoint)
        self.phone.settings("static.security.trust_certificates = 0")
        account = self.phone.account(1, endpoint.port).start().events().wait_locked(1)
        self.assertEqual(account["assurance"], "none")
        self.assertEqual(account["verdict"], "unverified")

    def test_home_made_certificate(self):
        endpoint = Endpoint(self.pki, "home-made")
        self.kamailio(endpoint)
        account = self.phone.account(1, endpoint.port, **{"security.certificate_profile": "compatible"})
        self.assertEqual(account.start().events().wait_locked(1)["assurance"], "full")

    def test_name_checking_off(self):
        endpoint = Endpoint(self.pki, "wrong-name")
        self.kamailio(endpoint)
        self.phone.settings("static.security.cn_validation = 0")
        account = self.phone.account(1, endpoint.port).start().events().wait_locked(1)
        self.assertEqual(account["assurance"], "chain")
        self.assertEqual(account["verdict"], "verified")


def setUpModule():
    global PKI
    directory = tempfile.mkdtemp(prefix="sipsd-pki-")
    unittest.addModuleCleanup(shutil.rmtree, directory)
    PKI = make_pki(directory)


if __name__ == "__main__":
    unittest.main(verbosity=2)
