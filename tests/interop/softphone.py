"""baresip without a head: a SIP phone that is told what to do over TCP, and says what happens to it."""

import json
import re
import socket
import struct
import wave
from pathlib import Path

from peers import Process, free_port, wait_until

CONFIG = """
poll_method epoll
sip_listen 127.0.0.1:{sip}
call_local_timeout 120
call_max_calls 4
audio_player aubridge,{name}
audio_source aufile,{tone}
audio_alert aubridge,alert
rtp_ports {rtp}-{rtp_end}
rtp_stats yes
net_interface 127.0.0.1
module_path {modules}
module g711.so
module aufile.so
module aubridge.so
module_app account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
"""

MODULES = next((d for d in (Path("/usr/lib/baresip/modules"), Path("/usr/local/lib/baresip/modules")) if d.is_dir()), None)


def write_tone(path, seconds=60, rate=8000):
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        period = b"".join(struct.pack("<h", level) for level in (0, 8000, 11314, 8000, 0, -8000, -11314, -8000))
        out.writeframes(period * (seconds * rate // 8))


class Baresip:
    """A baresip with one account, which answers every call at once; ACCOUNT is a line of its file `accounts`."""

    def __init__(self, directory, account, rtp):
        self.directory = Path(directory)
        self.directory.mkdir()
        self.rtp = rtp
        write_tone(self.directory / "tone.wav")
        (self.directory / "accounts").write_text(account + "\n")
        (self.directory / "contacts").write_text("")
        self.process = self.socket = None
        self.rest, self.events = b"", []
        self.calls = 0

    def _configure(self):
        self.sip, self.control = free_port(), free_port()
        (self.directory / "config").write_text(CONFIG.format(
            name=self.directory.name, sip=self.sip, control=self.control, modules=MODULES, rtp=self.rtp,
            rtp_end=self.rtp + 98, tone=self.directory / "tone.wav"))

    def start(self):
        """It also takes the port above its own, for TLS, and ends where somebody has that: then it tries other ports."""
        for _ in range(5):
            self._configure()
            self.process = Process(["baresip", "-4", "-s", "-f", self.directory], self.directory / "log")
            wait_until(lambda: self._connect() or self.process.popen.poll() is not None, 20, "baresip to listen")
            if self.socket:
                return self
            self.process.stop()
            if "Address already in use" not in self.process.text():
                break
        raise AssertionError("baresip did not start:\n" + self.process.text()[-2000:])

    def _connect(self):
        """It takes one client at a time: whoever only looks whether it listens is one already."""
        try:
            self.socket = socket.create_connection(("127.0.0.1", self.control), 10)
        except ConnectionRefusedError:
            return False
        return True

    def stop(self):
        if self.socket:
            self.socket.close()
        if self.process:
            self.process.stop()
        self.socket = self.process = None

    def say(self, command, params=None):
        text = json.dumps({"command": command, **({"params": params} if params else {})}).encode()
        self.socket.sendall(b"%d:%s," % (len(text), text))

    def _read(self):
        """Takes what has come; netstrings of JSON."""
        self.socket.settimeout(0.02)
        try:
            data = self.socket.recv(65536)
            assert data, "baresip closed its control connection"
            self.rest += data
        except (TimeoutError, socket.timeout):
            pass
        while match := re.match(rb"(\d+):", self.rest):
            start, n = match.end(), int(match.group(1))
            if len(self.rest) < start + n + 1:
                break
            self.events.append(json.loads(self.rest[start:start + n]))
            self.rest = self.rest[start + n + 1:]

    def _take(self, kind):
        self._read()
        for i, event in enumerate(self.events):
            if event.get("type") == kind:
                del self.events[:i + 1]
                return event
        return None

    def wait(self, kind, seconds=15):
        """The next event of that type: CALL_ESTABLISHED, CALL_CLOSED ..."""
        try:
            return wait_until(lambda: self._take(kind), seconds, f"{self.directory.name} to tell {kind}")
        except AssertionError as e:
            raise AssertionError(f"{e}; it told {self.events}") from None

    def text(self):
        return self.process.text()

    def packets(self):
        """RTP packets sent and received in each of its calls, as it says when they end."""
        return [(int(sent), int(received)) for sent, received in re.findall(r"packets: +(\d+) +(\d+)", self.text())]

    def hears(self, seconds):
        """Waits for the media of one more call."""
        self.calls += 1
        wait_until(lambda: self.text().count("incoming rtp for 'audio' established") >= self.calls, seconds, "RTP to arrive")

    def _messages(self):
        """The SIP messages of its trace."""
        return re.findall(r"#\n\w+ \S+ -> \S+\n(.*?)\x1b\[;m", self.text(), re.DOTALL)

    def registers(self):
        """Waits until it has; it may have before anybody could listen to its events."""
        wait_until(lambda: any(m.startswith("SIP/2.0 200") and re.search(r"CSeq: \d+ REGISTER", m) for m in self._messages()),
                   15, f"{self.directory.name} to be registered")

    def offers(self, direction):
        """INVITEs that it has sent or got, with media in this direction."""
        return sum(m.startswith("INVITE ") and f"\na={direction}" in m.replace("\r", "") for m in self._messages())

    def accepted(self):
        """200s to an INVITE that it has sent or got."""
        return sum(m.startswith("SIP/2.0 200") and re.search(r"CSeq: \d+ INVITE", m) is not None for m in self._messages())
