"""Servers that want the phone's certificate: Kamailio, and OpenSSL's and GnuTLS's own; who accept it, refuse it, or get none."""

import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from peers import Endpoint, Kamailio, Process, accepts, free_port, make_pki, wait_until
from phone import Phone

for tool in "kamailio", "openssl", "gnutls-serv":
    if not shutil.which(tool):
        print(f"skipped: {tool} is not installed")
        sys.exit(77)

# For Kamailio, and what the event says then.
VERSIONS = {"TLSv1.2": "TLSv1.2", "TLSv1.2+": "TLSv1.3"}

NOT_ACCEPTED = "the server did not accept the phone's certificate: "
SHOWN = "; it was shown the generic one, 'phone'"

# Which of the PKI's certificates the phone shows, and the sentence: what follows the server's name and address.
REFUSALS = {
    "client-unknown-ca": NOT_ACCEPTED + "it does not trust its issuer (alert unknown_ca, 48)" + SHOWN,
    "client-expired": NOT_ACCEPTED + "it has expired, or the server's clock is wrong (alert certificate_expired, 45)" + SHOWN,
}
NONE_SHOWN = "the server wants a certificate of the phone's and got none (alert {}); the phone has none to show"
NONE_ALERT = {"TLSv1.2": "handshake_failure, 40", "TLSv1.3": "certificate_required, 116"}


class Case(unittest.TestCase):
    def setUp(self):
        self.directory = Path(tempfile.mkdtemp(prefix="sipsd-mutual-"))
        self.addCleanup(shutil.rmtree, self.directory)
        self.phone = Phone(self.directory / "phone", trusted=[PKI / "ca.pem"])
        self.addCleanup(self.phone.stop)
        self.addCleanup(self.show_logs)

    def show_logs(self):
        if any(error for _, error in getattr(self._outcome, "errors", [])) or not self._outcome.success:
            for log in self.directory.glob("*/log"):
                print(f"--- {log.parent.name}\n{log.read_text(errors='replace')[-6000:]}", file=sys.stderr)

    def show(self, profile, as_what="generic"):
        self.phone.maker(as_what, PKI / profile / "chain.pem", PKI / profile / "key.pem")

    def assert_never_locked(self, events, number):
        """Of all that was told of the account, nothing was a lock."""
        told = [p for _, method, p in events.log if method == "lock" and p["account"] == number]
        told += [a for _, method, p in events.log if method == "snapshot" for a in p["accounts"] if a["account"] == number]
        self.assertTrue(told)
        self.assertFalse([a for a in told if a["lock"] or a["encrypted"]])

    def assert_refused(self, events, number, words):
        account = events.wait(lambda a: a[number]["code"] == "identity" and words in a[number]["sentence"], 15,
                              f"account {number} to be refused with '{words}'")[number]
        self.assertFalse(account["lock"])
        self.assertEqual(account["assurance"], "none")
        return account


