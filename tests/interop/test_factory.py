"""sipsd-factory's output as others read it: OpenSSL, GnuTLS, our own validator, and the phone itself."""

import re
import shutil
import unittest

from factory import MAC, NAME, FactoryCase, certificates, fingerprint, mode
from peers import Endpoint, Kamailio, make_pki, wait_until
from phone import Phone


class Profiles(FactoryCase):
    def check_ca(self, sort):
        root, issuing = (self.text(certificates(self.ca / name)[0]) for name in ("root.pem", "issuing.pem"))
        for text in (root, issuing):
            self.assertIn("Version: 3", text)
            self.assertRegex(text, r"Key Usage: critical\s+Certificate Sign, CRL Sign\n")
            self.assertIn("Subject Key Identifier", text)
            self.assertRegex(text, r"Serial Number:\s+[4-7][0-9a-f](:[0-9a-f]{2}){15}\n")
            self.assertIn(sort, text)
        self.assertRegex(root, r"Basic Constraints: critical\s+CA:TRUE\n")
        self.assertRegex(issuing, r"Basic Constraints: critical\s+CA:TRUE, pathlen:0\n")
        self.assertRegex(root, r'Issuer: O ?= ?"?Acme, Inc\."?, CN ?= ?"?Acme, Inc\. Root CA')
        self.assertRegex(issuing, r'Subject: O ?= ?"?Acme, Inc\."?, CN ?= ?"?Acme, Inc\. Issuing CA')
        key_id = re.search(r"Subject Key Identifier: \n\s+(\S+)", root)[1]
        self.assertRegex(issuing, rf"Authority Key Identifier: \n\s+(keyid:)?{key_id}\n")
        self.assertEqual([row[1] for row in self.record()], ["Acme, Inc. Root CA", "Acme, Inc. Issuing CA"])

    def check_phone(self, text, sort):
        self.assertRegex(text, r"Key Usage: critical\s+Digital Signature\n")
        self.assertRegex(text, r"Extended Key Usage: \n\s+TLS Web Server Authentication, TLS Web Client Auth")
        self.assertNotIn("Basic Constraints", text)
        self.assertNotIn("DNS:", text)
        self.assertIn(sort, text)

    def check_all(self, sort, other, *options):
        self.factory("ca", self.ca, "--name", "Acme, Inc.", *options)
        self.assertEqual(mode(self.ca), 0o700)
        self.assertEqual({f.name: mode(f) for f in self.ca.iterdir()},
                         {"root.key": 0o600, "issuing.key": 0o600, "root.pem": 0o644, "issuing.pem": 0o644,
                          "issued.tsv": 0o600})
        self.check_ca(sort)
        self.factory("unique", self.ca, "--mac", MAC, self.out)
        unique = self.check_identity(self.out / f"{NAME}.pem")
        self.check_phone(unique, sort)
        self.assertRegex(unique, rf'Subject: O ?= ?"?Acme, Inc\."?, CN ?= ?{NAME}\n')
        self.assertIn("URI:urn:dev:mac:001122ffff334455\n", unique)
        self.factory("generic", self.ca, f"--{other[0]}", self.directory / "generic.pem")
        generic = self.check_identity(self.directory / "generic.pem")
        self.check_phone(generic, other[1])
        self.assertRegex(generic, r'Subject: O ?= ?"?Acme, Inc\."?, CN ?= ?Generic SIP phone\n')
        self.assertNotIn("Alternative Name", generic)
        said = self.done("certtool", "-i", "--infile", self.out / f"{NAME}.pem")
        self.assertIn("URI: urn:dev:mac:001122ffff334455", said)
        self.assertNotIn("warning", said.lower())

    def test_elliptic_curve(self):
        self.check_all("P-256", ("rsa", "(2048 bit)"))

    def test_rsa(self):
        self.check_all("(2048 bit)", ("ec", "P-256"), "--rsa=2048")

    def test_without_end(self):
        self.factory("ca", self.ca, "--years", "never")
        self.factory("unique", self.ca, "--years", "never", "--mac", MAC, self.out)
        text = self.check_identity(self.out / f"{NAME}.pem")
        self.assertIn("Not After : Dec 31 23:59:59 9999 GMT", text)

    def test_nothing_outlives_its_issuer(self):
        self.factory("ca", self.ca, "--years", "4")
        said = self.factory("unique", self.ca, "--years", "20", "--mac", MAC, self.out)
        self.assertRegex(said, r"the CA ends on 20\d\d-\d\d-\d\dT\S+, and what it issued now ends with it")
        self.check_identity(self.out / f"{NAME}.pem")
        ends = [row[3] for row in self.record()]
        self.assertGreater(ends[0], ends[1])
        self.assertEqual(ends[1], ends[2])

    def test_show(self):
        self.factory("ca", self.ca, "--name", "Acme")
        self.factory("unique", self.ca, "--mac", MAC, self.out)
        said = self.factory("show", self.out / f"{NAME}.pem")
        for words in (f"CN={NAME},O=Acme (end entity)", "CN=Acme Issuing CA,O=Acme (issuing CA)",
                      "urn:dev:mac:001122ffff334455", "EC P-256", f"private key: that of CN={NAME},O=Acme"):
            self.assertIn(words, said)
        self.assertIn(fingerprint(certificates(self.out / f"{NAME}.pem")[0]), said)
        self.assertIn("(root)", self.factory("show", self.ca / "root.pem"))
        self.assertIn("there is no certificate", self.refused("show", self.ca / "issuing.key").lower())


