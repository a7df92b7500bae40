#!/usr/bin/env python3
"""A phone that fetches its settings when it starts: from nginx, and again from its flash."""

import json
import shutil
import signal
import sys
import unittest

from peers import wait_until
from provider import Case

if not shutil.which("nginx"):
    print("skipped: nginx is not installed")
    sys.exit(77)


class PowerOn(Case):
    def test_a_new_phone_becomes_what_the_server_says(self):
        """One file has the CA, another the account: it is locked without a restart, and told what came of it."""
        registrar = self.registrar()
        self.provider.put("corp.pem", (self.other / "ca.pem").read_text())
        self.provider.put("common.cfg", f"static.trusted_certificates.url = {self.provider.url(path='/corp.pem')}\n"
                          f"static.auto_provision.report.url = {self.collector.url()}")
        self.provider.put(self.mac_file, "account.1.enable = 1\naccount.1.user_name = user1\n"
                          f"account.1.password = {registrar.password}\naccount.1.sip_server.1.address = localhost\n"
                          f"account.1.sip_server.1.port = {registrar.ports[0]}\n"
                          "account.1.sip_server.1.transport_type = 2")
        self.server()
        events = self.phone.start().events()
        pid = self.pid()
        self.assertEqual("verified", events.wait_locked(1)["verdict"])
        self.assertEqual([("/common.cfg", 200), ("/" + self.mac_file, 200), ("/corp.pem", 200)], self.provider.asked())
        self.assertIn("sipsd/", self.provider.access())
        self.assertIn(self.mac_file[:12], self.provider.access().splitlines()[0].split('"')[1])
        wait_until(lambda: self.collector.reports, 10, "the report")
        report = self.collector.reports[0]
        self.assertEqual(["power_on", "applied", 1], [report["cause"], report["outcome"], report["changed"]["trusted_added"]])
        self.assertIn("account.1.password", report["changed"]["settings"])
        self.assertNotIn(registrar.password, json.dumps(report))
        self.assertIn(self.mac_file[:12], self.collector.agents[0])
        self.assertEqual(pid, self.pid())

    def test_what_was_provisioned_is_there_without_the_server(self):
        registrar = self.registrar(self.pki)
        self.phone.account(1, registrar.ports[0])
        self.provider.put("common.cfg", "account.1.label = from the server")
        self.server()
        events = self.phone.start().events()
        self.ended(events)
        events.wait(lambda a: a[1]["label"] == "from the server", 10, "the label")
        self.phone.stop()
        self.provider.stop()
        events = self.phone.start().events()
        self.assertEqual("from the server", events.wait_locked(1)["label"])
        self.assertEqual("failed", self.ended(events, lambda r: r["cause"] == "power_on")["outcome"])

    def test_what_failed_is_tried_again_when_its_reason_goes(self):
        """A server that was refused at the start is asked as soon as an admin trusts its CA, not half a minute later."""
        for held in self.phone.held.iterdir():
            held.unlink()
        self.provider.put("common.cfg", "account.3.label = trusted at last")
        self.server()
        self.phone.start()
        control = self.phone.control().subscribe()
        wait_until(lambda: control.call("provision.last"), 20, "the fetch at the start")
        self.assertEqual("failed", control.call("provision.last")["outcome"])
        control.call("trust.add", {"name": "ca.pem", "content": (self.pki / "ca.pem").read_text()})
        report = self.ended(control, lambda r: r["outcome"] == "applied", 14)
        self.assertEqual("power_on", report["cause"])

    def test_commands_of_the_files_at_the_start(self):
        registrar = self.registrar()
        self.phone.account(1, registrar.ports[0])
        self.provider.put("corp.pem", (self.other / "ca.pem").read_text())
        self.phone.settings(f"static.trusted_certificates.url = {self.provider.url(path='/corp.pem')}")
        events = self.phone.start().events()
        report = self.ended(events)
        self.assertEqual(["start", "applied"], [report["cause"], report["outcome"]])
        events.wait_locked(1)

    def test_sighup_reads_the_files_again_below_what_was_provisioned(self):
        registrar = self.registrar(self.pki)
        self.phone.account(1, registrar.ports[0], label="from the file")
        self.provider.put("common.cfg", "account.1.display_name = provisioned")
        self.server()
        events = self.phone.start().events()
        self.ended(events)
        self.phone.settings("account.1.label = from the file again\naccount.1.display_name = hidden")
        self.phone.process.popen.send_signal(signal.SIGHUP)
        events.wait(lambda a: a[1]["label"] == "from the file again", 10, "the new label")
        control = self.phone.control()
        self.assertEqual("provisioned", self.setting(control, "account.1.display_name"))
        self.phone.settings("account.1.enable = 7")
        self.phone.process.popen.send_signal(signal.SIGHUP)
        wait_until(lambda: "the old settings stay" in self.phone.process.text(), 10, "the refusal")
        self.assertEqual("1", self.setting(control, "account.1.enable"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
