"""A phone whose certificates are changed while it runs, by sipsctl, and a registrar whose certificate needs one of them."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from peers import make_pki
from phone import Phone
from registrar import Registrar


class Case(unittest.TestCase):
    """A phone that trusts no custom CA, and a registrar whose certificate needs one."""

    profiles = ("good",)
    where = None  # the directory for the phone's; the system's for temporary files without one

    @classmethod
    def setUpClass(cls):
        directory = Path(tempfile.mkdtemp(prefix="sipsd-trust-pki-"))
        cls.addClassCleanup(shutil.rmtree, directory)
        cls.pki = make_pki(directory / "one", "good", "with-root", "wrong-name", "client", "expired")
        cls.others = [make_pki(directory / f"other-{n}", "good") for n in range(3)]
        cls.ca = cls.pki / "ca.pem"

    def setUp(self):
        self.directory = Path(tempfile.mkdtemp(prefix="sipsd-trust-", dir=self.where))
        self.addCleanup(shutil.rmtree, self.directory)
        self.registrar = Registrar(self.directory, self.pki, *self.profiles)
        self.addCleanup(self.registrar.stop)
        self.phone = Phone(self.directory / "phone")
        self.addCleanup(self.phone.stop)
        self.phone.account(1, self.registrar.ports[0])

    def ctl(self, *arguments, expect=0, phone=None, **options):
        """What sipsctl says, on both its outputs, if it ends as expected."""
        command = [os.environ["SIPSCTL"], "--run-dir", str((phone or self.phone).run), *map(str, arguments)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                              text=True, timeout=60, check=False, **options)
        self.assertEqual(expect, done.returncode, f"{arguments}: {done.stdout}")
        return done.stdout

    def ctl_json(self, *arguments, **how):
        return json.loads(self.ctl("--json", *arguments, **how))

    def generations(self):
        return sorted(d.name for d in (self.phone.state / "generations").iterdir() if not d.name.startswith("."))

    def newest(self):
        """The files of the generation that counts."""
        directory = self.phone.state / "generations" / self.generations()[-1]
        return {f.name: f for f in directory.iterdir()}

    def custom(self):
        return [c["file"] for c in self.ctl_json("trust", "list", "custom")["certificates"]]

    def copy(self, source, name):
        target = self.directory / name
        shutil.copy(source, target)
        return target

    def both(self, profile, name="mine.pem"):
        """The certificate of a profile with its chain and key in one file."""
        path = self.directory / name
        path.write_bytes((self.pki / profile / "chain.pem").read_bytes() + (self.pki / profile / "key.pem").read_bytes())
        return path

    def sanitized(self):
        """Whether memory figures of the daemon say nothing."""
        return "libasan" in Path(f"/proc/{self.phone.process.popen.pid}/maps").read_text()
