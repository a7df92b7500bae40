"""A thousand changes in a row while accounts are live."""

import os
import shutil
import unittest
from pathlib import Path

from changing import Case


class Many(Case):
    where = "/dev/shm" if os.path.isdir("/dev/shm") else None  # a disk would be what takes the time

    def resident(self):
        status = Path(f"/proc/{self.phone.process.popen.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    def test_a_thousand_changes_under_live_accounts(self):
        """Nothing is dropped, nothing is sent, no memory is kept."""
        shutil.copy(self.ca, self.phone.held / "ca.ca.pem")
        self.phone.account(2, self.registrar.ports[0], user="user2")
        events = self.phone.start().events()
        for account in (1, 2):
            events.wait_locked(account)
        admin = self.phone.control()
        pem = (self.others[0] / "ca.pem").read_text()

        def change(times):
            for _ in range(times // 2):
                self.assertEqual(2, admin.call("trust.add", {"name": "other.pem", "content": pem}, 20)["custom"])
                self.assertEqual(1, admin.call("trust.remove", {"certificate": "other"}, 20)["removed"])

        change(200)
        log, before = self.registrar.text(), self.resident()
        change(800)
        after = self.resident()
        print(f"resident: {before} KB after 200 changes, {after} KB after 1,000")
        self.assertEqual(log, self.registrar.text())
        self.assertEqual([], [p for _, method, p in events.log if method == "lock" and not p["lock"] and
                              p["state"] == "down"])
        accounts = admin.call("account.list")["accounts"]
        self.assertEqual([True, True], [a["lock"] for a in accounts])
        self.assertEqual(2, len(self.generations()))
        if not self.sanitized():
            self.assertLess(after - before, 256)


if __name__ == "__main__":
    unittest.main(verbosity=2)
