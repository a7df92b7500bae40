#!/usr/bin/env python3
"""./dev sets up what is missing and nothing else: run beside stand-ins for apt, sudo and cmake."""
import os
import shutil
import stat
import subprocess
import tempfile
import unittest

DEV = os.path.join(os.path.dirname(__file__), "..", "..", "dev")
REAL = ["sh", "cat", "chmod", "dirname", "env", "find", "grep", "mkdir", "nproc", "rm", "touch"]


class Dev(unittest.TestCase):
    def setUp(self):
        self.tree = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.tree)
        self.bin = os.path.join(self.tree, "bin")
        os.mkdir(self.bin)
        for tool in REAL:
            os.symlink(shutil.which(tool), os.path.join(self.bin, tool))
        # Nothing of the machine is used: no directory of its own is left in the script's PATH.
        with open(DEV, encoding="utf-8") as f:
            text = f.read().replace("PATH=$PATH:/usr/sbin:/sbin", "")
        text = text.replace("/usr/sbin/policy-rc.d", os.path.join(self.tree, "policy-rc.d"))
        self.script("../dev", text)
        with open(os.path.join(self.tree, "CMakePresets.json"), "w", encoding="ascii"):
            pass
        self.script("id", "#!/bin/sh\necho 1000\n")
        self.stand_in("cmake", 'case $1 in --preset) mkdir -p "build/$2" ;; esac')
        self.stand_in("ctest")
        self.stand_in("apt-get")
        self.installed("*")

    def script(self, name, text):
        path = os.path.join(self.bin, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, stat.S_IRWXU)

    def stand_in(self, name, does=""):
        """A program that only notes how it was called."""
        self.script(name, f'#!/bin/sh\necho "{name} $*" >>{self.tree}/calls\n{does}\n')

    def installed(self, pattern):
        """Packages that match the shell PATTERN are installed; others are known and are not."""
        self.script("dpkg-query", f"""#!/bin/sh
            for package; do :; done
            case $package in {pattern}) echo installed ;; *) echo not-installed ;; esac
            """)

    def sudo(self):
        self.script("sudo", '#!/bin/sh\n[ "$1" != -n ] || exit 0\nexec "$@"\n')

    def run_dev(self, *arguments):
        done = subprocess.run([os.path.join(self.tree, "dev"), *arguments], text=True,
                              env={"PATH": self.bin}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
                              check=False)
        return done.returncode, done.stdout

    def calls(self, name=""):
        path = os.path.join(self.tree, "calls")
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as f:
            return [line.strip() for line in f if line.startswith(name)]

    def test_without_a_verb_it_explains_itself(self):
        status, said = self.run_dev()
        self.assertEqual(0, status)
        for verb in ("run", "test", "build", "format", "lint", "bench", "fuzz", "clean"):
            self.assertRegex(said, rf"(?m)^  {verb}\b")
        self.assertEqual([], self.calls())

    def test_unknown_verb(self):
        status, said = self.run_dev("dance")
        self.assertEqual(2, status)
        self.assertIn("no verb 'dance'", said)

    def test_without_root_and_sudo_it_prints_the_apt_line(self):
        self.installed("gcc|cmake")
        status, said = self.run_dev("test")
        self.assertEqual(1, status)
        line = [line for line in said.splitlines() if "apt-get install" in line]
        self.assertEqual(1, len(line), said)
        packages = line[0].split()
        self.assertIn("libosip2-dev", packages)
        self.assertIn("kamailio", packages)
        self.assertNotIn("cmake", packages)
        self.assertEqual([], self.calls())

    def test_with_sudo_it_installs_what_is_missing_and_no_more(self):
        self.installed("[!k]*")
        self.sudo()
        status, said = self.run_dev("test")
        self.assertEqual(0, status, said)
        install = [call for call in self.calls("apt-get") if " install " in call]
        self.assertEqual(1, len(install))
        self.assertTrue(install[0].endswith(" -y kamailio kamailio-tls-modules"), install)
        self.assertFalse(os.path.exists(os.path.join(self.tree, "policy-rc.d")))

    def test_build_needs_no_test_packages(self):
        self.installed("gcc|libc6-dev|cmake|ninja-build|pkg-config|dpkg-dev|debian-archive-keyring|"
                       "lib*-dev")
        status, said = self.run_dev("build")
        self.assertEqual((0, []), (status, self.calls("apt-get")), said)

    def test_second_run_sets_nothing_up_and_says_nothing_of_it(self):
        self.run_dev("test")
        self.assertIn("cmake --preset asan", self.calls())
        os.unlink(os.path.join(self.tree, "calls"))
        status, said = self.run_dev("test")
        self.assertEqual((0, ""), (status, said))
        self.assertEqual([], self.calls("apt-get"))
        self.assertEqual(["cmake --build build/asan"], self.calls("cmake"))
        self.assertEqual(1, len(self.calls("ctest")))

    def test_a_new_preset_file_configures_again(self):
        self.run_dev("test")
        later = os.stat(os.path.join(self.tree, "build", "asan", ".configured")).st_mtime + 10
        os.utime(os.path.join(self.tree, "CMakePresets.json"), (later, later))
        self.run_dev("test")
        self.assertEqual(2, self.calls().count("cmake --preset asan"))

    def test_its_exit_status_is_that_of_ctest(self):
        self.stand_in("ctest", "exit 8")
        self.assertEqual(8, self.run_dev("test")[0])

    def test_options_go_to_ctest(self):
        self.run_dev("test", "-R", "unit/base")
        self.assertTrue(self.calls("ctest")[0].endswith(" -R unit/base"), self.calls())


if __name__ == "__main__":
    unittest.main()
