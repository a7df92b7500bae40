#!/usr/bin/env python3
"""Fetching from a provisioning server: nginx over HTTPS, and a server that does what nginx never would.

Each case is one run of the program `fetch`, which is control/fetch with a command line.
"""

import hashlib
import os
import re
import socket
import socketserver
import ssl
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path

from peers import Process, accepts, free_port, make_pki, wait_until

SETTINGS = "#!version:1.0.0.1\nstatic.security.cn_validation = 1\n"

NGINX = """
daemon off;
master_process off;
pid {directory}/pid;
error_log stderr warn;
events {{ worker_connections 64; }}
http {{
  access_log {directory}/access;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  root {directory}/root;
  ssl_session_cache shared:all:1m;
  ssl_session_tickets on;
  ssl_protocols TLSv1.2 TLSv1.3;
{servers}
}}
"""

SERVER = """
  server {{
    listen 127.0.0.1:{port} {ssl};
    {certificate}
    {more}
    location /protected {{ auth_basic "phones"; auth_basic_user_file {directory}/users; }}
    location = /moved {{ return 302 /common.cfg; }}
    location = /loop {{ return 302 /loop; }}
    location = /thrice {{ return 301 /twice; }}
    location = /twice {{ return 307 /moved; }}
    location = /down {{ return 302 http://127.0.0.1:{plain}/common.cfg; }}
    location = /up {{ return 302 https://localhost:{good}/common.cfg; }}
    location = /away {{ return 302 ftp://localhost/common.cfg; }}
    location = /expired {{ return 302 https://localhost:{expired}/common.cfg; }}
    location = /broken {{ return 503; add_header Retry-After 17 always; }}
    location = /forbidden {{ return 403; }}
    location = /elsewhere {{ return 302 https://localhost:{second}/protected/common.cfg; }}
  }}
"""


class Answer(dict):
    """What `fetch` printed: the lines by key, and the body."""

    def __init__(self, text):
        head, _, self.body = text.partition("\n\n")
        super().__init__(line.split(": ", 1) if ": " in line else (line.rstrip(":"), "") for line in head.split("\n"))


class Nginx:
    """One nginx with a server for each way to be good or bad."""

    KINDS = {"good": "good", "second": "good-rsa", "expired": "expired", "unknown": "unknown-ca", "wrong": "wrong-name",
             "mutual": "good", "old": "good", "new": "good"}

    def __init__(self, directory, pki):
        self.directory = Path(directory)
        self.ports = {kind: free_port() for kind in [*self.KINDS, "plain"]}
        root = self.directory / "root"
        (root / "protected").mkdir(parents=True)
        (root / "common.cfg").write_text(SETTINGS)
        (root / "protected" / "common.cfg").write_text(SETTINGS)
        (root / "large.cfg").write_bytes(b"# large\n" * 100000)
        (self.directory / "users").write_text("phone:{PLAIN}s3cret\n")
        more = {"mutual": f"ssl_client_certificate {pki}/ca.pem; ssl_verify_client on;",
                "old": "ssl_protocols TLSv1.2;", "new": "ssl_protocols TLSv1.3;"}
        servers = ""
        for kind, profile in {**self.KINDS, "plain": None}.items():
            files = f"ssl_certificate {pki}/{profile}/chain.pem; ssl_certificate_key {pki}/{profile}/key.pem;"
            servers += SERVER.format(directory=self.directory, port=self.ports[kind], ssl="ssl" if profile else "",
                                     certificate=files if profile else "", more=more.get(kind, ""),
                                     **{k: self.ports[k] for k in ("plain", "good", "expired", "second")})
        (self.directory / "nginx.conf").write_text(NGINX.format(directory=self.directory, servers=servers))
        self.process = Process(["nginx", "-p", self.directory, "-e", "stderr", "-c", self.directory / "nginx.conf"],
                               self.directory / "log")
        wait_until(lambda: self.process.popen.poll() is not None or all(map(accepts, self.ports.values())), 20,
                   "nginx to listen")
        if self.process.popen.poll() is not None:
            raise AssertionError("nginx did not start:\n" + self.process.text())

    def url(self, kind, path, host="localhost"):
        return f"{'http' if kind == 'plain' else 'https'}://{host}:{self.ports[kind]}{path}"

    def access(self):
        return (self.directory / "access").read_text()


