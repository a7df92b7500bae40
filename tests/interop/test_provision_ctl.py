#!/usr/bin/env python3
"""sipsctl provision, and a socket that answers as sipsd does, or as it does when things go wrong."""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

SNAPSHOT = {"version": "0", "accounts": [], "expiring": []}


def report(number, outcome, **more):
    return {"id": number, "time": "2026-11-25T02:00:00Z", "cause": "push", "outcome": outcome, "code": None,
            "sentence": f"sentence of {outcome}", "lockout": False, "files": [], "items": [],
            "changed": {"settings": [], "trusted_added": 0, "trusted_removed": 0, "identity": False},
            "generation": 1, "trial_ends": None, **more}


class Stand(threading.Thread):
    """Stands in for sipsd with one client at control.sock. SCRIPT is what it sends behind the answer to
    provision.push or .fetch: notifications, seconds to wait, or "close"."""

    def __init__(self, directory, script=(), last=None, refuse=None):
        super().__init__(daemon=True)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(str(directory / "control.sock"))
        self.listener.listen(1)
        self.script, self.last, self.refuse = script, last, refuse
        self.calls = []
        self.uploads = {}
        self.begun = threading.Event()
        self.start()

    def stop(self):
        """Also where nobody has connected."""
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it was closed
        self.join(20)
        self.listener.close()

    def send(self, message):
        self.client.sendall(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")

    def tell(self, method, params):
        self.send({"method": method, "params": params})

    def upload(self, params):
        number = params.get("staged", len(self.uploads) + 1)
        self.uploads.setdefault(number, []).append(params)
        return {"staged": number, "received": 0}

    def answer(self, method, params):
        if method == "subscribe":
            return SNAPSHOT
        if method == "upload":
            return self.upload(params)
        if method in ("provision.push", "provision.fetch"):
            return {"id": 7}
        return self.last

    def play(self):
        self.begun.set()
        for step in self.script:
            if step == "close":
                self.client.shutdown(socket.SHUT_RDWR)
            elif isinstance(step, float):
                time.sleep(step)
            else:
                self.tell(*step)

    def run(self):
        try:
            self.client, _ = self.listener.accept()
        except OSError:
            return
        with self.client, self.client.makefile() as lines:
            self.serve(lines)

    def serve(self, lines):
        for line in lines:
            request = json.loads(line)
            method, params = request["method"], request.get("params")
            self.calls.append((method, params))
            if self.refuse and method.startswith("provision."):
                self.send({"id": request["id"], "error": {"code": -32000, "message": self.refuse, "data": "BUSY"}})
                continue
            self.send({"id": request["id"], "result": self.answer(method, params)})
            if method in ("provision.push", "provision.fetch"):
                self.play()


class Ctl(unittest.TestCase):
    def setUp(self):
        self.directory = Path(tempfile.mkdtemp(prefix="sipsd-provision-"))
        self.addCleanup(shutil.rmtree, self.directory)
        self.file = self.directory / "corp.cfg"
        self.file.write_text("#!version:1.0.0.1\n")

    def stand(self, *script, **how):
        (self.directory / "control.sock").unlink(missing_ok=True)
        self.sipsd = Stand(self.directory, script, **how)
        self.addCleanup(self.sipsd.stop)
        return self.sipsd

    def command(self, *arguments):
        return [os.environ["SIPSCTL"], "--run-dir", str(self.directory), *map(str, arguments)]

    def ctl(self, *arguments, expect=0, stdin=""):
        done = subprocess.run(self.command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, input=stdin,
                              text=True, timeout=60, check=False)
        self.assertEqual(expect, done.returncode, f"{arguments}: {done.stdout}")
        return done.stdout

    def params(self, method):
        return [params for called, params in self.sipsd.calls if called == method][-1]

    def test_outcomes(self):
        for outcome, status in (("applied", 0), ("unchanged", 0), ("checked", 0), ("refused", 1), ("failed", 2),
                                ("rolled_back", 1), ("from the future", 2)):
            with self.subTest(outcome):
                self.stand(("provision", report(6, "failed")), ("provision", report(7, outcome)))
                said = self.ctl("provision", self.file, expect=status)
                self.assertIn(f"sentence of {outcome}", said)
                self.assertNotIn("sentence of failed", said.replace(f"sentence of {outcome}", ""))
                self.assertEqual({"files": [{"name": "corp.cfg", "base64": "IyF2ZXJzaW9uOjEuMC4wLjEK"}]},
                                 self.params("provision.push"))
                self.assertEqual("subscribe", self.sipsd.calls[0][0])

    def test_options(self):
        self.stand(("provision", report(7, "applied")))
        self.ctl("provision", "--force", "--trial", 30, self.file, self.file)
        params = self.params("provision.push")
        self.assertEqual([True, 30, 2], [params["force"], params["trial_s"], len(params["files"])])
        self.stand(("provision", report(7, "checked")))
        self.ctl("provision", "--check", "--fetch")
        self.assertEqual({"check": True}, self.params("provision.fetch"))

    def test_wrong_options(self):
        for options in (["provision"], ["provision", "--fetch", self.file], ["provision", "--last", "--confirm"],
                        ["provision", "--last", "--force"], ["provision", "--trial", "soon", self.file],
                        ["provision", "--trial", "0", self.file], ["provision", "--what"],
                        ["provision", "--check", "--trial", "9", self.file], ["provision", self.directory / "none.cfg"]):
            with self.subTest(options):
                self.ctl(*options, expect=2)
        self.assertIn("--rollback", self.ctl("provision", "--help"))

    def test_standard_input(self):
        self.stand(("provision", report(7, "applied")))
        self.ctl("provision", "-", stdin="#!version:1.0.0.1\n")
        self.assertEqual([{"name": "stdin", "base64": "IyF2ZXJzaW9uOjEuMC4wLjEK"}], self.params("provision.push")["files"])

    def test_large_files_are_uploaded(self):
        self.stand(("provision", report(7, "applied")))
        large = self.directory / "large.cfg"
        large.write_text("# more\n" * 10000)
        self.ctl("provision", self.file, large)
        self.assertEqual([{"name": "corp.cfg", "staged": 1, "offset": 0, "size": 18},
                          {"name": "large.cfg", "staged": 1, "offset": 18, "size": 70000}],
                         self.params("provision.push")["files"])
        self.assertEqual(70018, self.sipsd.uploads[1][0]["size"])

    def test_what_a_report_says(self):
        changed = {"settings": ["account.1.label", "sip.tls_listen_port"], "trusted_added": 2, "trusted_removed": 1,
                   "identity": True}
        files = [{"name": "corp.cfg", "host": None, "bytes": 812, "sha256": "00112233445566778899", "outcome": "read",
                  "sentence": None},
                 {"name": "b.pem", "host": "h", "bytes": 0, "sha256": None, "outcome": "refused", "sentence": "it is \x1b[1m"}]
        items = [{"file": "corp.cfg", "line": 4, "what": "setting", "subject": "a.b", "ok": True, "sentence": "not ours"},
                 {"file": "corp.cfg", "line": 5, "what": "setting", "subject": "fine.one", "ok": True, "sentence": None},
                 {"file": "corp.cfg", "line": 6, "what": "trusted", "subject": "b.pem", "ok": False, "sentence": "is bad"}]
        self.stand(("provision", report(7, "refused", changed=changed, files=files, items=items, lockout=True)))
        said = self.ctl("provision", self.file, expect=1)
        for words in ("812 bytes", "! b.pem", "  corp.cfg:4: a.b: not ours\n", "! corp.cfg:6: b.pem: is bad\n", "--force",
                      "Would change: account.1.label, sip.tls_listen_port, 2 trusted certificates more, 1 trusted certificate "
                      "less, the phone's own certificate\n"):
            self.assertIn(words, said)
        self.assertNotIn("fine.one", said)
        self.assertNotIn("\x1b", said)

    def test_json(self):
        told = report(7, "refused", lockout=True)
        self.stand(("provision", told))
        self.assertEqual(told, json.loads(self.ctl("--json", "provision", self.file, expect=1)))

    def test_a_trial(self):
        trial = report(7, "trial", trial_ends="2026-11-25T03:00:00Z")
        for outcome, status in (("kept", 0), ("rolled_back", 1)):
            self.stand(("provision", trial), 0.1, ("provision", report(7, outcome)))
            said = self.ctl("provision", "--trial", 30, self.file, expect=status)
            self.assertIn("The trial ends at 2026-11-25T03:00:00Z", said)
            self.assertIn(f"sentence of {outcome}", said)

    def test_a_report_that_was_missed(self):
        """Who reads too slowly gets a snapshot instead of all that was told meanwhile."""
        self.stand(("snapshot", SNAPSHOT), last=report(7, "applied"))
        self.assertIn("sentence of applied", self.ctl("provision", self.file))
        self.stand(("snapshot", SNAPSHOT), last=report(8, "applied"))
        self.assertIn("missed", self.ctl("provision", self.file, expect=2))
        trial = report(7, "trial")
        self.stand(("provision", trial), ("snapshot", SNAPSHOT), 0.2, ("provision", report(7, "kept")), last=trial)
        self.assertEqual(1, self.ctl("provision", "--trial", 30, self.file).count("sentence of trial"))

    def test_sipsd_is_gone(self):
        self.stand("close")
        self.assertIn("--last", self.ctl("provision", self.file, expect=2))

    def test_sipsd_says_no(self):
        self.stand(refuse="too many runs wait")
        self.assertIn("too many runs wait", self.ctl("provision", self.file, expect=1))
        self.stand(refuse="there is no trial")
        self.assertIn("there is no trial", self.ctl("provision", "--confirm", expect=1))

    def test_an_interrupt_ends_the_waiting_only(self):
        sipsd = self.stand()
        waiting = subprocess.Popen(self.command("provision", "--fetch"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   text=True)
        self.assertTrue(sipsd.begun.wait(20))
        time.sleep(0.1)  # behind the answer; a signal that comes earlier ends it too
        waiting.send_signal(signal.SIGINT)
        said, _ = waiting.communicate(timeout=20)
        if waiting.returncode != -signal.SIGINT:
            self.assertEqual(2, waiting.returncode)
            self.assertIn("the run goes on", said)

    def test_last(self):
        self.stand(last=None)
        self.assertIn("Nothing was provisioned", self.ctl("provision", "--last"))
        self.stand(last=report(3, "refused"))
        self.assertIn("sentence of refused", self.ctl("provision", "--last", expect=1))
        self.stand(last=report(3, "applied"))
        self.assertEqual(3, json.loads(self.ctl("--json", "provision", "--last"))["id"])

    def test_confirm_and_roll_back(self):
        self.stand(last=report(3, "kept"))
        self.assertIn("sentence of kept", self.ctl("provision", "--confirm"))
        self.stand(last=report(3, "rolled_back"))
        self.assertIn("sentence of rolled_back", self.ctl("provision", "--rollback"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
