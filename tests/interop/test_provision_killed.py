#!/usr/bin/env python3
"""sipsd killed at every step of a run of provisioning, and started again: all of it counts then, or nothing of it.

The run moves the phone to another server, whose certificate needs another CA: with the old certificates and the new
settings, or the other way round, the phone is not registered anywhere.
"""

import json
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from peers import make_pki, wait_until
from phone import Phone
from registrar import Registrar

SKIP = 77
# A leak check needs ptrace for itself; a run that is killed has none.
TRACED = {**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}


def can_trace(directory):
    done = subprocess.run([os.environ["KILLAT"], "--below", directory, "--count", directory / "count", "true"], check=False)
    return done.returncode != SKIP


class Killed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = Path(tempfile.mkdtemp(prefix="sipsd-killed-"))
        cls.addClassCleanup(shutil.rmtree, cls.root)
        if not can_trace(cls.root):
            raise unittest.SkipTest("tracing is not allowed here")
        cls.old = make_pki(cls.root / "old", "good", "client")
        cls.new = make_pki(cls.root / "new", "good")
        cls.registrars = []
        for pki in (cls.old, cls.new):
            (pki / "run").mkdir()
            registrar = Registrar(pki / "run", pki, "good")
            cls.addClassCleanup(registrar.stop)
            cls.registrars.append(registrar)
        cls.file = cls.root / "corp.cfg"
        cls.file.write_text(cls.make())

    @classmethod
    def make(cls):
        """The settings file that moves the phone."""
        make = [os.environ["SIPSCTL"], "provision", "--make", "--delete-all", cls.new / "ca.pem",
                "--identity", cls.new / "good" / "chain.pem", "--key", cls.new / "good" / "key.pem",
                "--set", f"account.1.sip_server.1.port={cls.registrars[1].ports[0]}", "--set", "account.1.label=Moved"]
        return subprocess.run(make, check=True, capture_output=True, text=True).stdout

    def phone(self, name, before=0):
        """Traced; it dies at step BEFORE of what it changes once there is the file `go`."""
        directory = self.root / name
        phone = Phone(directory, trusted=[self.old / "ca.pem"])
        self.addCleanup(phone.stop)
        phone.account(1, self.registrars[0].ports[0]).settings("sip.tls_listen_port = 0")
        before = ["--before", str(before)] if before else []
        phone.start(wrapper=[os.environ["KILLAT"], "--below", phone.state, "--count", directory / "count", "--when",
                             directory / "go", *before], environment=TRACED)
        return phone

    def push(self, phone, **how):
        """The report of the run; None if sipsd dies meanwhile."""
        control = phone.control()
        (phone.directory / "go").touch()
        try:
            control.subscribe()
            number = control.call("provision.push", {"files": [{"name": "corp.cfg", "content": self.file.read_text()}],
                                                     **how}, seconds=60)["id"]
            control.wait(lambda _: any(method == "provision" and params["id"] == number for _, method, params in control.log),
                         60, "the end of the run")
        except (ConnectionError, BrokenPipeError):
            return None
        return [params for _, method, params in control.log if method == "provision"][-1]

    def counted(self, phone):
        path = phone.directory / "count"
        wait_until(path.exists, 20, "the steps that were counted")
        return int(path.read_text())

    def state(self, phone):
        """Which phone it is: what its settings and certificates are, old or new."""
        control = phone.control()
        label = control.call("status")["accounts"][0]["label"]
        custom = [c["sha256"] for c in control.call("trust.list", {"filter": "custom"})["certificates"]]
        return {"label": label == "Moved", "trusted": custom == [self.digest(self.new)],
                "none of the old": self.digest(self.old) not in custom,
                "identity": control.call("identity.show")["in_use"] == "custom"}

    def digest(self, pki):
        text = subprocess.run(["openssl", "x509", "-in", pki / "ca.pem", "-noout", "-fingerprint", "-sha256"], check=True,
                              capture_output=True, text=True).stdout
        return text.strip().split("=")[1].replace(":", "").lower()

    def steps(self, name, **how):
        """How many steps the run has, undisturbed."""
        phone = self.phone(name)
        report = self.push(phone, **how)
        self.assertIn(report["outcome"], ("applied", "trial"), json.dumps(report, indent=1))
        phone.events().wait_locked(1)
        self.assertEqual({True}, set(self.state(phone).values()))
        phone.stop()
        return self.counted(phone)

    def kill_at(self, name, step, **how):
        """Whether what was there after the start was the new."""
        phone = self.phone(f"{name}-{step}", step)
        self.push(phone, **how)
        self.assertEqual(137, wait_until(lambda: phone.process.popen.poll(), 60, f"sipsd to die at step {step}"))
        for client in phone.clients:
            client.close()
        phone.clients, phone.process = [], None
        for path in phone.run.iterdir():
            path.unlink()  # its sockets, which nobody is behind any more
        phone.start().events().wait_locked(1)
        state = self.state(phone)
        phone.stop()
        self.assertEqual(1, len(set(state.values())), f"killed at step {step}: {state}\n" +
                         (phone.directory / "log").read_text()[-3000:])
        shutil.rmtree(phone.directory)
        return state["label"]

    def kill_at_all(self, name, **how):
        count = self.steps(name, **how)
        self.assertGreater(count, 10)
        new = [self.kill_at(name, step, **how) for step in range(1, count + 1)]
        print(f"{name}: {count} steps, all that was pushed counts from step {1 + new.index(True) if True in new else None}")
        return new

    def test_a_run(self):
        new = self.kill_at_all("run")
        self.assertEqual(sorted(new), new)  # old up to a step, and new from there on
        self.assertFalse(new[0])
        self.assertTrue(new[-1])


if __name__ == "__main__":
    unittest.main(verbosity=2)
