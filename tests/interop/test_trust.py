"""Trusted certificates that come and go under live accounts, and large files."""

import shutil
import stat
import unittest
from pathlib import Path

from changing import Case
from peers import Endpoint, Kamailio

LIMIT = 5 * 1024 * 1024


class Trust(Case):
    def test_add_remove_and_add_back_under_a_waiting_and_a_live_account(self):
        events = self.phone.start().events()
        events.wait_refused(1, "unknown_ca")
        said = self.ctl("trust", "add", self.copy(self.ca, "Corp Root.crt"))
        self.assertIn("is kept as Corp-Root", said)
        account = events.wait_locked(1, 2)  # at once, whatever it was waiting for
        self.assertEqual(("full", "custom"), (account["assurance"], account["peer"]["anchor"]))
        self.assertIn("trust", [method for _, method, _ in events.log])
        self.ctl("trust", "remove", "Corp-Root")
        account = events.wait_refused(1, "unknown_ca", 2)
        self.assertFalse(account["lock"])
        self.assertEqual([], self.custom())
        self.ctl("trust", "add", self.ca)
        events.wait_locked(1, 2)

    def test_it_is_kept(self):
        shutil.rmtree(self.phone.state / "generations")
        self.phone.start()
        self.ctl("trust", "add", self.copy(self.ca, "corp.pem"))
        self.phone.stop()
        self.phone.start().events().wait_locked(1)
        self.assertEqual(["corp"], self.custom())
        for path, mode in ((self.phone.state / "generations", 0o700), (self.newest()["ca.corp.pem"], 0o600)):
            self.assertEqual(mode, stat.S_IMODE(path.stat().st_mode))

    def test_several_files_are_one_transaction(self):
        self.phone.start().events().wait_refused(1, "unknown_ca")
        bad = self.directory / "bad.pem"
        bad.write_text("no certificate\n")
        one, two = (self.copy(pki / "ca.pem", f"{n}.pem") for n, pki in enumerate(self.others[:2]))
        before = self.ctl_json("trust", "list", "custom")
        said = self.ctl("trust", "add", one, bad, two, expect=1)
        self.assertIn("bad.pem", said)
        self.assertEqual(before, self.ctl_json("trust", "list", "custom"))
        self.ctl("trust", "add", one, two)
        self.assertEqual(["0", "1"], self.custom())
        self.assertEqual("00000002", self.generations()[-1])  # one for both

    def test_a_file_that_is_there_already(self):
        self.phone.start()
        self.ctl("trust", "add", self.copy(self.ca, "corp.pem"))
        generation = self.ctl_json("trust", "list")["generation"]
        self.assertIn("already", self.ctl("trust", "add", self.copy(self.ca, "again.pem")))
        self.assertEqual(generation, self.ctl_json("trust", "list")["generation"])
        self.assertEqual(["corp"], self.custom())

    def test_the_same_name_for_another_certificate(self):
        self.phone.start()
        for pki in self.others:
            self.ctl("trust", "add", pki / "ca.pem")
        self.assertEqual(["ca", "ca-2", "ca-3"], self.custom())

    def test_remove_by_digest(self):
        self.phone.start()
        self.ctl("trust", "add", *[self.copy(pki / "ca.pem", f"{n}.pem") for n, pki in enumerate(self.others)])
        digest = self.ctl_json("trust", "list", "custom")["certificates"][1]["sha256"]
        self.assertIn("no custom certificate", self.ctl("trust", "remove", digest[:7], expect=1))
        self.ctl("trust", "remove", ":".join([digest[:2].upper(), digest[2:4], digest[4:8]]))
        self.assertEqual(["0", "2"], self.custom())
        self.assertIn("no custom certificate", self.ctl("trust", "remove", digest, expect=1))
        self.assertIn("no custom certificate", self.ctl("trust", "remove", "nobody", expect=1))
        builtin = self.ctl_json("trust", "list", "default")["certificates"][0]["sha256"]
        self.assertIn("built in", self.ctl("trust", "remove", builtin[:16], expect=1))
        self.ctl("trust", "clear")
        self.assertEqual([], self.custom())

    def test_what_is_refused_changes_nothing(self):
        self.phone.start()
        key = self.pki / "good" / "key.pem"
        for path, sentence in ((key, "key"), (self.pki / "good" / "chain.pem", "CA"),
                               (self.copy(self.ca, "ca.txt"), ".txt")):
            with self.subTest(path):
                self.assertIn(sentence, self.ctl("trust", "add", path, expect=1))
        self.ctl("trust", "add", self.directory / "missing.pem", expect=2)
        self.ctl("trust", "add", expect=2)
        self.ctl("trust", "sell", expect=2)
        self.assertEqual(["00000001"], self.generations())

    def test_the_table(self):
        self.phone.start()
        self.ctl("trust", "add", self.copy(self.ca, "corp.pem"))
        listed = self.ctl_json("trust", "list", "custom")["certificates"][0]
        line = self.ctl("trust", "list").splitlines()[1]
        for word in (listed["name"], listed["not_after"][:10], listed["sha256"][:16], "custom: corp"):
            self.assertIn(word, line)
        self.assertEqual(78, len(self.ctl("trust", "list").splitlines()))
        self.assertEqual(1, self.ctl("trust", "list", "custom", "--pem").count("BEGIN CERTIFICATE"))

    def test_with_kamailio(self):
        endpoint = Endpoint(self.pki, "good")
        with Kamailio(self.directory / "kamailio", [endpoint]):
            self.phone.account(2, endpoint.port)
            events = self.phone.start().events()
            events.wait_refused(2, "unknown_ca")
            self.ctl("trust", "add", self.ca)
            events.wait_locked(2, 5)
            self.ctl("trust", "clear")
            events.wait_refused(2, "unknown_ca", 5)


