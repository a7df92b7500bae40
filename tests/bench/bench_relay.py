#!/usr/bin/env python3
"""What sipsd costs on the way of SIP messages, beside two others that make TLS of plain TCP: stunnel, which copies bytes and
knows nothing of SIP, and Kamailio, a SIP proxy as sipsd is (stateless here, too).

    SIP stack -- TCP, relay.sock -- what is measured -- TLS 1.3 -- server

Both ends are tests/tools/sipload, one process. A message is a MESSAGE request or its 200. The time of the processor is that
of all processes of what is measured. All ways take turns, each for a short while, several times over; what is printed is the
median of the rounds, and of the ratios of the rounds.
"""

import argparse
import os
import shutil
import statistics
import tempfile
from pathlib import Path

from measure import Load, processor_s, skip
from peers import Process, accepts, free_port, make_pki, wait_until
from phone import Phone

for program in ("kamailio", "stunnel"):
    if not shutil.which(program):
        skip(f"{program} is not installed")

WINDOW = 32  # requests under way where the most is asked for

STUNNEL = """foreground = yes
debug = err
pid =
[sip]
client = yes
accept = 127.0.0.1:{local}
connect = 127.0.0.1:{far}
CAfile = {ca}
verifyChain = yes
checkHost = localhost
sslVersionMin = TLSv1.3
socket = l:TCP_NODELAY=1
socket = r:TCP_NODELAY=1
"""

KAMAILIO = """#!KAMAILIO
debug=0
log_stderror=yes
fork=yes
children=1
tcp_children=1
enable_tls=yes
tcp_connection_lifetime=3600
auto_aliases=no
dns=no
rev_dns=no
listen=tcp:127.0.0.1:{local}
listen=tls:127.0.0.1:{own}
loadmodule "tls.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
modparam("tls", "config", "{tls}")
request_route {{
  if (!mf_process_maxfwd_header("70")) exit;
  if ($proto == "tls") $du = "sip:127.0.0.1:{near};transport=tcp";
  else $du = "sip:127.0.0.1:{far};transport=tls";
  force_rport();
  forward();
}}
"""


class Way:
    """A way between the two ends; `process` is what is measured on it."""

    process = None

    def __init__(self, directory, pki):
        self.directory, self.pki = directory, pki
        self.directory.mkdir()
        self.local, self.far, self.near = free_port(), free_port(), free_port()

    def load(self, *near):
        self.ends = Load(os.environ["SIPLOAD"], "--far", self.far, "--cert", self.pki / "good/chain.pem", "--key",
                         self.pki / "good/key.pem", *near)
        self.suite = self.ends.say("ready")[1]

    def stop(self):
        self.ends.stop()
        if self.process:
            self.process.stop()

    def run(self, direction, window, seconds):
        before = processor_s(self.process) if self.process else 0
        answered, took, median, p99 = map(float, self.ends.say(f"{direction} {window} {seconds}"))
        spent = processor_s(self.process) - before if self.process else 0
        return {"rate": 2 * answered / took, "cost": 1e6 * spent / (2 * answered), "median": median, "p99": p99}


class Direct(Way):
    name = "no one (TLS)"

    def start(self):
        self.load("--tls", self.far, "--contact", "sip:user1@localhost")


class Stunnel(Way):
    name = "stunnel"

    def start(self):
        config = self.directory / "stunnel.conf"
        config.write_text(STUNNEL.format(local=self.local, far=self.far, ca=self.pki / "ca.pem"))
        self.process = Process(["stunnel", config], self.directory / "log")
        listens(self)
        self.load("--tcp", self.local, "--contact", "sip:user1@localhost")


