#!/usr/bin/env python3
"""A small run of differential.py: the oracles can be trusted, and mostly agree with us. What the
differences of a large run mean is for people to say (docs/validation.md)."""
import sys
import tempfile
import unittest

import differential
import matrix
from chains import Pki
from oracles import GnuTls, OpenSsl

try:
    ORACLES = {"OpenSSL": OpenSsl(), "GnuTLS": GnuTls()}
except OSError as e:
    print(f"skipped: {e}")
    sys.exit(77)


class Differential(unittest.TestCase):
    def test_the_oracles_can_be_trusted(self):
        with tempfile.TemporaryDirectory() as directory:
            for name, oracle in ORACLES.items():
                with self.subTest(name):
                    self.assertEqual([], differential.untrustworthy(oracle, Pki(directory)))

    def test_we_mostly_agree(self):
        with tempfile.TemporaryDirectory() as directory:
            answers = differential.compare(ORACLES.values(), directory, (matrix.names,), 60, 1)
        agreed = [all(accepted == (ours == "accept") for accepted, _ in theirs)
                  for _, (ours, _), theirs in answers]
        accepted = [ours == "accept" for _, (ours, _), _ in answers]
        print(f"{len(answers)} chains; all three agree on {sum(agreed)}", file=sys.stderr)
        self.assertGreater(sum(agreed), 0.75 * len(agreed))
        self.assertTrue(10 < sum(accepted) < len(accepted) - 10)


if __name__ == "__main__":
    unittest.main()
