"""Bad input to the doors of a real sipsd: its sockets and its files. It says what is wrong, lives, and loses nothing."""

import grp
import json
import os
import pwd
import random
import shutil
import signal
import socket
import sys
import tempfile
import time
import unittest
from pathlib import Path

from peers import free_port, make_pki, wait_until
from phone import Phone

CLIENTS = 16  # that a socket serves
LINE_MAX = 65536


class Case(unittest.TestCase):
    """A phone with one account, whose server is not there."""

    def setUp(self):
        self.directory = Path(tempfile.mkdtemp(prefix="sipsd-sockets-"))
        self.addCleanup(shutil.rmtree, self.directory)
        self.phone = Phone(self.directory / "phone")
        self.addCleanup(self.phone.stop)  # checks the exit status, and so what the sanitizers found
        self.phone.account(1, free_port())
        self.clients = []
        self.addCleanup(self.close_clients)

    def close_clients(self):
        for client in self.clients:
            client.close()
        self.clients = []

    def start(self, *options):
        """And waits until it answers: then it can be stopped in order, too."""
        self.phone.start(*options)
        self.assert_lives()

    def connect(self, name="control.sock"):
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.clients.append(client)
        client.connect(str(self.phone.run / name))  # waits while many others are at the door
        client.settimeout(10)
        return client

    def send(self, client, *messages):
        """Each message is an object, or a line as it is; the client may be closed on us."""
        lines = b"".join((m if isinstance(m, bytes) else json.dumps(m).encode()) + b"\n" for m in messages)
        client.sendall(lines)

    def lines(self, client, count):
        """So many answers, or fewer if the socket is closed before."""
        data = b""
        while data.count(b"\n") < count:
            more = client.recv(1 << 20)
            if not more:
                break
            data += more
        return [json.loads(line) for line in data.splitlines()]

    def ask(self, client, *messages):
        self.send(client, *messages)
        return self.lines(client, len(messages))

    def assert_lives(self):
        """A new client is served on both sockets, at once."""
        for name in ("events.sock", "control.sock"):
            client = self.connect(name)
            started = time.monotonic()
            answer = self.ask(client, call("status"))[0]
            self.assertLess(time.monotonic() - started, 5)
            self.assertEqual([1], [a["account"] for a in answer["result"]["accounts"]])
            client.close()

    def wait_for_room(self):
        """All clients that have gone are forgotten."""
        def full_house():
            clients = [self.connect() for _ in range(CLIENTS)]
            try:
                return all("result" in self.ask(c, call("status"))[0] for c in clients)
            except OSError:
                return False
            finally:
                for c in clients:
                    c.close()
        wait_until(full_house, 10, f"{CLIENTS} clients to be served again")


def call(method, number=1, **params):
    request = {"jsonrpc": "2.0", "id": number, "method": method}
    if params:
        request["params"] = params
    return request


