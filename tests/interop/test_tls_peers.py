"""Our TLS session, in both roles, against OpenSSL's and GnuTLS's own tools."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from peers import Process, accepts, free_port, make_pki, wait_until

for tool in "openssl", "gnutls-serv", "gnutls-cli":
    if not shutil.which(tool):
        print(f"skipped: {tool} is not installed")
        sys.exit(77)

TLSPEER = os.environ["TLSPEER"]
NAME = "localhost"
VERSIONS = {"1.2": "TLSv1.2", "1.3": "TLSv1.3"}
SECONDS = 20  # that anything here may take on a busy machine


class Talker(Process):
    """A program with a console: what is said to it, and what it says."""

    def __init__(self, arguments, log):
        self.log = Path(log)
        with open(self.log, "ab") as out:
            self.popen = subprocess.Popen([str(a) for a in arguments], stdin=subprocess.PIPE, stdout=out,
                                          stderr=subprocess.STDOUT, start_new_session=True)

    def say(self, text):
        self.popen.stdin.write(text.encode())
        self.popen.stdin.flush()

    def wait_for(self, text, count=1):
        try:
            wait_until(lambda: self.text().count(text) >= count, SECONDS, repr(text))
        except AssertionError as e:
            raise AssertionError(f"{e} in:\n{self.text()}") from None

    def wait_for_end(self):
        self.popen.stdin.close()
        return self.popen.wait(SECONDS)


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = Path(tempfile.mkdtemp(prefix="sipsd-tls-"))
        cls.addClassCleanup(shutil.rmtree, cls.directory)
        cls.pki = make_pki(cls.directory / "pki", "good", "good-rsa", "via-intermediate", "unknown-ca", "expired",
                           "wrong-name", "client", "client-unknown-ca")
        cls.ca = cls.pki / "ca.pem"

    def setUp(self):
        self.logs = Path(tempfile.mkdtemp(prefix="logs-", dir=self.directory))

    def talker(self, *arguments):
        process = Talker(arguments, self.logs / str(len(list(self.logs.iterdir()))))
        self.addCleanup(process.popen.stdin.close)
        self.addCleanup(process.stop)
        return process

    def files(self, profile, cert="--cert", key="--key"):
        return [cert, self.pki / profile / "chain.pem", key, self.pki / profile / "key.pem"]


# --- our client ---


class Client(Case):
    def connect(self, port, *options, ca=None, name=NAME):
        """Runs it to its end; returns (exit status, what it printed)."""
        done = subprocess.run([TLSPEER, "--connect", str(port), "--ca", ca or self.ca, "--name", name, *options],
                              stdout=subprocess.PIPE, text=True, timeout=SECONDS)
        return done.returncode, done.stdout

    def server(self, port, *arguments):
        process = self.talker(*arguments)
        wait_until(lambda: accepts(port), SECONDS, "the server: " + process.text())
        return process


class ClientToOpenssl(Client):
    def start(self, profile="good", *options):
        self.port = free_port()
        return self.server(self.port, "openssl", "s_server", "-accept", f"127.0.0.1:{self.port}",
                           *self.files(profile, "-cert", "-key"), "-cert_chain", self.pki / profile / "chain.pem",
                           *options)

    def assert_talks(self, want, *options, **more):
        status, said = self.connect(self.port, "--say", "hello\n", *options, **more)
        self.assertEqual(0, status, said)
        self.assertIn(want, said)
        self.assertIn("heard olleh", said)
        self.assertIn("closed\n", said)

    def test_versions_and_keys(self):
        for profile in "good", "good-rsa", "via-intermediate":
            for version, name in VERSIONS.items():
                with self.subTest(profile=profile, version=version):
                    self.start(profile, "-rev", "-tls" + version.replace(".", "_"))
                    self.assert_talks(f"established {name}")

    def test_suites(self):
        suites = {
            "TLS_AES_128_GCM_SHA256": ["-ciphersuites", "TLS_AES_128_GCM_SHA256"],
            "TLS_AES_256_GCM_SHA384": ["-ciphersuites", "TLS_AES_256_GCM_SHA384"],
            "TLS_CHACHA20_POLY1305_SHA256": ["-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"],
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"],
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384"],
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": ["-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"],
        }
        for name, options in suites.items():
            with self.subTest(name):
                self.start("good", "-rev", *options)
                self.assert_talks(name)

    def test_groups(self):
        for group in "X25519", "P-256", "P-384", "P-521":
            for version in VERSIONS:
                with self.subTest(group=group, version=version):
                    self.start("good-rsa", "-rev", "-groups", group, "-tls" + version.replace(".", "_"))
                    self.assert_talks("established")

    def test_rsa_pss_in_tls_1_2(self):
        self.start("good-rsa", "-rev", "-tls1_2", "-sigalgs", "RSA-PSS+SHA256")
        self.assert_talks("established TLSv1.2")

    def test_resumes(self):
        for version in VERSIONS:
            with self.subTest(version):
                self.start("good", "-rev", "-tls" + version.replace(".", "_"))
                status, said = self.connect(self.port, "--say", "hello\n", "--times", "3")
                self.assertEqual(0, status, said)
                self.assertEqual(1, said.count("full verified"), said)
                self.assertEqual(2, said.count("resumed verified"), said)

    def test_refused_server_is_told_why(self):
        for profile, alert in (("unknown-ca", "unknown ca"), ("expired", "certificate expired"),
                               ("wrong-name", "bad certificate")):
            for version in VERSIONS:
                with self.subTest(profile=profile, version=version):
                    server = self.start(profile, "-rev", "-tls" + version.replace(".", "_"))
                    status, said = self.connect(self.port)
                    self.assertEqual(1, status)
                    self.assertNotIn("established", said)
                    server.wait_for("alert " + alert)
                    self.assertNotIn("bad record mac", server.text())

    def test_server_that_wants_a_certificate(self):
        wants = ["-rev", "-Verify", "3", "-verify_return_error", "-CAfile", self.ca]
        for version in VERSIONS:
            with self.subTest(version):
                self.start("good", *wants, "-tls" + version.replace(".", "_"))
                self.assert_talks("established", *self.files("client"))
                status, said = self.connect(self.port, *self.files("client-unknown-ca"))
                self.assertEqual(1, status)
                self.assertIn("alert received unknown_ca", said)
                status, said = self.connect(self.port)
                self.assertEqual(1, status)
                self.assertIn("alert received " + {"1.2": "handshake_failure", "1.3": "certificate_required"}[version],
                              said)

    def test_old_server(self):
        self.start("good", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
        status, said = self.connect(self.port)
        self.assertEqual(1, status)
        self.assertIn("does not speak a TLS version that we allow", said)

    def test_key_updates_by_the_server(self):
        server = self.start("good", "-tls1_3", "-msg")
        client = self.talker(TLSPEER, "--connect", self.port, "--ca", self.ca, "--name", NAME, "--answers", "3")
        client.wait_for("established")  # what is said to s_server before may end it
        for number, update in enumerate(("", "k\n", "K\n"), 1):
            if update:
                server.say(update)
                server.wait_for(">>> TLS 1.3, Handshake [length 0005], KeyUpdate", number - 1)
            server.say("pong\n")
            client.wait_for("heard pong", number)
        client.wait_for("closed")
        self.assertEqual(0, client.wait_for_end())


class ClientToGnutls(Client):
    def start(self, profile="good", priority="NORMAL", *options):
        self.port = free_port()
        return self.server(self.port, "gnutls-serv", "--echo", "--port", self.port, "--priority", priority,
                           *self.files(profile, "--x509certfile", "--x509keyfile"), "--disable-client-cert", *options)

    def test_versions_and_keys(self):
        for profile in "good", "good-rsa":
            for version, name in VERSIONS.items():
                with self.subTest(profile=profile, version=version):
                    self.start(profile, f"NORMAL:-VERS-ALL:+VERS-TLS{version}")
                    status, said = self.connect(self.port, "--say", "hello\n")
                    self.assertEqual(0, status, said)
                    self.assertIn(f"established {name}", said)
                    self.assertIn("heard hello", said)

    def test_resumes(self):
        for version in VERSIONS:
            with self.subTest(version):
                self.start("good", f"NORMAL:-VERS-ALL:+VERS-TLS{version}")
                status, said = self.connect(self.port, "--say", "hello\n", "--times", "2")
                self.assertEqual(0, status, said)
                self.assertEqual(1, said.count("resumed verified"), said)

    def test_refused_server_is_told_why(self):
        for version in VERSIONS:
            with self.subTest(version):
                server = self.start("unknown-ca", f"NORMAL:-VERS-ALL:+VERS-TLS{version}", "--debug", "5")
                status, said = self.connect(self.port)
                self.assertEqual(1, status, said)
                server.wait_for("Alert[2|48]")


# --- our server ---


class Server(Case):
    def start(self, profile="good", *options):
        server = self.talker(TLSPEER, "--listen", "0", *self.files(profile), *options)
        server.wait_for("listening")
        self.port = server.text().split()[1]
        return server


class OpensslToServer(Server):
    def client(self, *options, ca=None):
        return self.talker("openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", "-servername", NAME,
                           "-verify_return_error", "-CAfile", ca or self.ca, *options)

    def assert_talks(self, *options):
        client = self.client(*options)
        client.say("hello\n")
        client.wait_for("answer")
        client.say("Q\n")
        self.assertEqual(0, client.wait_for_end(), client.text())
        return client

    def test_versions_and_keys(self):
        for profile in "good", "good-rsa", "via-intermediate":
            server = self.start(profile)
            for version, name in VERSIONS.items():
                with self.subTest(profile=profile, version=version):
                    client = self.assert_talks("-tls" + version.replace(".", "_"))
                    self.assertIn("Verify return code: 0 (ok)", client.text())
                    server.wait_for(f"established {name}")
            self.assertNotIn("failed", server.text())

    def test_groups(self):
        self.start("good-rsa")  # in TLS 1.2 a certificate with an EC key would have to fit the groups
        for group in "X25519", "P-256", "P-384", "P-521":
            for version in VERSIONS:
                with self.subTest(group=group, version=version):
                    self.assert_talks("-groups", group, "-tls" + version.replace(".", "_"))

    def test_resumes(self):
        server = self.start()
        for version in VERSIONS:
            with self.subTest(version):
                session = self.logs / f"session-{version}"
                self.assert_talks("-tls" + version.replace(".", "_"), "-sess_out", session)
                self.assert_talks("-tls" + version.replace(".", "_"), "-sess_in", session)
        self.assertEqual(2, server.text().count("resumed"), server.text())

    def test_client_certificates(self):
        server = self.start("good", "--client-auth", "require", "--ca", self.ca)
        for version in VERSIONS:
            flag = "-tls" + version.replace(".", "_")
            with self.subTest(version):
                self.assert_talks(flag, *self.files("client", "-cert", "-key"))
                client = self.client(flag, *self.files("client-unknown-ca", "-cert", "-key"))
                client.wait_for("alert unknown ca")
                client = self.client(flag)
                client.wait_for({"1.2": "alert handshake failure", "1.3": "alert certificate required"}[version])
        self.assertEqual(2, server.text().count("verified"))

    def test_client_that_does_not_trust_us(self):
        server = self.start("unknown-ca")
        for count, version in enumerate(VERSIONS, 1):
            with self.subTest(version):
                self.client("-tls" + version.replace(".", "_"))
                server.wait_for("alert received unknown_ca", count)
        self.assertIn("it does not trust the issuer of our certificate", server.text())

    def test_old_client(self):
        server = self.start()
        client = self.client("-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
        client.wait_for("alert protocol version")
        server.wait_for("speaks no TLS version that is allowed")

    def test_hello_retry_request(self):
        """The second ClientHello, which has to be the first one again, is taken."""
        server = self.start()
        self.assert_talks("-tls1_3", "-groups", "ffdhe2048:P-256")
        server.wait_for("established TLSv1.3")
        self.assertNotIn("failed", server.text())

    def test_key_update_by_the_server(self):
        server = self.start()
        client = self.client("-tls1_3", "-msg")
        client.say("GET /keyupdate HTTP/1.0\n\n")
        client.wait_for("answer")
        client.wait_for("KeyUpdate")
        client.say("hello\n")  # behind the keys that the server has asked for
        client.wait_for("KeyUpdate", 2)
        client.wait_for("answer", 2)
        self.assertNotIn("failed", server.text())

    def test_echo(self):
        server = self.start("good", "--echo")
        client = self.client("-quiet")
        client.say("there and back\n")
        client.wait_for("there and back")
        self.assertNotIn("failed", server.text())

    def test_goes_on_after_errors(self):
        hello = b"\x16\x03\x01\x00\x04\x01\x00\x40\x00"
        server = self.start()
        for number, (said, fate) in enumerate([
            (b"", "without a word of TLS"),
            (b"GET / HTTP/1.0\r\n\r\n", "does not speak TLS"),
            (hello, "closed the connection in the TLS handshake"),
            (hello + b"\x15\x03\x01\x00\x02\x02\x28", "not expected"),
            (hello + 17000 * b"\x16\x03\x01\x00\x01\x00", "no TLS version"),
            (hello[:6] + b"\xff\xff\xff" + 70000 * b"\x00", "too long"),
        ], 1):
            with socket.create_connection(("127.0.0.1", int(self.port)), SECONDS) as peer:
                peer.sendall(said)
                peer.shutdown(socket.SHUT_WR)
                while peer.recv(1000):
                    pass
            server.wait_for("failed", number)
            self.assertIn(fate, server.text().splitlines()[-1])
        self.assert_talks()

    def test_key_updates_by_the_client(self):
        server = self.start()
        client = self.client("-tls1_3")
        for number, update in enumerate(("", "k\n", "K\n", "K\n"), 1):
            if update:
                client.say(update)
                client.wait_for("KEYUPDATE", number - 1)
            client.say("hello\n")
            client.wait_for("answer", number)
        self.assertNotIn("failed", server.text())

    def test_renegotiation_is_refused(self):
        server = self.start()
        client = self.client("-tls1_2")
        client.say("hello\n")
        client.wait_for("answer")
        client.say("R\n")
        client.wait_for("no renegotiation")
        self.assertNotIn("unexpected_message", server.text())


class GnutlsToServer(Server):
    def client(self, *options):
        return self.talker("gnutls-cli", "--port", self.port, "--x509cafile", self.ca, "--sni-hostname", NAME,
                           "--verify-hostname", NAME, *options, "127.0.0.1")

    def test_hello_retry_request(self):
        server = self.start()
        client = self.client("--single-key-share", "--priority",
                             "NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-FFDHE2048:+GROUP-SECP256R1")
        client.say("hello\n")
        client.wait_for("answer")
        self.assertEqual(0, client.wait_for_end(), client.text())
        server.wait_for("established TLSv1.3")

    def test_versions(self):
        for profile in "good", "good-rsa":
            server = self.start(profile)
            for version, name in VERSIONS.items():
                with self.subTest(profile=profile, version=version):
                    client = self.client("--priority", f"NORMAL:-VERS-ALL:+VERS-TLS{version}")
                    client.say("hello\n")
                    client.wait_for("answer")
                    self.assertEqual(0, client.wait_for_end(), client.text())
                    server.wait_for(f"established {name}")
                    server.wait_for("closed")

    def test_resumes(self):
        server = self.start()
        client = self.client("--resume")
        client.wait_for("Resume Handshake was completed")
        client.say("hello\n")
        client.wait_for("answer")
        self.assertIn("resumed", server.text())
        self.assertIn("This is a resumed session", client.text())

    def test_rekeying(self):
        server = self.start()
        client = self.client("--inline-commands", "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.3")
        client.say("hello\n")
        client.wait_for("answer")
        client.say("^rekey^\n")
        client.wait_for("Rekey was completed")
        client.say("hello\n")
        client.wait_for("answer", 2)
        self.assertNotIn("failed", server.text())


if __name__ == "__main__":
    unittest.main()