class Kamailio(Way):
    name = "Kamailio"

    def start(self):
        server = f"private_key = {self.pki}/good/key.pem\ncertificate = {self.pki}/good/chain.pem\n"
        tls = self.directory / "tls.cfg"
        tls.write_text(f"[server:default]\nmethod = TLSv1.2+\n{server}[client:default]\nmethod = TLSv1.2+\n"
                       f"verify_certificate = yes\nrequire_certificate = yes\nca_list = {self.pki}/ca.pem\n")
        config = self.directory / "kamailio.cfg"
        config.write_text(KAMAILIO.format(local=self.local, own=free_port(), near=self.near, far=self.far, tls=tls))
        self.process = Process(["kamailio", "-DD", "-f", config, "-P", self.directory / "pid", "-Y", self.directory, "-w",
                                self.directory], self.directory / "log")
        listens(self)
        self.load("--tcp", self.local, "--near", self.near, "--contact", f"sip:user1@127.0.0.1:{self.near};transport=tcp")


class Sipsd(Way):
    def phone(self, **settings):
        self.sipsd = Phone(self.directory / "phone", trusted=[self.pki / "ca.pem"])
        self.sipsd.account(1, self.far, **settings).start("--log-level", "warning")
        self.process = self.sipsd.process


class LocalPort(Sipsd):
    name = "sipsd, local port"

    def start(self):
        self.phone(local_port=self.local)
        listens(self)
        self.load("--tcp", self.local)


class RelaySocket(Sipsd):
    name = "sipsd, relay.sock"

    def start(self):
        self.phone()
        self.load("--relay", self.sipsd.run / "relay.sock")


def listens(way):
    wait_until(lambda: accepts(way.local) or way.process.popen.poll() is not None, 20, f"{way.name} to listen")
    if way.process.popen.poll() is not None:
        raise RuntimeError(f"{way.name} did not start:\n{way.process.text()[-2000:]}")


def median(rounds, key):
    return statistics.median(r[key] for r in rounds)


def ratio(ours, theirs, key):
    return statistics.median(a[key] / b[key] for a, b in zip(ours, theirs) if b[key] > 0)


def table(direction, found):
    print(f"\n{direction:19}  messages/s  processor, us/message  added to a request and its answer, us: median      p99")
    base = found[Direct.name]
    for name, (busy, single) in found.items():
        added = "" if name == Direct.name else f"{median(single, 'median') - median(base[1], 'median'):46.0f}" \
            f" {median(single, 'p99') - median(base[1], 'p99'):8.0f}"
        cost = "" if name == Direct.name else f"{median(busy, 'cost'):21.1f}"
        print(f"{name:19} {median(busy, 'rate'):11.0f}  {cost}  {added}")
    for ours in (LocalPort.name, RelaySocket.name):
        for theirs in (Stunnel.name, Kamailio.name):
            a, b = found[ours], found[theirs]
            print(f"{ours} / {theirs}: messages/s {ratio(a[0], b[0], 'rate'):.2f}, processor {ratio(a[0], b[0], 'cost'):.2f}, "
                  f"time added {added_ratio(a[1], b[1], base[1]):.2f}")


def added_ratio(ours, theirs, base):
    return statistics.median((a["median"] - c["median"]) / (b["median"] - c["median"]) for a, b, c in zip(ours, theirs, base)
                             if b["median"] > c["median"])


def measure(ways, direction, rounds, seconds):
    found = {way.name: ([], []) for way in ways}
    for _ in range(rounds):
        for way in ways:
            found[way.name][0].append(way.run(direction, WINDOW, seconds))
            found[way.name][1].append(way.run(direction, 1, seconds))
    table(direction, found)


def main():
    parser = argparse.ArgumentParser(description="messages through sipsd, stunnel and Kamailio")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1, help="of each way, kind and round")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sipsd-bench-") as directory:
        directory = Path(directory)
        pki = make_pki(directory / "pki", "good")
        ways = []
        try:
            for i, kind in enumerate((Direct, Stunnel, Kamailio, LocalPort, RelaySocket)):
                way = kind(directory / str(i), pki)
                way.start()
                ways.append(way)
            suites = {way.suite for way in ways}
            print(f"relay: {', '.join(sorted(suites))}; {WINDOW} requests under way, or one")
            for direction in ("outward", "inward"):
                measure(ways, direction, options.rounds, options.seconds)
        finally:
            for way in ways:
                way.stop()


if __name__ == "__main__":
    main()