class Requests(Case):
    def setUp(self):
        super().setUp()
        self.start()

    def test_garbage_is_answered_and_the_connection_lives(self):
        garbage = [b"{", b"nonsense", b"\xff\xfe\x00", b"[1,2", b"{'a':1}", b"\x00", b'{"jsonrpc":"2.0"}}', b"]" * 1000,
                   b"[" * 60000, b'"\\ud800"', b"1e5x"]
        for name in ("events.sock", "control.sock"):
            client = self.connect(name)
            for line in garbage:
                answer = self.ask(client, line)[0]
                self.assertIn(answer["error"]["code"], (-32700, -32600), line)
                self.assertIsNone(answer["id"])
            self.assertIn("result", self.ask(client, call("status"))[0])
        self.assert_lives()

    def test_random_bytes(self):
        numbers = random.Random(1)
        for _ in range(50):
            client = self.connect(numbers.choice(["events.sock", "control.sock"]))
            try:
                client.sendall(numbers.randbytes(numbers.randrange(1, 20000)))
            except OSError:
                pass  # one too many at a time
            client.close()
        self.wait_for_room()
        self.assert_lives()

    def test_what_is_no_request(self):
        client = self.connect()
        for line, code in [(b"1", -32600), (b"{}", -32600), (b"[]", -32600), (b"null", -32600),
                           (b'{"jsonrpc":"1.0","id":1,"method":"status"}', -32600),
                           (b'{"jsonrpc":"2.0","id":[],"method":"status"}', -32600),
                           (b'{"jsonrpc":"2.0","id":1,"method":"nothing"}', -32601),
                           (b'{"jsonrpc":"2.0","id":1,"method":"account.reconnect"}', -32602),
                           (b'{"jsonrpc":"2.0","id":1,"method":"account.reconnect","params":{"account":99}}', -32602),
                           (b'{"jsonrpc":"2.0","id":1,"method":"trust.list","params":{"filter":[]}}', -32602),
                           (b'{"jsonrpc":"2.0","id":1,"method":"trust.list","params":{"x":1}}', -32602)]:
            error = self.ask(client, line)[0]["error"]
            self.assertEqual(code, error["code"], line)
            self.assertTrue(error["message"] and error["data"], line)

    def test_the_ui_may_only_look(self):
        client = self.connect("events.sock")
        for method in ("account.list", "account.reconnect", "account.rules", "trust.list"):
            self.assertEqual(-32601, self.ask(client, call(method))[0]["error"]["code"])

    def test_a_line_that_is_too_long_is_the_last(self):
        other = self.connect()
        client = self.connect()
        client.sendall(b"x" * (LINE_MAX + 1))
        answer = self.lines(client, 2)  # the second never comes: it is closed
        self.assertEqual(["LIMIT"], [a["error"]["data"] for a in answer])
        self.assertIn("result", self.ask(other, call("status"))[0])
        other.close()
        self.wait_for_room()

    def test_the_longest_line_is_answered(self):
        client = self.connect()
        request = json.dumps(call("status")).encode()
        self.assertIn("result", self.ask(client, b" " * (LINE_MAX - len(request)) + request)[0])

    def test_a_byte_at_a_time(self):
        client = self.connect()
        for byte in json.dumps(call("status")).encode() + b"\n":
            client.sendall(bytes([byte]))
        self.assertIn("result", self.lines(client, 1)[0])

    def test_half_lines_and_sudden_ends(self):
        request = json.dumps(call("trust.list", pem=True)).encode() + b"\n"
        for n in range(1, len(request) + 1):
            client = self.connect()
            try:
                client.sendall(request * 3 + request[:n])
            except OSError:
                pass  # one too many at a time
            client.close()
        self.wait_for_room()
        self.assert_lives()

    def test_the_answer_still_comes_when_the_asker_has_said_all(self):
        client = self.connect()
        self.send(client, call("status"))
        client.shutdown(socket.SHUT_WR)
        self.assertIn("result", self.lines(client, 1)[0])

    def test_many_requests_at_once_are_answered_in_order(self):
        client = self.connect()
        answers = self.ask(client, *[call("status", n) for n in range(300)])
        self.assertEqual(list(range(300)), [a["id"] for a in answers])

    def test_a_batch(self):
        client = self.connect()
        notification = {"jsonrpc": "2.0", "method": "status"}
        answers = self.ask(client, [call("status", 1), notification, call("nothing", 2)])[0]
        self.assertEqual([1, 2], [a["id"] for a in answers])
        self.assertEqual("LIMIT", self.ask(client, [call("status", n) for n in range(50)])[0]["error"]["data"])

    def test_answers_that_nobody_reads_block_nobody(self):
        rude = self.connect()
        rude.setblocking(False)
        sent = 0
        try:
            for n in range(5000):
                self.send(rude, call("trust.list", n, pem=True))
                sent += 1
        except BlockingIOError:
            pass
        self.assertGreater(sent, 0)
        self.assert_lives()
        rude.close()
        self.wait_for_room()

    def test_one_client_too_many(self):
        clients = [self.connect() for _ in range(CLIENTS)]
        for client in clients:
            self.assertIn("result", self.ask(client, call("status"))[0])
        more = self.connect()
        answer = self.lines(more, 2)
        self.assertEqual(["BUSY"], [a["error"]["data"] for a in answer])
        self.assertIn("result", self.ask(self.connect("events.sock"), call("status"))[0])
        clients[7].close()
        wait_until(lambda: "result" in self.ask(self.connect(), call("status"))[0], 5, "the free place")


class Subscribers(Case):
    def setUp(self):
        super().setUp()
        self.start()

    def change(self, times):
        """Makes the account connect again, so often, to the server that is not there. Returns all that was told of it."""
        quick = self.phone.events()
        admin = self.connect()
        for n in range(times):
            self.assertIn("result", self.ask(admin, call("account.reconnect", n, account=1))[0])
            quick.wait(lambda a: a[1]["state"] == "connecting", 10, "the account to connect")
            quick.wait(lambda a: a[1]["state"] == "down", 10, "the account to be down")
        admin.close()
        quick.close()
        return [method for _, method, _ in quick.log]

    def test_a_slow_one_gets_the_state_of_the_end(self):
        slow = self.connect("events.sock")
        self.send(slow, call("subscribe"))
        told = self.change(500)
        messages = self.read_all(slow)
        self.assertIn("snapshot", [m.get("method") for m in messages])
        self.assertLess(len(messages), len(told))
        last = [m["params"] for m in messages if m.get("method") in ("lock", "snapshot")][-1]
        state = last["accounts"][0] if "accounts" in last else last
        self.assertEqual("down", state["state"])
        self.assert_lives()

    def read_all(self, client):
        """Whole lines only: the one that was half sent when the rest was dropped was finished."""
        data = b""
        client.settimeout(1)
        try:
            while True:
                more = client.recv(1 << 20)
                self.assertTrue(more, "sipsd closed a slow subscriber")
                data += more
        except socket.timeout:
            pass
        self.assertTrue(data.endswith(b"\n"))
        return [json.loads(line) for line in data.splitlines()]

    def test_one_that_never_reads_and_goes(self):
        for _ in range(3):
            never = self.connect("events.sock")
            self.send(never, call("subscribe"))
            self.change(200)
            never.close()
        self.wait_for_room()
        self.assert_lives()

    def test_the_end_of_sipsd_is_the_end_of_the_connection(self):
        client = self.phone.events()
        self.phone.process.popen.send_signal(signal.SIGTERM)
        with self.assertRaises(ConnectionError):
            client.wait(lambda a: False, 10, "the end")
        self.assertEqual(0, self.phone.process.popen.wait(10))
        self.assertFalse((self.phone.run / "events.sock").exists())
        self.assertFalse((self.phone.run / "control.sock").exists())


