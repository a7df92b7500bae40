#!/usr/bin/env python3
"""SIP NOTIFY check-sync: SIPp says it over TCP, Kamailio carries it to the phone over TLS, the phone fetches."""

import os
import shutil
import signal
import sys
import time
import unittest

from callcontrol import Call, CallControl
from callers import Caller
from peers import Endpoint, Kamailio, Process, free_port
from provider import Case

for program in ("nginx", "kamailio", "sipp"):
    if not shutil.which(program):
        print(f"skipped: {program} is not installed")
        sys.exit(77)

NOTIFY = """<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="notify">
<send><![CDATA[
NOTIFY sip:user1@localhost SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:admin@localhost>;tag=[pid]s[call_number]
To: <sip:user1@localhost>
Call-ID: [call_id]
CSeq: 1 NOTIFY
Contact: <sip:admin@[local_ip]:[local_port];transport=[transport]>
Max-Forwards: 70
Event: %s
Subscription-State: terminated
Content-Length: 0

]]></send>
<recv response="100" optional="true"/>
<recv response="%d"/>
</scenario>
"""


class Notified(Case):
    def setUp(self):
        super().setUp()
        self.endpoint = Endpoint(self.pki, "good")
        self.tcp = free_port()
        kamailio = Kamailio(self.directory / "kamailio", [self.endpoint], tcp=self.tcp).start()
        self.addCleanup(kamailio.stop)
        self.phone.account(1, self.endpoint.port).account(2, self.endpoint.port)
        self.server(power_on=0)

    def start(self):
        self.events = self.phone.start().events()
        for account in (1, 2):
            self.events.wait_locked(account)

    def notify(self, event, status, times=1):
        directory = self.directory / "sipp"
        directory.mkdir(exist_ok=True)
        (directory / "scenario.xml").write_text(NOTIFY % (event, status))
        process = Process(["sipp", "-sf", directory / "scenario.xml", "-i", "127.0.0.1", "-p", free_port(), "-t", "t1",
                           "-nostdin", "-trace_err", "-error_file", directory / "errors", "-timeout", "30",
                           "-timeout_error", "-m", times, "-r", 200, f"127.0.0.1:{self.tcp}"], directory / "log", cwd=directory,
                          env={**os.environ, "TERM": "dumb"})
        self.addCleanup(process.stop, signal.SIGKILL)
        code = process.popen.wait(40)
        errors = directory / "errors"
        self.assertEqual(0, code, errors.read_text() if errors.exists() else process.text()[-2000:])

    def locks(self):
        """What was told of locks since it began."""
        return [p for _, method, p in self.events.log if method == "lock" and not p["lock"] and p["state"] == "down"]

    def test_the_phone_fetches(self):
        self.provider.put("common.cfg", "account.3.label = because of check-sync")
        self.start()
        self.notify("check-sync;reboot=false", 200)
        report = self.ended(self.events)
        self.assertEqual(["check_sync", "applied", ["account.3.label"]],
                         [report["cause"], report["outcome"], report["changed"]["settings"]])
        self.assertEqual([], self.locks())

    def test_a_flood_is_one_fetch_and_one_more(self):
        self.provider.put("common.cfg", "account.3.label = flooded")
        self.start()
        began = time.monotonic()
        self.notify("check-sync", 200, times=300)
        self.ended(self.events)
        fetches = len([a for a in self.provider.asked() if a[0] == "/common.cfg"])
        self.assertLessEqual(fetches, 1 + (time.monotonic() - began) // 10)
        self.assertEqual([], self.locks())

    def test_what_is_not_sipsds(self):
        """There is no call-control here, so what would be its is answered with 503, which is 500 behind a proxy."""
        self.start()
        self.notify("check-sync;reboot=true", 500)
        self.notify("message-summary", 500)
        self.assertEqual([], self.provider.asked())

    def test_it_can_be_switched_off(self):
        self.phone.settings("static.auto_provision.check_sync = 0")
        self.start()
        self.notify("check-sync", 500)
        self.assertEqual([], self.provider.asked())

    def test_whoever_calls_the_phone_may_not(self):
        port = free_port()
        self.phone.settings(f"sip.tls_listen_port = {port}")
        self.phone.maker("generic", self.pki / "good" / "chain.pem", self.pki / "good" / "key.pem")
        self.start()
        with Caller(port) as caller:
            self.assertEqual(403, caller.ask("NOTIFY", f"sips:user1@127.0.0.1:{port}", "Event: check-sync\r\n"))
        self.assertEqual([], self.provider.asked())

    def test_a_server_that_is_only_encrypted_may_not(self):
        self.phone.settings("static.security.sip.trust_certificates = 0\nstatic.security.sip.ca_cert = 0")
        self.start()
        self.notify("check-sync", 403)
        self.assertEqual([], self.provider.asked())

    def test_certificates_change_under_a_call(self):
        """The phone's own, and the trusted ones, while it talks to itself through Kamailio: nobody hears of it."""
        self.provider.put("own.pem", self.both("good-rsa"))
        self.provider.put("corp.pem", (self.other / "ca.pem").read_text())
        self.provider.put("common.cfg", f"static.server_certificates.url = {self.provider.url(path='/own.pem')}\n"
                          f"static.trusted_certificates.url = {self.provider.url(path='/corp.pem')}")
        self.start()
        pid = self.pid()
        phone = CallControl(self.phone.run / "relay.sock")
        self.addCleanup(phone.close)
        for account in (1, 2):
            phone.registered(account)
        out = Call.dial(phone, 1, "sips:user2@localhost", "user1")
        called, _ = Call.take(phone, 2)
        out.answered()
        phone.expect(2, "ACK")
        for account, call in ((1, out), (2, called)):
            phone.dialogs(account, call.connection, 1)
        self.notify("check-sync", 200)
        report = self.ended(self.events)
        self.assertEqual(["applied", True, 1], [report["outcome"], report["changed"]["identity"],
                                                report["changed"]["trusted_added"]])
        out.request("BYE")
        connection, bye = phone.expect(2, "BYE")
        self.assertEqual(called.connection, connection)
        phone.answer(2, connection, bye, 200)
        self.assertEqual(out.connection, phone.expect(1, 200)[0])
        self.assertEqual([], self.locks())
        self.assertEqual(pid, self.pid())


if __name__ == "__main__":
    unittest.main(verbosity=2)
