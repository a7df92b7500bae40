#!/usr/bin/env python3
"""NIST's Public Key Interoperability Test Suite, in full, where it is there.

One folder a test, with meta.json (expected answer, time, policy inputs); PKITS in the environment
says where, else it is looked for beside the project. Every answer that is not the suite's must be
in DIFFERENCES, and every one in there must still differ.
"""
import glob
import json
import os
import subprocess
import sys
import tempfile
import unittest

SIPSCTL = os.environ["SIPSCTL"]
PKITS = os.environ.get("PKITS") or os.path.join(
    os.environ.get("SOURCE_DIR", os.path.join(os.path.dirname(__file__), "..", "..")),
    "..", "shared", "x509", "pkits")

DSA = "DSA keys are not used"
INDIRECT = "indirect revocation lists are not used, so nothing tells that it is in good standing"
DIFFERENCES = {
    "4.1.4": DSA,
    "4.1.5": DSA,
    "4.14.22": INDIRECT,
    "4.14.24": INDIRECT,
    "4.14.25": INDIRECT,
    "4.14.28": INDIRECT,
    "4.14.29": INDIRECT,
    "4.14.30": INDIRECT,
    "4.14.33": INDIRECT,
}

POLICY_ARC = "2.16.840.1.101.3.2.1.48."
FLAGS = {"ExplicitPolicy": "--require-policy", "PolicyMappingInhibit": "--inhibit-mapping",
         "InhibitAnyPolicy": "--inhibit-any"}


def judge(folder, meta, chain):
    """True if the chain is accepted."""
    with open(chain, "w", encoding="ascii") as out:
        for name in ("leaf.pem", "intermediates.pem"):
            path = os.path.join(folder, name)
            if os.path.exists(path):
                with open(path, encoding="ascii") as f:
                    out.write(f.read())
    command = [SIPSCTL, "verify", "--time", str(meta["time"]), "--purpose", meta["purpose"],
               "--trusted", os.path.join(folder, "roots.pem")]
    if "needs-crl" in meta["features"]:
        command += ["--crl", os.path.join(folder, "crls.pem")]
    for policy in meta.get("policy_set") or []:
        command += ["--policy", POLICY_ARC + policy.rpartition("-")[2]]
    command += [FLAGS[flag] for flag in meta.get("policy_flags") or []]
    run = subprocess.run([*command, chain], capture_output=True, text=True, check=False)
    if run.returncode not in (0, 1):
        raise AssertionError(f"{meta['id']}: exit status {run.returncode}: {run.stderr}")
    return run.returncode == 0


class Pkits(unittest.TestCase):
    def test_every_test_of_the_suite(self):
        right, different, wrong = 0, set(), []
        with tempfile.TemporaryDirectory() as directory:
            for path in sorted(glob.glob(os.path.join(PKITS, "*", "meta.json"))):
                with open(path, encoding="utf-8") as f:
                    meta = json.load(f)
                number = meta["id"].partition(".Section")[0]
                accepted = judge(os.path.dirname(path), meta, os.path.join(directory, "chain.pem"))
                if accepted == (meta["expected"] == "accept"):
                    right += 1
                elif number in DIFFERENCES and not accepted:
                    different.add(number)
                else:
                    wrong.append(f"{meta['id']}: expected {meta['expected']}")
        print(f"PKITS: {right} of {right + len(different) + len(wrong)} decided as the suite "
              f"expects; {len(different)} differ for a reason", file=sys.stderr)
        self.assertEqual([], wrong)
        self.assertEqual(set(DIFFERENCES), different)


if __name__ == "__main__":
    if not os.path.isdir(PKITS):
        print(f"skipped: PKITS is not there ({os.path.normpath(PKITS)}); set PKITS to where it is")
        sys.exit(77)
    unittest.main()
