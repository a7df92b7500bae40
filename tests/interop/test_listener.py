"""The phone as TLS server: handshakes with OpenSSL and GnuTLS, client certificates, Kamailio and baresip that dial it."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from callers import Caller, gnutls_cli, request, s_client
from peers import Process, accepts, free_port, make_pki, wait_until
from phone import Phone
from registrar import Registrar

OPTIONS = request("OPTIONS", "sips:127.0.0.1")
NEVER = b"\0"  # what no client says: it is listened to until it ends


class Case(unittest.TestCase):
    """A phone with an account that is registered, and a port of its own."""

    @classmethod
    def setUpClass(cls):
        directory = tempfile.mkdtemp(prefix="sipsd-listener-pki-")
        cls.addClassCleanup(shutil.rmtree, directory)
        cls.pki = make_pki(directory, "good", "good-rsa", "via-intermediate", "wrong-name", "unknown-ca", "client",
                           "client-expired", "client-unknown-ca", "client-purpose")
        cls.ca = cls.pki / "ca.pem"

    def setUp(self):
        self.directory = Path(tempfile.mkdtemp(prefix="sipsd-listener-"))
        self.addCleanup(shutil.rmtree, self.directory)
        self.port = free_port()
        self.phone = Phone(self.directory / "phone", trusted=[self.ca])
        self.addCleanup(self.phone.stop)

    def start(self, profile="good", registrar=False, **settings):
        """With the certificate of the profile as the maker's; settings as {"sip.trust_ctrl": 1}."""
        factory = self.directory / "factory"
        factory.mkdir()
        (factory / "generic.pem").write_text((self.pki / profile / "chain.pem").read_text()
                                            + (self.pki / profile / "key.pem").read_text())
        self.phone.settings(f"sip.tls_listen_port = {self.port}")
        for key, value in settings.items():
            self.phone.settings(f"{key} = {value}")
        if registrar:
            self.registrar = Registrar(self.directory, self.pki)
            self.addCleanup(self.registrar.stop)
            self.phone.account(1, self.registrar.ports[0])
        self.phone.start("--factory-dir", factory)
        wait_until(lambda: accepts(self.port), 10, "the port")
        self.events = self.phone.events()
        if registrar:
            self.events.wait_locked(1)
        return self

    def told(self, condition, what):
        """Reads events until one "inbound" fulfils the condition; returns it."""
        found = []
        self.events.wait(lambda a: found.extend(p for _, m, p in self.events.log if m == "inbound" and condition(p))
                         or found, 10, what)
        return found[0]


class Watch(Case):
    def test_sipsctl_says_who_calls(self):
        self.start(registrar=True)
        watch = Process([os.environ["SIPSCTL"], "--run-dir", self.phone.run, "watch"], self.directory / "watch")
        self.addCleanup(watch.stop)
        wait_until(lambda: "account 1" in watch.text(), 10, "sipsctl to have subscribed")
        with Caller(self.port, ca=self.ca):
            line = r"from 127\.0\.0\.1:\d+: up: Encrypted, but who it is is not known"
            wait_until(lambda: re.search(line, watch.text()), 10, "the line")
        wait_until(lambda: re.search(r"from 127\.0\.0\.1:\d+: down: ", watch.text()), 10, "its end")


