"""What is kept of uploaded certificates: damage, other processes, a full disk's like, and a reset."""

import shutil
import signal
import unittest

from changing import Case
from peers import wait_until
from phone import Phone


class Damage(Case):
    def test_each_file_is_judged_alone(self):
        self.phone.start()
        self.ctl("trust", "add", self.copy(self.ca, "corp.pem"))
        self.ctl("trust", "add", self.copy(self.others[0] / "ca.pem", "other.pem"))
        self.phone.stop()
        path = self.newest()["ca.other.pem"]
        content = bytearray(path.read_bytes())
        content[200] ^= 1
        path.write_bytes(content)
        (path.parent / "ca.hand.pem").write_bytes(b"made by hand, and wrong")
        self.phone.start().events().wait_locked(1)
        listed = self.ctl_json("trust", "list", "custom")
        self.assertEqual(["corp"], [c["file"] for c in listed["certificates"]])
        self.assertEqual(["ca.hand.pem", "ca.other.pem"], [c["file"] for c in listed["complaints"]])
        self.assertIn("! ca.other.pem", self.ctl("trust", "list", "custom"))
        status = self.phone.events().call("status")
        self.assertEqual(listed["complaints"], status["complaints"])
        self.ctl("trust", "add", self.copy(self.others[1] / "ca.pem", "third.pem"))
        self.assertEqual(["ca.corp.pem", "ca.hand.pem", "ca.third.pem"], sorted(self.newest()))
        damaged = [f.name for f in (self.phone.state / "damaged").iterdir()]
        self.assertEqual(1, len(damaged))
        self.assertIn("ca.other.pem", damaged[0])
        complaints = self.ctl_json("trust", "list", "custom")["complaints"]
        self.assertEqual(["ca.hand.pem"], [c["file"] for c in complaints])
        self.ctl("trust", "remove", "hand")
        self.assertEqual(["ca.corp.pem", "ca.third.pem"], sorted(self.newest()))
        self.assertEqual([], self.ctl_json("trust", "list", "custom")["complaints"])

    def test_files_of_others_stay(self):
        (self.phone.held / "settings.cfg").write_text("#!version:1.0.0.1\n")
        self.phone.start()
        self.ctl("trust", "add", self.ca)
        self.assertEqual(["ca.ca.pem", "settings.cfg"], sorted(self.newest()))
        self.ctl("trust", "clear")
        self.assertEqual(["settings.cfg"], sorted(self.newest()))

    def test_two_daemons_on_one_state(self):
        second = Phone(self.directory / "second")
        self.addCleanup(second.stop)
        shutil.rmtree(second.state)
        second.state = self.phone.state
        self.phone.start()
        second.start()
        self.ctl("trust", "add", self.copy(self.ca, "corp.pem"))
        self.assertIn("another process",
                      self.ctl("trust", "add", self.others[0] / "ca.pem", phone=second, expect=1))
        second.process.popen.send_signal(signal.SIGHUP)
        wait_until(lambda: "read again" in second.process.text(), 5, "the reload")
        self.ctl("trust", "add", self.copy(self.others[0] / "ca.pem", "other.pem"), phone=second)
        self.assertEqual(["ca.corp.pem", "ca.other.pem"], sorted(self.newest()))

    def test_no_room_for_a_change(self):
        events = self.phone.start().events()
        generations = self.phone.state / "generations"
        shutil.rmtree(generations)
        generations.write_text("a file where the directory should be")
        self.ctl("trust", "add", self.ca, expect=1)
        self.assertEqual([], self.custom())
        events.wait_refused(1, "unknown_ca")


class Reset(Case):
    def fill(self):
        self.ctl("trust", "add", self.ca)
        self.ctl("identity", "install", self.both("good"))

    def test_forgets(self):
        events = self.phone.start().events()
        self.fill()
        events.wait_locked(1)
        self.ctl("reset", expect=2)
        self.ctl("reset", "--yes")
        events.wait_refused(1, "unknown_ca", 2)
        self.assertEqual(({}, []), (self.newest(), self.custom()))
        self.assertEqual("none", self.ctl_json("identity", "show")["in_use"])

    def test_reserved(self):
        self.phone.settings("phone_setting.reserve_certs_enable = 1").start()
        self.fill()
        self.assertIn("reserve_certs_enable", self.ctl("reset", "--yes"))
        self.assertEqual(["ca.ca.pem", "identity.pem"], sorted(self.newest()))

    def test_settings_go_even_then(self):
        self.phone.settings("phone_setting.reserve_certs_enable = 1").start()
        self.fill()
        self.ctl("settings", "set", "account.1.label=Hall")
        self.assertIn("local.cfg", self.newest())
        said = self.ctl("reset", "--yes")
        self.assertIn("1 settings", said)
        self.assertEqual(["ca.ca.pem", "identity.pem"], sorted(self.newest()))


if __name__ == "__main__":
    unittest.main(verbosity=2)