class WithKamailio(Case):
    def start(self, client_ca=None):
        """One account for each version, at a server that requires certificates; the events, and (number, endpoint, version)."""
        endpoints = [Endpoint(PKI, "good", method, client_ca=client_ca or PKI / "ca.pem") for method in VERSIONS]
        self.server = Kamailio(self.directory / "kamailio", endpoints).start()
        self.addCleanup(self.server.stop)
        for number, endpoint in enumerate(endpoints, 1):
            self.phone.account(number, endpoint.port)
        events = self.phone.start().events()
        return events, [(n, e, VERSIONS[e.method]) for n, e in enumerate(endpoints, 1)]

    def check_accepted(self, name, client_ca=None):
        events, accounts = self.start(client_ca)
        for number, endpoint, version in accounts:
            with self.subTest(version):
                account = events.wait_locked(number)
                self.assertEqual(account["peer"]["protocol"], version)
                self.assertEqual(account["assurance"], "full")
                self.assertEqual(account["code"], "none")
                wait_until(lambda: re.search(rf"SAVED REGISTER {endpoint.port} .* peer={name}\n", self.server.text()), 5,
                           "Kamailio to say whose certificate it saw")

    def test_generic_accepted(self):
        self.show("client")
        self.check_accepted("phone")

    def test_unique_accepted(self):
        """It goes before the generic one, and its CA is the maker's."""
        make_unique(self.directory, "001122334455")
        self.phone.maker("unique", self.directory / "phone.pem", self.directory / "phone.key")
        self.show("client-unknown-ca")
        self.check_accepted("001122334455", client_ca=self.directory / "maker.pem")

    def test_another_choice_restarts_nothing(self):
        self.show("client")
        events, accounts = self.start()
        for number, *_ in accounts:
            events.wait_locked(number)
        told = len(events.log)
        self.phone.settings("static.security.dev_cert = 1")
        self.phone.process.popen.send_signal(signal.SIGHUP)
        wait_until(lambda: "the settings ask for the uploaded one, and there is none" in self.phone.process.text(), 5,
                   "the log to say what is used instead")
        time.sleep(0.5)
        events.call("status")
        self.assertEqual(events.log[told:], [])
        for _, endpoint, _ in accounts:
            self.assertEqual(self.server.requests(endpoint), ["REGISTER", "REGISTER"])  # asked for the password, and done

    def test_unique_of_another_phone(self):
        """The generic one is shown instead, and the log says why."""
        make_unique(self.directory, "001122334456")
        self.phone.maker("unique", self.directory / "phone.pem", self.directory / "phone.key")
        self.show("client")
        self.check_accepted("phone")
        self.assertIn("it is the certificate of '001122334456', not of this phone, whose MAC address is 00:11:22:33:44:55",
                      self.phone.process.text())

    def test_uploaded_then_replaced_during_handshakes(self):
        """Accounts that wait for a certificate of the phone's lock as soon as it is there; and whatever step of a
        handshake another one comes in, each ends with one or the other."""
        names = ["one", "two"]
        make_unique(self.directory, "one")
        uploads = [upload(self.directory)]
        issue(self.directory, "two")
        uploads.append(upload(self.directory))
        events, accounts = self.start(self.directory / "maker.pem")
        for number, _, version in accounts:
            self.assert_refused(events, number, NONE_SHOWN.format(NONE_ALERT[version]))
        control = self.phone.control()
        control.call("identity.install", uploads[0])
        for number, *_ in accounts:
            events.wait_locked(number, 2)  # its own back-off takes longer
        for turn in range(1, 21):
            for number, *_ in accounts:
                control.call("account.reconnect", {"account": number})
            time.sleep(turn * 0.0005)
            control.call("identity.install", uploads[turn % 2])
        wait_until(lambda: all(a["lock"] and a["registration"]["state"] == "registered"
                               for a in events.call("status")["accounts"]), 10, "all to be locked again")
        for _, endpoint, _ in accounts:
            seen = set(re.findall(rf"SAVED REGISTER {endpoint.port} .* peer=(\w+)\n", self.server.text()))
            self.assertLessEqual(seen, set(names))
        self.assertFalse([p for _, m, p in events.log if m == "lock" and p["code"] == "identity" and p["lock"]])

    def test_refused(self):
        for profile, words in REFUSALS.items():
            with self.subTest(profile):
                self.show(profile)
                events, accounts = self.start()
                for number, endpoint, version in accounts:
                    self.assert_refused(events, number, words)
                    self.assert_never_locked(events, number)
                    self.assertEqual(self.server.requests(endpoint), [])
                self.phone.stop()
                self.server.stop()

    def test_none_to_show(self):
        events, accounts = self.start()
        for number, endpoint, version in accounts:
            with self.subTest(version):
                self.assert_refused(events, number, NONE_SHOWN.format(NONE_ALERT[version]))
                self.assert_never_locked(events, number)
                self.assertEqual(self.server.requests(endpoint), [])