class Handshakes(Case):
    def test_openssl(self):
        self.start("via-intermediate")
        for version in ("-tls1_2", "-tls1_3"):
            with self.subTest(version):
                said = s_client(self.port, version, "-CAfile", self.ca, data=OPTIONS)
                self.assertIn("SIP/2.0 200 OK", said)
                self.assertIn("verify return:1", said)

    def test_gnutls(self):
        self.start("good-rsa")
        for version in ("NORMAL:-VERS-ALL:+VERS-TLS1.2", "NORMAL:-VERS-ALL:+VERS-TLS1.3"):
            with self.subTest(version):
                said = gnutls_cli(self.port, "--x509cafile", self.ca, "--priority", version, data=OPTIONS)
                self.assertIn("Status: The certificate is trusted", said)
                self.assertIn("SIP/2.0 200 OK", said)

    def test_older_versions_are_refused_by_name(self):
        self.start()
        said = s_client(self.port, "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0", "-CAfile", self.ca, until=NEVER)
        self.assertRegex(said, "alert protocol version")

    def test_both_families(self):
        self.start()
        with Caller(self.port, ca=self.ca) as caller:
            self.assertEqual(caller.ask("OPTIONS", "sips:127.0.0.1"), 200)
        if not socket.has_ipv6 or not accepts6(self.port):
            self.skipTest("there is no IPv6 here")
        with Caller(self.port, host="::1", ca=self.ca) as caller:
            self.assertEqual(caller.ask("OPTIONS", "sips:[::1]"), 200)

    def test_it_is_told(self):
        self.start(registrar=True)
        with Caller(self.port, ca=self.ca) as caller:
            up = self.told(lambda p: p["state"] == "up", "the connection")
            self.assertEqual((up["lock"], up["assurance"], up["verdict"], up["account"]), (True, "none", "none", None))
            self.assertEqual(up["peer"]["protocol"], "TLSv1.3")
            self.assertEqual(caller.ask("INVITE", "sips:user1@127.0.0.1"), 503)
            matched = self.told(lambda p: p["account"] == 1, "the account")
            self.assertEqual(matched["id"], up["id"])
            now = self.events.call("status")["inbound"]
            self.assertEqual([i["id"] for i in now], [up["id"]])
        down = self.told(lambda p: p["state"] == "down", "its end")
        self.assertEqual((down["id"], down["lock"], down["code"]), (up["id"], False, "closed"))
        self.assertEqual(self.events.call("status")["inbound"], [])


def accepts6(port):
    with socket.socket(socket.AF_INET6) as s:
        s.settimeout(1)
        try:
            return s.connect_ex(("::1", port)) == 0
        except OSError:
            return False


# Who shows what, and the alert that OpenSSL is sent: for TLS 1.2, 1.3, in its words; then the code of the event.
REFUSED = [
    (None, "handshake failure", "certificate required", "no_certificate"),
    ("client-expired", "certificate expired", "certificate expired", "expired"),
    ("client-unknown-ca", "unknown ca", "unknown ca", "unknown_ca"),
]


