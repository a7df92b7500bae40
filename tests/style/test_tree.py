#!/usr/bin/env python3
"""What no file of the tree may be: too long, or the carrier of a private key."""
import os
import re
import tempfile
import unittest

LINES_MAX = 600  # past it, a file is two modules
CODE = (".c", ".h", ".py", ".sh", ".cmake")
NOT_OURS = {".git", ".deps", "build", "__pycache__"}

BEGIN_KEY = re.compile(rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----")
BASE64_RUN = re.compile(rb"[A-Za-z0-9+/]{40}")
KEY_START = 400  # bytes: past any header of an encrypted key, its base64 has begun


def files(root):
    for directory, subdirectories, names in os.walk(root):
        subdirectories[:] = sorted(d for d in subdirectories if d not in NOT_OURS)
        for name in sorted(names):
            path = os.path.join(directory, name)
            if os.path.isfile(path) and not os.path.islink(path):
                yield path


def has_private_key(data):
    """A PEM frame with a body; the frame alone is what a parser or its test must name."""
    for begin in BEGIN_KEY.finditer(data):
        body = data[begin.end():begin.end() + KEY_START].split(b"-----END")[0]
        if BASE64_RUN.search(body):
            return True
    return False


def check(root):
    found = []
    for path in files(root):
        with open(path, "rb") as f:
            data = f.read()
        lines = data.count(b"\n")
        if path.endswith(CODE) and lines > LINES_MAX:
            found.append(f"{path}: {lines} lines, more than {LINES_MAX}: it is two modules")
        if has_private_key(data):
            found.append(f"{path}: carries a private key; tests make their own when they run")
    return found


class Tree(unittest.TestCase):
    def test_tree(self):
        root = os.path.join(os.path.dirname(__file__), "..", "..")
        found = check(os.path.normpath(root))
        self.assertEqual([], found, "\n" + "\n".join(found))


class Checker(unittest.TestCase):
    """The check sees what it is there for."""

    BEGIN = b"-----BEGIN " + b"EC PRIVATE KEY-----\n"
    BODY = b"MHcCAQEE" * 8

    def said_of(self, name, data):
        with tempfile.TemporaryDirectory() as root:
            with open(os.path.join(root, name), "wb") as f:
                f.write(data)
            return "\n".join(check(root))

    def test_long_file(self):
        self.assertEqual("", self.said_of("a.c", b"\n" * LINES_MAX))
        self.assertIn("two modules", self.said_of("a.c", b"\n" * (LINES_MAX + 1)))

    def test_long_data_is_no_code(self):
        self.assertEqual("", self.said_of("roots.pem", b"\n" * (LINES_MAX + 1)))

    def test_private_key(self):
        self.assertIn("private key", self.said_of("k.pem", self.BEGIN + self.BODY))

    def test_private_key_with_headers(self):
        head = b"Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC," + b"0A" * 16 + b"\n\n"
        self.assertIn("private key", self.said_of("k", self.BEGIN + head + self.BODY))

    def test_private_key_in_a_c_string(self):
        text = b'"' + self.BEGIN[:-1] + b'\\n"\n    "' + self.BODY + b'\\n"'
        self.assertIn("private key", self.said_of("k.c", text))

    def test_frame_alone_is_no_key(self):
        text = b'find("' + self.BEGIN[:-1] + b'"); find("-----END EC PRIVATE KEY-----");\n'
        self.assertEqual("", self.said_of("x509.c", text + b"a" * 64))


if __name__ == "__main__":
    unittest.main()
