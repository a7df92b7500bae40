"""Call-control as a phone has it: a small SIP user agent behind relay.sock."""

import os
import re
import socket
import struct
import time

HEADER = struct.Struct(">4sBBHQII")
HELLO, SEND, RECEIVE, STATE, BUSY, DIALOGS, ERROR = range(1, 8)

SDP = ("v=0\r\no=phone 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
       "m=audio 40000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n")


class Message:
    """A SIP message as text: enough of it to be a user agent."""

    def __init__(self, text):
        head, self.body = text.split("\r\n\r\n", 1)
        self.start, *lines = re.sub(r"\r\n[ \t]+", " ", head).split("\r\n")
        self.headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines]
        self.text = text

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def get(self, name):
        values = self.all(name)
        return values[0] if values else ""

    def elements(self, name):
        """Of a list; commas in our tests only separate."""
        return [e.strip() for value in self.all(name) for e in value.split(",")]

    @property
    def status(self):
        return int(self.start.split()[1]) if self.start.startswith("SIP/2.0 ") else 0

    @property
    def method(self):
        return self.get("CSeq").split()[1]

    def uri(self, name):
        return re.search(r"<([^>]+)>", self.get(name)).group(1)


class CallControl:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.connect(str(path))
        self.states = {}    # account: (connection, contact, registered, lock, assurance)
        self.messages = []  # (account, connection, Message) that nobody has waited for yet
        self.errors = []    # (account, connection, token, code, status, sentence)
        self.branch = 0
        self._packet(HELLO)

    def close(self):
        self.socket.close()

    def _packet(self, kind, account=0, connection=0, payload=b"", token=0):
        self.socket.send(HEADER.pack(b"SIPS", 1, kind, account, connection, len(payload), token) + payload)

    def _state(self, account, connection, payload):
        up, _inbound, lock, assurance, registered, _ = payload[:6]
        texts, rest = [], payload[6:]
        for _ in range(3):
            n = struct.unpack(">H", rest[:2])[0]
            texts.append(rest[2:2 + n].decode())
            rest = rest[2 + n:]
        assert rest == b"", "a state packet has more than three texts"
        if up:
            self.states[account] = (connection, texts[0], bool(registered), bool(lock), assurance)
        elif self.states.get(account, (0,))[0] == connection:
            del self.states[account]

    def _read(self, seconds):
        self.socket.settimeout(max(seconds, 0.001))
        try:
            packet = self.socket.recv(65536 + HEADER.size)
        except (TimeoutError, socket.timeout):
            return False
        if not packet:
            raise ConnectionError("sipsd closed relay.sock")
        magic, version, kind, account, connection, length, token = HEADER.unpack(packet[:HEADER.size])
        payload = packet[HEADER.size:]
        assert (magic, version, length) == (b"SIPS", 1, len(payload))
        if kind == STATE:
            self._state(account, connection, payload)
        elif kind == RECEIVE:
            self.messages.append((account, connection, Message(payload.decode())))
        elif kind == ERROR:
            code, status = struct.unpack(">HH", payload[:4])
            self.errors.append((account, connection, token, code, status, payload[4:].decode()))
        return True

    def _wait(self, find, seconds, what):
        end = time.monotonic() + seconds
        while True:
            found = find()
            if found is not None:
                return found
            if time.monotonic() > end:
                got = [m.start for _, _, m in self.messages]
                raise AssertionError(f"waited {seconds} s for {what}; there is {got}, {self.states}, {self.errors}")
            self._read(end - time.monotonic())

    def registered(self, account, seconds=10):
        return self._wait(lambda: self.states.get(account) if self.states.get(account, (0, 0, 0))[2] else None,
                          seconds, f"account {account} to be registered")

    def gone(self, account, seconds=10):
        self._wait(lambda: True if account not in self.states else None, seconds, f"account {account} to be gone")

    def error(self, token, seconds=5):
        return self._wait(lambda: next((e for e in self.errors if e[2] == token), None), seconds, "an error")

    def expect(self, account, what, seconds=10):
        """The next message of the account that is a response of that status, or a request of that method."""
        def find():
            for i, (a, connection, message) in enumerate(self.messages):
                if a == account and what in (message.status, message.method if not message.status else None):
                    del self.messages[i]
                    return connection, message
            return None
        return self._wait(find, seconds, f"{what} for account {account}")

    def send(self, account, text, connection=0, token=0):
        self._packet(SEND, account, connection, text.encode(), token)

    def dialogs(self, account, connection, count):
        self._packet(DIALOGS, account, connection, struct.pack(">I", count))

    # --- a user agent ---

    def request(self, method, uri, account, cseq, call_id, sender, to, routes=(), body="", more=""):
        self.branch += 1
        lines = [f"{method} {uri} SIP/2.0", f"Via: SIP/2.0/TLS phone.invalid;branch=z9hG4bKcc{os.getpid()}x{self.branch}",
                 "Max-Forwards: 70", f"From: {sender}", f"To: {to}", f"Call-ID: {call_id}", f"CSeq: {cseq} {method}",
                 f"Contact: <{self.states[account][1]}>"]
        lines += [f"Route: {route}" for route in routes]
        if body:
            lines.append("Content-Type: application/sdp")
        return "\r\n".join(lines) + f"\r\n{more}Content-Length: {len(body)}\r\n\r\n{body}"

    def answer(self, account, connection, request, status, tag="cc", body=""):
        lines = [f"SIP/2.0 {status} Words"]
        lines += [f"Via: {via}" for via in request.all("Via")]
        lines += [f"Record-Route: {route}" for route in request.all("Record-Route")]
        to = request.get("To")
        lines += [f"From: {request.get('From')}", f"To: {to if ';tag=' in to else to + ';tag=' + tag}",
                  f"Call-ID: {request.get('Call-ID')}", f"CSeq: {request.get('CSeq')}",
                  f"Contact: <{self.states[account][1]}>"]
        if body:
            lines.append("Content-Type: application/sdp")
        self.send(account, "\r\n".join(lines) + f"\r\nContent-Length: {len(body)}\r\n\r\n{body}", connection)