class ClientCertificates(Case):
    def shown(self, profile):
        return ["-cert", self.pki / profile / "chain.pem", "-key", self.pki / profile / "key.pem"] if profile else []

    def test_wrong_ones_get_the_right_alert(self):
        self.start(**{"sip.tls_client_auth": "require"})
        for profile, alert_1_2, alert_1_3, code in REFUSED:
            for version, alert in (("-tls1_2", alert_1_2), ("-tls1_3", alert_1_3)):
                with self.subTest(profile=profile, version=version):
                    said = s_client(self.port, version, "-CAfile", self.ca, *self.shown(profile), data=OPTIONS,
                                    until=b"SSL alert number")
                    self.assertIn(f"alert {alert}", said)
                    self.assertNotIn("SIP/2.0", said)
            told = self.told(lambda p: p["code"] == code, f"the refusal of {profile}")
            self.assertEqual((told["state"], told["lock"], told["verdict"]), ("down", False, "rejected"))

    def test_gnutls_is_told_too(self):
        self.start(**{"sip.tls_client_auth": "require"})
        for profile, words in (("client-expired", "expired"), ("client-unknown-ca", "CA is unknown")):
            with self.subTest(profile):
                said = gnutls_cli(self.port, "--x509cafile", self.ca,
                                  "--x509certfile", self.pki / profile / "chain.pem",
                                  "--x509keyfile", self.pki / profile / "key.pem", data=OPTIONS, until=NEVER)
                self.assertRegex(said, f"(?i)alert.*({words})")
                self.assertNotIn("SIP/2.0", said)

    def test_right_ones_are_let_in(self):
        self.start(**{"sip.tls_client_auth": "require"})
        for version in ("-tls1_2", "-tls1_3"):
            said = s_client(self.port, version, "-CAfile", self.ca, *self.shown("client"), data=OPTIONS)
            self.assertIn("SIP/2.0 200 OK", said)
        said = gnutls_cli(self.port, "--x509cafile", self.ca, "--x509certfile", self.pki / "client/chain.pem",
                          "--x509keyfile", self.pki / "client/key.pem", data=OPTIONS)
        self.assertIn("SIP/2.0 200 OK", said)
        told = self.told(lambda p: p["state"] == "up", "the connection")
        self.assertEqual((told["verdict"], told["assurance"], told["peer"]["certificate"]),
                         ("verified", "chain", "phone"))

    def test_asked_but_not_required(self):
        self.start(**{"sip.tls_client_auth": "request"})
        said = s_client(self.port, "-CAfile", self.ca, data=OPTIONS)
        self.assertIn("SIP/2.0 200 OK", said)
        said = s_client(self.port, "-CAfile", self.ca, *self.shown("client-expired"), data=OPTIONS,
                        until=b"SSL alert number")
        self.assertIn("alert certificate expired", said)

    def test_what_the_certificate_is_for(self):
        """Public CAs issue none for clients any more, so those for servers are taken unless the admin says no."""
        self.start(**{"sip.tls_client_auth": "require"})
        said = s_client(self.port, "-CAfile", self.ca, *self.shown("good"), data=OPTIONS)
        self.assertIn("SIP/2.0 200 OK", said)
        self.phone.settings("sip.tls_client_eku = 1")
        self.phone.process.popen.send_signal(signal.SIGHUP)
        wait_until(lambda: "read again" in self.phone.process.text(), 5, "the reload")
        said = s_client(self.port, "-CAfile", self.ca, *self.shown("good"), data=OPTIONS, until=b"SSL alert number")
        self.assertIn("alert bad certificate", said)
        self.told(lambda p: p["code"] == "ext_key_usage", "the refusal")

    def test_the_servers_own_is_worth_more(self):
        self.start(registrar=True, **{"sip.tls_client_auth": "request", "sip.trust_ctrl": 1,
                                      "account.1.sip_server.1.address": "localhost"})
        with Caller(self.port, ca=self.ca, certificate=self.pki / "good", source="127.0.0.9") as caller:
            told = self.told(lambda p: p["verdict"] == "verified", "the connection")
            self.assertEqual(told["assurance"], "full")
            self.assertEqual(caller.ask("INVITE", "sips:user1@127.0.0.1"), 503)
        with Caller(self.port, ca=self.ca, certificate=self.pki / "client", source="127.0.0.9") as caller:
            self.assertEqual(caller.ask("INVITE", "sips:user1@127.0.0.1"), 403)
        with Caller(self.port, ca=self.ca, source="127.0.0.1") as caller:  # the registrar's address
            self.assertEqual(caller.ask("INVITE", "sips:user1@127.0.0.1"), 503)


class Live(Case):
    """Nothing needs a restart."""

    def reload(self, settings):
        before = self.phone.process.text().count("read again")
        self.phone.settings(settings)
        self.phone.process.popen.send_signal(signal.SIGHUP)
        wait_until(lambda: self.phone.process.text().count("read again") > before, 5, "the reload")

    def test_the_port(self):
        self.start()
        other = free_port()
        with Caller(self.port, ca=self.ca) as caller:
            self.reload(f"sip.tls_listen_port = {other}")
            self.assertTrue(accepts(other))
            self.assertFalse(accepts(self.port))
            self.assertEqual(caller.ask("OPTIONS", "sips:127.0.0.1"), 200)
            self.reload("sip.tls_listen_port = 0")
            self.assertFalse(accepts(other))
            self.assertEqual(caller.ask("OPTIONS", "sips:127.0.0.1"), 200)

    def test_trust(self):
        """The CA of a live client goes: so does the client, and it is told in words."""
        self.start(**{"sip.tls_client_auth": "request"})
        with Caller(self.port, ca=self.ca, certificate=self.pki / "client") as goes, \
                Caller(self.port, ca=self.ca) as stays:
            self.assertEqual(goes.ask("OPTIONS", "sips:127.0.0.1"), 200)
            self.phone.control().call("trust.clear")
            told = self.told(lambda p: p["code"] == "unknown_ca", "its end")
            self.assertIn("Example Test Root", told["sentence"])
            self.assertTrue(goes.is_closed(5))
            self.assertEqual(stays.ask("OPTIONS", "sips:127.0.0.1"), 200)

    def test_a_port_that_is_taken_does_no_harm(self):
        with socket.socket() as taken:
            taken.bind(("0.0.0.0", self.port))
            taken.listen()
            self.start(registrar=True)  # and the account is locked
            self.assertIn(f"cannot listen on 0.0.0.0:{self.port}", self.phone.process.text())


