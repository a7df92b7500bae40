"""Those who call the phone: TLS clients that others wrote, and a SIP client of a page on Python's ssl."""

import itertools
import os
import select
import socket
import ssl
import subprocess
import time


numbers = itertools.count(1)


def request(method, uri, extra="", body=""):
    branch = f"z9hG4bKtest{next(numbers)}"
    return (f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:5061;branch={branch}\r\nMax-Forwards: 70\r\n"
            f"From: <sips:bob@example.net>;tag=b\r\nTo: <{uri}>\r\nCall-ID: {branch}@test\r\nCSeq: 1 {method}\r\n"
            f"{extra}Content-Length: {len(body)}\r\n\r\n{body}").encode()


def talk(arguments, data, until, seconds=10):
    """Runs a TLS client, gives it `data`, and returns all that it said: until it ends or has said `until`."""
    client = subprocess.Popen([str(a) for a in arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
    said, end = b"", time.monotonic() + seconds
    try:
        client.stdin.write(data)
        client.stdin.flush()
        while until not in said and time.monotonic() < end:
            if not select.select([client.stdout], [], [], 0.1)[0]:
                continue
            part = os.read(client.stdout.fileno(), 65536)
            if not part:
                break
            said += part
    except BrokenPipeError:
        said += client.stdout.read()
    finally:
        client.kill()
        client.wait()
        client.stdin.close()
        client.stdout.close()
    return said.decode(errors="replace")


def s_client(port, *options, data=b"", until=b"Content-Length: 0"):
    return talk(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-quiet", "-verify_return_error", *options],
                data, until)


def gnutls_cli(port, *options, data=b"", until=b"Content-Length: 0", name="localhost"):
    """By its address: not every machine can look up localhost."""
    return talk(["gnutls-cli", "--port", port, "--sni-hostname", name, "--verify-hostname", name, *options, "127.0.0.1"],
                data, until)


class Caller:
    """A connection to the phone, on which requests can be made. SOURCE is the address that it comes from."""

    def __init__(self, port, host="127.0.0.1", ca=None, certificate=None, source=None, seconds=10):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_REQUIRED if ca else ssl.CERT_NONE
        if ca:
            context.load_verify_locations(ca)
        if certificate:
            context.load_cert_chain(certificate / "chain.pem", certificate / "key.pem")
        plain = socket.create_connection((host, port), timeout=seconds, source_address=(source, 0) if source else None)
        try:
            self.tls = context.wrap_socket(plain)
        except BaseException:
            plain.close()
            raise

    def ask(self, method, uri, extra=""):
        """The status of the answer, or 0 where the phone closes."""
        self.tls.sendall(request(method, uri, extra))
        return self.status()

    def status(self):
        said = b""
        while b"\r\n\r\n" not in said:
            part = self.tls.recv(65536)
            if not part:
                return 0
            said += part
        return int(said.split()[1])

    def is_closed(self, seconds):
        """Whether the phone closes within so many seconds."""
        self.tls.settimeout(seconds)
        try:
            return self.tls.recv(1) == b""
        except (TimeoutError, socket.timeout):
            return False
        except OSError:
            return True

    def close(self):
        self.tls.close()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()
