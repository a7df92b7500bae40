"""Real calls: call-control over relay.sock, sipsd, TLS, Kamailio; and at the other end SIPp over TCP, or the phone itself."""

import os
import re
import shutil
import signal
import sys
import tempfile
import unittest
from pathlib import Path

from callcontrol import SDP, Call, CallControl
from peers import Endpoint, Kamailio, Process, accepts, free_port, make_pki, wait_until
from phone import Phone

for program in ("kamailio", "sipp"):
    if not shutil.which(program):
        print(f"skipped: {program} is not installed")
        sys.exit(77)

MESSAGE = """
INVITE sip:user1@localhost SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:sipp@localhost>;tag=[pid]s[call_number]
To: <sip:user1@localhost>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:sipp@[local_ip]:[local_port];transport=[transport]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=sipp 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000
"""

IN_CALL = """
%(method)s [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
[routes]
From: <sip:sipp@localhost>;tag=[pid]s[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: %(cseq)d %(method)s
Max-Forwards: 70
Content-Length: 0
"""

UAC = f"""<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="uac">
<send><![CDATA[{MESSAGE}]]></send>
<recv response="100" optional="true"/>
<recv response="180" optional="true"/>
<recv response="200" rrs="true"/>
<send><![CDATA[{IN_CALL % {"method": "ACK", "cseq": 1}}]]></send>
<pause milliseconds="50"/>
<send><![CDATA[{IN_CALL % {"method": "BYE", "cseq": 2}}]]></send>
<recv response="200"/>
</scenario>
"""

ANSWER = """
SIP/2.0 %(status)s
[last_Via:]
[last_Record-Route:]
[last_From:]
[last_To:];tag=[pid]s[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:sipp@[local_ip]:[local_port];transport=[transport]>
%(more)s
"""

PLAIN = "Content-Length: 0\n"
WITH_SDP = "Content-Type: application/sdp\nContent-Length: [len]\n\n" + MESSAGE[MESSAGE.index("v=0"):].strip() + "\n"

UAS = f"""<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="uas">
<recv request="INVITE" rrs="true"/>
<send><![CDATA[{ANSWER % {"status": "180 Ringing", "more": PLAIN}}]]></send>
<send><![CDATA[{ANSWER % {"status": "200 OK", "more": WITH_SDP}}]]></send>
<recv request="ACK"/>
<recv request="BYE"/>
<send><![CDATA[{(ANSWER % {"status": "200 OK", "more": PLAIN}).replace(";tag=[pid]s[call_number]", "")}]]></send>
</scenario>
"""


