#!/usr/bin/env python3
"""A phone that is told to fetch its settings: from nginx, and from servers that it must not believe."""

import json
import os
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

from peers import wait_until
from provider import Case

if not shutil.which("nginx"):
    print("skipped: nginx is not installed")
    sys.exit(77)


class Asked(Case):
    """With a live account, which nothing of this may hurt."""

    def setUp(self):
        super().setUp()
        self.live = self.registrar(self.pki)
        self.phone.account(1, self.live.ports[0])
        self.server(power_on=0)

    def start(self):
        self.phone.start()
        self.control = self.phone.control().subscribe()
        self.control.wait_locked(1)

    def assert_untouched(self):
        """The account's connection, and what counts."""
        account = self.control.call("account.list")["accounts"][0]
        self.assertTrue(account["lock"])
        self.assertEqual(1, self.live.text().count(" open TLS"), self.live.text())

    def test_mutual_tls(self):
        """The server wants to know which phone that is: by its certificate, or not at all."""
        self.provider.put("common.cfg", "account.2.label = for known phones")
        self.phone.settings(f"static.auto_provision.server.url = {self.provider.url('mutual')}")
        self.start()
        report = self.fetch(self.control)
        self.assertEqual("failed", report["outcome"], report)
        self.assertRegex(report["sentence"], "400|certificate")
        self.assert_untouched()
        self.phone.stop()
        self.phone.maker("generic", self.pki / "client" / "chain.pem", self.pki / "client" / "key.pem")
        self.start()
        report = self.fetch(self.control)
        self.assertEqual("applied", report["outcome"], report)
        self.assertRegex(self.provider.access().splitlines()[-1], '"[^"]*CN=')

    def test_a_bad_file_among_good_ones_changes_nothing(self):
        self.provider.put("common.cfg", "account.1.label = half of it")
        self.provider.put(self.mac_file, "account.1.display_name = fine\naccount.1.sip_server.1.port = none")
        self.start()
        before = self.generations()
        report = self.fetch(self.control)
        self.assertEqual("refused", report["outcome"])
        bad = [i for i in report["items"] if not i["ok"]]
        self.assertEqual([(self.mac_file, 3)], [(i["file"], i["line"]) for i in bad])
        self.assertEqual(before, self.generations())
        self.assertNotEqual("half of it", self.setting(self.control, "account.1.label"))
        self.assert_untouched()

    def test_nothing_new_costs_nothing(self):
        self.provider.put("common.cfg", "account.2.label = a")
        self.start()
        self.assertEqual("applied", self.fetch(self.control)["outcome"])
        before = self.generations()
        for _ in range(3):
            report = self.fetch(self.control)
            self.assertEqual("unchanged", report["outcome"], report)
        self.assertEqual(before, self.generations())
        self.assertEqual(3, self.provider.asked().count(("/common.cfg", 304)))

    def test_servers_that_cannot_be_believed(self):
        for kind, code, word in (("expired", "expired", "expired"), ("wrong", "name_mismatch", "other.example.net"),
                                 ("unknown", "unknown_ca", "trusted|issue")):
            with self.subTest(kind):
                if not self.phone.process:
                    self.start()
                self.push(self.control, f"static.auto_provision.server.url = {self.provider.url(kind)}")
                asked = len(self.provider.asked())
                report = self.fetch(self.control)
                self.assertEqual("failed", report["outcome"])
                self.assertRegex(report["sentence"], word)
                self.assertEqual(asked, len(self.provider.asked()))  # not a byte of the request reached it
                newest = self.control.call("rejected.list", {"account": 0})["rejected"][0]
                self.assertEqual([0, "localhost", code], [newest["account"], newest["host"], newest["code"]])
                self.assertIn(word.split("|")[0], self.ctl("rejected", "show", newest["id"]))
        self.assertEqual(4, len(self.ctl("rejected", "list", "--account", 0).splitlines()))  # and a head line
        self.assert_untouched()

    def ctl(self, *arguments):
        command = [os.environ["SIPSCTL"], "--run-dir", self.phone.run, *map(str, arguments)]
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=60, check=True).stdout

    def test_servers_that_do_not_serve(self):
        self.start()
        cases = [(self.provider.url(path="/nothing/"), "404"), (self.provider.url(path="/loop/"), "redirect"),
                 (self.provider.url(path="/broken/"), "503"), (self.provider.url(path="/protected/"), "password|401"),
                 (self.collector.url("/endless/"), "more than|large"), (self.provider.url("plain"), "HTTP")]
        for url, word in cases:
            with self.subTest(url):
                self.push(self.control, f"static.auto_provision.server.url = {url}")
                report = self.fetch(self.control)
                self.assertEqual("failed", report["outcome"])
                self.assertRegex(report["sentence"], word)
        self.push(self.control, f"static.auto_provision.server.url = {self.provider.url()}")
        self.provider.stop()
        report = self.fetch(self.control)
        self.assertEqual("failed", report["outcome"])
        self.assertRegex(report["sentence"], "localhost.*refused")
        self.assert_untouched()

    def test_a_password_for_one_server(self):
        self.provider.put("protected/common.cfg", f"static.trusted_certificates.url = {self.collector.url('/challenge/x')}")
        self.start()
        self.push(self.control, f"static.auto_provision.server.url = {self.provider.url(path='/protected/')}\n"
                  "static.auto_provision.server.username = phone\nstatic.auto_provision.server.password = s3cret")
        report = self.fetch(self.control)
        self.assertIn(("/protected/common.cfg", 200), self.provider.asked())
        self.assertNotEqual("applied", report["outcome"])
        self.assertRegex(json.dumps(report), "asks for a user name and a password")
        self.assertEqual([None], self.collector.logins)  # another server gets none, though it asks
        self.assertNotIn("s3cret", self.phone.process.text())
        self.assert_untouched()

    def test_http_only_where_it_is_allowed(self):
        """And then nobody on the way is told which phone that is, but by the file's name."""
        self.provider.put("common.cfg", "account.2.label = over http")
        self.start()
        self.push(self.control, f"static.auto_provision.server.url = {self.provider.url('plain')}")
        self.assertEqual("failed", self.fetch(self.control)["outcome"])
        self.assertEqual([], self.provider.asked())
        self.push(self.control, "static.auto_provision.allow_http = 1")
        self.assertEqual("applied", self.fetch(self.control)["outcome"])
        agents = [line.split('"')[1] for line in self.provider.access().splitlines()]
        self.assertNotIn(self.mac_file[:12], " ".join(agents))

    def test_a_slow_server_holds_nobody_up(self):
        self.start()
        self.push(self.control, f"static.auto_provision.server.url = {self.collector.url('/slow/')}")
        self.control.call("provision.fetch", {})
        for _ in range(20):
            self.control.call("status")
        self.assert_untouched()
        self.phone.stop()  # in the middle of it, in order

    def test_reports_are_posted(self):
        self.collector.fail = 1
        self.provider.put("common.cfg", f"static.auto_provision.report.url = {self.collector.url()}\n"
                          "account.2.label = x")
        self.start()
        report = self.fetch(self.control)
        wait_until(lambda: self.collector.agents, 10, "the first try")
        self.assertEqual([], self.collector.reports)
        self.assertEqual("unchanged", self.fetch(self.control)["outcome"])  # somebody asked: that is worth one
        wait_until(lambda: self.collector.reports, 10, "the newer one")
        self.assertEqual(report["id"] + 1, self.collector.reports[0]["id"])
        self.assertEqual(self.control.call("provision.last"), self.collector.reports[0])


