#!/usr/bin/env python3
"""The built-in CAs: what is checked in is what the manifest says, by OpenSSL's word; and the tool
that makes their table stops the build for anything that is not."""
import os
import shutil
import subprocess
import tempfile
import unittest

BUILTIN = os.path.join(os.environ["SOURCE_DIR"], "certs", "builtin")
MKBUILTIN = os.environ.get("MKBUILTIN")
FILE, OPERATOR, SUBJECT, SHA256, KEY, NOT_AFTER, SOURCE = range(7)


def manifest_rows(directory):
    with open(os.path.join(directory, "manifest.tsv"), encoding="utf-8") as f:
        return [line.rstrip("\n").split("\t") for line in f if not line.startswith("#")]


def openssl(*arguments):
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True, text=True).stdout


class Manifest(unittest.TestCase):
    def test_one_row_a_file(self):
        named = sorted(row[FILE] for row in manifest_rows(BUILTIN))
        there = sorted(name for name in os.listdir(BUILTIN) if name.endswith(".pem"))
        self.assertEqual(there, named)
        self.assertEqual(76, len(named))

    def test_the_choice(self):
        with open(os.path.join(BUILTIN, "..", "builtin.tsv"), encoding="utf-8") as f:
            chosen = [line.split() for line in f if not line.startswith("#")]
        self.assertEqual(sorted(words[-1] for words in chosen),
                         sorted(row[SHA256] for row in manifest_rows(BUILTIN)))

    def test_fingerprints(self):
        for row in manifest_rows(BUILTIN):
            path = os.path.join(BUILTIN, row[FILE])
            said = openssl("x509", "-in", path, "-noout", "-fingerprint", "-sha256")
            self.assertEqual(row[SHA256], said.split("=")[1].strip().replace(":", "").lower())


@unittest.skipUnless(MKBUILTIN, "mkbuiltin was not built here")
class Tool(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.addCleanup(self.scratch.cleanup)
        self.directory = os.path.join(self.scratch.name, "builtin")
        os.mkdir(self.directory)
        self.rows = manifest_rows(BUILTIN)[:3]
        for row in self.rows:
            shutil.copy(os.path.join(BUILTIN, row[FILE]), self.directory)

    def run_tool(self, files=None, version="1"):
        manifest = os.path.join(self.directory, "manifest.tsv")
        with open(manifest, "w", encoding="utf-8") as f:
            f.write(f"# version\t{version}\n" if version else "")
            f.writelines("\t".join(row) + "\n" for row in self.rows)
        files = files or sorted({row[FILE] for row in self.rows})
        self.out = os.path.join(self.scratch.name, "builtin.c")
        return subprocess.run([MKBUILTIN, manifest, self.out,
                               *(os.path.join(self.directory, name) for name in files)],
                              capture_output=True, text=True)

    def assert_stops(self, words, **arguments):
        ran = self.run_tool(**arguments)
        self.assertEqual(1, ran.returncode, ran.stderr)
        self.assertIn(words, ran.stderr)
        self.assertFalse(os.path.exists(self.out))

    def make(self, name, *extensions):
        """A self-signed certificate, named by the first row instead of its own."""
        path = os.path.join(self.directory, name)
        arguments = [word for extension in extensions for word in ("-addext", extension)]
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", path + ".key", "-out", path, "-subj", "/CN=made", "-days", "30", *arguments)
        end = openssl("x509", "-in", path, "-noout", "-enddate", "-dateopt", "iso_8601")
        self.rows[0][FILE] = name
        self.rows[0][SUBJECT] = "CN=made"
        self.rows[0][KEY] = "EC P-256"
        self.rows[0][NOT_AFTER] = end.split("=")[1].strip().replace(" ", "T")
        self.rows[0][SHA256] = openssl("x509", "-in", path, "-noout", "-fingerprint",
                                       "-sha256").split("=")[1].strip().replace(":", "").lower()

    def test_good(self):
        ran = self.run_tool(version="20260816+nmu1")
        self.assertEqual(0, ran.returncode, ran.stderr)
        with open(self.out, encoding="utf-8") as f:
            table = f.read()
        self.assertIn("builtin_count = 3;", table)
        self.assertIn('"20260816+nmu1"', table)

    def test_good_made(self):
        self.make("made.pem")
        ran = self.run_tool()
        self.assertEqual(0, ran.returncode, ran.stderr)

    def test_each_field(self):
        for field, name in ((SUBJECT, "subject"), (SHA256, "SHA-256"), (KEY, "key"),
                            (NOT_AFTER, "notAfter")):
            kept = self.rows[1][field]
            self.rows[1][field] = kept[:-1] + ("0" if kept[-1] != "0" else "1")
            self.assert_stops(f"the manifest says {name}")
            self.rows[1][field] = kept

    def test_a_changed_file(self):
        shutil.copy(os.path.join(BUILTIN, self.rows[0][FILE]),
                    os.path.join(self.directory, self.rows[1][FILE]))
        self.assert_stops("the manifest says SHA-256")

    def test_a_missing_file(self):
        self.assert_stops("which is not there", files=[self.rows[0][FILE], self.rows[1][FILE]])

    def test_a_file_too_many(self):
        shutil.copy(os.path.join(BUILTIN, self.rows[0][FILE]),
                    os.path.join(self.directory, "more.pem"))
        self.assert_stops("PEM files that it does not name",
                          files=[row[FILE] for row in self.rows] + ["more.pem"])

    def test_twice(self):
        self.rows.append(self.rows[0])
        self.assert_stops("is there twice")

    def test_not_a_ca(self):
        self.make("made.pem", "basicConstraints=critical,CA:FALSE")
        self.assert_stops("is not a CA")

    def test_several_in_one_file(self):
        with open(os.path.join(self.directory, self.rows[0][FILE]), "a", encoding="ascii") as out:
            with open(os.path.join(self.directory, self.rows[1][FILE]), encoding="ascii") as more:
                out.write(more.read())
        self.assert_stops("more than one certificate")

    def test_a_short_line(self):
        self.rows[1] = self.rows[1][:SOURCE]
        self.assert_stops("seven fields")

    def test_no_version(self):
        self.assert_stops("which version", version="")


if __name__ == "__main__":
    unittest.main()
