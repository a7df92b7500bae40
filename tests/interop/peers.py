"""Peers that we did not write, run on loopback for one test: started, watched and ended by their process id."""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path


def free_port():
    """A TCP port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_until(condition, seconds, what):
    """Returns condition()'s first true value; fails with `what` after so many seconds."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.01)


def accepts(port, host="127.0.0.1"):
    """Whether somebody listens there."""
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex((host, port)) == 0


def make_pki(directory, *profiles, name="localhost", ip="127.0.0.1"):
    """A throw-away PKI; returns its directory: ca.pem, PROFILE/chain.pem, PROFILE/key.pem."""
    subprocess.run([os.environ["TESTPKI"], "--name", name, "--ip", ip, str(directory), *profiles], check=True)
    return Path(directory)


class Process:
    """A program with its own process group and a log file; ended with its children by stop()."""

    def __init__(self, arguments, log, **options):
        self.log = Path(log)
        with open(self.log, "ab") as out:
            self.popen = subprocess.Popen([str(a) for a in arguments], stdin=subprocess.DEVNULL, stdout=out,
                                          stderr=subprocess.STDOUT, start_new_session=True, **options)

    def text(self):
        return self.log.read_text(errors="replace")

    def stop(self, sig=signal.SIGTERM, seconds=10):
        """Returns the exit status."""
        if self.popen.poll() is None:
            self.popen.send_signal(sig)
            try:
                self.popen.wait(seconds)
            except subprocess.TimeoutExpired:
                os.killpg(self.popen.pid, signal.SIGKILL)
        status = self.popen.wait()
        try:
            os.killpg(self.popen.pid, signal.SIGKILL)  # children that outlived it
        except ProcessLookupError:
            pass
        return status


class Endpoint:
    """Where a server listens and which certificate of the PKI it shows there."""

    def __init__(self, pki, profile, method="TLSv1.2+", client_ca=None, ciphers="DEFAULT@SECLEVEL=0"):
        self.port = free_port()
        self.chain = Path(pki) / profile / "chain.pem"
        self.key = Path(pki) / profile / "key.pem"
        self.method = method
        self.ciphers = ciphers  # of TLS 1.2 and older
        self.client_ca = client_ca  # PEM of the CAs whose client certificates are required


CONFIG = """#!KAMAILIO
debug=2
log_stderror=yes
log_prefix="{{$si:$sp}} "
fork=yes
children=1
tcp_children=1
enable_tls=yes
tcp_connection_lifetime=3600
tcp_crlf_ping=yes
auto_aliases=no
dns=no
rev_dns=no
alias={domain}
{listen}
loadmodule "tls.so"
loadmodule "kex.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "xlog.so"
loadmodule "sanity.so"
loadmodule "auth.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "nathelper.so"
modparam("tls", "config", "{tls}")
modparam("tls", "low_mem_threshold1", 0)
modparam("tls", "low_mem_threshold2", 0)
modparam("auth", "algorithm", "{algorithm}")
modparam("auth", "nonce_expire", {nonce_expire})
modparam("auth", "qop", "auth")
modparam("usrloc", "db_mode", 0)
modparam("nathelper", "received_avp", "$avp(received)")
modparam("registrar", "received_avp", "$avp(received)")
modparam("registrar", "default_expires", 600)
modparam("registrar", "min_expires", 5)
modparam("registrar", "max_expires", 3600)

request_route {{
  xlog("L_WARN", "REQUEST $rm $Rp $fU expires=$hdr(Expires)\\n");
  if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
  if (!sanity_check("17895", "7")) {{ exit; }}
  if (is_method("OPTIONS")) {{ sl_send_reply("200", "OK"); exit; }}
  {calls}
  force_rport();
  if (!pv_www_authenticate("{domain}", "{password}", "0")) {{ www_challenge("{domain}", "1"); exit; }}
  if ($(hdr(Expires){{s.int}}) > 0 && $(hdr(Expires){{s.int}}) < {refuse_below}) {{
    append_to_reply("Min-Expires: {refuse_below}\r\n");
    sl_send_reply("423", "Interval Too Brief");
    exit;
  }}
  fix_nated_register();
  if (!save("location")) sl_reply_error();
  xlog("L_WARN", "SAVED $rm $Rp $fU expires=$hdr(Expires) tls=$tls_version peer=$tls_peer_subject_cn\\n");
  exit;
}}

# Phones are called back over their own connections, whatever port is in their Contacts.
onreply_route {{ add_contact_alias(); }}
"""


