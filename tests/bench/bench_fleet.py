#!/usr/bin/env python3
"""A fleet of phones that gets a new CA from its provisioning server: how soon all are locked with it, and how hard that
is for the servers.

Each phone is a sipsd of its own, with two accounts at one Kamailio. The first is registered from the beginning. The
second one's server shows a certificate of a CA that no phone has, so it waits, refused. Then the provisioning server, an
nginx, gets a settings file with that CA, and each phone is told to look for it, by a NOTIFY check-sync that comes
through Kamailio. What is shown: the time until all second accounts are locked; the most handshakes in a second; and
that no first account lost its registration meanwhile.

    bench_fleet.py [--phones N] [--seconds N] [--spread N] [--keep]

It ends what it started, and nothing else. The programs are those of build/release unless SIPSD, SIPSCTL and TESTPKI say
otherwise.
"""

import argparse
import collections
import json
import os
import re
import resource
import selectors
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TREE / "tests" / "interop"))
for program in ("sipsd", "sipsctl", "testpki"):
    os.environ.setdefault(program.upper(), str(TREE / "build" / "release" / program))

from peers import Endpoint, Kamailio, Process, accepts, free_port, make_pki, wait_until  # noqa: E402
from phone import Phone  # noqa: E402

EMPTY = "#!version:1.0.0.1\n"

NGINX = """
daemon off;
master_process off;
pid {directory}/pid;
error_log stderr warn;
events {{ worker_connections 2048; }}
http {{
  log_format timed "$msec $status $request_uri";
  access_log {directory}/access timed;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl backlog=1024;
    ssl_certificate {pki}/good/chain.pem;
    ssl_certificate_key {pki}/good/key.pem;
    root {directory}/root;
  }}
}}
"""

NOTIFY = """NOTIFY sip:p{number}@localhost SIP/2.0\r
Via: SIP/2.0/TCP 127.0.0.1:{port};branch=z9hG4bK{number}.{port}\r
Max-Forwards: 70\r
From: <sip:admin@localhost>;tag={number}\r
To: <sip:p{number}@localhost>\r
Call-ID: {number}.{port}\r
CSeq: 1 NOTIFY\r
Contact: <sip:admin@127.0.0.1:{port};transport=tcp>\r
Event: check-sync;reboot=false\r
Subscription-State: active\r
Content-Length: 0\r
\r
"""


def peak(times):
    """The most of them in any one second."""
    times = sorted(times)
    most, first = 0, 0
    for last, at in enumerate(times):
        while at - times[first] >= 1:
            first += 1
        most = max(most, last - first + 1)
    return most


def spread_text(times):
    times = sorted(times)
    return f"first {times[0]:.2f} s, half {times[len(times) // 2]:.2f} s, last {times[-1]:.2f} s" if times else "none"