class Strange(socketserver.ThreadingTCPServer):
    """Answers by the path, in bad HTTP mostly, and keeps the requests."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, chain=None, key=None, client_ca=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.port = self.server_address[1]
        self.requests = []
        self.context = None
        if chain:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(chain, key)
        if client_ca:
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.load_verify_locations(client_ca)
        self.thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def handle_error(self, request, client_address):
        """A phone that hangs up is what most of these cases end with."""

    def stop(self):
        self.shutdown()
        self.thread.join()
        self.server_close()

    def url(self, path):
        return f"{'https' if self.context else 'http'}://localhost:{self.port}{path}"


def digest(algorithm, fields, method, user, password):
    """The response of RFC 7616 section 3.4.1 with qop=auth, of the fields of an Authorization."""
    def h(text):
        return hashlib.new(algorithm, text.encode()).hexdigest()
    ha1, ha2 = h(f"{user}:{fields['realm']}:{password}"), h(f"{method}:{fields['uri']}")
    return h(":".join([ha1, fields["nonce"], fields["nc"], fields["cnonce"], fields["qop"], ha2]))


class Handler(socketserver.BaseRequestHandler):
    """One connection; each path is a method of its own."""

    def handle(self):
        if self.server.context:
            self.request = self.server.context.wrap_socket(self.request, server_side=True)
        with self.request:
            self.serve()

    def serve(self):
        data = b""
        while True:
            while b"\r\n\r\n" not in data:
                more = self.request.recv(65536)
                if not more:
                    return
                data += more
            head, _, data = data.partition(b"\r\n\r\n")
            lines = head.decode().split("\r\n")
            self.method, self.target, _ = lines[0].split(" ")
            self.fields = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:] if ": " in line)}
            length = int(self.fields.get("content-length", 0))
            while len(data) < length:
                data += self.request.recv(65536)
            body, data = data[:length], data[length:]
            self.server.requests.append((self.method, self.target, self.fields, body))
            if not getattr(self, self.target.split("?")[0].strip("/").replace("-", "_"))():
                return

    def send(self, text):
        self.request.sendall(text.encode() if isinstance(text, str) else text)
        return True

    def answer(self, status, body, *fields):
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *fields, "", body]
        return self.send("\r\n".join(lines))

    def file(self):
        return self.answer(200, SETTINGS)

    def end(self):
        """Makes the end of the connection the end of the body; in TLS with close_notify."""
        self.send("HTTP/1.1 200 OK\r\n\r\n" + SETTINGS)
        if self.server.context:
            self.request = self.request.unwrap()
        return False

    def cut(self):
        """The same, but TLS is cut off."""
        self.send("HTTP/1.1 200 OK\r\n\r\n" + SETTINGS)
        return False

    def short(self):
        self.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + SETTINGS)
        return False

    def chunked(self):
        return self.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
                         "".join(f"{len(line):x}\r\n{line}\r\n" for line in SETTINGS.splitlines(True)) + "0\r\n\r\n")

    def endless(self):
        self.send("HTTP/1.1 200 OK\r\n\r\n")
        while True:
            self.send(b"# more\n" * 1000)

    def endless_head(self):
        self.send("HTTP/1.1 200 OK\r\n")
        while True:
            self.send("X-More: and more\r\n" * 1000)

    def endless_refusal(self):
        self.send("HTTP/1.1 404 Not Found\r\n\r\n")
        while True:
            self.send(b"no, no, no\n" * 1000)

    def slow(self):
        self.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        return self.trickle()

    def trickle(self):
        stop = threading.Event()
        while not stop.wait(0.05):
            self.send("#")

    def silent(self):
        return self.request.recv(1) != b""

    def nothing(self):
        return False

    def garbage(self):
        self.send("SSH-2.0-OpenSSH_9.2\r\n\r\n")
        return False

    def gzip(self):
        return self.answer(200, "x", "Content-Encoding: gzip")

    def unasked(self):
        return self.send("HTTP/1.1 304 Not Modified\r\n\r\n")

    def report(self):
        return self.answer(200, '{"ok": true}', "Content-Type: application/json")

    def moved_report(self):
        return self.answer(307, "", "Location: /report")

    def dropped_report(self):
        return self.answer(302, "", "Location: /report")

    def challenge(self, algorithm, name):
        given = self.fields.get("authorization", "")
        fields = dict(re.findall(r'(\w+)="?([^",]+)"?', given))
        if given.startswith("Digest "):
            want = digest(algorithm, fields, self.method, "phone", "s3cret")
            if fields["response"] == want and fields["uri"] == self.target:
                return self.answer(200, SETTINGS)
        return self.answer(401, "", 'WWW-Authenticate: Basic realm="phones"',
                           f'WWW-Authenticate: Digest realm="phones", qop="auth", nonce="n0nce", algorithm={name}')

    def digest_md5(self):
        return self.challenge("md5", "MD5")

    def digest_sha256(self):
        return self.challenge("sha256", "SHA-256")

    def digest_closing(self):
        self.digest_sha256()
        return False


class FetchTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        directory = Path(cls.temporary.name)
        cls.pki = make_pki(directory / "pki", "good", "good-rsa", "expired", "unknown-ca", "wrong-name", "client",
                           "client-unknown-ca")
        (directory / "nginx").mkdir()
        cls.nginx = Nginx(directory / "nginx", cls.pki)
        cls.strange = Strange()
        good = cls.pki / "good" / "chain.pem", cls.pki / "good" / "key.pem"
        cls.strange_tls = Strange(*good)
        cls.strange_mutual = Strange(*good, client_ca=cls.pki / "ca.pem")

    @classmethod
    def tearDownClass(cls):
        cls.strange.stop()
        cls.strange_tls.stop()
        cls.strange_mutual.stop()
        cls.nginx.process.stop()
        cls.temporary.cleanup()

    def run_fetch(self, url, *options):
        run = subprocess.run([os.environ["FETCH"], "--ca", str(self.pki / "ca.pem"), *map(str, options), url],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
        self.assertEqual("", run.stderr)
        self.assertIn(run.returncode, (0, 1))
        return run.stdout

    def fetch(self, url, *options):
        return Answer(self.run_fetch(url, *options))

    def assert_done(self, answer):
        self.assertEqual("done", answer["outcome"], answer)
        self.assertEqual(SETTINGS, answer.body[:-1])

    def assert_failed(self, answer, code, sentence):
        self.assertEqual(["failed", code], [answer["outcome"], answer["code"]], answer)
        self.assertRegex(answer["error"], sentence)

    def plain(self, path, *options):
        return self.fetch(self.strange.url(path), "--allow-http", *options)

    def identity(self, profile):
        return ("--cert", self.pki / profile / "chain.pem", "--key", self.pki / profile / "key.pem")

    def good(self, path, *options):
        return self.fetch(self.nginx.url("good", path), *options)

    # --- TLS ---

    def test_a_file_over_https(self):
        answer = self.good("/common.cfg")
        self.assert_done(answer)
        self.assertNotIn("noted", answer)
        self.assertEqual(["200", "verified", "TLSv1.3", "1"], [answer[k] for k in
                                                               ("status", "verdict", "version", "secure")])
        self.assertIn("sipsd-test", self.nginx.access())

    def test_by_address(self):
        self.assert_done(self.fetch(self.nginx.url("good", "/common.cfg", host="127.0.0.1")))

    def test_versions(self):
        self.assertEqual("TLSv1.2", self.fetch(self.nginx.url("old", "/common.cfg"))["version"])
        self.assert_done(self.fetch(self.nginx.url("new", "/common.cfg"), "--versions", "1.3"))
        self.assert_failed(self.fetch(self.nginx.url("new", "/common.cfg"), "--versions", "1.2"), "TLS", "localhost")

    def test_no_session_is_resumed(self):
        for kind in "old", "new":
            text = self.run_fetch(self.nginx.url(kind, "/common.cfg"), "--times", 3)
            self.assertEqual(3, text.count("resumed: 0\n"), text)
            self.assertEqual(3, text.count("verdict: verified\n"), text)

    def test_bad_certificates(self):
        cases = {"expired": "expired", "unknown": "localhost|trusted", "wrong": "other.example.net"}
        for kind, sentence in cases.items():
            with self.subTest(kind):
                answer = self.fetch(self.nginx.url(kind, "/common.cfg"), "--user", "phone", "--password", "s3cret")
                self.assert_failed(answer, "CERT", sentence)
                self.assertEqual(["rejected", answer["error"], "0"],
                                 [answer[k] for k in ("verdict", "sentence", "status")])
                self.assertNotEqual("-1", answer["alert-sent"])
                self.assertRegex(answer["noted"], "^0 localhost [1-9] ")

    def test_a_refused_server_sees_no_request(self):
        before = self.nginx.access()
        self.fetch(self.nginx.url("expired", "/never-asked"))
        self.assert_done(self.good("/common.cfg"))
        self.assertNotIn("never-asked", self.nginx.access()[len(before):])

    def test_what_the_policy_lets_through(self):
        self.assert_done(self.fetch(self.nginx.url("wrong", "/common.cfg"), "--no-name"))
        answer = self.fetch(self.nginx.url("expired", "/common.cfg"), "--no-trust")
        self.assert_done(answer)
        self.assertEqual("unverified", answer["verdict"])

    def test_mutual_tls_ends_in_the_handshake(self):
        url = self.strange_mutual.url("/file")
        for version in "1.2", "1.3":
            with self.subTest(version):
                self.assert_done(self.fetch(url, "--versions", version, *self.identity("client")))
                answer = self.fetch(url, "--versions", version)
                self.assert_failed(answer, "IDENTITY", "localhost.*certificate")
                self.assertEqual("verified", answer["verdict"])
                answer = self.fetch(url, "--versions", version, *self.identity("client-unknown-ca"))
                self.assert_failed(answer, "IDENTITY", "localhost.*certificate")

    def test_mutual_tls(self):
        answer = self.fetch(self.nginx.url("mutual", "/common.cfg"), *self.identity("client"))
        self.assert_done(answer)
        self.assertEqual("1", answer["sent-certificate"])
        self.assertEqual("400", self.fetch(self.nginx.url("mutual", "/common.cfg"))["status"])
        answer = self.fetch(self.nginx.url("mutual", "/common.cfg"), *self.identity("client-unknown-ca"))
        self.assertEqual("400", answer["status"])

    def test_http_where_https_was_asked_for(self):
        url = f"https://localhost:{self.nginx.ports['plain']}/common.cfg"
        self.assert_failed(self.fetch(url), "TLS", "localhost")

    def test_a_body_cut_off_is_no_body(self):
        self.assert_done(self.fetch(self.strange_tls.url("/end")))
        self.assert_failed(self.fetch(self.strange_tls.url("/cut")), "TRUNCATED", "without saying so in TLS")
        self.assert_failed(self.fetch(self.strange_tls.url("/short")), "TRUNCATED", "localhost")
        self.assert_done(self.fetch(self.strange_tls.url("/file")))

    # --- who is not there ---

    def test_nobody_there(self):
        answer = self.fetch(f"https://localhost:{free_port()}/common.cfg")
        self.assertEqual("failed", answer["outcome"])
        self.assertRegex(answer["error"], "localhost.*refused")

    def test_no_such_host(self):
        answer = self.fetch("https://no-such-host.invalid/common.cfg")
        self.assertEqual("failed", answer["outcome"])
        self.assertIn("no-such-host.invalid", answer["error"])

    # --- URLs ---

    def test_http_only_where_it_is_allowed(self):
        url = self.nginx.url("plain", "/common.cfg")
        answer = self.fetch(url)
        self.assertEqual(["refused", "DENIED"], [answer["outcome"], answer["code"]])
        answer = self.fetch(url, "--allow-http")
        self.assert_done(answer)
        self.assertEqual(["0", "none"], [answer["secure"], answer["verdict"]])

    def test_no_urls(self):
        for url in "ftp://localhost/x", "file:///etc/passwd", "localhost/x", "https://", "":
            with self.subTest(url):
                answer = self.fetch(url)
                self.assertEqual(["refused", "INVALID"], [answer["outcome"], answer["code"]])

    # --- redirects ---

    def test_redirects(self):
        self.assert_done(self.good("/moved"))
        self.assert_done(self.good("/thrice"))
        self.assert_done(self.fetch(self.nginx.url("plain", "/up"), "--allow-http"))

    def test_bad_redirects(self):
        self.assert_failed(self.good("/loop"), "LIMIT", "redirects once more, after 3 times")
        self.assert_failed(self.good("/down", "--allow-http"), "DENIED", "from HTTPS down to HTTP")
        self.assert_failed(self.good("/away"), "DENIED", "ftp")
        answer = self.good("/expired")
        self.assert_failed(answer, "CERT", "expired")
        self.assertEqual(f"localhost:{self.nginx.ports['expired']}", answer["host"])

    def test_the_password_stays_with_its_server(self):
        answer = self.good("/elsewhere", "--user", "phone", "--password", "s3cret")
        self.assert_failed(answer, "AUTH", "asks for a user name")

    # --- authentication ---

    def test_basic(self):
        self.assert_done(self.good("/protected/common.cfg", "--user", "phone", "--password", "s3cret"))
        url = self.nginx.url("good", "/protected/common.cfg").replace("//", "//phone:s3cret@")
        self.assert_done(self.fetch(url))
        self.assert_failed(self.good("/protected/common.cfg"), "AUTH", "asks for a user name and a password")
        answer = self.good("/protected/common.cfg", "--user", "phone", "--password", "wrong")
        self.assert_failed(answer, "AUTH", "refused the user name or the password")

    def test_digest(self):
        login = ("--user", "phone", "--password", "s3cret")
        for path in "/digest-md5", "/digest-sha256?a=b&c=d", "/digest-closing":
            with self.subTest(path):
                del self.strange.requests[:]
                self.assert_done(self.plain(path, *login))
                sent = [fields.get("authorization", "") for _, _, fields, _ in self.strange.requests]
                self.assertEqual(["", "Digest "], [sent[0], sent[-1][:7]])
                self.assertFalse([text for text in sent if text.startswith("Basic")])
        self.assert_failed(self.plain("/digest-md5", "--user", "phone", "--password", "no"), "AUTH", "refused")

    # --- what is new ---

    def test_validators(self):
        answer = self.good("/common.cfg")
        for option, value in ("--etag", answer["etag"]), ("--modified", answer["modified"]):
            with self.subTest(option):
                again = self.good("/common.cfg", option, value)
                self.assertEqual(["unchanged", "304", "0"], [again[k] for k in ("outcome", "status", "bytes")])
                self.assertEqual(answer["etag"], again["etag"])
        self.assert_done(self.good("/common.cfg", "--etag", '"another"'))
        self.assert_done(self.good("/common.cfg", "--etag", '"x"\r\nX-Evil: 1'))
        self.assert_failed(self.plain("/unasked"), "PEER", "304")

    # --- refusals and reports ---

    def test_refusals(self):
        self.assert_failed(self.good("/missing.cfg?token=1"), "NOT_FOUND", r"has no /missing.cfg \(404\)")
        self.assert_failed(self.good("/forbidden"), "DENIED", "403")
        answer = self.good("/broken")
        self.assert_failed(answer, "PEER", "503")
        self.assertEqual("17", answer["retry-after"])

    def test_post(self):
        report = '{"result": "applied"}'
        for path in "/report", "/moved-report":
            with self.subTest(path):
                del self.strange.requests[:]
                answer = self.plain(path, "--post", report)
                self.assertEqual(["done", '{"ok": true}\n'], [answer["outcome"], answer.body])
                method, _, fields, body = self.strange.requests[-1]
                self.assertEqual(["POST", report, "application/json"], [method, body.decode(), fields["content-type"]])
        self.assert_failed(self.plain("/dropped-report", "--post", report), "PEER", "302")

    # --- bounds ---

    def test_sizes(self):
        self.assertEqual("800000", self.good("/large.cfg")["bytes"])
        self.assert_failed(self.good("/large.cfg", "--max-bytes", 799999), "LIMIT", "more than 799999 bytes")
        self.assert_failed(self.plain("/endless"), "LIMIT", "more than 5242880 bytes")
        self.assertEqual("failed", self.plain("/endless-head")["outcome"])
        self.assertEqual("failed", self.plain("/endless-refusal")["outcome"])

    def test_slow_servers(self):
        self.assert_failed(self.plain("/slow", "--slow-ms", 1000), "TIMEOUT", "too slow")
        self.assert_failed(self.plain("/silent", "--slow-ms", 1000), "TIMEOUT", "too slow")
        self.assert_failed(self.plain("/slow", "--total-ms", 1000), "TIMEOUT", "was not done within 1 s")

    def test_a_server_that_never_speaks_tls(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            s.listen()
            answer = self.fetch(f"https://localhost:{s.getsockname()[1]}/x", "--total-ms", 1000)
            self.assert_failed(answer, "TIMEOUT", "localhost")

    def test_cancel(self):
        for url in self.strange.url("/silent"), self.strange.url("/endless"), "https://no-such-host.invalid/":
            answer = self.fetch(url, "--allow-http", "--cancel-ms", 200, "--slow-ms", 30000)
            self.assertIn(answer["outcome"], ("cancelled", "failed"))

    # --- HTTP as it should not be ---

    def test_bodies(self):
        for path in "/end", "/chunked":
            self.assert_done(self.plain(path))
        self.assert_failed(self.plain("/short"), "TRUNCATED", "before all was sent")
        self.assert_failed(self.plain("/nothing"), "CLOSED", "without an answer")
        self.assert_failed(self.plain("/garbage"), "PARSE", "HTTP")
        self.assert_failed(self.plain("/gzip"), "PARSE", "compressed")


if __name__ == "__main__":
    unittest.main()