class Call:
    """One side of a call: what later requests of it need (RFC 3261 section 12)."""

    def __init__(self, phone, account, connection):
        self.phone, self.account, self.connection = phone, account, connection
        self.cseq = 1

    @classmethod
    def dial(cls, phone, account, uri, user, more="", body=SDP):
        call = cls(phone, account, 0)
        call.id = f"call-{os.getpid()}-{phone.branch}@phone"
        call.local, call.remote, call.routes = f"<sips:{user}@localhost>;tag=me{phone.branch}", f"<{uri}>", []
        call.target = uri
        call.invite = phone.request("INVITE", uri, account, 1, call.id, call.local, call.remote, body=body, more=more)
        phone.send(account, call.invite)
        return call

    def answered(self, seconds=10):
        """The 200 came: acknowledges it."""
        self.connection, response = self.phone.expect(self.account, 200, seconds)
        self.remote, self.target = response.get("To"), response.uri("Contact")
        self.routes = list(reversed(response.elements("Record-Route")))
        self.request("ACK", 1)
        return response

    @classmethod
    def take(cls, phone, account, seconds=10, status=200):
        """An INVITE comes, and is answered."""
        connection, invite = phone.expect(account, "INVITE", seconds)
        call = cls(phone, account, connection)
        call.id, call.remote = invite.get("Call-ID"), invite.get("From")
        call.local, call.target = invite.get("To") + ";tag=cc", invite.uri("Contact")
        call.routes = invite.elements("Record-Route")
        phone.answer(account, connection, invite, 180)
        phone.answer(account, connection, invite, status, body=SDP if status == 200 else "")
        return call, invite

    def request(self, method, cseq=None, body=""):
        if cseq is None:
            self.cseq += 1
        self.phone.send(self.account, self.phone.request(
            method, self.target, self.account, cseq or self.cseq, self.id, self.local, self.remote, self.routes, body),
            self.connection)

    def hang_up(self):
        self.request("BYE")
        return self.phone.expect(self.account, 200)