class Resumption(Case):
    def resumes(self, version, *options):
        """Whether OpenSSL resumes its session at a second connection."""
        session = self.directory / "session"
        session.unlink(missing_ok=True)
        first = s_client(self.port, version, "-CAfile", self.ca, "-sess_out", session, *options, data=OPTIONS)
        self.assertIn("SIP/2.0 200 OK", first)
        if not session.exists():
            return False
        second = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", version, "-CAfile",
                                 self.ca, "-sess_in", session, *map(str, options)], input=b"Q\n", timeout=20,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False).stdout.decode()
        return "\nReused, " in second

    def test_without_client_certificates(self):
        self.start()
        self.assertTrue(self.resumes("-tls1_2"))
        self.assertTrue(self.resumes("-tls1_3"))

    def test_with_client_certificates_each_handshake_is_judged(self):
        self.start(**{"sip.tls_client_auth": "request"})
        own = ["-cert", self.pki / "client/chain.pem", "-key", self.pki / "client/key.pem"]
        self.assertFalse(self.resumes("-tls1_2", *own))
        self.assertFalse(self.resumes("-tls1_3", *own))


PROXY = """#!KAMAILIO
debug=2
log_stderror=yes
fork=yes
children=1
tcp_children=1
enable_tls=yes
auto_aliases=no
dns=no
rev_dns=no
listen=udp:127.0.0.1:{udp}
listen=tls:127.0.0.1:{tls}
loadmodule "tls.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "xlog.so"
modparam("tls", "config", "{directory}/tls.cfg")
modparam("tls", "low_mem_threshold1", 0)
modparam("tls", "low_mem_threshold2", 0)
modparam("tm", "fr_timer", 5000)
request_route {{
  t_on_reply("LOG");
  if (!t_relay()) sl_reply_error();
  exit;
}}
onreply_route[LOG] {{ xlog("L_WARN", "REPLY $rs $pr\\n"); }}
"""


