"""sipsd as a process: its options, its settings files, signals, the supervisor, privileges, the sockets' files."""

import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from callers import Caller
from peers import make_pki, wait_until
from phone import Phone
from registrar import Registrar

SIPSD = os.environ["SIPSD"]
HEAD = "#!version:1.0.0.1\n"
INCOMPLETE = "account.{0}.enable = 1\naccount.{0}.sip_server.1.transport_type = 2\n"  # who, and where?


def run(*arguments):
    """Runs sipsd to its end: status and what it said."""
    done = subprocess.run([SIPSD, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=20, check=False)
    return done.returncode, done.stdout


def is_free(port):
    with socket.socket() as s:
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Case(unittest.TestCase):
    def setUp(self):
        self.directory = Path(tempfile.mkdtemp(prefix="sipsd-daemon-"))
        self.addCleanup(shutil.rmtree, self.directory)
        self.directory.chmod(0o755)


class CommandLine(Case):
    def config(self, text, mode=0o600):
        path = self.directory / "phone.cfg"
        path.write_text(text)
        path.chmod(mode)
        return path

    def test_version_and_help(self):
        status, said = run("--version")
        self.assertEqual((status, said.split()[0]), (0, "sipsd"))
        status, said = run("--help")
        self.assertEqual(status, 0)
        self.assertIn("--config", said)

    def test_wrong_options(self):
        status, said = run("--nonsense")
        self.assertEqual(status, 2)
        self.assertIn("--nonsense", said)

    def test_check_good(self):
        status, said = run("--check", "--config", self.config(HEAD + "account.1.label = A\n"))
        self.assertEqual((status, said), (0, ""))

    def test_check_says_file_and_line(self):
        path = self.config(HEAD + "\naccount.1.enable = perhaps\n")
        status, said = run("--check", "--config", path)
        self.assertEqual(status, 1)
        self.assertIn(f"{path}:3:", said)

    def test_check_finds_an_account_that_cannot_work(self):
        status, said = run("--check", "--config", self.config(HEAD + INCOMPLETE.format(1)))
        self.assertEqual(status, 1)
        self.assertIn("account 1", said)

    def test_no_settings_file(self):
        status, said = run("--check", "--config", self.directory / "missing")
        self.assertEqual(status, 1)
        self.assertIn("missing", said)

    def test_not_a_settings_file(self):
        status, said = run("--check", "--config", self.config("hello\n"))
        self.assertEqual(status, 1)
        self.assertIn("phone.cfg", said)

    def test_a_fifo_does_not_block(self):
        fifo = self.directory / "fifo"
        os.mkfifo(fifo)
        status, said = run("--check", "--config", fifo)
        self.assertEqual(status, 1)
        self.assertIn("not a regular file", said)

    def test_readable_by_others(self):
        status, said = run("--check", "--config", self.config(HEAD, 0o644))
        self.assertEqual(status, 0)
        self.assertIn("others can read it", said)

    def test_the_later_file_wins(self):
        first = self.config(HEAD + INCOMPLETE.format(1))
        second = self.directory / "mac.cfg"
        second.write_text(HEAD + "account.1.enable = 0\n")
        second.chmod(0o600)
        self.assertEqual(run("--check", "--config", first, "--config", second)[0], 0)
        self.assertEqual(run("--check", "--config", second, "--config", first)[0], 1)


class Daemon(Case):
    """With a registrar that shows a good certificate."""

    @classmethod
    def setUpClass(cls):
        directory = tempfile.mkdtemp(prefix="sipsd-daemon-pki-")
        cls.addClassCleanup(shutil.rmtree, directory)
        cls.pki = make_pki(directory, "good", "wrong-name")

    def setUp(self):
        super().setUp()
        self.registrar = Registrar(self.directory, self.pki)
        self.addCleanup(self.registrar.stop)
        self.phone = Phone(self.directory / "phone", trusted=[self.pki / "ca.pem"])
        self.addCleanup(self.phone.stop)
        self.phone.account(1, self.registrar.ports[0])

    def hup(self):
        """Sends SIGHUP and waits until it was worked off."""
        before = self.log().count("read again") + self.log().count("the old settings stay")
        self.phone.process.popen.send_signal(signal.SIGHUP)
        wait_until(lambda: self.log().count("read again") + self.log().count("the old settings stay") > before, 5,
                   "the reload")

    def log(self):
        return self.phone.process.text()


class Reload(Daemon):
    def test_what_is_the_same_is_not_touched(self):
        self.phone.start().events().wait_locked(1)
        self.phone.settings("account.2.label = Spare")
        self.hup()
        self.phone.control().call("account.list")
        self.assertEqual(self.registrar.count(" open "), 1)
        self.assertEqual(self.registrar.count(" unregistered "), 0)

    def test_as_soon_as_the_sockets_are_there(self):
        """The init scripts take the sockets for a daemon that is ready."""
        self.phone.start()
        self.phone.process.popen.send_signal(signal.SIGHUP)
        wait_until(lambda: "read again" in self.log(), 5, "the reload")
        self.phone.events().wait_locked(1)

    def test_accounts_come_change_and_go(self):
        events = self.phone.start().events()
        events.wait_locked(1)
        self.phone.account(2, self.registrar.ports[0])
        self.hup()
        events.wait_locked(2)
        self.phone.settings("account.2.sip_server.1.expires = 100")
        self.hup()
        events.wait(lambda a: a[2]["registration"]["expires_s"] == 100, 10, "the shorter registration")
        self.phone.settings("account.2.enable = 0")
        self.hup()
        events.wait(lambda a: 2 not in a, 10, "account 2 to go")
        wait_until(lambda: self.registrar.count(" unregistered sips:user2@") == 2, 5, "its un-REGISTER")
        self.assertEqual(self.registrar.count(" unregistered sips:user1@"), 0)

    def test_bad_settings_change_nothing(self):
        events = self.phone.start().events()
        events.wait_locked(1)
        for bad in ("account.1.enable = perhaps\n", INCOMPLETE.format(2)):
            with self.subTest(bad):
                good = self.phone.config.read_text()
                self.phone.config.write_text(good + bad + "account.1.label = New\n")
                self.hup()
                self.assertIn("the old settings stay", self.log())
                accounts = self.phone.control().call("account.list")["accounts"]
                self.assertEqual([(a["label"], a["lock"]) for a in accounts], [("Account 1", True)])
                self.phone.config.write_text(good)
        self.phone.config.unlink()
        self.hup()
        self.assertTrue(self.phone.control().call("account.list")["accounts"][0]["lock"])
        self.assertEqual(self.registrar.count(" open "), 1)

    def test_a_ca_removed_and_added_back(self):
        events = self.phone.start().events()
        events.wait_locked(1)
        generation = events.call("status")["trust"]["generation"]
        ca = self.phone.held / "ca.ca.pem"
        kept = ca.read_bytes()
        ca.unlink()
        self.hup()
        account = events.wait_refused(1, "unknown_ca", 2)
        self.assertFalse(account["lock"])
        trust = events.call("status")["trust"]
        self.assertEqual(trust["custom"], 0)
        self.assertGreater(trust["generation"], generation)
        ca.write_bytes(kept)
        self.hup()
        events.wait_locked(1, 2)

    def test_a_broken_ca_harms_only_itself(self):
        events = self.phone.start().events()
        events.wait_locked(1)
        broken = self.phone.held / "ca.broken.pem"
        broken.write_text("-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n")
        self.hup()
        self.assertIn("ca.broken.pem: is left out", self.log())
        self.assertTrue(broken.exists())
        self.assertTrue(self.phone.control().call("account.list")["accounts"][0]["lock"])
        self.assertEqual(self.registrar.count(" open "), 1)


class End(Daemon):
    def test_in_order(self):
        self.phone.start().events().wait_locked(1)
        run_dir = self.phone.run
        self.phone.stop()
        wait_until(lambda: self.registrar.count(" closed "), 5, "the end of the connection")
        self.assertEqual(self.registrar.count(" unregistered "), 1)
        self.assertIn(" closed the connection\n", self.registrar.text())  # with close_notify
        self.assertEqual(list(run_dir.iterdir()), [])

    def test_interrupt_is_the_same(self):
        self.phone.start().events().wait_locked(1)
        self.phone.stop(sig=signal.SIGINT)
        self.assertEqual(self.registrar.count(" unregistered "), 1)

    def test_a_server_that_hangs_does_not_hold_it(self):
        self.phone.start().events().wait_locked(1)
        self.registrar.freeze()
        self.phone.stop(seconds=8)  # twice two seconds, and then some for a busy machine
        self.registrar.thaw()

    def test_asked_twice_it_ends_at_once(self):
        self.phone.start().events().wait_locked(1)
        self.registrar.freeze()
        process = self.phone.process.popen
        process.send_signal(signal.SIGTERM)
        wait_until(lambda: "stopping" in self.log(), 5, "the end to begin")
        self.phone.stop()
        self.registrar.thaw()

    def test_starts_again_after_a_crash(self):
        self.phone.start().events().wait_locked(1)
        for client in self.phone.clients:
            client.close()
        self.phone.clients = []
        self.phone.process.stop(sig=signal.SIGKILL)
        self.assertTrue((self.phone.run / "events.sock").exists())
        self.phone.start()
        wait_until(lambda: self.log().count("trusted certificates") == 2, 5, "the second start")
        self.phone.events().wait_locked(1)

    def test_only_one_at_a_time(self):
        self.phone.start().events().wait_locked(1)
        status, said = run("--config", self.phone.config, "--state-dir", self.phone.state, "--run-dir", self.phone.run,
                           "--mac", "00:11:22:33:44:55")
        self.assertEqual(status, 1)
        self.assertIn("sock", said)
        self.phone.events().wait_locked(1)


class Supervisor(Daemon):
    def test_notifications(self):
        path = self.directory / "notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(str(path))
            notify.settimeout(10)
            self.phone.start(wrapper=["env", f"NOTIFY_SOCKET={path}", "WATCHDOG_USEC=400000"])

            def next_of(kind):
                while True:
                    lines = notify.recv(4096).decode().splitlines()
                    if lines[0].startswith(kind):
                        return lines

            next_of("READY=1")
            next_of("WATCHDOG=1")
            next_of("WATCHDOG=1")
            self.phone.process.popen.send_signal(signal.SIGHUP)
            self.assertTrue(next_of("RELOADING=1")[1].startswith("MONOTONIC_USEC="))
            next_of("READY=1")
            self.phone.process.popen.send_signal(signal.SIGTERM)
            next_of("STOPPING=1")
            self.phone.stop()


class Idle(Daemon):
    def test_nothing_wakes_it(self):
        """Locked and registered, it sleeps: the kernel has not switched to it more than for a clock check."""
        self.phone.start().events().wait_locked(1)
        time.sleep(0.5)

        def switches():
            status = Path(f"/proc/{self.phone.process.popen.pid}/status").read_text()
            return int(status.split("\nvoluntary_ctxt_switches:")[1].split()[0])

        before = switches()
        time.sleep(3)
        self.assertLessEqual(switches() - before, 1)


@unittest.skipUnless(os.geteuid() == 0, "needs root")
class Privileges(Daemon):
    def setUp(self):
        super().setUp()
        self.user = pwd.getpwnam("nobody")
        os.chown(self.phone.config, self.user.pw_uid, self.user.pw_gid)
        for path in [self.phone.directory, self.phone.state, *self.phone.state.rglob("*")]:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)
        os.rmdir(self.phone.run)

    def test_becomes_the_user(self):
        self.phone.start("--user", "nobody", "--ui-group", "audio", "--admin-group", "adm").events().wait_locked(1)
        status = dict(line.split(":\t", 1) for line in
                      Path(f"/proc/{self.phone.process.popen.pid}/status").read_text().splitlines() if ":\t" in line)
        self.assertEqual(set(status["Uid"].split()), {str(self.user.pw_uid)})
        self.assertEqual(set(status["Gid"].split()), {str(self.user.pw_gid)})
        self.assertEqual(int(status["CapEff"], 16) | int(status["CapPrm"], 16), 0)
        self.assertEqual(status["NoNewPrivs"], "1")
        for name, group in (("events.sock", "audio"), ("control.sock", "adm")):
            found = (self.phone.run / name).stat()
            self.assertEqual(stat.S_IMODE(found.st_mode), 0o660)
            self.assertEqual((self.phone.run / name).group(), group)
        run_dir = self.phone.run
        self.hup()
        self.phone.stop()
        self.assertEqual(list(run_dir.iterdir()), [])

    def test_a_port_that_only_root_may_open(self):
        """It is opened before sipsd becomes the user, who then has it, and it survives a reload."""
        port = next((p for p in range(1023, 600, -1) if is_free(p)), None)
        start = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
        if port is None or port >= start:
            self.skipTest("there is no such port here")
        factory = self.phone.directory / "factory"
        factory.mkdir()
        (factory / "generic.pem").write_text((self.pki / "good/chain.pem").read_text()
                                            + (self.pki / "good/key.pem").read_text())
        os.chown(factory / "generic.pem", self.user.pw_uid, self.user.pw_gid)
        os.chown(factory, self.user.pw_uid, self.user.pw_gid)
        self.phone.settings(f"sip.tls_listen_port = {port}")
        self.phone.start("--user", "nobody", "--factory-dir", factory).events().wait_locked(1)
        self.hup()
        with Caller(port, ca=self.pki / "ca.pem") as caller:
            self.assertEqual(caller.ask("OPTIONS", "sips:127.0.0.1"), 200)

    def test_unknown_user(self):
        status, said = run("--config", self.phone.config, "--state-dir", self.phone.state, "--run-dir", self.phone.run,
                           "--mac", "00:11:22:33:44:55", "--user", "no-such-user")
        self.assertEqual(status, 1)
        self.assertIn("no-such-user", said)


if __name__ == "__main__":
    unittest.main(verbosity=2)
