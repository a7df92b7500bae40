"""The phone under test: a real sipsd process, and a subscriber of its events."""

import json
import os
import shutil
import socket
import time
from pathlib import Path

from peers import Process, wait_until


class Events:
    """A JSON-RPC client of one of sipsd's sockets that keeps what it was told of each account."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(str(path))
        self.rest = b""
        self.accounts = {}
        self.log = []  # (monotonic time, method, params)
        self.next_id = 1

    def close(self):
        self.socket.close()

    def _line(self, end):
        while b"\n" not in self.rest:
            left = end - time.monotonic()
            if left <= 0:
                return None
            self.socket.settimeout(left)
            try:
                data = self.socket.recv(65536)
            except (TimeoutError, socket.timeout):
                return None
            if not data:
                raise ConnectionError("sipsd closed the socket")
            self.rest += data
        line, self.rest = self.rest.split(b"\n", 1)
        return json.loads(line)

    def _note(self, message):
        method, params = message["method"], message.get("params")
        self.log.append((time.monotonic(), method, params))
        if method == "snapshot":
            self.accounts = {a["account"]: a for a in params["accounts"]}
        elif method == "lock":
            self.accounts[params["account"]] = {**self.accounts.get(params["account"], {}), **params}
        elif method == "registration":
            registration = {k: v for k, v in params.items() if k != "account"}
            self.accounts.setdefault(params["account"], {})["registration"] = registration

    def call(self, method, params=None, seconds=5):
        """The result, or a RuntimeError with the error object."""
        request = {"jsonrpc": "2.0", "id": self.next_id, "method": method}
        if params is not None:
            request["params"] = params
        self.next_id += 1
        self.socket.sendall(json.dumps(request).encode() + b"\n")
        end = time.monotonic() + seconds
        while True:
            message = self._line(end)
            if message is None:
                raise AssertionError(f"no answer to {method}")
            if "method" in message:
                self._note(message)
            elif message.get("id") == request["id"]:
                if "error" in message:
                    raise RuntimeError(message["error"])
                return message["result"]

    def subscribe(self):
        snapshot = self.call("subscribe")
        self._note({"method": "snapshot", "params": snapshot})
        return self

    def wait(self, condition, seconds, what):
        """Reads events until condition(accounts) holds."""
        end = time.monotonic() + seconds
        while not condition(self.accounts):
            message = self._line(end)
            if message is None:
                raise AssertionError(f"waited {seconds} s for {what}; the accounts are:\n"
                                     + json.dumps(self.accounts, indent=1))
            if "method" in message:
                self._note(message)
        return self.accounts

    def wait_locked(self, account, seconds=10):
        return self.wait(lambda a: a.get(account, {}).get("lock") and
                         a[account]["registration"]["state"] == "registered", seconds,
                         f"account {account} to be locked and registered")[account]

    def wait_refused(self, account, code, seconds=10):
        return self.wait(lambda a: a.get(account, {}).get("code") == code, seconds,
                         f"account {account} to be down with the code {code}")[account]


class Phone:
    """sipsd with its settings, state and sockets in one directory."""

    mac = "00:11:22:33:44:55"

    def __init__(self, directory, trusted=()):
        self.directory = Path(directory)
        self.state = self.directory / "state"
        self.run = self.directory / "run"
        self.factory = self.directory / "factory"
        self.config = self.directory / "phone.cfg"
        self.held = self.state / "generations" / "00000001"  # by hand: files need no line with their hash
        self.held.mkdir(parents=True, exist_ok=True)
        self.run.mkdir(exist_ok=True)
        for ca in trusted:
            shutil.copy(ca, self.held / f"ca.{Path(ca).stem}.pem")
        self.process = None
        self.clients = []
        self.lines = ["#!version:1.0.0.1"]
        self._write()

    def _write(self):
        self.config.write_text("\n".join(self.lines) + "\n")
        self.config.chmod(0o600)

    def settings(self, text):
        """More settings, one a line; they count from the next start or reload."""
        self.lines += text.strip().splitlines()
        self._write()
        return self

    def maker(self, name, *files):
        """The maker's certificate NAME ("unique", "generic"): these files in one."""
        self.factory.mkdir(exist_ok=True)
        path = self.factory / f"{name}.pem"
        path.write_text("".join(Path(f).read_text() for f in files))
        path.chmod(0o600)
        return self

    def account(self, number, port, host="localhost", user=None, password="correct-horse", **more):
        settings = {"enable": 1, "label": f"Account {number}", "user_name": user or f"user{number}",
                    "password": password, "sip_server.1.address": host, "sip_server.1.port": port,
                    "sip_server.1.transport_type": 2, **more}
        return self.settings("\n".join(f"account.{number}.{key} = {value}" for key, value in settings.items()))

    def start(self, *options, wrapper=(), environment=None):
        self.process = Process([*wrapper, os.environ["SIPSD"], "--config", self.config, "--state-dir", self.state,
                                "--run-dir", self.run, "--mac", self.mac, "--factory-dir", self.factory,
                                "--log-level", "debug", *options],
                               self.directory / "log", env=environment)
        wait_until(lambda: (self.run / "events.sock").exists() or self.process.popen.poll() is not None, 20,
                   "events.sock")
        if self.process.popen.poll() is not None:
            raise AssertionError("sipsd did not start:\n" + self.process.text()[-3000:])
        return self

    def events(self):
        client = Events(self.run / "events.sock")
        self.clients.append(client)
        return client.subscribe()

    def control(self):
        client = Events(self.run / "control.sock")
        self.clients.append(client)
        return client

    def stop(self, **how):
        """Ends it in order; a sanitizer's report or another failure shows in the exit status."""
        for client in self.clients:
            client.close()
        self.clients = []
        if self.process:
            status = self.process.stop(**how)
            text = self.process.text()
            self.process = None
            if status != 0:
                raise AssertionError(f"sipsd ended with status {status}:\n{text[-4000:]}")

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stop()
