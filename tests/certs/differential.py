#!/usr/bin/env python3
"""Asks OpenSSL and GnuTLS what they think of the chains that we judge, and of mutants of them.

usage: SIPSCTL=build/asan/sipsctl differential.py [--mutants N] [--seed S] [--all]

The chains are those of the matrix; a mutant has one certificate changed in a few places, as a tree of
DER or byte by byte, and signed again, so that nothing but the change is wrong with it. Printed are the
chains on which they and we differ, by our reason; those come first that we accept and one of them
refuses, for that is where a mistake of ours would hurt. What is known of the differences stands in
docs/validation.md. Exit status 2 if the oracles themselves cannot be trusted.
"""
import argparse
import collections
import concurrent.futures
import random
import sys
import tempfile

import der
import matrix
from chains import HOST, Case
from issue import NOW, eku, san
from oracles import GnuTls, OpenSsl
from test_matrix import judge


# --- mutants ---

class Mutant:
    """A certificate with other bytes; it stands in a chain as the original did."""

    def __init__(self, whole):
        self.der = whole

    def pem(self):
        return der.pem("CERTIFICATE", self.der)


def bytes_changed(data, rng):
    data = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(data))
        kind = rng.randrange(4)
        if kind == 0:
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[at] = rng.randrange(256)
        elif kind == 2:
            data[at] = rng.choice((0x00, 0x01, 0x7F, 0x80, 0xFF, 0x30, 0x2A, 0x2E))
        else:
            other = rng.randrange(len(data))
            data[at], data[other] = data[other], data[at]
    return bytes(data)


def change_node(siblings, at, rng):
    """One change of the tree at SIBLINGS[AT]."""
    tag, content = siblings[at]
    kind = rng.randrange(7)
    if kind == 0:
        del siblings[at]
    elif kind == 1:
        siblings.insert(at, siblings[at])
    elif kind == 2:
        other = rng.randrange(len(siblings))
        siblings[at], siblings[other] = siblings[other], siblings[at]
    elif kind == 3:
        siblings[at] = (rng.choice((0x02, 0x04, 0x05, 0x0C, 0x13, 0x16, 0x17, 0x18, 0x30, 0x31,
                                    0x80, 0x82, 0x86, 0x87, 0xA0, 0xA4)), content)
    elif isinstance(content, bytes):
        cut = rng.randint(0, len(content))
        siblings[at] = (tag, rng.choice((b"", content[:cut], content + content[:cut],
                                         content[:cut] + b"\0" + content[cut:],
                                         content[:cut] + b"." + content[cut:],
                                         b"*." + content,
                                         bytes_changed(content, rng) if content else b"\1",
                                         content.swapcase())))
    else:
        rng.shuffle(content)


def tree_changed(data, rng):
    tree = der.parse(data)
    for _ in range(rng.randint(1, 2)):
        lists = []

        def collect(siblings):
            if siblings:
                lists.append(siblings)
            for _, content in siblings:
                if isinstance(content, list):
                    collect(content)
        collect(tree)
        if not lists:
            break
        siblings = rng.choice(lists)
        change_node(siblings, rng.randrange(len(siblings)), rng)
    return der.write(tree)


def mutants(cases, count, rng):
    good = [c for c in cases if c.expected == "accept" and not c.crls]
    for i in range(count):
        case = rng.choice(good)
        certs = [*case.chain, *case.trusted]
        at = rng.randrange(len(certs))
        victim = certs[at]
        change = tree_changed if rng.random() < 0.8 else bytes_changed
        certs[at] = Mutant(victim.signed(change(victim.tbs, rng)))
        chain = [certs[at] if c is victim else c for c in certs[:len(case.chain)]]
        trusted = [certs[at] if c is victim else c for c in certs[len(case.chain):]]
        yield Case(f"mutant {i} of {case.name}, certificate {at}", None, chain, trusted,
                   host=case.host, purpose=case.purpose, time=case.time, profile=case.profile,
                   options=case.options)


