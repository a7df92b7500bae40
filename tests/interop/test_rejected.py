"""Servers that were refused, and the way to trust one."""

import os
import pty
import subprocess
import unittest

from changing import Case


class Rejected(Case):
    profiles = ("with-root", "good", "wrong-name")

    def setUp(self):
        super().setUp()
        self.phone.account(2, self.registrar.ports[1], user="user2")
        self.events = self.phone.start().events()
        self.events.wait_refused(1, "unknown_ca")
        self.events.wait_refused(2, "unknown_ca")

    def id_of(self, account):
        return self.ctl_json("rejected", "list", "--account", account)["rejected"][0]["id"]

    def test_list(self):
        listed = self.ctl_json("rejected", "list")["rejected"]
        self.assertEqual({1, 2}, {r["account"] for r in listed})
        for r in listed:
            self.assertEqual(("unknown_ca", "localhost"), (r["code"], r["host"]))
            self.assertTrue(r["chain"][0]["name"])
        self.assertIn("unknown_ca"[:0] + "not among the trusted", self.ctl("rejected", "list"))
        self.assertEqual([2], [r["account"] for r in self.ctl_json("rejected", "list", "--account", 2)["rejected"]])

    def test_trust(self):
        number = self.id_of(1)
        self.assertIn("--yes", self.ctl("rejected", "trust", number, expect=2))
        self.assertEqual([], self.custom())
        said = self.ctl("rejected", "trust", number, "--yes")
        root = self.ctl_json("trust", "list", "custom")["certificates"][0]
        self.assertIn(root["sha256"], said)
        self.events.wait_locked(1, 2)
        self.events.wait_locked(2, 2)  # the same root

    def test_asks_at_a_terminal(self):
        number = self.id_of(1)
        self.assertEqual((1, []), (self.at_terminal(number, b"n\n"), self.custom()))
        self.assertEqual(0, self.at_terminal(number, b"y\n"))
        self.assertEqual(1, len(self.custom()))

    def at_terminal(self, number, answer):
        master, slave = pty.openpty()
        try:
            process = subprocess.Popen([os.environ["SIPSCTL"], "--run-dir", str(self.phone.run), "rejected", "trust",
                                        str(number)], stdin=slave, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            os.write(master, answer)
            return process.wait(10)
        finally:
            os.close(master)
            os.close(slave)

    def test_what_cannot_be_trusted(self):
        self.assertIn("advice", self.ctl_json("rejected", "show", self.id_of(2)))
        self.ctl("rejected", "trust", self.id_of(2), "--yes", expect=1)  # its root was not sent
        self.ctl("rejected", "trust", 99999, "--yes", expect=1)
        self.ctl("rejected", "trust", "none", "--yes", expect=2)
        admin = self.phone.control()
        with self.assertRaisesRegex(RuntimeError, "SHA-256"):
            admin.call("rejected.trust", {"id": self.id_of(1), "sha256": "00" * 32})
        self.assertEqual([], self.custom())


if __name__ == "__main__":
    unittest.main(verbosity=2)
