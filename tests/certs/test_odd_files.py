#!/usr/bin/env python3
"""Loads odd files, and expects that whatever OpenSSL loads is loaded here, too, or that there is a
reason why not."""
import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile
import unittest

import odd

CERTLOAD = os.environ["CERTLOAD"]

# What OpenSSL loads and we do not: (regular expression for the case, words of our refusal, why).
NOT_LOADED = (
    (r"extensions-(65|200)", "more than 64 extensions", "a bound on work; no CA comes near it"),
    (r"extension-of-70-kb", "larger than 64 KB", "a bound on memory; no CA comes near it"),
    (r"(der|pem)-length-of-[5-8]", "", "a length that needs no more than four bytes"),
    (r"base64-with-.*-at-the-end", "not Base64", "bytes are lost or changed: nobody knows which"),
    (r"lines-.*", "not Base64", "bytes of the file that are no text in every line"),
    (r"(before|between|behind)-.*", "",
     "one block of several is broken; OpenSSL passes over it, an upload is all or nothing"),
    (r"(begin|end)-.*-another", "",
     "one block of several is broken; OpenSSL passes over it, an upload is all or nothing"),
    (r"(begin|end)-.*", "line ", "the marks do not belong together"),
    (r"mutation-.*", "BER, not DER", "no DER, over which signatures are made"),
)


def load_all(paths):
    """What certload makes of each: None, or its refusal."""
    refusals = {}
    for i in range(0, len(paths), 500):
        run = subprocess.run([CERTLOAD, *paths[i:i + 500]], check=True, capture_output=True)
        for line in run.stdout.decode().splitlines():
            path, *answer = line.split("\t")
            refusals[path] = answer[1] if answer[0] == "no" else None
    return refusals


def openssl_loads(path):
    run = subprocess.run(["openssl", "x509", "-in", path, "-noout"], capture_output=True,
                         check=False)
    return run.returncode == 0


def is_explained(name, refusal):
    return any(re.fullmatch(pattern + "(-pem)?", name) and words in refusal
               for pattern, words, _ in NOT_LOADED)


class OddFiles(unittest.TestCase):
    def test_all_that_openssl_loads(self):
        with tempfile.TemporaryDirectory() as directory:
            names = {}
            for name, content in odd.all_cases(directory):
                path = os.path.join(directory, f"{len(names)}.bin")
                names[path] = name
                with open(path, "wb") as f:
                    f.write(content)
            self.assertEqual(len(names), len(set(names.values())), "a name is there twice")
            refusals = load_all(list(names))
            with concurrent.futures.ThreadPoolExecutor() as pool:
                others = dict(zip(names, pool.map(openssl_loads, names)))
        refused = {names[p]: r for p, r in refusals.items() if others[p] and r is not None}
        print(f"{len(names)} odd files: OpenSSL loads {sum(others.values())}, we load "
              f"{sum(r is None for r in refusals.values())}; {len(refused)} that it loads and we "
              "do not", file=sys.stderr)
        wrong = [f"{n}: {r}" for n, r in sorted(refused.items()) if not is_explained(n, r)]
        self.assertEqual([], wrong, "\n" + "\n".join(wrong))


if __name__ == "__main__":
    unittest.main()