@unittest.skipUnless(os.geteuid() == 0, "only root can be somebody else")
class Access(Case):
    def setUp(self):
        super().setUp()
        self.nobody = pwd.getpwnam("nobody").pw_uid
        self.ui, self.admin = (grp.getgrnam(name).gr_gid for name in ("games", "users"))
        self.directory.chmod(0o755)
        (self.directory / "phone").chmod(0o755)
        self.phone.run.chmod(0o755)
        self.start("--ui-group", "games", "--admin-group", "users")

    def as_nobody(self, name, groups):
        """What a process of another user is told: a key of the answer, an error's data, or an errno's name."""
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.setgroups(groups)
                os.setgid(self.nobody)
                os.setuid(self.nobody)
                client = self.connect(name)
                try:
                    self.send(client, call("status"))
                except BrokenPipeError:
                    pass  # why is in what can be read
                answer = self.lines(client, 1)[0]
                told = answer["error"]["data"] if "error" in answer else "result"
            except OSError as e:
                told = type(e).__name__
            except BaseException as e:  # pylint: disable=broad-except
                told = repr(e)
            os.write(writing, told.encode())
            os._exit(0)
        os.close(writing)
        os.waitpid(child, 0)
        with os.fdopen(reading) as f:
            return f.read()

    def test_by_supplementary_group(self):
        self.assertEqual("result", self.as_nobody("events.sock", [self.ui]))
        self.assertEqual("result", self.as_nobody("control.sock", [self.ui, self.admin]))
        self.assertEqual("PermissionError", self.as_nobody("events.sock", []))
        self.assertEqual("PermissionError", self.as_nobody("events.sock", [self.admin]))
        self.assertEqual("PermissionError", self.as_nobody("control.sock", [self.ui]))

    def test_the_mode_alone_opens_no_door(self):
        for name in ("events.sock", "control.sock"):
            (self.phone.run / name).chmod(0o666)
            self.assertEqual("DENIED", self.as_nobody(name, []))
        self.assert_lives()

    def test_modes(self):
        for name, group in (("events.sock", self.ui), ("control.sock", self.admin)):
            status = (self.phone.run / name).stat()
            self.assertEqual((0o660, group), (status.st_mode & 0o777, status.st_gid))


class Files(Case):
    def reload(self, sentence):
        """Asks for it, and waits until the log says how it went."""
        self.phone.process.popen.send_signal(signal.SIGHUP)
        wait_until(lambda: sentence in self.phone.process.text(), 10, f"'{sentence}' in the log")

    def test_settings_that_are_none_change_nothing(self):
        self.start()
        good = self.phone.config.read_text()
        for content in (b"", b"\x00\xff garbage", b"account.1.enable = 0\n", b"\xff\xfe#\x00!\x00",
                        good.encode() + b"account.1.enable = perhaps\n", good.encode() + b"no setting\n",
                        b"#!version:1.0.0.1\n" + b"#" * (300 << 10)):
            self.phone.config.write_bytes(content)
            before = self.phone.process.text().count("the old settings stay")
            self.phone.process.popen.send_signal(signal.SIGHUP)
            wait_until(lambda: self.phone.process.text().count("the old settings stay") > before, 10, "the refusal")
            self.assert_lives()
        self.phone.config.write_text(good)
        self.reload("read again")
        self.assert_lives()

    def test_a_password_is_in_no_log(self):
        self.phone.settings("account.2.password = s3cr3t-w0rd\x01\naccount.1.password = s3cr3t-w0rd\ns3cr3t-w0rd")
        self.start()
        self.assert_lives()
        self.assertIn("account.2.password", self.phone.process.text())
        self.assertNotIn("s3cr3t-w0rd", self.phone.process.text())

    def test_a_trusted_certificate_that_is_none(self):
        pki = make_pki(self.directory / "pki", "good")
        held = self.phone.held
        (held / "ca.garbage.pem").write_bytes(random.Random(2).randbytes(5000))
        (held / "ca.empty.pem").write_bytes(b"")
        shutil.copy(pki / "ca.pem", held / "ca.good.pem")
        self.start()
        listed = self.ask(self.connect(), call("trust.list", filter="custom"))[0]["result"]
        self.assertEqual(["good"], [c["file"] for c in listed["certificates"]])
        self.assertEqual(["ca.empty.pem", "ca.garbage.pem"], [c["file"] for c in listed["complaints"]])
        for name in ("ca.garbage.pem", "ca.empty.pem"):
            self.assertIn(f"{name}: is left out", self.phone.process.text())


if __name__ == "__main__":
    sys.exit(unittest.main())
