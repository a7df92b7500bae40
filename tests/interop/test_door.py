"""A SIP stack that knows no TLS makes and takes real calls through sipsd's local port: baresip, and SIPp in numbers."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from peers import Endpoint, Kamailio, Process, accepts, free_port, make_pki, wait_until
from phone import Phone
from softphone import MODULES, Baresip
from test_calls import UAC, UAS

for program in ("kamailio", "sipp", "baresip"):
    if not shutil.which(program):
        print(f"skipped: {program} is not installed")
        sys.exit(77)


# The account calls, by way of the local port; without a pause.
OUTWARD = re.sub("<pause[^>]*/>", "", UAC.replace("sip:sipp@localhost", "sip:CALLER").replace(
    "sip:user1@localhost", "sip:sipp@localhost").replace("sip:CALLER", "sip:user1@localhost"))

LATE_UAS = UAS.replace("<send><![CDATA[\nSIP/2.0 200", '<pause milliseconds="2500"/><send><![CDATA[\nSIP/2.0 200', 1)


class Case(unittest.TestCase):
    local_register = 0

    def setUp(self):
        self.directory = Path(tempfile.mkdtemp(prefix="sipsd-door-"))
        self.addCleanup(shutil.rmtree, self.directory)
        self.endpoint = Endpoint(PKI, "good")
        self.tcp, self.sipp_port, self.door = free_port(), free_port(), free_port()
        self.server = Kamailio(self.directory / "kamailio", [self.endpoint], tcp=self.tcp, sipp=self.sipp_port).start()
        self.addCleanup(self.server.stop)
        self.phone = Phone(self.directory / "phone", trusted=[PKI / "ca.pem"])
        self.phone.account(1, self.endpoint.port, local_port=self.door, local_register=self.local_register).start()
        self.addCleanup(self.phone.stop)
        self.events = self.phone.events()
        self.addCleanup(self.show_logs)

    def show_logs(self):
        """What a failed test needs to be understood; called before the directory goes."""
        failed = any(error for _, error in getattr(self._outcome, "errors", [])) or not self._outcome.success
        if failed:
            for log in self.directory.glob("*/log"):
                print(f"--- {log.parent.name}\n{log.read_text(errors='replace')[-12000:]}", file=sys.stderr)


class Baresips:
    """One baresip without TLS behind the local port, and one with TLS at the same server: for both ways to register."""

    def setUp(self):
        super().setUp()
        if not MODULES:
            self.skipTest("baresip's modules are not where Debian has them")
        self.events.wait(lambda accounts: accounts[1]["lock"], 10, "the connection")
        self.stack = self.baresip("stack", 1, f"127.0.0.1:{self.door};transport=tcp", 600 if self.local_register else 0, 24000)
        self.other = self.baresip("other", 2, f"127.0.0.1:{self.endpoint.port};transport=tls", 600, 24100)
        self.other.registers()
        if self.local_register:
            self.stack.registers()
        account = self.events.wait_locked(1)
        self.assertEqual(account["assurance"], "full")

    def baresip(self, name, user, proxy, expires, rtp):
        phone = Baresip(self.directory / name, f'<sip:user{user}@localhost>;outbound="sip:{proxy}";auth_user=user{user};'
                        f'auth_pass={Kamailio.password};regint={expires}', rtp).start()
        self.addCleanup(phone.stop)
        return phone

    def talk(self, caller, callee, uri):
        caller.say("dial", uri)
        callee.wait("CALL_INCOMING")
        callee.say("accept")
        callee.wait("CALL_ESTABLISHED")
        caller.wait("CALL_ESTABLISHED")
        for phone in (caller, callee):
            phone.hears(10)

    def hold(self, holder, held):
        """A new offer within the call, and another one."""
        for command, direction in (("hold", "sendonly"), ("resume", "sendrecv")):
            offers, accepted = held.offers(direction), holder.accepted()
            holder.say(command)
            wait_until(lambda: held.offers(direction) > offers, 10, f"a re-INVITE with {direction}")
            wait_until(lambda: holder.accepted() > accepted, 10, "its 200")

    def hang_up(self, one, other):
        one.say("hangup")
        one.wait("CALL_CLOSED")
        other.wait("CALL_CLOSED")
        for phone in (one, other):
            wait_until(lambda p=phone: len(p.packets()) >= max(p.calls, 1), 10, "what it says of the call's packets")
            sent, received = phone.packets()[-1]
            self.assertTrue(sent > 0 and received > 0, (phone.directory.name, sent, received))

    def shown(self):
        """What `sipsctl status` has of the local port."""
        said = subprocess.run([os.environ["SIPSCTL"], "--run-dir", self.phone.run, "status"], capture_output=True, text=True,
                              check=True).stdout
        return re.search(rf"\n 1 127\.0\.0\.1:{self.door} +(\w+) +(\S.*?) +(\d+)\n", said).groups()

    def test_the_stack_calls(self):
        for ends in (self.stack, self.other):
            with self.subTest(ends=ends.directory.name):
                self.talk(self.stack, self.other, "sip:user2@localhost")
                self.assertRegex(" ".join(self.shown()), rf"^{'stack' if self.local_register else 'sipsd'} 127\.0\.0\.1:\d+ 1$")
                self.hold(self.stack, self.other)
                self.hang_up(ends, self.other if ends is self.stack else self.stack)
        # what the other end sees is sipsd, and no address of the stack's (RFC 3261 section 8.1.1.8)
        invite = self.other.text().split("INVITE sip:user2", 1)[1]
        self.assertRegex(invite, r"\nContact: <sip:user1@127\.0\.0\.1:\d+;transport=tls[;>]")

    def test_the_stack_is_called(self):
        if not self.local_register:  # it has to have said where it is: so it does by calling, for one
            self.talk(self.stack, self.other, "sip:user2@localhost")
            self.hang_up(self.stack, self.other)
        for ends in (self.other, self.stack):
            with self.subTest(ends=ends.directory.name):
                self.talk(self.other, self.stack, "sip:user1@localhost")
                self.hold(self.other, self.stack)
                self.hold(self.stack, self.other)
                self.hang_up(ends, self.stack if ends is self.other else self.other)


class SipsdRegisters(Baresips, Case):
    def test_where_the_settings_say(self):
        """The stack has not said a word yet, and is called."""
        self.phone.settings(f"account.1.local_peer = 127.0.0.1:{self.stack.sip}")
        self.phone.process.popen.send_signal(signal.SIGHUP)
        wait_until(lambda: "settings: read again" in self.phone.process.text(), 10, "the settings to be read again")
        self.talk(self.other, self.stack, "sip:user1@localhost")
        self.hang_up(self.other, self.stack)

    def test_it_registers_all_the_same(self):
        insistent = self.baresip("insistent", 1, f"127.0.0.1:{self.door};transport=tcp", 600, 24200)
        insistent.registers()
        before = self.server.requests(self.endpoint).count("REGISTER")
        self.talk(self.other, insistent, "sip:user1@localhost")
        self.hang_up(insistent, self.other)
        self.assertEqual(self.server.requests(self.endpoint).count("REGISTER"), before)


class StackRegisters(Baresips, Case):
    local_register = 1

    def test_registration(self):
        """Whose it is, and what is shown of it."""
        text = self.server.text()
        self.assertEqual(len(re.findall(r"REQUEST REGISTER \d+ user1", text)), 2)  # with the challenge
        registration = self.events.accounts[1]["registration"]
        self.assertEqual((registration["state"], registration["expires_s"]), ("registered", 600))
        self.stack.stop()  # un-REGISTERs
        self.events.wait(lambda a: a[1]["registration"]["state"] == "off", 10, "the registration to be off")
        self.assertTrue(self.events.accounts[1]["lock"])

    def test_a_wrong_password(self):
        self.stack.stop()
        wrong = Baresip(self.directory / "wrong", f'<sip:user1@localhost>;outbound="sip:127.0.0.1:{self.door};transport=tcp";'
                        'auth_user=user1;auth_pass=wrong;regint=600', 24200).start()
        self.addCleanup(wrong.stop)
        account = self.events.wait(lambda a: a[1]["registration"]["state"] == "waiting", 10, "the registration to be refused")[1]
        self.assertIn("user name or password", account["registration"]["error"])
        self.assertTrue(account["lock"])


class Numbers(Case):
    """SIPp as call-control behind the local port, and as the one that is called behind Kamailio."""

    def setUp(self):
        super().setUp()
        self.events.wait_locked(1)

    def sipp(self, name, scenario, port, *arguments):
        directory = self.directory / name
        directory.mkdir()
        (directory / "scenario.xml").write_text(scenario)
        process = Process(["sipp", "-sf", directory / "scenario.xml", "-i", "127.0.0.1", "-p", port, "-t", "t1", "-nostdin",
                           "-trace_err", "-error_file", directory / "errors", "-trace_stat", "-fd", "1", "-stf",
                           directory / "statistics", "-timeout", "50", "-timeout_error", *arguments], directory / "log",
                          cwd=directory, env={**os.environ, "TERM": "dumb"})
        self.addCleanup(process.stop, signal.SIGKILL)
        return process

    def statistics(self, name):
        """What it has written down each second, and at the end."""
        names, *rows = (self.directory / name / "statistics").read_text().splitlines()
        return [dict(zip(names.split(";"), row.split(";"))) for row in rows]

    def ends_well(self, name, process, calls):
        status = process.popen.wait(55)
        errors = self.directory / name / "errors"
        self.assertEqual(status, 0, errors.read_text()[-3000:] if errors.exists() else process.text()[-2000:])
        statistics = self.statistics(name)[-1]
        found = {key: int(statistics[key]) for key in ("TotalCallCreated", "SuccessfulCall(C)", "FailedCall(C)",
                                                       "Retransmissions(C)", "OutOfCallMsgs(C)", "DeadCallMsgs(C)")}
        self.assertEqual(found, {"TotalCallCreated": calls, "SuccessfulCall(C)": calls, "FailedCall(C)": 0,
                                 "Retransmissions(C)": 0, "OutOfCallMsgs(C)": 0, "DeadCallMsgs(C)": 0})

    def calls(self, scenario, count, *how):
        called = self.sipp("uas", scenario, self.sipp_port, "-m", count)
        wait_until(lambda: accepts(self.sipp_port), 10, "SIPp to listen")
        calling = self.sipp("uac", OUTWARD, free_port(), "-m", count, *how, f"127.0.0.1:{self.door}")
        self.ends_well("uac", calling, count)
        self.ends_well("uas", called, count)

    def test_one_after_the_other(self):
        self.calls(UAS, 1000, "-l", "1", "-r", "1000")

    def test_fifty_at_once(self):
        """They all ring, and are answered after a while."""
        self.calls(LATE_UAS, 50, "-l", "50", "-r", "1000")
        self.assertEqual(max(int(row["CurrentCall"]) for row in self.statistics("uac")), 50)


def setUpModule():
    global PKI
    directory = tempfile.mkdtemp(prefix="sipsd-pki-")
    unittest.addModuleCleanup(shutil.rmtree, directory)
    PKI = make_pki(directory)


if __name__ == "__main__":
    unittest.main(verbosity=2)
