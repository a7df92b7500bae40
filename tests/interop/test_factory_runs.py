"""Production runs of sipsd-factory: long, interrupted, side by side."""

import os
import re
import signal
import subprocess
import unittest

from factory import FACTORY, MAC, FactoryCase, certificates, fingerprint, run
from peers import wait_until


class Run(FactoryCase):
    """Many phones."""

    def setUp(self):
        super().setUp()
        self.factory("ca", self.ca)
        self.list = self.directory / "list"

    def write_list(self, count):
        names = [f"0015650{i:05X}" for i in range(count)]
        self.list.write_text("# a batch\n" + "".join(n + "\r\n" for n in names))
        return names

    def check(self, names):
        self.assertEqual(sorted(f.name for f in self.out.iterdir()), [n + ".pem" for n in names])
        recorded = {row[4]: row[1] for row in self.record()}
        serials = [row[0] for row in self.record()]
        self.assertEqual(len(set(serials)), len(serials))
        for name in names:
            self.assertEqual(recorded[fingerprint(certificates(self.out / f"{name}.pem")[0])], name)
        self.check_identity(self.out / f"{names[-1]}.pem")

    def test_goes_on_where_it_stopped(self):
        names = self.write_list(70)
        self.factory("unique", self.ca, "--mac", names[3], "--mac", names[50], self.out)
        before = {n: (self.out / f"{n}.pem").read_bytes() for n in (names[3], names[50])}
        self.assertIn("made 68, and 2 were there", self.factory("unique", self.ca, "--list", self.list, self.out))
        self.check(names)
        self.assertIn("made 0, and 70 were there", self.factory("unique", self.ca, "--list", self.list, self.out))
        for name, content in before.items():
            self.assertEqual((self.out / f"{name}.pem").read_bytes(), content)
        self.assertEqual(len(self.record()), 72)

    def test_killed_and_begun_again(self):
        names = self.write_list(120)
        for after in (1, 40, 90):
            with subprocess.Popen([FACTORY, "unique", self.ca, "--list", self.list, self.out],
                                  stdout=subprocess.DEVNULL) as child:
                wait_until(lambda: child.poll() is not None or self.out.exists() and
                           len(list(self.out.glob("0*.pem"))) >= after, 60, "some files")
                child.send_signal(signal.SIGKILL)
        # What a power cut can leave of a line.
        with open(self.ca / "issued.tsv", "a", encoding="utf-8") as record:
            record.write("0000\tcut\t1\t2\t")
        self.factory("unique", self.ca, "--list", self.list, self.out)
        self.check(names)

    def test_several_at_once(self):
        names = self.write_list(60)
        children = [subprocess.Popen([FACTORY, "unique", self.ca, "--list", self.list, self.out],
                                     stdout=subprocess.PIPE, text=True) for _ in range(3)]
        made = sum(int(re.search(r"made (\d+)", c.communicate(timeout=100)[0])[1]) for c in children)
        self.assertEqual({c.returncode for c in children}, {0})
        self.assertEqual(made, 60)
        self.check(names)

    def test_a_bad_line_stops_it_before_it_begins(self):
        for lines, sentence in (("001565000001\nnonsense\n", ":2: 'nonsense' is not a MAC address"),
                                ("001565000001\n\n00:15:65:00:00:01\n", ":3: 001565000001 is in line 1 already"),
                                ("001565000001\nff:ff:ff:ff:ff:ff\n", ":2: 'ff:ff:ff:ff:ff:ff' is not the MAC"),
                                ("\n", "there is no MAC address in the list")):
            with self.subTest(sentence):
                self.list.write_text(lines)
                self.assertIn(f"{self.list}{sentence}" if sentence[0] == ":" else sentence,
                              self.refused("unique", self.ca, "--list", self.list, self.out))
                self.assertFalse(self.out.exists())
                self.assertEqual(len(self.record()), 2)

    def test_a_disk_that_is_full(self):
        """What was not written is said, and the rest can be made later."""
        names = self.write_list(40)
        status, out, error = run("sh", "-c", 'ulimit -f 1; trap "" XFSZ; exec "$@"', "sh", FACTORY, "unique", self.ca,
                                 "--list", self.list, self.out)
        self.assertEqual(status, 1, out)
        self.assertIn("File too large", error)
        self.factory("unique", self.ca, "--list", self.list, self.out)
        self.check(names)

    def test_memory_is_bounded(self):
        """Eight times the phones take the same memory."""
        peaks = []
        sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"  # it keeps what was freed
        for count in (40, 320):
            self.write_list(count)
            out = self.directory / f"out{count}"
            with subprocess.Popen([FACTORY, "unique", self.ca, "--list", self.list, out],
                                  stdout=subprocess.DEVNULL, env={**os.environ, "ASAN_OPTIONS": sanitizer}) as child:
                _, status, usage = os.wait4(child.pid, 0)
                child.returncode = os.waitstatus_to_exitcode(status)
            self.assertEqual(child.returncode, 0)
            peaks.append(usage.ru_maxrss)
        print(f"peak memory for 40 phones {peaks[0]} KB, for 320 {peaks[1]} KB")
        self.assertLess(peaks[1], 1.25 * peaks[0])


if __name__ == "__main__":
    unittest.main()