class Full(Case):
    """A flash that is full: the push is refused, and all is as it was."""

    def test_a_full_disk(self):
        self.live = self.registrar(self.pki)
        self.phone.account(1, self.live.ports[0])
        state = self.phone.state
        script = (f'mount -t tmpfs -o size=256k none "{state}.real" && cp -a "{state}/." "{state}.real" && '
                  f'mount --move "{state}.real" "{state}" && exec "$@"')
        Path(f"{state}.real").mkdir()
        wrapper = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]
        if not shutil.which("unshare") or os.spawnvp(os.P_WAIT, "unshare", [*wrapper, "true"]) != 0:
            self.skipTest("no user namespaces with mounts here")
        control = self.phone.start(wrapper=wrapper).control().subscribe()
        control.wait_locked(1)
        inside = Path(f"/proc/{self.pid()}/root{state}")
        before = sorted(p.name for p in (inside / "generations").iterdir())
        try:
            with open(inside / "filler", "wb", buffering=0) as filler:
                while filler.write(b"\0" * 4096):
                    pass
        except OSError:
            pass
        report = self.push(control, "account.1.label = no room for it")
        self.assertEqual("failed", report["outcome"], report)
        self.assertRegex(report["sentence"], "space|full")
        self.assertEqual(before, sorted(p.name for p in (inside / "generations").iterdir() if p.name[0] != "."))
        (inside / "filler").unlink()
        self.assertEqual("applied", self.push(control, "account.1.label = now there is")["outcome"])
        control.wait(lambda a: a[1].get("label") == "now there is", 10, "the label")


if __name__ == "__main__":
    unittest.main(verbosity=2)
