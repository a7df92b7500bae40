"""Settings that are set on the phone itself: what counts, what is kept, and what becomes of a damaged layer."""

import os
import signal
import subprocess
import unittest

from changing import Case
from peers import wait_until

HEAD = "#!version:1.0.0.1\n"


class Settings(Case):
    def get(self, *keys):
        return {s["key"]: (s["value"], s["source"]) for s in self.ctl_json("settings", "get", *keys)["settings"]}

    def one(self, key):
        return self.get(key)[key]

    def test_what_is_set_counts_at_once_and_after_a_restart(self):
        self.phone.start()
        events = self.phone.events()
        events.wait_refused(1, "unknown_ca")
        said = self.ctl("settings", "set", "account.1.security.trust_certificates=0", "account.1.label=Hall")
        self.assertIn("account.1.security.trust_certificates", said)
        events.wait(lambda accounts: accounts[1]["verdict"] == "unverified", 10, "the connection that nobody judges")
        self.assertEqual(("Hall", "local"), self.one("account.1.label"))
        self.phone.stop()
        self.phone.start()
        self.assertEqual(("Hall", "local"), self.one("account.1.label"))
        self.ctl("settings", "unset", "account.1.security.trust_certificates")
        self.phone.events().wait_refused(1, "unknown_ca")
        self.assertEqual(("1", "default"), self.one("account.1.security.trust_certificates"))

    def test_a_bad_value_changes_nothing(self):
        self.phone.start()
        said = self.ctl("settings", "set", "account.1.label=Hall", "account.1.enable=maybe", expect=1)
        self.assertIn("account.1.enable: it has to be 0 or 1", said)
        said = self.ctl("settings", "set", "static.security.default_ssl_method=0", expect=1)
        self.assertIn("RFC 8996", said)
        self.assertIn("there is no key", self.ctl("settings", "set", "account.1.lable=x", expect=1))
        self.assertIn("account 1 has no user name",
                      self.ctl("settings", "set", "account.1.user_name=%NULL%", expect=1))
        self.assertNotIn("local.cfg", self.newest())

    def test_the_local_layer_survives_a_reload_of_the_files(self):
        self.phone.start()
        self.ctl("settings", "set", "account.1.label=Hall")
        self.phone.settings("account.1.label = Front desk\naccount.2.label = Second")
        self.phone.process.popen.send_signal(signal.SIGHUP)
        wait_until(lambda: "read again" in self.phone.process.text(), 5, "the reload")
        self.assertEqual(("Hall", "local"), self.one("account.1.label"))
        self.assertEqual(("Second", "base"), self.one("account.2.label"))
        self.ctl("settings", "unset", "account.1.label")
        self.assertEqual(("Front desk", "base"), self.one("account.1.label"))

    def test_a_password_is_shown_nowhere(self):
        self.phone.start()
        command = [os.environ["SIPSCTL"], "--run-dir", str(self.phone.run), "settings", "set", "account.3.password"]
        done = subprocess.run(command, input="s3cr3t\n", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=60, check=False)
        self.assertEqual(0, done.returncode, done.stdout)
        self.assertEqual((None, "local"), self.one("account.3.password"))
        self.assertIn("account.3.password = (secret)", self.ctl("settings", "get"))
        self.assertIn("s3cr3t", self.newest()["local.cfg"].read_text())
        self.assertEqual(0o600, self.newest()["local.cfg"].stat().st_mode & 0o777)
        for text in (done.stdout, self.ctl("settings", "get"), self.ctl("--json", "provision", "--last"),
                     self.phone.process.text(), (self.phone.state / "provision.json").read_text()):
            self.assertNotIn("s3cr3t", text)

    def test_a_damaged_layer_is_the_one_before(self):
        self.phone.start()
        self.ctl("settings", "set", "account.1.label=Old")
        self.ctl("settings", "set", "account.1.label=New")
        self.phone.stop()
        path = self.newest()["local.cfg"]
        path.write_bytes(path.read_bytes()[:-3])
        self.phone.start()
        self.assertEqual(("Old", "local"), self.one("account.1.label"))
        self.assertIn("what the generation before has of it counts instead", self.phone.process.text())
        self.ctl("trust", "add", self.ca)
        self.phone.stop()
        self.phone.start()
        self.assertEqual(("Old", "local"), self.one("account.1.label"))

    def test_what_can_be_set(self):
        self.phone.start()
        self.assertIn("off, request, require; default off", self.ctl("settings", "describe", "sip.tls_client_auth"))
        self.assertIn("static.auto_provision.server.url", self.ctl("settings", "describe"))
        self.assertIn("usage", self.ctl("settings", expect=2))
        self.assertIn("usage", self.ctl("settings", "set", expect=2))
        self.assertIn("there is no value", self.ctl("settings", "set", "account.1.label", expect=2))


if __name__ == "__main__":
    unittest.main(verbosity=2)
