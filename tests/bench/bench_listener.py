#!/usr/bin/env python3
"""Handshakes of the phone as TLS server, beside a loop on bare mbedTLS (tests/tools/tlsload) that accepts one connection after the
other and does nothing else: the same library, suites, groups and certificate, and the same clients. And what an idle
connection takes of memory.

The two take turns, several times over; what is printed is the median of the rounds, and of the ratios of the rounds. The
processor's time is the server's alone, so it says how many handshakes one core could do; handshakes a second are what two
clients on the same machine got.
"""

import argparse
import os
import statistics
import tempfile
from pathlib import Path

from measure import Load, private_bytes, processor_s
from peers import Process, accepts, free_port, make_pki, wait_until
from phone import Phone

CLIENTS = 2
HELD = 28  # the phone takes 32


class Bare:
    name = "bare mbedTLS"

    def __init__(self, directory, pki, minor, require, keep=False):
        self.port = free_port()
        arguments = ["--serve", self.port, "--minor", minor, "--cert", pki / "good/chain.pem", "--key", pki / "good/key.pem"]
        arguments += ["--ca", pki / "ca.pem"] if require else ["--tickets"]
        self.process = Process([os.environ["TLSLOAD"], *arguments, *(["--keep"] if keep else [])], directory / "bare.log")
        wait_until(lambda: accepts(self.port), 10, "bare mbedTLS to listen")

    def stop(self):
        self.process.stop()


class Sipsd:
    name = "sipsd"

    def __init__(self, directory, pki, require):
        self.port = free_port()
        self.phone = Phone(tempfile.mkdtemp(prefix="phone-", dir=directory), trusted=[pki / "ca.pem"])
        self.phone.maker("generic", pki / "good/chain.pem", pki / "good/key.pem")
        self.phone.settings(f"sip.tls_listen_port = {self.port}\nsip.tls_client_auth = {'require' if require else 'off'}")
        self.phone.start("--log-level", "warning")
        self.process = self.phone.process
        wait_until(lambda: accepts(self.port), 10, "sipsd to listen")

    def stop(self):
        self.phone.stop()


def client(server, pki, minor, require, resume=False):
    arguments = ["--connect", server.port, "--minor", minor]
    if require:
        arguments += ["--cert", pki / "client/chain.pem", "--key", pki / "client/key.pem"]
    return Load(os.environ["TLSLOAD"], *arguments, *(["--resume"] if resume else []))


def handshakes(server, load, seconds):
    """How many a second, and the processor's time of one."""
    before = processor_s(server.process)
    count, took = map(float, load.say(f"run {seconds} {CLIENTS}"))
    return count / took, (processor_s(server.process) - before) / count


def measure(what, servers, loads, options):
    found = [[handshakes(s, l, options.seconds) for s, l in zip(servers, loads)] for _ in range(options.rounds)]
    rates = [statistics.median(f[i][0] for f in found) for i in range(2)]
    costs = [statistics.median(f[i][1] for f in found) for i in range(2)]
    ratio = statistics.median(ours[1] / bare[1] for ours, bare in found)
    print(f"{what:42} {rates[0]:8.0f} {rates[1]:8.0f}   {1e6 * costs[0]:8.0f} {1e6 * costs[1]:8.0f} {ratio:8.2f}")


def measure_all(directory, pki, options):
    print("listener, ECDSA P-256                      handshakes/s        processor, us each\n"
          f"{'':42} {'sipsd':>8} {'bare':>8}   {'sipsd':>8} {'bare':>8}    ratio")
    for require in (False, True):
        ours = Sipsd(directory, pki, require)
        for minor in (2, 3):
            bare = Bare(directory, pki, minor, require)
            for resume in (False,) if require else (False, True):
                loads = [client(s, pki, minor, require, resume) for s in (ours, bare)]
                measure(f"TLS 1.{minor}, client certificate {'require' if require else 'off'}, "
                        f"{'resumed' if resume else 'full'}", (ours, bare), loads, options)
                for load in loads:
                    load.stop()
            bare.stop()
        ours.stop()


def memory(server, pki, minor):
    """Of an idle connection: of those that come after the first, so that what is made once is there."""
    load = client(server, pki, minor, False)
    load.say("hold 4")
    before = private_bytes(server.process)
    load.say(f"hold {HELD}")
    each = (private_bytes(server.process) - before) / (HELD - 4)
    load.stop()
    return each


def measure_memory(directory, pki):
    print("\nmemory of an idle connection, bytes           sipsd     bare    ratio")
    for minor in (2, 3):
        each = []
        for server in (Sipsd(directory, pki, False), Bare(directory, pki, minor, False, keep=True)):
            each.append(memory(server, pki, minor))
            server.stop()
        print(f"TLS 1.{minor:<36} {each[0]:8.0f} {each[1]:8.0f} {each[0] / each[1]:8.2f}")


def main():
    parser = argparse.ArgumentParser(description="handshakes of the phone's own port")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.5, help="of each server, kind and round")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sipsd-bench-") as name:
        directory = Path(name)
        pki = make_pki(directory / "pki", "good", "client")
        measure_all(directory, pki, options)
        measure_memory(directory, pki)


if __name__ == "__main__":
    main()
