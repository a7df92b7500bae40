"""sipsd-factory under test: runs it, and has others read what it made."""

import hashlib
import os
import re
import shutil
import ssl
import stat
import subprocess
import tempfile
import unittest
from pathlib import Path

FACTORY = os.environ["SIPSD_FACTORY"]
SIPSCTL = os.environ["SIPSCTL"]
MAC = "00:11:22:33:44:55"  # that of peers' phone
NAME = "001122334455"
SECRET = "PRIVATE KEY"


def run(*arguments, **options):
    """Status, standard output, standard error of any program."""
    done = subprocess.run([str(a) for a in arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=120, check=False, **options)
    return done.returncode, done.stdout, done.stderr


def certificates(path):
    """The PEM blocks of the certificates in a file."""
    return re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", Path(path).read_text(), re.S)


def fingerprint(pem):
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


class FactoryCase(unittest.TestCase):
    def setUp(self):
        self.directory = Path(tempfile.mkdtemp(prefix="sipsd-factory-"))
        self.addCleanup(shutil.rmtree, self.directory)
        self.ca = self.directory / "ca"
        self.out = self.directory / "out"

    def factory(self, *arguments):
        """Runs it, expecting success; a key is never printed."""
        status, out, error = run(FACTORY, *arguments)
        self.assertEqual(status, 0, error)
        self.assertNotIn(SECRET, out + error)
        return out + error

    def refused(self, *arguments, status=1):
        """Runs it, expecting a refusal; returns its sentence."""
        got, out, error = run(FACTORY, *arguments)
        self.assertEqual(got, status, out + error)
        self.assertNotIn(SECRET, out + error)
        return error

    def done(self, *arguments):
        """Runs somebody else's program, expecting success."""
        status, out, error = run(*arguments)
        self.assertEqual(status, 0, " ".join(map(str, arguments)) + "\n" + out + error)
        return out + error

    def text(self, pem):
        path = self.directory / "one.pem"
        path.write_text(pem)
        return self.done("openssl", "x509", "-in", path, "-noout", "-text")

    def record(self, ca=None):
        lines = ((ca or self.ca) / "issued.tsv").read_text().splitlines()
        self.assertEqual(lines[0], "# serial\tname\tnot before\tnot after\tsha256")
        rows = [line.split("\t") for line in lines[1:]]
        self.assertEqual({len(row) for row in rows}, {5})
        return rows

    def check_identity(self, path, ca=None):
        """A file with certificate, issuing CA and key is what everybody accepts, for both purposes."""
        ca = ca or self.ca
        self.assertEqual(mode(path), 0o600)
        leaf, issuing = certificates(path)
        self.assertEqual(issuing, certificates(ca / "issuing.pem")[0])
        self.assertEqual(Path(path).read_text().count("BEGIN PRIVATE KEY"), 1)
        self.assertEqual(self.done("openssl", "pkey", "-in", path, "-pubout"),
                         self.done("openssl", "x509", "-in", path, "-noout", "-pubkey"))
        self.check_chain(path, ca)
        self.assertIn(fingerprint(leaf), {row[4] for row in self.record(ca)})
        return self.text(leaf)

    def check_chain(self, path, ca):
        root = ca / "root.pem"
        for purpose in ("sslserver", "sslclient"):
            self.done("openssl", "verify", "-x509_strict", "-purpose", purpose, "-CAfile", root, "-untrusted", path,
                      path)
        for purpose in ("server", "client"):
            self.done(SIPSCTL, "verify", "--trusted", root, "--purpose", purpose, "--profile", "public", path)
        chain = self.directory / "chain.pem"
        chain.write_text("".join(certificates(path)) + root.read_text())
        said = self.done("certtool", "--verify-chain", "--infile", chain)
        self.assertIn("Verified. The certificate is trusted.", said)
        status, out, error = run("certtool", "--verify", "--load-ca-certificate", root, "--infile", path)
        self.assertEqual(status, 0, out + error)