NO_CALLS = 'if (!is_method("REGISTER")) { sl_send_reply("405", "Method Not Allowed"); exit; }'

# Calls among the registered, and to the user "sipp", who is at a TCP port.
CALLS = """if (!is_method("REGISTER")) {
    if (has_totag()) {
      if (!loose_route()) {
        if (is_method("ACK") && t_check_trans()) { t_relay(); exit; }
        sl_send_reply("404", "Not Here");
        exit;
      }
      handle_ruri_alias();
      add_contact_alias();
      if (!t_relay()) sl_reply_error();
      exit;
    }
    if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
    if (is_method("ACK")) { if (t_check_trans()) t_relay(); exit; }
    add_contact_alias();
    record_route();
    if ($rU == "sipp") $du = "sip:127.0.0.1:SIPP_PORT;transport=tcp";
    else if (!lookup("location")) { sl_send_reply("404", "Not Found"); exit; }
    xlog("L_WARN", "RELAYED $rm to $du $ru\\n");
    if (!t_relay()) sl_reply_error();
    exit;
  }"""


class Kamailio:
    """Kamailio as a registrar with digest over TLS: every user has the same password. With `tcp`, a port for SIP over
    TCP, and `sipp`, the port of a UAS, it is a proxy for calls too."""

    password = "correct-horse"

    def __init__(self, directory, endpoints, domain="localhost", algorithm="MD5", nonce_expire=300, refuse_below=0, tcp=None,
                 sipp=None, memory=64):
        self.directory = Path(directory)
        self.directory.mkdir(exist_ok=True)
        self.endpoints = endpoints
        self.process = None
        self.memory = memory  # MB that its processes share
        self._write_tls_config(endpoints)
        listen = "\n".join(f"listen=tls:127.0.0.1:{e.port}" for e in endpoints)
        if tcp:
            listen += f"\nlisten=tcp:127.0.0.1:{tcp}"
        calls = CALLS.replace("SIPP_PORT", str(sipp)) if tcp else NO_CALLS
        (self.directory / "kamailio.cfg").write_text(CONFIG.format(
            domain=domain, listen=listen, calls=calls, tls=self.directory / "tls.cfg", algorithm=algorithm, password=self.password,
            nonce_expire=nonce_expire, refuse_below=refuse_below))

    def _write_tls_config(self, endpoints):
        first = endpoints[0]
        text = f"[server:default]\nmethod = TLSv1.2+\nprivate_key = {first.key}\ncertificate = {first.chain}\n"
        text += "[client:default]\nmethod = TLSv1.2+\n"
        for e in endpoints:
            text += (f"[server:127.0.0.1:{e.port}]\nmethod = {e.method}\nprivate_key = {e.key}\n"
                     f"certificate = {e.chain}\ncipher_list = {e.ciphers}\n")
            if e.client_ca:
                text += f"verify_certificate = yes\nrequire_certificate = yes\nca_list = {e.client_ca}\n"
        (self.directory / "tls.cfg").write_text(text)

    def start(self):
        run = self.directory / "run"
        shutil.rmtree(run, ignore_errors=True)
        run.mkdir()
        self.process = Process(["kamailio", "-DD", "-m", str(self.memory), "-M", "8", "-f", self.directory / "kamailio.cfg",
                                "-P", run / "pid", "-Y", run, "-w", run], self.directory / "log")
        wait_until(lambda: self.process.popen.poll() is not None or all(accepts(e.port) for e in self.endpoints), 20,
                   "Kamailio to listen")
        if self.process.popen.poll() is not None:
            raise AssertionError("Kamailio did not start:\n" + self.process.text()[-2000:])
        return self

    def stop(self):
        if self.process:
            self.process.stop()
            self.process = None

    def text(self):
        return (self.directory / "log").read_text(errors="replace")

    def requests(self, endpoint):
        """The methods of all SIP requests that came in at this endpoint."""
        return re.findall(rf"REQUEST (\w+) {endpoint.port} ", self.text())

    def saved(self, endpoint):
        """How often a registration was saved or removed there: the Expires of each."""
        return re.findall(rf"SAVED REGISTER {endpoint.port} \S+ expires=(\S+)", self.text())

    def __enter__(self):
        return self.start()

    def __exit__(self, *exception):
        self.stop()