@unittest.skipUnless(shutil.which("kamailio"), "Kamailio is not installed")
class ThePhoneItself(FactoryCase):
    """sipsd, born with these, at a registrar that asks for a certificate of the maker's."""

    def check(self, file_name, make):
        pki = make_pki(self.directory / "pki", "good")
        factory = self.directory / "factory"
        factory.mkdir(mode=0o700)
        make(factory)
        endpoint = Endpoint(pki, "good", client_ca=self.ca / "root.pem")
        server = Kamailio(self.directory / "kamailio", [endpoint]).start()
        self.addCleanup(server.stop)
        phone = Phone(self.directory / "phone", trusted=[pki / "ca.pem"]).account(1, endpoint.port)
        self.addCleanup(phone.stop)
        phone.start("--factory-dir", factory)
        phone.events().wait_locked(1)
        wait_until(lambda: len(server.saved(endpoint)) == 1, 5, "Kamailio to say so, too")
        self.assertTrue((factory / file_name).exists())
        self.assertNotIn("cannot be used", phone.process.text())

    def make_unique(self, factory):
        self.factory("ca", self.ca)
        self.factory("unique", self.ca, "--mac", MAC, self.out)
        (self.out / f"{NAME}.pem").rename(factory / "unique.pem")

    def make_generic(self, factory):
        self.factory("ca", self.ca)
        self.factory("generic", self.ca, "--rsa", factory / "generic.pem")

    def test_unique(self):
        self.check("unique.pem", self.make_unique)

    def test_generic_with_rsa(self):
        self.check("generic.pem", self.make_generic)


class Usage(FactoryCase):
    def test_help_and_mistakes(self):
        for arguments in (("--help",), ("unique", "--help")):
            self.assertIn("unique DIR", self.factory(*arguments))
        self.assertTrue(self.factory("--version").startswith("sipsd-factory "))
        for arguments, words in (((), "usage"), (("nonsense",), "there is no command 'nonsense'"),
                                 (("ca",), "takes 1 names"), (("ca", self.ca, "--mac", MAC), "no option --mac"),
                                 (("unique", self.ca, self.out), "either --mac or --list"),
                                 (("ca", self.ca, "--years", "1000"), "from 1 to 100")):
            self.assertIn(words, self.refused(*arguments, status=2))

    def test_no_file_is_overwritten(self):
        self.factory("ca", self.ca)
        self.out.write_text("kept")
        self.assertIn("is there already", self.refused("generic", self.ca, self.out))
        self.assertEqual(self.out.read_text(), "kept")
        self.assertEqual(len(self.record()), 2)

    def test_without_a_ca(self):
        self.assertIn("issuing.pem", self.refused("generic", self.ca, self.out))


if __name__ == "__main__":
    unittest.main()
