#!/usr/bin/env python3
"""Settings files that an admin makes, judges and pushes with sipsctl, under a live account."""

import json
import os
import subprocess
import unittest

from changing import Case
from peers import Process, wait_until

FIRST = "#!version:1.0.0.1\n"


class Push(Case):
    def settings(self, text, name="corp.cfg"):
        path = self.directory / name
        path.write_text(FIRST + text)
        return path

    def make(self, *arguments, name="made.cfg"):
        done = subprocess.run([os.environ["SIPSCTL"], "provision", "--make", *map(str, arguments)], check=True, text=True,
                              capture_output=True)
        path = self.directory / name
        path.write_text(done.stdout)
        return path

    def label(self):
        return self.ctl_json("status")["accounts"][0]["label"]

    def locked(self):
        self.phone.start()
        self.ctl("trust", "add", self.ca)
        events = self.phone.events()
        events.wait_locked(1)
        return events

    def test_from_a_ca_to_a_lock(self):
        """What an admin does: make a file, judge it, push it; once more, and it costs nothing."""
        events = self.phone.start().events()
        events.wait_refused(1, "unknown_ca")
        file = self.make(self.copy(self.ca, "Corp Root.crt"), "--set", "account.1.label=Front desk")
        self.assertIn("Good", self.ctl("check", file))
        said = self.ctl("provision", file)
        self.assertIn("Applied", said)
        self.assertIn("Changed: account.1.label, 1 trusted certificate more", said)
        events.wait_locked(1)
        self.assertEqual(["Corp-Root"], self.custom())
        self.assertEqual("Front desk", self.label())
        generations = self.generations()
        self.assertIn("Unchanged", self.ctl("provision", file))
        self.assertEqual(generations, self.generations())
        self.assertIn("Applied", self.ctl("provision", self.make("--delete", "Corp-Root", "--set", "account.1.label="),
                                          "--force"))
        events.wait_refused(1, "unknown_ca")
        self.assertEqual("user1", self.label())  # the default is said, over what sipsd was started with

    def test_an_identity(self):
        self.phone.start()
        self.ctl("provision", self.make("--identity", self.pki / "good" / "chain.pem", "--key",
                                        self.pki / "good" / "key.pem"))
        self.assertEqual("custom", self.ctl_json("identity", "show")["in_use"])
        self.ctl("provision", self.make("--delete-identity"))
        self.assertNotEqual("custom", self.ctl_json("identity", "show")["in_use"])

    def test_a_bad_file_among_good_ones_changes_nothing(self):
        self.phone.start()
        files = [self.make(self.ca), self.settings("account.1.label = No\naccount.1.enable = 7\n"), self.make(
            self.others[0] / "ca.pem", name="other.cfg")]
        said = self.ctl("provision", *files, expect=1)
        self.assertIn("Refused", said)
        self.assertIn("! corp.cfg:3: account.1.enable", said)
        self.assertEqual(said.splitlines()[1:], [line for line in self.ctl("provision", "--last", expect=1).splitlines()][1:])
        self.assertEqual([], self.custom())
        self.assertEqual("Account 1", self.label())
        self.assertEqual(["00000001"], self.generations())

    def test_only_to_see(self):
        self.phone.start()
        said = self.ctl("provision", "--check", self.make(self.ca))
        self.assertIn("Would change: 1 trusted certificate more", said)
        self.assertEqual([], self.custom())

    def test_who_would_be_locked_out(self):
        events = self.locked()
        file = self.make("--delete-all")
        said = self.ctl("provision", file, expect=1)
        self.assertIn("With --force", said)
        self.assertTrue(self.ctl_json("provision", file, expect=1)["lockout"])
        self.assertTrue(self.ctl_json("status")["accounts"][0]["lock"])
        self.ctl("provision", "--force", file)
        events.wait_refused(1, "unknown_ca")

    def trial(self, file):
        """sipsctl, waiting for the end of a trial that has begun."""
        log = self.directory / "trial.log"
        waiting = Process([os.environ["SIPSCTL"], "--run-dir", self.phone.run, "provision", "--force", "--trial", 600, file], log)
        self.addCleanup(waiting.stop)
        wait_until(lambda: "The trial ends at" in waiting.text() or waiting.popen.poll() is not None, 20, "the trial")
        return waiting

    def test_a_trial_that_is_taken_back(self):
        events = self.locked()
        waiting = self.trial(self.make("--delete-all", "--set", "account.1.label=Tried"))
        events.wait_refused(1, "unknown_ca")
        self.assertEqual("Tried", self.label())
        self.assertIn("Rolled back", self.ctl("provision", "--rollback"))
        self.assertEqual(1, waiting.popen.wait(20), waiting.text())
        self.assertIn("Rolled back", waiting.text())
        events.wait_locked(1)
        self.assertEqual("Account 1", self.label())

    def test_a_trial_that_is_confirmed(self):
        events = self.locked()
        waiting = self.trial(self.make("--delete-all"))
        events.wait_refused(1, "unknown_ca")
        self.assertIn("Kept", self.ctl("provision", "--confirm"))
        self.assertEqual(0, waiting.popen.wait(20), waiting.text())
        self.ctl("provision", "--confirm", expect=1)
        self.assertEqual([], self.custom())

    def test_a_trial_that_proves_itself(self):
        self.locked()
        said = self.ctl("provision", "--trial", 600, self.make(self.others[0] / "ca.pem"))
        self.assertIn("Kept", said)

    def test_large_files(self):
        self.phone.start()
        large = self.settings("account.1.label = Large\n" + "# more\n" * 20000)
        said = self.ctl("provision", large, self.make(self.ca))
        self.assertIn("140042 bytes", said)
        self.assertEqual("Large", self.label())
        self.assertIn("262144", self.ctl("provision", self.settings("# more\n" * 40000), expect=1))

    def test_the_same_word_with_and_without_a_phone(self):
        """check and provision --check find the same faults."""
        self.phone.start()
        bad = self.directory / "bad.pem"
        bad.write_text("nothing\n")
        for text in ("account.1.enable = 7\nnone\n", "account.2.enable = 1\naccount.2.sip_server.1.transport_type = 2\n",
                     "static.trusted_certificates.url = data:;name=a.pem,nothing\n", "lang.gui = English\n",
                     "static.trusted_certificates.delete = http://example.com/all\n"):
            with self.subTest(text):
                file = self.settings(text)
                there = subprocess.run([os.environ["SIPSCTL"], "--run-dir", self.phone.run, "--json", "provision", "--check",
                                        file], stdout=subprocess.PIPE, text=True, check=False)
                here = subprocess.run([os.environ["SIPSCTL"], "--json", "check", file], stdout=subprocess.PIPE, text=True,
                                      check=False)
                self.assertEqual(there.returncode, here.returncode)
                self.assertEqual(json.loads(there.stdout)["items"], json.loads(here.stdout)["items"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