class Large(Case):
    def peak(self):
        status = Path(f"/proc/{self.phone.process.popen.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024

    def large(self, size, name="large.pem"):
        """The CA between as much text as makes the file so large."""
        path = self.directory / name
        pem = self.ca.read_bytes()
        text = b"# This line is text, and there are many of it.\n" * (size // 40)
        path.write_bytes(text[:(size - len(pem)) // 2] + b"\n" + pem)
        with open(path, "ab") as f:
            f.write(text[:size - path.stat().st_size])
        self.assertEqual(size, path.stat().st_size)
        return path

    def test_five_megabytes_cost_their_own_size(self):
        self.phone.start().events().wait_refused(1, "unknown_ca")
        self.ctl("trust", "add", self.others[0] / "ca.pem")
        before = self.peak()
        self.ctl("trust", "add", self.large(LIMIT))
        cost = self.peak() - before
        print(f"a file of {LIMIT >> 10} KB costs {cost >> 10} KB at its peak")
        if not self.sanitized():
            self.assertLess(cost, LIMIT + 512 * 1024)
        self.phone.events().wait_locked(1)

    def test_larger_is_refused(self):
        self.phone.start()
        self.assertIn("larger than", self.ctl("trust", "add", self.large(LIMIT + 1), expect=1))
        half = self.large(LIMIT // 2 + 1)
        self.assertIn("larger than", self.ctl("trust", "add", half, half, expect=1))

    def test_files_of_one_upload(self):
        self.phone.start()
        more = self.copy(self.others[0] / "ca.pem", "more.pem")
        self.ctl("trust", "add", self.large(300000, "a.pem"), more, self.others[1] / "ca.pem")
        self.assertEqual(["a", "ca", "more"], self.custom())

    def test_pieces_that_do_not_fit(self):
        admin = self.phone.start().control()

        def refused(**params):
            with self.assertRaises(RuntimeError) as caught:
                admin.call("upload", params)
            return caught.exception.args[0]["data"]

        def begin(size):
            return admin.call("upload", {"size": size, "offset": 0, "base64": "QUJD"})["staged"]

        self.assertEqual("LIMIT", refused(size=LIMIT + 1, offset=0, base64="QUJD"))
        self.assertEqual("INVALID", refused(size=0, offset=0, base64=""))
        self.assertEqual("INVALID", refused(size=3, offset=1, base64="QUJD"))
        self.assertEqual("INVALID", refused(size=2, offset=0, base64="QUJD"))
        self.assertEqual("INVALID", refused(size=9, offset=0, base64="!"))
        staged = begin(9)
        self.assertEqual("INVALID", refused(staged=staged, offset=6, base64="QUJD"))
        self.assertEqual("NOT_FOUND", refused(staged=staged, offset=3, base64="QUJD"))  # the mistake ended it
        staged = begin(9)
        with self.assertRaisesRegex(RuntimeError, "3 of the 9 bytes"):
            admin.call("trust.add", {"name": "a.pem", "staged": staged})
        with self.assertRaisesRegex(RuntimeError, "no uploaded file"):
            admin.call("trust.add", {"name": "a.pem", "staged": staged + 1})
        first, second = begin(9), begin(9)
        self.assertEqual("NOT_FOUND", refused(staged=first, offset=3, base64="QUJD"))
        self.assertEqual(6, admin.call("upload", {"staged": second, "offset": 3, "base64": "QUJD"})["received"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
