"""The CA's directory, and requests from phones that keep their keys."""

import ssl
import subprocess
import unittest

from factory import FACTORY, MAC, NAME, SECRET, FactoryCase, certificates, mode


class Authority(FactoryCase):
    def test_is_never_overwritten(self):
        self.factory("ca", self.ca)
        before = {f.name: f.read_bytes() for f in self.ca.iterdir()}
        for again in (self.ca, f"{self.ca}/"):
            self.assertIn("no CA is ever overwritten", self.refused("ca", again))
        self.assertEqual({f.name: f.read_bytes() for f in self.ca.iterdir()}, before)
        self.assertEqual([f.name for f in self.directory.iterdir()], ["ca"])

    def test_other_places(self):
        self.ca.mkdir()
        self.factory("ca", self.ca)  # an empty directory is nothing to lose
        (self.directory / "file").write_text("kept")
        self.assertIn("no CA is ever overwritten", self.refused("ca", self.directory / "file"))
        self.assertEqual((self.directory / "file").read_text(), "kept")
        self.assertIn("No such file", self.refused("ca", self.directory / "missing" / "ca"))

    def test_two_at_once_make_one(self):
        children = [subprocess.Popen([FACTORY, "ca", self.ca], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
                    for _ in range(4)]
        for child in children:
            child.communicate(timeout=60)
        self.assertEqual(sorted(c.returncode for c in children), [0, 1, 1, 1])
        self.assertEqual([f.name for f in self.directory.iterdir()], ["ca"])
        self.factory("unique", self.ca, "--mac", MAC, self.out)
        self.check_identity(self.out / f"{NAME}.pem")

    def test_password(self):
        password = self.directory / "password"
        password.write_text("correct horse\nnot this line\n")
        password.chmod(0o600)
        self.factory("ca", self.ca, "--password-file", password)
        for key in ("root.key", "issuing.key"):
            self.assertIn("BEGIN ENCRYPTED PRIVATE KEY", (self.ca / key).read_text())
        self.done("openssl", "pkey", "-in", self.ca / "issuing.key", "-passin", "pass:correct horse", "-noout")
        self.assertIn("its password is needed", self.refused("generic", self.ca, self.out))
        wrong = self.directory / "wrong"
        wrong.write_text("wrong\n")
        wrong.chmod(0o604)
        said = self.refused("generic", self.ca, self.out, "--password-file", wrong)
        self.assertIn("does not open the private key", said)
        self.assertIn("others than its owner may open it", said)
        self.assertFalse(self.out.exists())
        self.factory("generic", self.ca, self.out, "--password-file", password)
        self.check_identity(self.out)

    def test_that_others_made(self):
        """A maker's own CA, made with OpenSSL, RSA, its names in another string type."""
        self.ca.mkdir()
        for name, subject, extension in (("root", "/C=DE/O=Old Maker/CN=Old Root", "basicConstraints=critical,CA:TRUE"),
                                         ("issuing", "/C=DE/O=Old Maker/CN=Old Issuing",
                                          "basicConstraints=critical,CA:TRUE,pathlen:0")):
            signer = [] if name == "root" else ["-CA", self.ca / "root.pem", "-CAkey", self.ca / "root.key"]
            request = ["openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", self.ca / f"{name}.key",
                       "-subj", subject]
            if name == "root":
                self.done(*request, "-x509", "-days", "3650", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                          "-out", self.ca / "root.pem")
                continue
            (self.directory / "ext").write_text(extension + "\nkeyUsage=critical,keyCertSign,cRLSign\n"
                                                "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
            self.done(*request, "-out", self.directory / "csr")
            self.done("openssl", "x509", "-req", "-in", self.directory / "csr", *signer, "-set_serial", "7", "-days",
                      "3000", "-extfile", self.directory / "ext", "-out", self.ca / "issuing.pem")
        # Its validity began a moment ago: a certificate of ours begins with it, not a day before.
        self.factory("unique", self.ca, "--mac", MAC, self.out)
        text = self.check_identity(self.out / f"{NAME}.pem")
        self.assertRegex(text, rf"Subject: O ?= ?Old Maker, CN ?= ?{NAME}\n")
        self.assertIn("(2048 bit)", text)


class Requests(FactoryCase):
    """The phone keeps its key."""

    def setUp(self):
        super().setUp()
        self.factory("ca", self.ca)
        self.key, self.csr, self.chain = (self.directory / n for n in ("key", "csr", "chain"))

    def sign(self):
        return self.factory("sign", self.ca, "--mac", MAC, self.csr, self.out)

    def test_from_the_phone_and_back(self):
        for options in ((), ("--rsa",)):
            with self.subTest(options):
                self.factory("csr", "--mac", MAC, *options, self.key, self.csr)
                self.assertEqual((mode(self.key), mode(self.csr)), (0o600, 0o644))
                self.assertNotIn(SECRET, self.csr.read_text())
                self.assertRegex(self.done("openssl", "req", "-in", self.csr, "-verify", "-noout", "-subject"),
                                 rf"CN ?= ?{NAME}")
                self.done("certtool", "--crq-info", "--infile", self.csr)
                self.assertIn(f"certificate request: CN={NAME}", self.factory("show", self.csr))
                self.factory("sign", self.ca, "--mac", MAC, self.csr, self.chain)
                self.assertNotIn(SECRET, self.chain.read_text())
                self.factory("join", self.key, self.chain, self.out)
                text = self.check_identity(self.out)
                self.assertIn("(2048 bit)" if options else "P-256", text)
                self.assertIn("URI:urn:dev:mac:001122ffff334455", text)
                for path in (self.key, self.csr, self.chain, self.out):
                    path.unlink()

    def test_again_with_the_same_key(self):
        self.factory("csr", "--mac", MAC, self.key, self.csr)
        key, first = self.key.read_bytes(), self.done("openssl", "req", "-in", self.csr, "-noout", "-pubkey")
        self.assertIn("is there already", self.refused("csr", "--mac", MAC, self.key, self.csr))
        self.csr.unlink()
        self.factory("csr", "--mac", MAC, self.key, self.csr)
        self.assertEqual(self.key.read_bytes(), key)
        self.assertEqual(self.done("openssl", "req", "-in", self.csr, "-noout", "-pubkey"), first)

    def test_requests_of_others(self):
        """OpenSSL's and GnuTLS's; what they ask for beside the key is not given."""
        self.done("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-nodes", "-keyout",
                  self.key, "-subj", "/CN=00-11-22-33-44-55", "-addext", "basicConstraints=critical,CA:TRUE",
                  "-addext", "subjectAltName=DNS:sip.example.com", "-outform", "DER", "-out", self.csr)
        self.sign()
        text = self.text(certificates(self.out)[0])
        self.check_chain(self.out, self.ca)
        self.assertNotIn("CA:TRUE", text)
        self.assertNotIn("sip.example.com", text)
        template = self.directory / "template"
        template.write_text('cn = "a phone"\nsigning_key\ntls_www_server\n')
        self.done("certtool", "--generate-privkey", "--key-type", "rsa", "--bits", "2048", "--outfile", self.key)
        self.done("certtool", "--generate-request", "--load-privkey", self.key, "--template", template, "--outfile",
                  self.csr)
        self.out.unlink()
        self.sign()
        self.check_chain(self.out, self.ca)

    def test_refused(self):
        self.factory("csr", "--mac", "00:11:22:33:44:66", self.key, self.csr)
        self.assertIn("the request is that of the phone 001122334466, not 001122334455",
                      self.refused("sign", self.ca, "--mac", MAC, self.csr, self.out))
        self.done("openssl", "req", "-new", "-newkey", "rsa:1024", "-nodes", "-keyout", self.directory / "weak",
                  "-subj", "/CN=x", "-out", self.directory / "weak.csr")
        self.assertIn("has 1024 bits", self.refused("sign", self.ca, "--mac", MAC, self.directory / "weak.csr",
                                                    self.out))
        der = bytearray(ssl.PEM_cert_to_DER_cert(self.csr.read_text().replace("CERTIFICATE REQUEST", "CERTIFICATE")))
        der[-1] ^= 1
        (self.directory / "bad.csr").write_bytes(der)
        self.assertIn("not signed with the key", self.refused("sign", self.ca, "--mac", MAC, self.directory / "bad.csr",
                                                              self.out))
        self.assertIn("no certificate request", self.refused("sign", self.ca, "--mac", MAC, self.ca / "root.pem",
                                                             self.out))
        self.assertFalse(self.out.exists())
        self.assertEqual(len(self.record()), 2)

    def test_another_key_does_not_join(self):
        self.factory("csr", "--mac", MAC, self.key, self.csr)
        self.factory("sign", self.ca, "--mac", MAC, self.csr, self.chain)
        self.factory("csr", "--mac", MAC, self.directory / "other", self.directory / "other.csr")
        self.assertIn("the private key is that of none of the certificates",
                      self.refused("join", self.directory / "other", self.chain, self.out))
        self.assertFalse(self.out.exists())


if __name__ == "__main__":
    unittest.main()
