"""A provisioning server: nginx with settings files, and a collector of reports that also does what nginx never would."""

import http.server
import json
import shutil
import ssl
import tempfile
import threading
import time
import unittest
from pathlib import Path

from peers import Process, accepts, free_port, make_pki, wait_until
from phone import Phone
from registrar import Registrar

NGINX = """
daemon off;
master_process off;
pid {directory}/pid;
error_log stderr warn;
events {{ worker_connections 64; }}
http {{
  log_format phones '$server_port $request_method $uri $status "$http_user_agent" "$ssl_client_s_dn" "$remote_user"';
  access_log {directory}/access phones;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  root {directory}/root;
  ssl_protocols TLSv1.2 TLSv1.3;
{servers}
}}
"""

SERVER = """
  server {{
    listen 127.0.0.1:{port} {ssl};
    {certificate}
    location /protected/ {{ auth_basic "phones"; auth_basic_user_file {directory}/users; }}
    location /loop/ {{ return 302 /loop/; }}
    location /broken/ {{ return 503; add_header Retry-After 600 always; }}
  }}
"""


class Provider:
    """One nginx with a port for each kind of server that there is; one root for all of them."""

    KINDS = {"good": "good", "expired": "expired", "wrong": "wrong-name", "unknown": "unknown-ca", "mutual": "good"}

    def __init__(self, directory, pki):
        self.directory = Path(directory)
        self.root = self.directory / "root"
        (self.root / "protected").mkdir(parents=True)
        self.ports = {kind: free_port() for kind in [*self.KINDS, "plain"]}
        (self.directory / "users").write_text("phone:{PLAIN}s3cret\n")
        servers = ""
        for kind, profile in {**self.KINDS, "plain": None}.items():
            files = f"ssl_certificate {pki}/{profile}/chain.pem; ssl_certificate_key {pki}/{profile}/key.pem;"
            if kind == "mutual":
                files += f" ssl_client_certificate {pki}/ca.pem; ssl_verify_client on; ssl_verify_depth 3;"
            servers += SERVER.format(directory=self.directory, port=self.ports[kind], ssl="ssl" if profile else "",
                                     certificate=files if profile else "")
        (self.directory / "nginx.conf").write_text(NGINX.format(directory=self.directory, servers=servers))
        self.process = None
        self.start()

    def start(self):
        self.process = Process(["nginx", "-p", self.directory, "-e", "stderr", "-c", self.directory / "nginx.conf"],
                               self.directory / "log")
        wait_until(lambda: self.process.popen.poll() is not None or all(map(accepts, self.ports.values())), 20,
                   "nginx to listen")
        if self.process.popen.poll() is not None:
            raise AssertionError("nginx did not start:\n" + self.process.text())

    def stop(self):
        if self.process:
            self.process.stop()
            self.process = None

    def url(self, kind="good", path="/"):
        return f"{'http' if kind == 'plain' else 'https'}://localhost:{self.ports[kind]}{path}"

    def put(self, name, text):
        """A file as it is; a settings file gets its first line."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".cfg"):
            text = "#!version:1.0.0.1\n" + text + "\n"
        beside = path.with_name(path.name + ".new")
        beside.write_text(text)
        beside.rename(path)

    def asked(self):
        """What was asked for, as (path, status), in the order of time."""
        log = self.directory / "access"
        lines = log.read_text().splitlines() if log.exists() else []
        return [(line.split()[2], int(line.split()[3])) for line in lines]

    def access(self):
        return (self.directory / "access").read_text()


class Collector:
    """An HTTPS server of Python's: keeps the reports that are posted, and never ends what it sends."""

    def __init__(self, pki, profile="good"):
        self.reports, self.agents, self.logins = [], [], []
        self.fail = 0  # so many reports are answered with 503
        self.going = True
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *arguments):
                """Nothing to stderr."""

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.agents.append(self.headers["User-Agent"])
                if collector.fail > 0:
                    collector.fail -= 1
                    self.send_response(503)
                else:
                    collector.reports.append(json.loads(body))
                    self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_GET(self):
                """/challenge/ asks for a password; /endless/ has no end; /slow/ comes a byte at a time."""
                collector.logins.append(self.headers.get("Authorization"))
                if self.path.startswith("/challenge/"):
                    self.send_response(401)
                    self.send_header("WWW-Authenticate", 'Basic realm="phones"')
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                self.send_response(200)
                self.end_headers()
                line = b"#!version:1.0.0.1\n" + b"# and so on\n" * 100
                try:
                    while collector.going:
                        if self.path.startswith("/slow/"):
                            line = b"#"
                            time.sleep(0.1)
                        self.wfile.write(line)
                except OSError:
                    pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                """A phone that hangs up is what some cases end with."""

        self.server = Server(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(Path(pki) / profile / "chain.pem", Path(pki) / profile / "key.pem")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def url(self, path="/report"):
        return f"https://localhost:{self.port}{path}"

    def stop(self):
        self.going = False
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Case(unittest.TestCase):
    """A phone that trusts the provisioning server's CA, and a registrar whose CA it does not know."""

    mac_file = Phone.mac.replace(":", "") + ".cfg"
    where = None

    @classmethod
    def setUpClass(cls):
        directory = Path(tempfile.mkdtemp(prefix="sipsd-provision-pki-"))
        cls.addClassCleanup(shutil.rmtree, directory)
        cls.pki = make_pki(directory / "one", "good", "good-rsa", "expired", "wrong-name", "unknown-ca", "client")
        cls.other = make_pki(directory / "other", "good")

    def setUp(self):
        self.directory = Path(tempfile.mkdtemp(prefix="sipsd-provision-", dir=self.where))
        self.addCleanup(shutil.rmtree, self.directory)
        (self.directory / "nginx").mkdir()
        self.provider = Provider(self.directory / "nginx", self.pki)
        self.addCleanup(self.provider.stop)
        self.collector = Collector(self.pki)
        self.addCleanup(self.collector.stop)
        self.phone = Phone(self.directory / "phone", trusted=[self.pki / "ca.pem"])
        self.addCleanup(self.phone.stop)
        self.addCleanup(self.show_logs)

    def show_logs(self):
        if any(error for _, error in getattr(self._outcome, "errors", [])) or not self._outcome.success:
            for log in self.directory.glob("*/log"):
                print(f"--- {log.parent.name}\n{log.read_text(errors='replace')[-9000:]}")

    def registrar(self, pki=None):
        registrar = Registrar(self.directory, pki or self.other)
        self.addCleanup(registrar.stop)
        return registrar

    def server(self, url=None, **more):
        """The phone's settings file names the provisioning server, and that nothing is waited for."""
        self.phone.settings(f"static.auto_provision.server.url = {url or self.provider.url()}\n"
                            "static.auto_provision.spread = 0")
        for key, value in more.items():
            self.phone.settings(f"static.auto_provision.{key} = {value}")

    def both(self, profile, pki=None):
        """A certificate with its chain and key in one text."""
        where = (pki or self.pki) / profile
        return (where / "chain.pem").read_text() + (where / "key.pem").read_text()

    def ended(self, events, which=lambda r: True, seconds=20):
        """The next report that was told and that nobody has had, and is WHICH."""
        taken = getattr(events, "taken", 0)

        def find():
            nonlocal taken
            while taken < len(events.log):
                _, method, params = events.log[taken]
                taken += 1
                if method == "provision" and which(params):
                    events.taken = taken
                    return params
            return None

        found = []

        def has_come(_):
            report = find()
            if report:
                found.append(report)
            return bool(found)

        events.wait(has_come, seconds, "a run of provisioning to end")
        return found[0]

    def run_of(self, control, method, params=None):
        """Asks for a run, and returns its report."""
        number = control.call(method, params, 20)["id"]
        return self.ended(control, lambda r: r["id"] == number)

    def fetch(self, control, **params):
        return self.run_of(control, "provision.fetch", params)

    def push(self, control, text, name="push.cfg", **params):
        content = "#!version:1.0.0.1\n" + text + "\n"
        return self.run_of(control, "provision.push", {"files": [{"name": name, "content": content}], **params})

    def setting(self, control, key):
        return control.call("settings.get", {"keys": [key]})["settings"][0]["value"]

    def generations(self):
        return sorted(d.name for d in (self.phone.state / "generations").iterdir() if not d.name.startswith("."))

    def pid(self):
        return self.phone.process.popen.pid
