"""The project's own registrar as a process: for what is about the daemon, not about its peers."""

import os
import re
import signal

from peers import Process, wait_until


class Registrar:
    """One endpoint for each certificate of the PKI that is named; all users have the same password."""

    password = "correct-horse"

    def __init__(self, directory, pki, *profiles, users=("user1", "user2"), options=()):
        self.log = directory / "registrar.log"
        arguments = [os.environ["REGISTRAR"], "--log", self.log, *options]
        for profile in profiles or ["good"]:
            arguments += ["--endpoint", f"127.0.0.1:0,{pki / profile / 'chain.pem'},{pki / profile / 'key.pem'}"]
        for user in users:
            arguments += ["--user", f"{user}:{self.password}"]
        self.process = Process(arguments, directory / "registrar.out")
        count = len(profiles) or 1
        wait_until(lambda: len(self._ports()) == count or self.process.popen.poll() is not None, 20, "the registrar")
        self.ports = self._ports()
        if len(self.ports) != count:
            raise AssertionError("the registrar did not start:\n" + self.process.text())

    def _ports(self):
        return [int(port) for port in re.findall(r"^listening \S+:(\d+)$", self.process.text(), re.MULTILINE)]

    def text(self):
        return self.log.read_text() if self.log.exists() else ""

    def count(self, what):
        """How often a line of its log has these words."""
        return sum(what in line for line in self.text().splitlines())

    def freeze(self):
        self.process.popen.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.popen.send_signal(signal.SIGCONT)

    def stop(self):
        self.thaw()
        return self.process.stop()