class WithTools(Case):
    """Servers that speak no SIP: the lock is there, the registration is not."""

    def openssl(self, version):
        port = free_port()
        return port, ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", f"-tls1_{version[-1]}", "-quiet",
                      "-cert", PKI / "good/chain.pem", "-key", PKI / "good/key.pem", "-Verify", "2", "-verify_return_error",
                      "-CAfile", PKI / "ca.pem"]

    def gnutls(self, version):
        port = free_port()
        return port, ["gnutls-serv", "--port", str(port), "--echo", "--require-client-cert", "--verify-client-cert",
                      "--priority", f"NORMAL:-VERS-ALL:+VERS-TLS1.{version[-1]}", "--x509certfile", PKI / "good/chain.pem",
                      "--x509keyfile", PKI / "good/key.pem", "--x509cafile", PKI / "ca.pem"]

    def start(self):
        """One account for each tool and version; the events, and (number, tool, version)."""
        servers = [(tool, version) for tool in (self.openssl, self.gnutls) for version in VERSIONS.values()]
        for number, (tool, version) in enumerate(servers, 1):
            port, arguments = tool(version)
            (self.directory / f"server{number}").mkdir(exist_ok=True)
            process = Process(arguments, self.directory / f"server{number}/log")
            self.addCleanup(process.stop)
            wait_until(lambda: process.popen.poll() is not None or accepts(port), 20, f"{arguments[0]} to listen")
            self.phone.account(number, port)
        events = self.phone.start().events()
        return events, [(n, tool.__name__, version) for n, (tool, version) in enumerate(servers, 1)]

    def test_accepted(self):
        self.show("client")
        events, accounts = self.start()
        for number, tool, version in accounts:
            with self.subTest(f"{tool} {version}"):
                events.wait(lambda _, n=number: self.lock_of(events, n), 10, f"account {number}'s lock")
                account = self.lock_of(events, number)
                self.assertEqual(account["peer"]["protocol"], version)
                self.assertEqual(account["assurance"], "full")

    @staticmethod
    def lock_of(events, number):
        """What was told when it came; it goes again as soon as the server says what is no SIP."""
        told = [p for _, method, p in events.log if method == "lock"]
        told += [a for _, method, p in events.log if method == "snapshot" for a in p["accounts"]]
        return next((p for p in told if p["account"] == number and p["lock"]), None)

    def test_refused(self):
        self.show("client-unknown-ca")
        events, accounts = self.start()
        for number, tool, version in accounts:
            with self.subTest(f"{tool} {version}"):
                self.assert_refused(events, number, NOT_ACCEPTED)
                self.assert_never_locked(events, number)

    def test_none_to_show(self):
        events, accounts = self.start()
        for number, tool, version in accounts:
            with self.subTest(f"{tool} {version}"):
                self.assert_refused(events, number, "the server wants a certificate of the phone's and got none")
                self.assert_never_locked(events, number)


EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


def openssl(directory, *arguments):
    subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)


def issue(directory, name):
    """What the maker's CA issues for the phone of that name: phone.pem, phone.key."""
    openssl(directory, "req", *EC, "-subj", f"/O=Maker/CN={name}", "-keyout", "phone.key", "-out", "phone.csr")
    openssl(directory, "x509", "-req", "-in", "phone.csr", "-CA", "maker.pem", "-CAkey", "maker.key", "-CAcreateserial",
            "-days", "30", "-out", "phone.pem")


def make_unique(directory, name):
    """A maker's CA, maker.pem, and what it issued for the phone of that name."""
    openssl(directory, "req", "-x509", *EC, "-subj", "/CN=Maker Root", "-days", "30", "-keyout", "maker.key",
            "-out", "maker.pem")
    issue(directory, name)


def upload(directory):
    """The same as an admin uploads it, as parameters of identity.install."""
    return {"name": "phone.pem", "content": (directory / "phone.pem").read_text() + (directory / "phone.key").read_text()}


def setUpModule():
    global PKI
    directory = tempfile.mkdtemp(prefix="sipsd-pki-")
    unittest.addModuleCleanup(shutil.rmtree, directory)
    PKI = make_pki(directory, "good", "client", "client-expired", "client-unknown-ca")


if __name__ == "__main__":
    unittest.main(verbosity=2)