class Dialler:
    """Kamailio as a proxy that dials the phone over TLS and verifies its chain; asked over UDP."""

    def __init__(self, directory, ca, server, client=None):
        self.directory = directory
        directory.mkdir()
        self.udp, self.tls = free_port(), free_port()
        own = f"private_key = {client}/key.pem\ncertificate = {client}/chain.pem\n" if client else ""
        (directory / "tls.cfg").write_text(
            f"[server:default]\nmethod = TLSv1.2+\nprivate_key = {server}/key.pem\ncertificate = {server}/chain.pem\n"
            f"[client:default]\nmethod = TLSv1.2+\nverify_certificate = yes\nrequire_certificate = yes\n"
            f"ca_list = {ca}\n{own}")
        (directory / "kamailio.cfg").write_text(PROXY.format(udp=self.udp, tls=self.tls, directory=directory))
        run = directory / "run"
        run.mkdir()
        self.process = Process(["kamailio", "-DD", "-m", "64", "-M", "8", "-f", directory / "kamailio.cfg", "-P",
                                run / "pid", "-Y", run, "-w", run], directory / "log")
        wait_until(lambda: self.process.popen.poll() is not None or accepts(self.tls), 20, "Kamailio to listen")

    def ask(self, method, uri):
        """The status of the final answer that a client of the proxy gets, and the log."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", 0))
            s.settimeout(15)
            text = request(method, uri).replace(b"SIP/2.0/TLS 127.0.0.1:5061",
                                                f"SIP/2.0/UDP 127.0.0.1:{s.getsockname()[1]}".encode())
            s.sendto(text, ("127.0.0.1", self.udp))
            status = 100
            while status < 200:
                status = int(s.recv(65536).split()[1])
        return status

    def text(self):
        return self.process.text()

    def stop(self):
        self.process.stop()


@unittest.skipUnless(shutil.which("kamailio"), "Kamailio is not installed")
class KamailioDials(Case):
    def dialler(self, **options):
        proxy = Dialler(self.directory / "kamailio", self.ca, self.pki / "good", **options)
        self.addCleanup(proxy.stop)
        return proxy

    def uri(self, user="user1"):
        return f"sip:{user}@127.0.0.1:{self.port};transport=tls"

    def test_the_chain_is_right(self):
        self.start("via-intermediate", registrar=True)
        proxy = self.dialler()
        self.assertEqual(proxy.ask("OPTIONS", self.uri()), 200)
        self.assertEqual(proxy.ask("OPTIONS", self.uri("nobody")), 404)
        self.assertEqual(proxy.ask("INVITE", self.uri()), 500)  # a proxy's word for a 503 that it got (RFC 3261 16.7)
        self.assertIn("REPLY 503 tls", proxy.text())

    def test_the_chain_is_wrong(self):
        self.start("unknown-ca", registrar=True)
        proxy = self.dialler()
        self.assertNotEqual(proxy.ask("OPTIONS", self.uri()), 200)
        self.assertNotIn("REPLY 200 tls", proxy.text())
        self.assertRegex(proxy.text(), "(?i)verify|certificate")

    def test_with_a_client_certificate(self):
        self.start(registrar=True, **{"sip.tls_client_auth": "require"})
        proxy = self.dialler(client=self.pki / "client")
        self.assertEqual(proxy.ask("OPTIONS", self.uri()), 200)
        told = self.told(lambda p: p["state"] == "up", "the connection")
        self.assertEqual((told["verdict"], told["peer"]["certificate"]), ("verified", "phone"))

    def test_without_one_that_is_required(self):
        self.start(registrar=True, **{"sip.tls_client_auth": "require"})
        proxy = self.dialler()
        self.assertNotEqual(proxy.ask("OPTIONS", self.uri()), 200)
        self.told(lambda p: p["code"] == "no_certificate", "the refusal")

    def test_with_one_that_expired(self):
        self.start(registrar=True, **{"sip.tls_client_auth": "require"})
        proxy = self.dialler(client=self.pki / "client-expired")
        self.assertNotEqual(proxy.ask("OPTIONS", self.uri()), 200)
        self.told(lambda p: p["code"] == "expired", "the refusal")


BARESIP = """module_path {modules}
module account.so
module g711.so
module ausine.so
module aufile.so
module menu.so
module_app account.so
module_app menu.so
audio_source ausine,440
audio_player aufile,{directory}/out.wav
sip_listen 127.0.0.1:{sip}
"""


@unittest.skipUnless(shutil.which("baresip"), "baresip is not installed")
class BaresipDials(Case):
    def dial(self):
        directory = self.directory / "baresip"
        directory.mkdir()
        modules = next(str(d) for d in (Path("/usr/lib/baresip/modules"), Path("/usr/lib64/baresip/modules")) if d.exists())
        (directory / "config").write_text(BARESIP.format(modules=modules, directory=directory, sip=free_port()))
        (directory / "accounts").write_text("<sip:bob@127.0.0.1;transport=tls>;regint=0\n")
        call = f"/dial sip:user1@127.0.0.1:{self.port}"
        baresip = Process(["baresip", "-f", directory, "-e", call, "-t", 15], directory / "log")
        self.addCleanup(baresip.stop)
        wait_until(lambda: "session closed" in baresip.text() or baresip.popen.poll() is not None, 20, "the answer")
        return baresip.text()

    def test_nobody_takes_the_call(self):
        """There is no call-control: 503, over TLS."""
        self.start(registrar=True)
        self.assertIn("503 Service Unavailable", self.dial())
        told = self.told(lambda p: p["account"] == 1, "the connection")
        self.assertTrue(told["lock"])


if __name__ == "__main__":
    sys.exit(unittest.main())
