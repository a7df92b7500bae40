"""The phone's own certificate, installed, replaced and removed."""

import shutil
import signal
import stat
import subprocess
import unittest

from changing import Case
from peers import wait_until


class Identity(Case):
    def in_use(self):
        return self.ctl_json("identity", "show")["in_use"]

    def test_install_replace_and_remove(self):
        events = self.phone.start().events()
        self.assertEqual("none", self.in_use())
        said = self.ctl("identity", "install", self.both("good"))
        self.assertIn("custom (in use)", said)
        first = self.ctl_json("identity", "show")["identities"][0]["chain"][0]["sha256"]
        self.ctl("identity", "install", self.both("with-root"))
        shown = self.ctl_json("identity", "show")
        self.assertNotEqual(first, shown["identities"][0]["chain"][0]["sha256"])
        self.assertEqual(0o600, stat.S_IMODE(self.newest()["identity.pem"].stat().st_mode))
        self.ctl("identity", "remove")
        self.assertEqual("none", self.in_use())
        self.assertNotIn("identity.pem", self.newest())
        self.ctl("identity", "remove", expect=1)
        events.wait(lambda _: len(self.replaced(events)) == 3, 5, "three events")
        self.assertEqual(shown["identities"][0]["chain"][0]["sha256"], self.replaced(events)[1]["sha256"])
        self.assertIsNone(self.replaced(events)[2]["sha256"])

    @staticmethod
    def replaced(events):
        return [p for _, method, p in events.log if method == "certificate" and p["state"] == "replaced"]

    def test_it_is_kept(self):
        self.phone.start()
        self.ctl("identity", "install", self.both("good"))
        shown = self.ctl_json("identity", "show")
        self.phone.stop()
        self.phone.start()
        self.assertEqual(shown, self.ctl_json("identity", "show"))

    def test_what_is_refused_leaves_the_old_one(self):
        self.phone.start()
        self.ctl("identity", "install", self.both("good"))
        shown = self.ctl_json("identity", "show")
        for arguments, sentence in (([self.pki / "good" / "chain.pem"], "key"),
                                    ([self.pki / "good" / "chain.pem", "--key", self.pki / "client" / "key.pem"], "key"),
                                    ([self.both("expired", "old.pem")], "expired"),
                                    ([self.both("good", "mine.der")], ".der")):
            with self.subTest(arguments):
                self.assertIn(sentence, self.ctl("identity", "install", *arguments, expect=1))
                self.assertEqual(shown, self.ctl_json("identity", "show"))
        self.ctl("identity", "install", self.directory / "missing.pem", expect=2)

    def encrypted(self, iterations):
        path = self.directory / f"encrypted-{iterations}.key"
        subprocess.run(["openssl", "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-iter", str(iterations), "-passout",
                        "pass:s3cr3t w0rd", "-in", self.pki / "good" / "key.pem", "-out", path], check=True)
        return path

    def test_a_key_with_a_password(self):
        self.phone.start()
        chain = self.pki / "good" / "chain.pem"
        right, wrong = self.directory / "right", self.directory / "wrong"
        right.write_text("s3cr3t w0rd\n")
        wrong.write_text("another one\n")
        key = self.encrypted(2048)
        self.assertIn("password", self.ctl("identity", "install", chain, "--key", key, expect=1))
        self.assertIn("password",
                      self.ctl("identity", "install", chain, "--key", key, "--password-file", wrong, expect=1))
        slow = self.encrypted(1000000)
        self.assertIn("openssl pkey",
                      self.ctl("identity", "install", chain, "--key", slow, "--password-file", right, expect=1))
        self.ctl("identity", "install", chain, "--key", key, "--password-file", right)
        self.assertEqual("custom", self.in_use())
        self.assertNotIn("s3cr3t", self.phone.process.text())
        self.assertIn("PRIVATE KEY", self.newest()["identity.pem"].read_text())

    def test_the_setting_chooses(self):
        factory = self.directory / "factory"
        factory.mkdir()
        shutil.copy(self.both("client"), factory / "generic.pem")
        (factory / "generic.pem").chmod(0o600)
        self.phone.settings("static.security.dev_cert = 0").start("--factory-dir", factory)
        self.ctl("identity", "install", self.both("good"))
        self.assertEqual("generic", self.in_use())
        self.phone.settings("static.security.dev_cert = 1")
        self.phone.process.popen.send_signal(signal.SIGHUP)
        wait_until(lambda: self.in_use() == "custom", 5, "the uploaded one")


if __name__ == "__main__":
    unittest.main(verbosity=2)