class Server(Kamailio):
    """With a socket to ask how many are registered: at the first endpoint, who can be called, and elsewhere."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        path = self.directory / "kamailio.cfg"
        self.ctl = self.directory / "ctl"
        text = path.read_text().replace('loadmodule "tm.so"', f'loadmodule "ctl.so"\nmodparam("ctl", "binrpc", "unix:{self.ctl}")\n'
                                        'loadmodule "tm.so"')
        save = 'if (!save("location")) sl_reply_error();'
        text = text.replace(save, f'if ($Rp == {self.endpoints[0].port}) {{ {save} }} else {{ {save.replace("location", "more")} }}')
        path.write_text(text.replace("tcp_connection_lifetime=3600", "tcp_connection_lifetime=3600\ntcp_connection_match=1\n"
                                     "tcp_max_connections=8192\n"
                                     "tls_max_connections=8192"))

    def registered(self):
        """How many contacts there are at the first endpoint."""
        done = subprocess.run(["kamcmd", "-s", f"unix:{self.ctl}", "stats.fetch", "usrloc:"],
                              capture_output=True, text=True, check=False)
        found = re.search(r"usrloc.location_contacts: (\d+)", done.stdout)
        if not found:
            raise SystemExit(f"bench_fleet: Kamailio does not say who is registered: {done.stdout}{done.stderr}")
        return int(found[1])


class Nginx:
    def __init__(self, directory, pki):
        self.directory, self.port = Path(directory), free_port()
        (self.directory / "root").mkdir(parents=True)
        self.publish(EMPTY)
        (self.directory / "nginx.conf").write_text(NGINX.format(directory=self.directory, port=self.port, pki=pki))
        self.process = Process(["nginx", "-p", self.directory, "-e", "stderr", "-c", self.directory / "nginx.conf"],
                               self.directory / "log")
        wait_until(lambda: self.process.popen.poll() is not None or accepts(self.port), 20, "nginx to listen")

    def publish(self, text):
        new = self.directory / "root" / "new"
        new.write_text(text)
        new.rename(self.directory / "root" / "common.cfg")

    def fetched(self, since):
        """When common.cfg was fetched, in seconds after SINCE (of time.time())."""
        lines = [line.split() for line in (self.directory / "access").read_text().splitlines()]
        return [float(at) - since for at, status, path in lines if path.endswith("common.cfg") and status == "200" and
                float(at) >= since]


class Fleet:
    def __init__(self, directory, count, log_level="notice"):
        self.directory, self.count, self.log_level = Path(directory), count, log_level
        self.phones, self.events = [], {}
        self.selector = selectors.DefaultSelector()

    def start(self, ca, ports, more):
        for number in range(self.count):
            phone = Phone(self.directory / f"phone-{number}", trusted=[ca])
            phone.mac = f"00:15:65:00:{number >> 8:02x}:{number & 0xff:02x}"
            phone.account(1, ports[0], user=f"p{number}").account(2, ports[1], user=f"q{number}").settings(more)
            self.phones.append(phone)
            phone.start("--log-level", self.log_level)
            client = phone.events()
            client.socket.setblocking(False)
            self.events[phone] = client
            self.selector.register(client.socket, selectors.EVENT_READ, client)
            self.read(0)

    def read(self, seconds):
        """What the phones tell, for at most so long until the first word."""
        for key, _ in self.selector.select(seconds):
            client = key.data
            try:
                client.rest += client.socket.recv(1 << 20)
            except BlockingIOError:
                continue
            *lines, client.rest = client.rest.split(b"\n")
            for line in lines:
                client._note(json.loads(line))  # pylint: disable=protected-access

    def are(self, account, condition):
        return sum(bool(condition(c.accounts.get(account, {}))) for c in self.events.values())

    def wait(self, what, condition, seconds, sample=lambda: None):
        """Until condition() holds; tells how long that took, or ends it all."""
        begin = time.monotonic()
        sampled = begin
        while not condition():
            self.read(0.1)
            if time.monotonic() > sampled + 0.5:
                sample()
                sampled = time.monotonic()
            if time.monotonic() > begin + seconds:
                raise SystemExit(f"bench_fleet: waited {seconds} s for {what}")
        return time.monotonic() - begin

    def since(self, begin):
        """(phone, seconds after BEGIN, method, params) of what was told."""
        for phone, client in self.events.items():
            for at, method, params in client.log:
                if at >= begin:
                    yield phone, at - begin, method, params

    def memory(self):
        """Resident bytes of all, and their share where pages are shared."""
        rss = pss = 0
        for phone in self.phones:
            text = Path(f"/proc/{phone.process.popen.pid}/smaps_rollup").read_text()
            rss += int(re.search(r"^Rss:\s+(\d+)", text, re.MULTILINE)[1]) * 1024
            pss += int(re.search(r"^Pss:\s+(\d+)", text, re.MULTILINE)[1]) * 1024
        return rss, pss

    def stop(self):
        for phone in self.phones:
            if phone.process and phone.process.popen.poll() is None:
                phone.process.popen.terminate()
        for phone in self.phones:
            phone.stop()


def locked(account):
    return account.get("lock") and account.get("registration", {}).get("state") == "registered"


def notify_all(fleet, port, seconds):
    """One NOTIFY to each, all of them at once; returns how many final answers there were of each status."""
    with socket.create_connection(("127.0.0.1", port)) as s:
        own = s.getsockname()[1]
        s.sendall("".join(NOTIFY.format(number=n, port=own) for n in range(fleet.count)).encode())
        s.settimeout(0.1)
        end, rest, finals = time.monotonic() + seconds, b"", []
        while len(finals) < fleet.count and time.monotonic() < end:
            fleet.read(0)
            try:
                rest += s.recv(1 << 20)
            except (TimeoutError, socket.timeout):
                continue
            *answers, rest = rest.split(b"\r\n\r\n")
            finals += [a.split()[1].decode() for a in answers if a.strip() and a.split()[1] >= b"200"]
    return dict(collections.Counter(finals))


def make_settings(ca):
    return subprocess.run([os.environ["SIPSCTL"], "provision", "--make", str(ca)], check=True, capture_output=True,
                          text=True).stdout


def say(what, text):
    print(f"  {what + ':':<26}{text}", flush=True)


def run(options, directory, fleet, closing):
    old, new = make_pki(directory / "old", "good"), make_pki(directory / "new", "good")
    endpoints = [Endpoint(old, "good"), Endpoint(new, "good")]
    tcp = free_port()
    kamailio = Server(directory / "kamailio", endpoints, tcp=tcp, memory=64 + options.phones)
    closing.append(kamailio.stop)
    kamailio.start()
    nginx = Nginx(directory / "nginx", old)
    closing.append(nginx.process.stop)
    closing.append(fleet.stop)  # first

    begin = time.monotonic()
    fleet.start(old / "ca.pem", [e.port for e in endpoints],
                f"static.auto_provision.server.url = https://localhost:{nginx.port}/\nsip.tls_listen_port = 0\n"
                f"static.auto_provision.spread = {options.spread}")
    fleet.wait("all to be registered, and refused by the second server", lambda: fleet.are(1, locked) == fleet.count and
               fleet.are(2, lambda a: a.get("verdict") == "rejected") == fleet.count, options.seconds)
    say("registered", f"all {fleet.count} after {time.monotonic() - begin:.1f} s, one start after the other")
    fleet.wait("all to have fetched at power-on", lambda: len(nginx.fetched(0)) >= fleet.count, options.seconds)
    rss, pss = fleet.memory()
    say("memory", f"{rss >> 20} MB resident, {rss / fleet.count / 1048576:.1f} MB each; {pss / fleet.count / 1048576:.1f} MB "
        "each where what they share is divided")

    nginx.publish(make_settings(new / "ca.pem"))
    samples = []
    begin, wall = time.monotonic(), time.time()
    statuses = notify_all(fleet, tcp, options.seconds)
    say("NOTIFY check-sync", f"answered by {statuses} after {time.monotonic() - begin:.2f} s")
    fleet.wait("all to be locked with the new CA", lambda: fleet.are(2, locked) == fleet.count, options.seconds,
               lambda: samples.append(kamailio.registered()))
    samples.append(kamailio.registered())
    fleet.read(0.5)

    fetches = nginx.fetched(wall)
    say("fetched", f"{spread_text(fetches)}; at most {peak(fetches)} in a second")
    locks = [at for _, at, method, p in fleet.since(begin) if method == "lock" and p["account"] == 2 and p["lock"]]
    say("locked with the new CA", f"{spread_text(locks)}; at most {peak(locks)} handshakes in a second")
    say("registered all the time", f"{min(samples)} of {fleet.count} first accounts, the least of {len(samples)} looks at "
        "Kamailio")
    lost = {phone for phone, _, method, p in fleet.since(begin) if method in ("lock", "registration") and p["account"] == 1 and
            (p.get("lock") is False or p.get("registration", p).get("state") not in ("registered", "refreshing"))}
    say("lost it meanwhile", f"{len(lost)}, by what the phones told")
    return 0 if not lost and statuses == {"200": fleet.count} and min(samples) == fleet.count else 1


def main():
    parser = argparse.ArgumentParser(description="A fleet of phones gets a new CA from its provisioning server.")
    parser.add_argument("--phones", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=180, help="the longest that any step may take")
    parser.add_argument("--spread", type=int, default=10, help="static.auto_provision.spread of the phones")
    parser.add_argument("--keep", action="store_true", help="leave the files behind, to be looked at")
    options = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4 * options.phones + 256)), hard))

    directory = Path(tempfile.mkdtemp(prefix="sipsd-fleet-"))
    fleet = Fleet(directory, options.phones)
    closing = []
    print(f"fleet: {options.phones} phones, {options.spread} s of spread", flush=True)
    try:
        return run(options, directory, fleet, closing)
    finally:
        for close in reversed(closing):
            close()
        if options.keep:
            print(f"  left in {directory}")
        else:
            shutil.rmtree(directory)


if __name__ == "__main__":
    sys.exit(main())
