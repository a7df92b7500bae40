#!/usr/bin/env python3
"""Judges every chain of the matrix with `sipsctl verify`, and expects the right first reason."""
import collections
import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile
import unittest

import matrix

SIPSCTL = os.environ["SIPSCTL"]


def write(path, text):
    with open(path, "w", encoding="ascii") as f:
        f.write(text)
    return path


def judge(case, directory):
    """What `sipsctl verify` says: "accept", or the code of the first reason; and the sentence."""
    with tempfile.TemporaryDirectory(dir=directory) as own:
        def file_of(name, texts):
            return write(os.path.join(own, name), "".join(texts))
        command = [SIPSCTL, "verify", "--json", *case.arguments(),
                   "--trusted", file_of("trusted.pem", [c.pem() for c in case.trusted])]
        if case.crls:
            command += ["--crl", file_of("crls.pem", case.crls)]
        command.append(file_of("chain.pem", [c.pem() for c in case.chain]))
        run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode not in (0, 1):
        return f"exit status {run.returncode}", run.stderr
    answer = json.loads(run.stdout)
    if answer["accepted"] != (run.returncode == 0):
        return "exit status and answer differ", run.stdout
    return "accept" if run.returncode == 0 else answer["code"], answer["sentence"]


HINT = "; to accept it, set static.security.certificate_profile = compatible"


def wrong_hints(answers):
    """The sentences that name the setting where it does not help, or do not where it does."""
    for name, (compatible, _) in answers.items():
        if name.endswith("/compatible"):
            public, sentence = answers[name.removesuffix("/compatible")]
            helps = public != "accept" and compatible == "accept"
            if sentence.endswith(HINT) != helps:
                yield f"{name}: the setting {'helps' if helps else 'does not help'}: {sentence}"


class Matrix(unittest.TestCase):
    def test_every_case(self):
        counts = collections.Counter()
        wrong, answers = [], {}
        with tempfile.TemporaryDirectory() as directory, \
                concurrent.futures.ThreadPoolExecutor() as pool:
            judged = [(case, pool.submit(judge, case, directory))
                      for case in matrix.all_cases(directory)]
            for case, future in judged:
                got, sentence = future.result()
                counts["accepted" if got == "accept" else "refused"] += 1
                if got != case.expected:
                    wrong.append(f"{case.name}: expected {case.expected}, got {got}: {sentence}")
                answers[case.name] = got, sentence
            wrong += wrong_hints(answers)
        print(f"{sum(counts.values())} chains: {counts['accepted']} accepted, "
              f"{counts['refused']} refused", file=sys.stderr)
        self.assertEqual([], wrong, "\n" + "\n".join(wrong))


if __name__ == "__main__":
    unittest.main()