class Calls(unittest.TestCase):
    def setUp(self):
        self.directory = Path(tempfile.mkdtemp(prefix="sipsd-calls-"))
        self.addCleanup(shutil.rmtree, self.directory)
        self.endpoint = Endpoint(PKI, "good")
        self.tcp, self.sipp_port = free_port(), free_port()
        server = Kamailio(self.directory / "kamailio", [self.endpoint], tcp=self.tcp, sipp=self.sipp_port).start()
        self.addCleanup(server.stop)
        self.phone = Phone(self.directory / "phone", trusted=[PKI / "ca.pem"])
        self.phone.account(1, self.endpoint.port).account(2, self.endpoint.port).start()
        self.addCleanup(self.phone.stop)
        self.control = self.call_control()
        for account in (1, 2):
            self.control.registered(account)
        self.addCleanup(self.show_logs)

    def call_control(self):
        control = CallControl(self.phone.run / "relay.sock")
        self.addCleanup(control.close)
        return control

    def show_logs(self):
        """What a failed test needs to be understood; called before the directory goes."""
        failed = any(error for _, error in getattr(self._outcome, "errors", [])) or not self._outcome.success
        if failed:
            for log in self.directory.glob("*/log"):
                print(f"--- {log.parent.name}\n{log.read_text(errors='replace')[-9000:]}", file=sys.stderr)

    def sipp(self, scenario, *arguments):
        directory = self.directory / "sipp"
        directory.mkdir(exist_ok=True)
        (directory / "scenario.xml").write_text(scenario)
        process = Process(["sipp", "-sf", directory / "scenario.xml", "-i", "127.0.0.1", "-p", self.sipp_port, "-t", "t1",
                           "-nostdin", "-trace_err", "-error_file", directory / "errors", "-timeout", "30",
                           "-timeout_error", *arguments, f"127.0.0.1:{self.tcp}"], directory / "log", cwd=directory,
                          env={**os.environ, "TERM": "dumb"})
        self.addCleanup(process.stop, signal.SIGKILL)
        return process

    def sipp_ends_well(self, process):
        status = process.popen.wait(30)
        errors = self.directory / "sipp" / "errors"
        self.assertEqual(status, 0, errors.read_text() if errors.exists() else process.text()[-2000:])

    def check_seen(self, invite):
        """What sipsd has to have done with an INVITE that came in."""
        self.assertRegex(invite.elements("Via")[0], r"^SIP/2\.0/TLS 127\.0\.0\.1:\d+;branch=z9hG4bK")
        self.assertRegex(invite.elements("Record-Route")[0], r"^<sips?:i[sp][0-9a-f]{16}@127\.0\.0\.1:\d+[;>]")
        self.assertIn("m=audio", invite.body)

    def test_states(self):
        connection, contact, registered, lock, assurance = self.control.states[1]
        self.assertRegex(contact, r"^sips:user1@127\.0\.0\.1:\d+$")
        self.assertTrue(connection and registered and lock and assurance == 2)
        self.assertNotEqual(connection, self.control.states[2][0])

    def test_the_phone_is_called(self):
        process = self.sipp(UAC, "-m", "1")
        call, invite = Call.take(self.control, 1)
        self.check_seen(invite)
        self.control.expect(1, "ACK")
        connection, bye = self.control.expect(1, "BYE")
        self.assertEqual(connection, call.connection)
        self.control.answer(1, connection, bye, 200)
        self.sipp_ends_well(process)

    def test_the_phone_calls(self):
        process = self.sipp(UAS, "-m", "1")
        wait_until(lambda: accepts(self.sipp_port), 10, "SIPp to listen")
        call = Call.dial(self.control, 1, "sip:sipp@localhost", "user1")
        self.control.expect(1, 180)
        response = call.answered()
        self.assertEqual(len(response.all("Via")), 1)  # call-control's own
        self.assertIn("m=audio", response.body)
        call.hang_up()
        self.sipp_ends_well(process)

    def test_many_calls(self):
        process = self.sipp(UAC, "-m", "100", "-r", "100", "-l", "20")
        ended = 0
        while ended < 100:
            account, connection, message = self.control._wait(
                lambda: self.control.messages.pop(0) if self.control.messages else None, 20, f"call {ended + 1}")
            self.assertEqual(account, 1)
            if message.method == "INVITE":
                self.control.answer(1, connection, message, 180)
                self.control.answer(1, connection, message, 200, body=SDP)
            elif message.method == "BYE":
                self.control.answer(1, connection, message, 200)
                ended += 1
        self.sipp_ends_well(process)

    def between_accounts(self, uri, more="", body=SDP):
        caller = Call.dial(self.control, 1, uri, "user1", more, body)
        callee, invite = Call.take(self.control, 2)
        self.check_seen(invite)
        self.assertNotEqual(caller.phone.states[1][0], callee.connection)
        caller.answered()
        self.control.expect(2, "ACK")
        return caller, callee

    def test_accounts_call_each_other(self):
        for uri in ("sips:user2@localhost", "sip:user2@localhost"):
            with self.subTest(uri=uri):
                caller, callee = self.between_accounts(uri)
                # a new offer within the call, from the called side, and its end from the calling one
                callee.request("INVITE", body=SDP)
                connection, again = self.control.expect(1, "INVITE")
                self.assertIn(";tag=", again.get("To"))
                self.control.answer(1, connection, again, 200, body=SDP)
                self.control.expect(2, 200)
                callee.request("ACK", cseq=callee.cseq)
                self.control.expect(1, "ACK")
                caller.request("BYE")
                connection, bye = self.control.expect(2, "BYE")
                self.control.answer(2, connection, bye, 200)
                self.control.expect(1, 200)

    def test_an_account_calls_itself(self):
        caller = Call.dial(self.control, 1, "sips:user1@localhost", "user1")
        callee, _ = Call.take(self.control, 1)
        caller.answered()
        self.control.expect(1, "ACK")
        caller.request("BYE")
        connection, bye = self.control.expect(1, "BYE")
        self.control.answer(1, connection, bye, 200)
        self.control.expect(1, 200)

    def test_cancel(self):
        call = Call.dial(self.control, 1, "sips:user2@localhost", "user1")
        connection, invite = self.control.expect(2, "INVITE")
        self.control.answer(2, connection, invite, 180)
        self.control.expect(1, 180)
        # CANCEL has the branch of its INVITE (RFC 3261 section 9.1), as sent by us and as it arrives
        cancel = call.invite.split("\r\n\r\n")[0].replace("INVITE sips", "CANCEL sips").replace("1 INVITE", "1 CANCEL")
        lines = [line for line in cancel.split("\r\n") if not line.startswith(("Contact", "Content"))]
        self.control.send(1, "\r\n".join(lines) + "\r\nContent-Length: 0\r\n\r\n")
        connection, cancelled = self.control.expect(2, "CANCEL")
        self.assertEqual(cancelled.elements("Via")[0], invite.elements("Via")[0])
        self.control.answer(2, connection, cancelled, 200)
        self.control.answer(2, connection, invite, 487)
        connection, ack = self.control.expect(2, "ACK")
        self.assertEqual(ack.elements("Via")[0], invite.elements("Via")[0])
        self.control.expect(1, 200)  # of the CANCEL
        self.control.expect(1, 487)

    def test_sipsctl_shows_the_messages(self):
        """Those of the account that was asked for, without its credentials; bodies only on request, without keys."""
        shown = []
        for number, options in enumerate((["--account", "2"], ["--account", "2", "--bodies"], ["--account", "3"])):
            directory = self.directory / f"sipsctl-{number}"
            directory.mkdir()
            shown.append(Process([os.environ["SIPSCTL"], "--run-dir", self.phone.run, "relay", *options],
                                 directory / "log"))
            self.addCleanup(shown[-1].stop)
        for process in shown:
            wait_until(lambda p=process: "listening" in p.text(), 10, "sipsctl to listen")
        self.between_accounts("sips:user2@localhost", "Authorization: Digest response=\"top-secret\"\r\n",
                              SDP + "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:top-secret\r\n")
        for process in shown[:2]:
            wait_until(lambda p=process: "  <-  ACK " in p.text(), 10, "sipsctl to show the call")
        headers, bodies, other = (process.text() for process in shown)
        self.assertRegex(headers, r"(?m)^\d\d:\d\d:\d\d  account 2  <-  INVITE sips:user2@127\.0\.0\.1:\d+ SIP/2\.0$")
        self.assertIn("  account 2  ->  SIP/2.0 180 ", headers)
        self.assertIn("Authorization: (not shown)", headers)
        self.assertNotIn("account 1", headers)
        self.assertNotIn("m=audio", headers)
        self.assertIn("m=audio", bodies)
        self.assertNotIn("secret", headers + bodies)
        self.assertEqual(other, "sipsctl: listening; Ctrl-C ends it\n")

    def test_sipsctl_shows_the_registration(self):
        """The REGISTER, which answers the challenge of before at once, and its 200; nothing to guess a password from."""
        shown = Process([os.environ["SIPSCTL"], "--run-dir", self.phone.run, "relay", "--account", "2"], self.directory / "shown")
        self.addCleanup(shown.stop)
        wait_until(lambda: "listening" in shown.text(), 10, "sipsctl to listen")
        self.phone.control().call("account.reconnect", {"account": 2})
        wait_until(lambda: "  <-  SIP/2.0 200 " in shown.text(), 10, "sipsctl to show the registration")
        text = shown.text()
        passed = re.findall(r"(?m)^\S+  account 2  (->  REGISTER|<-  SIP/2\.0 \d+)", text)
        self.assertEqual(passed, ["->  REGISTER", "<-  SIP/2.0 200"])
        self.assertIn("\n    Authorization: (not shown)\n", text)
        for secret in ("nonce", "Digest", Kamailio.password):
            self.assertNotIn(secret, text)

    def test_call_control_is_gone(self):
        self.control.close()
        log = self.phone.process
        wait_until(lambda: "call-control" in log.text() and "is gone" in log.text(), 5, "sipsd to see it")
        self.control = self.call_control()
        self.control.registered(1)
        self.between_accounts("sips:user2@localhost")
        self.control.close()
        wait_until(lambda: log.text().count("is gone") >= 2, 5, "sipsd to see it")
        second = self.sipp(UAC, "-m", "1")
        self.assertNotEqual(second.popen.wait(30), 0)
        # a proxy makes a 500 of a 503 (RFC 3261 section 16.7, step 6)
        self.assertRegex((self.directory / "sipp" / "errors").read_text(), r"SIP/2\.0 50[03]")

    def test_a_dead_connection_is_not_replaced(self):
        old = self.control.states[1][0]
        admin = self.phone.control()
        admin.call("account.reconnect", {"account": 1})
        wait_until(lambda: self.control._read(0.05) or self.control.states.get(1, (old,))[0] != old, 10, "another connection")
        connection = self.control.registered(1)[0]
        self.assertNotEqual(connection, old)
        self.control.send(1, self.control.request("OPTIONS", "sips:user2@localhost", 1, 1, "x@y", "<sips:user1@localhost>;tag=1",
                                                  "<sips:user2@localhost>"), old, token=7)
        _, _, _, code, status, sentence = self.control.error(7)
        self.assertEqual((code, status), (2, 503))
        self.assertIn("gone", sentence)
        self.control.send(2, self.control.request("OPTIONS", "sips:user2@localhost", 2, 1, "x@y", "<sips:user1@localhost>;tag=1",
                                                  "<sips:user2@localhost>"), connection, token=8)
        self.assertEqual(self.control.error(8)[3], 3)


def setUpModule():
    global PKI
    directory = tempfile.mkdtemp(prefix="sipsd-pki-")
    unittest.addModuleCleanup(shutil.rmtree, directory)
    PKI = make_pki(directory)


if __name__ == "__main__":
    unittest.main(verbosity=2)