# --- the oracles ---

def untrustworthy(oracle, p):
    """What an oracle decides wrongly though there is no doubt about it."""
    root, other = p.root(), p.root("O=Other/CN=Other Root")
    ca = p.sub(root)
    address = p.leaf(ca, "CN=192.0.2.1", san=san("IP:192.0.2.1"))
    sure = [
        (True, "a usual chain", Case("", None, [p.leaf(ca), ca], [root])),
        (True, "an address", Case("", None, [address, ca], [root], host="192.0.2.1")),
        (True, "a client", Case("", None, [p.leaf(ca, eku=eku("client")), ca], [root], host=None,
                                purpose="client")),
        (True, "an intermediate as anchor", Case("", None, [p.leaf(ca)], [ca])),
        (True, "an hour before the end", Case("", None, [p.leaf(ca), ca], [root],
                                              time=NOW + 99 * 86400)),
        (False, "another name", Case("", None, [p.leaf(ca), ca], [root], host="a.example.com")),
        (False, "another address", Case("", None, [address, ca], [root], host="192.0.2.2")),
        (False, "another purpose", Case("", None, [p.leaf(ca), ca], [root], host=None,
                                        purpose="client")),
        (False, "another root", Case("", None, [p.leaf(ca), ca], [other])),
        (False, "no intermediate", Case("", None, [p.leaf(ca)], [root])),
        (False, "after the end", Case("", None, [p.leaf(ca), ca], [root], time=NOW + 101 * 86400)),
        (False, "before the beginning", Case("", None, [p.leaf(ca), ca], [root],
                                             time=NOW - 101 * 86400)),
    ]
    return [what for expected, what, case in sure if oracle.accepts(case)[0] != expected]


# --- the report ---

def report(answers, names, show_all):
    agreed, groups = 0, collections.defaultdict(list)
    for case, (ours, sentence), theirs in answers:
        mine = ours == "accept"
        others = [n for n, (accepted, _) in zip(names, theirs) if accepted != mine]
        if not others:
            agreed += 1
            continue
        said = "; ".join(f"{n}: {text}" for n, (_, text) in zip(names, theirs))
        groups[not mine, ours, " and ".join(others)].append((case.name, sentence, said))
    print(f"{len(answers)} chains; all three agree on {agreed}")
    for (_, ours, who), members in sorted(groups.items(), key=lambda g: (g[0][0], -len(g[1]))):
        verb = "accept" if ours == "accept" else f"refuse ({ours})"
        print(f"\nwe {verb}, {who} not: {len(members)}")
        for name, sentence, said in members if show_all else members[:8]:
            print(f"    {name}\n        {sentence}\n        {said}")


def compare(oracles, directory, parts, count, seed, matrix_too=True):
    """The cases of these parts of the matrix and COUNT mutants, what we say and what the oracles do."""
    cases = list(matrix.all_cases(directory, parts))
    asked = [c for c in cases if not c.crls] if matrix_too else []
    asked += mutants(cases, count, random.Random(seed))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        ours = [pool.submit(judge, c, directory) for c in asked]
        return [(c, f.result(), [o.accepts(c) for o in oracles]) for c, f in zip(asked, ours)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mutants", type=int, default=500, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    parser.add_argument("--no-matrix", action="store_true", help="judge the mutants alone")
    parser.add_argument("--all", action="store_true", help="show every difference")
    options = parser.parse_args()
    oracles = {"OpenSSL": OpenSsl(), "GnuTLS": GnuTls()}
    with tempfile.TemporaryDirectory() as directory:
        for name, oracle in oracles.items():
            for what in untrustworthy(oracle, matrix.Pki(directory)):
                print(f"{name} decides wrongly: {what}")
                return 2
        answers = compare(oracles.values(), directory, matrix.PARTS, options.mutants, options.seed,
                          not options.no_matrix)
        report(answers, list(oracles), options.all)
    return 0


if __name__ == "__main__":
    sys.exit(main())
