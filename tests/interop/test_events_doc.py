"""docs/events.md says what sipsd says: each example has the shape of what a real one tells, and each code is there."""

import json
import os
import re
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

from callers import Caller
from peers import Process, free_port, make_pki, wait_until
from callcontrol import CallControl
from phone import Phone

ROOT = Path(os.environ.get("SOURCE_DIR", "."))
PAGE = (ROOT / "docs" / "events.md").read_text()
EXAMPLES = [json.loads(block) for block in re.findall(r"^```json\n(.*?)^```$", PAGE, re.M | re.S)]

# What may be null, or empty, in one of the two and not in the other.
ABSENT = (None, [])


def difference(documented, real, where="it"):
    """The first difference in shape (names, their order, kinds of values); None if there is none."""
    if documented in ABSENT or real in ABSENT:
        return None
    if isinstance(documented, dict) and isinstance(real, dict):
        if list(documented) != list(real):
            return f"{where} has {list(real)}, not {list(documented)}"
        found = (difference(documented[name], real[name], f"{where}.{name}") for name in real)
        return next((d for d in found if d), None)
    if isinstance(documented, list) and isinstance(real, list):
        return difference(documented[0], real[0], f"{where}[]")
    if type(documented) is not type(real):
        return f"{where} is {real!r}, not like {documented!r}"
    return None


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = Path(tempfile.mkdtemp(prefix="sipsd-events-"))
        cls.addClassCleanup(shutil.rmtree, cls.directory)
        profiles = ("good", "expired", "unknown-ca", "ending", "self-signed")
        pki = make_pki(cls.directory / "pki", *profiles, "client")
        cls.other = make_pki(cls.directory / "other", "good")
        phone = Phone(cls.directory / "phone", trusted=[pki / "ca.pem"])
        cls.addClassCleanup(phone.stop)
        cls.start_registrars([pki / p for p in profiles], phone)
        factory, port = cls.directory / "factory", free_port()
        factory.mkdir()
        (factory / "generic.pem").write_text((pki / "good/chain.pem").read_text() + (pki / "good/key.pem").read_text())
        phone.settings(f"sip.tls_listen_port = {port}\nsip.tls_client_auth = request")
        phone.start("--factory-dir", factory)
        events = phone.events()
        events.wait_locked(1)
        events.wait_refused(2, "expired")
        events.wait_locked(3)
        events.wait_refused(5, "self_signed")
        events.wait_locked(4)
        events.wait(lambda a: any(m == "certificate" for _, m, _ in events.log), 10, "the notification of an end")
        cls.accounts = events.call("status")["accounts"]
        with Caller(port, ca=pki / "ca.pem", certificate=pki / "client"):
            events.wait(lambda a: any(m == "inbound" for _, m, _ in events.log), 10, "the notification of a caller")
            cls.inbound = events.call("status")["inbound"][0]
        cls.listen(phone, events, pki)

    @classmethod
    def start_registrars(cls, servers, phone):
        for number, server in enumerate(servers, 1):
            port = free_port()
            registrar = Process([os.environ["REGISTRAR"], "--listen", f"127.0.0.1:{port}", "--user", "alice:demo",
                                 "--cert", server / "chain.pem", "--key", server / "key.pem"],
                                cls.directory / f"registrar-{number}")
            cls.addClassCleanup(registrar.stop)
            wait_until(lambda r=registrar: "listening" in r.text(), 10, "the registrar")
            more = {"security.trust_certificates": 0, "local_port": free_port()} if server.name == "unknown-ca" else {}
            phone.account(number, port, user="alice", password="demo", **more)

    @classmethod
    def listen(cls, phone, events, pki):
        """Has sipsd say all that the page has examples of."""
        admin = phone.control()
        cls.status = events.call("status")
        cls.answers = {"account.reconnect": admin.call("account.reconnect", {"account": 1}),
                       "account.rules": admin.call("account.rules", {"account": 1})}
        try:
            admin.call("account.reconnect", {"account": 9})
        except RuntimeError as e:
            cls.error = {"jsonrpc": "2.0", "id": 1, "error": e.args[0]}
        cls.pass_a_message(phone, admin)
        cls.change(admin, pki)
        cls.provision(admin)
        for wanted in ("trust", "certificate"):
            events.wait(lambda a, w=wanted: any(m == w for _, m, _ in events.log), 10, f"the notification of {wanted}")
        cls.told = {method: {"jsonrpc": "2.0", "method": method, "params": params} for _, method, params in
                    admin.log + events.log}
        cls.told["clock"] = {"jsonrpc": "2.0", "method": "clock", "params": cls.status["clock"]}

    @staticmethod
    def pass_a_message(phone, admin):
        admin.call("subscribe", {"topics": ["messages"]})
        control = CallControl(phone.run / "relay.sock")
        control.registered(1)
        control.send(1, control.request("MESSAGE", "sips:bob@localhost", 1, 1, "call@phone", "<sips:alice@localhost>;tag=1",
                                        "<sips:bob@localhost>"))
        admin.wait(lambda a: any(m == "message" for _, m, _ in admin.log), 10, "the notification of a message")
        control.close()

    @classmethod
    def change(cls, admin, pki):
        """Calls each method about certificates, in an order in which each has something to say."""
        def call(method, **params):
            cls.answers[method] = admin.call(method, params)
            return cls.answers[method]

        server = pki / "good"
        call("rejected.list", account=5)
        shown = call("rejected.show", id=cls.answers["rejected.list"]["rejected"][0]["id"])
        call("rejected.trust", id=shown["id"], sha256=shown["candidate"]["sha256"])
        call("identity.install", name="phone.pem", content=(server / "chain.pem").read_text(),
             key={"name": "phone.key", "content": (server / "key.pem").read_text()})
        call("identity.show")
        call("trust.list")
        call("trust.remove", certificate=shown["candidate"]["sha256"][:16])
        call("upload", size=900, offset=0, base64="QUJD")
        call("trust.add", name="other.pem", content=(cls.other / "ca.pem").read_text())
        call("identity.remove")
        call("trust.clear")
        call("settings.get")
        call("settings.set", settings={"account.9.label": "Hall"})
        call("settings.unset", keys=["account.9.label"])
        call("settings.describe", key="sip.tls_client_auth")
        call("reset")

    @classmethod
    def provision(cls, admin):
        """A run of provisioning that fails, one on trial that is confirmed, and one that is rolled back."""
        def push(lines, **options):
            file = {"name": "corp.cfg", "content": "#!version:1.0.0.1\n" + lines}
            cls.answers["provision.push"] = admin.call("provision.push", {"files": [file], **options})
            return report(cls.answers["provision.push"]["id"])

        def report(number):
            def told():
                return [p for _, m, p in admin.log if m == "provision" and p["id"] == number]
            admin.wait(lambda a: told(), 20, "the report of a run")
            return told()[-1]

        push("account.7.label = Hall\nstatic.auto_provision.server.url = https://127.0.0.1:1/\n")
        cls.answers["provision.fetch"] = admin.call("provision.fetch", {"check": True})
        assert report(cls.answers["provision.fetch"]["id"])["outcome"] == "failed"
        cls.answers["provision.last"] = admin.call("provision.last")
        for end, number in (("provision.rollback", 1), ("provision.confirm", 2)):
            gone = "static.trusted_certificates.delete = http://localhost/nobody\n"
            off = "".join(f"account.{n}.enable = 0\n" for n in range(1, 6))
            assert push(f"{gone}{off}account.8.label = {number}\n", trial_s=60)["outcome"] == "trial"
            cls.answers[end] = admin.call(end)

    MEMBER_OF = {"reserved": "reset", "certificates": "trust.list", "files": "trust.add", "removed": "trust.remove",
                 "identities": "identity.show", "rejected": "rejected.list", "remedy": "rejected.show",
                 "file": "rejected.trust", "received": "upload", "settings": "settings.get", "keys": "settings.describe"}

    def real_one(self, example):
        """What sipsd said that the example is one of."""
        if "method" in example:
            return self.told[example["method"]]
        if "error" in example:
            return self.error
        if "clock" in example:
            return self.status
        if list(example) == ["id"]:
            return self.answers["provision.push"]
        if "cause" in example:
            return self.answers["provision.confirm"]
        if "id" in example:
            return self.inbound
        if "rules" in example:
            return self.answers["account.rules"]
        if "lock" in example:
            return self.accounts[example["account"] - 1]
        for member, method in self.MEMBER_OF.items():
            if member in example:
                return self.answers[method]
        self.assertEqual({"account": 1}, example)
        return self.answers["account.reconnect"]

    def test_every_example_has_the_shape_of_the_real_one(self):
        self.assertGreaterEqual(len(EXAMPLES), 21)
        for example in EXAMPLES:
            found = difference(example, self.real_one(example))
            self.assertIsNone(found, json.dumps(example)[:200])

    def test_the_accounts_say_what_the_page_says(self):
        same = ("state", "lock", "assurance", "encrypted", "verdict", "code")
        for example in (e for e in EXAMPLES if "lock" in e):
            real = self.real_one(example)
            self.assertEqual({k: example.get(k) for k in same}, {k: real.get(k) for k in same})
            self.assertEqual(re.sub(r"[0-9-]{10}", "DATE", example["sentence"]),
                             re.sub(r"[0-9-]{10}", "DATE", real["sentence"]))

    def test_what_is_said_of_the_end_of_a_certificate(self):
        said = self.told["certificate"]["params"]
        self.assertEqual(("peer", [4], 4, "expiring"),
                         tuple(said[name] for name in ("role", "accounts", "days_left", "state")))
        self.assertEqual([said], self.status["expiring"])
        example = next(e for e in EXAMPLES if e.get("method") == "certificate")["params"]
        self.assertEqual(*(re.sub(r"[0-9-]{10}|account [0-9]", "", x["sentence"]) for x in (example, said)))

    def test_every_notification_is_described(self):
        for method in self.told:
            self.assertIn(f"\n**`{method}`**", PAGE)

    def test_every_method_is_described(self):
        for method in self.answers:
            self.assertTrue(f"**`{method}`**" in PAGE, method)

    def test_every_reason_is_listed(self):
        table = (ROOT / "src" / "pki" / "verdict.h").read_text()
        listed = re.search(r"<!-- reasons: begin -->(.*)<!-- reasons: end -->", PAGE, re.S).group(1)
        codes = re.findall(r'^\s+X\(\w+,\s*"(\w+)"', table, re.M)
        self.assertEqual(["none"] + re.findall(r"`(\w+)`", listed), codes)

    def test_every_code_is_listed(self):
        source = (ROOT / "src" / "control" / "lock.c").read_text()
        body = re.search(r"static const char \*code_of_error.*?\n}\n", source, re.S).group(0)
        for code in set(re.findall(r'return "(\w+)"', body)) | {"none", "off"}:
            self.assertIn(f"\n| `{code}` |", PAGE)


if __name__ == "__main__":
    sys.exit(unittest.main())
