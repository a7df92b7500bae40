"""Strangers by the hundred come to the phone's port and hold what they can: the accounts do not notice.

What is asserted is counts, and events that come within seconds; how many strangers there were is printed.
"""

import errno
import itertools
import os
import shutil
import socket
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

from callers import Caller, request
from peers import accepts, free_port, make_pki, wait_until
from phone import Phone
from registrar import Registrar

ACCOUNTS = 3
EXPIRES = 10  # seconds, as the registrar grants: refreshed before that
SECONDS = 20  # of flood
CONNECTIONS = 3000  # at most
HELLO = bytes.fromhex("160301020001")  # the head of a record that would have a ClientHello


class Flood(threading.Thread):
    """New connections, each from an address of its own, all the time; the last few hundred are held open."""

    HELD = 300

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port = port
        self.stopped = threading.Event()
        self.opened = 0
        self.refused = set()  # the numbers of those that the phone has closed
        self.error = None

    def run(self):
        held = []
        try:
            for number in itertools.islice(itertools.count(), CONNECTIONS):
                if self.stopped.wait(0.005):
                    break
                held.append((number, self.dial(number)))
                for older in held[-40:]:
                    self.send(*older, b"\0")
                if len(held) > self.HELD:
                    held.pop(0)[1].close()
        except OSError as e:
            self.error = e
        finally:
            for _, s in held:
                s.close()

    def dial(self, number):
        """Says nothing, half a ClientHello, or something else altogether."""
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((f"127.{1 + number // 62500 % 250}.{1 + number // 250 % 250}.{1 + number % 250}", 0))
        s.settimeout(5)
        s.connect(("127.0.0.1", self.port))
        s.setblocking(False)
        self.opened += 1
        self.send(number, s, (b"", HELLO, b"GET / HTTP/1.0\r\n\r\n", HELLO[:1])[number % 4])
        return s

    def send(self, number, s, data):
        try:
            s.send(data)
        except OSError as e:
            if e.errno in (errno.EPIPE, errno.ECONNRESET):
                self.refused.add(number)
            elif e.errno != errno.EAGAIN:
                raise

    def stop(self):
        self.stopped.set()
        self.join(20)
        if self.error:
            raise self.error


class SlowSenders(threading.Thread):
    """Those who do finish the handshake, and then say a request a byte at a time, or nothing."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port = port
        self.stopped = threading.Event()
        self.opened = 0
        self.answered = 0

    def run(self):
        for number in itertools.count():
            if self.stopped.is_set():
                return
            try:
                with Caller(self.port, source=f"127.251.{number % 250}.1", seconds=2) as caller:
                    self.opened += 1
                    self.talk(caller, number)
            except OSError:  # there was no room, or no more
                self.stopped.wait(0.05)

    def talk(self, caller, number):
        if number % 2:
            self.answered += caller.ask("OPTIONS", "sips:127.0.0.1") == 200
            return
        for byte in request("OPTIONS", "sips:127.0.0.1")[:20]:
            caller.tls.sendall(bytes([byte]))
            if self.stopped.wait(0.05):
                return

    def stop(self):
        self.stopped.set()
        self.join(20)


class UnderAFlood(unittest.TestCase):
    def setUp(self):
        self.directory = Path(tempfile.mkdtemp(prefix="sipsd-flood-"))
        self.addCleanup(shutil.rmtree, self.directory)
        pki = make_pki(self.directory / "pki", "good")
        users = [f"user{n}" for n in range(1, ACCOUNTS + 1)]
        self.registrar = Registrar(self.directory, pki, users=users, options=["--expires", str(EXPIRES)])
        self.addCleanup(self.registrar.stop)
        self.phone = Phone(self.directory / "phone", trusted=[pki / "ca.pem"])
        self.addCleanup(self.phone.stop)
        self.port = free_port()
        self.phone.settings(f"sip.tls_listen_port = {self.port}")
        for number in range(1, ACCOUNTS + 1):
            self.phone.account(number, self.registrar.ports[0])
        factory = self.directory / "factory"
        factory.mkdir()
        (factory / "generic.pem").write_text((pki / "good/chain.pem").read_text() + (pki / "good/key.pem").read_text())
        self.phone.start("--factory-dir", factory)
        self.events = self.phone.events()
        self.admin = self.phone.control()
        self.other_ca = (make_pki(self.directory / "other", "good") / "ca.pem").read_text()
        for number in range(1, ACCOUNTS + 1):
            self.events.wait_locked(number)
        wait_until(lambda: accepts(self.port), 10, "the port")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.phone.process.popen.pid}/fd"))

    def test_accounts_stay_registered_and_events_on_time(self):
        opened, registered = self.registrar.count(" open "), self.registrar.count(" registered ")
        before, most, told = self.descriptors(), 0, len(self.events.log)
        flood, slow = Flood(self.port), [SlowSenders(self.port) for _ in range(2)]
        for thread in [flood, *slow]:
            thread.start()
        began, changes = time.monotonic(), 0
        refreshed = self.registrar.count(" refreshed ")
        while time.monotonic() < began + SECONDS:
            self.cause_an_event(changes)
            changes += 1
            most = max(most, self.descriptors())
            time.sleep(0.5)
        refreshes = self.registrar.count(" refreshed ") - refreshed
        for thread in [flood, *slow]:
            thread.stop()
        print(f"{flood.opened} strangers, {len(flood.refused)} found themselves cut off; {sum(s.opened for s in slow)} "
              f"handshakes, {sum(s.answered for s in slow)} answers; {refreshes} refreshes; {changes} events; "
              f"{most - before} more descriptors at most", file=sys.stderr)
        self.assertGreater(flood.opened, 200)
        self.assertGreater(len(flood.refused), flood.opened // 2)
        # Each account has refreshed in time, over the connection that it had.
        self.assertGreaterEqual(refreshes, ACCOUNTS * (SECONDS // EXPIRES - 1))
        self.assertEqual(self.registrar.count(" expired "), 0)
        self.assertEqual(self.registrar.count(" registered "), registered)
        self.assertEqual(self.registrar.count(" open "), opened)
        self.assert_no_lock_was_lost(told)
        self.assertGreaterEqual(changes, 5)
        self.assertLessEqual(most - before, 32 + 32 + 8 + 4)  # connections, ending ones, a turn's, files
        self.check_that_the_port_is_free_again()

    def cause_an_event(self, number):
        """An admin changes the trusted certificates, and changes them back: told within seconds."""
        seen = sum(m == "trust" for _, m, _ in self.events.log)
        if number % 2:
            self.admin.call("trust.remove", {"certificate": "other.pem"})
        else:
            self.admin.call("trust.add", {"name": "other.pem", "content": self.other_ca})
        self.events.wait(lambda a: sum(m == "trust" for _, m, _ in self.events.log) > seen, 5, "the event")

    def assert_no_lock_was_lost(self, since):
        self.events.call("status")  # reads what there is
        for _, method, params in self.events.log[since:]:
            if method == "lock":
                self.assertTrue(params["lock"], params)
            if method == "registration":
                self.assertEqual(params["state"], "registered", params)

    def check_that_the_port_is_free_again(self):
        def served():
            try:
                with Caller(self.port, source="127.0.0.77", seconds=3) as caller:
                    return caller.ask("OPTIONS", "sips:127.0.0.1") == 200
            except OSError:
                return False
        wait_until(served, 20, "a caller to be served after the flood")
        wait_until(lambda: not self.events.call("status")["inbound"], 60, "the strangers to be gone")


if __name__ == "__main__":
    sys.exit(unittest.main())
