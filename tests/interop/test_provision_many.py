#!/usr/bin/env python3
"""A thousand pushes in a row to a phone with a live account."""

import base64
import hashlib
import os
import shutil
import ssl
import sys
import unittest
from pathlib import Path

from provider import Case

if not shutil.which("nginx"):
    print("skipped: nginx is not installed")
    sys.exit(77)


class Many(Case):
    where = "/dev/shm" if os.path.isdir("/dev/shm") else None  # a disk would be what takes the time

    def resident(self):
        status = Path(f"/proc/{self.pid()}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    def setUp(self):
        super().setUp()
        before = os.environ.get("ASAN_OPTIONS", "")
        os.environ["ASAN_OPTIONS"] = before + ":quarantine_size_mb=1"  # it keeps what was freed
        self.addCleanup(os.environ.__setitem__, "ASAN_OPTIONS", before)

    def test_a_thousand_pushes(self):
        """Each changes a setting and the trusted certificates; no memory is kept, no connection is touched."""
        live = self.registrar(self.pki)
        self.phone.account(1, live.ports[0])
        control = self.phone.start().control().subscribe()
        control.wait_locked(1)
        pem = (self.other / "ca.pem").read_text()
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
        commands = [f"static.trusted_certificates.url = data:;base64,{base64.b64encode(pem.encode()).decode()}",
                    f"static.trusted_certificates.delete = http://localhost/{digest}"]

        def push(first, last):
            for n in range(first, last):
                report = self.push(control, f"account.2.label = {n}\n{commands[n % 2]}")
                self.assertEqual(["applied", 1 - n % 2, n % 2], [report["outcome"], *(report["changed"][k] for k in (
                    "trusted_added", "trusted_removed"))], report)

        push(0, 200)
        before = self.resident()
        push(200, 1000)
        after = self.resident()
        print(f"resident: {before} KB after 200 pushes, {after} KB after 1,000")
        self.assertEqual([], [p for _, method, p in control.log if method == "lock" and not p["lock"]
                              and p["state"] == "down"])
        self.assertEqual(1, live.text().count(" open TLS"), live.text())
        self.assertEqual(2, len(self.generations()))
        self.assertLess(after - before, 1024)


if __name__ == "__main__":
    unittest.main(verbosity=2)
