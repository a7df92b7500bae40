#!/usr/bin/env python3
"""Runs tlsfuzzer's scripts against tlspeer, each with the options and the kind of server that it is for.

usage: tlsfuzzer.py [--jobs N] [--log DIR] TLSPEER TLSFUZZER [SCRIPT...]

TLSPEER is the program, TLSFUZZER a checkout of https://github.com/tlsfuzzer/tlsfuzzer whose Python modules
(tlslite-ng, ecdsa) can be imported. Without SCRIPT, all in the list below are run; a SCRIPT is named without
"test-" and ".py". A script passes when it says so as a whole: no conversation is left out, or expected to
fail. docs/tls-conformance.md says what else there is, and why it is not in the list.
"""

import argparse
import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

SUITE = ["-C", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]  # else they want RSA key exchange and CBC
ALL = ["-n", "0"]  # conversations, where the script would choose some at random
ASKED = ["--client-auth", "request"]
OURS = ("ecdsa_secp256r1_sha256 rsa_pss_rsae_sha256 ecdsa_secp384r1_sha384 rsa_pss_rsae_sha384 "
        "ecdsa_secp521r1_sha512 rsa_pss_rsae_sha512 rsa_pkcs1_sha256 rsa_pkcs1_sha384 rsa_pkcs1_sha512")
OURS_12 = "ecdsa_secp256r1_sha256 ecdsa_secp384r1_sha384 rsa_pkcs1_sha256 rsa_pkcs1_sha384"
RSA, ECDSA = "rsa", "ecdsa"  # the client's key

# name: (options, the client's key, the server's options)
SCRIPTS = {
    # TLS 1.2
    "ccs": (SUITE, None, []),
    "certificate-malformed": (SUITE + ALL, RSA, ASKED),
    "certificate-request": (SUITE + ["-s", OURS_12], RSA, ASKED),
    "certificate-verify": (SUITE, RSA, ASKED),
    "certificate-verify-malformed": (SUITE + ALL, RSA, ASKED),
    "connection-abort": (SUITE, None, []),
    "conversation": (SUITE, None, []),
    "cve-2004-0079": (SUITE, None, []),
    "cve-2016-6309": (SUITE, None, []),
    "cve-2016-7054": (ALL, None, []),
    "early-application-data": (SUITE, None, []),
    "ecdhe-rsa-key-exchange-with-bad-messages": (SUITE, None, []),
    "fuzzed-ciphertext": (SUITE + ALL, None, []),
    "hello-request-by-client": (SUITE, None, []),
    "interleaved-CKE-with-CCS": (SUITE, None, []),
    "invalid-client-hello-w-record-overflow": (SUITE + ALL, None, []),
    "invalid-compression-methods": (SUITE, None, []),
    "invalid-content-type": (SUITE, None, []),
    "lengths": (SUITE + ["-n", "200", "--size-limit", "4096"], None, ["--echo"]),
    "no-mlkem-in-old-tls": (SUITE, None, []),
    "point-extension": (SUITE, None, []),
    "record-layer-fragmentation": (SUITE, None, []),
    "renegotiation-disabled": (SUITE, None, []),
    "sslv2-connection": ([], None, []),
    "sslv2-force-cipher": ([], None, []),
    "sslv2-force-cipher-3des": ([], None, []),
    "sslv2-force-cipher-non3des": ([], None, []),
    "sslv2-force-export-cipher": ([], None, []),
    "truncating-of-client-hello": (SUITE + ALL, None, []),
    "version-numbers": (SUITE, None, []),
    "zero-length-data": (SUITE, None, []),
    # TLS 1.3
    "tls13-ccs": ([], None, []),
    "tls13-certificate-request": (["-s", OURS, "-E", "key_share:SH supported_versions:SH"], RSA, ASKED),
    "tls13-certificate-verify": (["-s", OURS] + ALL, RSA, ASKED),
    "tls13-conversation": ([], None, []),
    "tls13-count-tickets": ([], None, []),
    "tls13-ecdsa-in-certificate-verify": (["-s", OURS] + ALL, ECDSA, ASKED),
    "tls13-empty-alert": ([], None, []),
    "tls13-finished": (ALL, None, []),
    "tls13-finished-plaintext": ([], None, []),
    "tls13-hrr": ([], None, []),
    "tls13-invalid-ciphers": (ALL, None, []),
    "tls13-keyshare-omitted": ([], None, []),
    "tls13-keyupdate": (ALL, None, []),
    "tls13-keyupdate-from-server": ([], None, []),
    "tls13-large-number-of-extensions": (ALL, None, []),
    "tls13-legacy-version": ([], None, []),
    "tls13-multiple-ccs-messages": ([], None, []),
    "tls13-no-unknown-groups": (["--groups", "x25519,secp256r1,secp384r1,secp521r1"] + ALL, None, []),
    "tls13-nociphers": ([], None, []),
    "tls13-pkcs-signature": ([], None, []),
    "tls13-record-layer-limits": (ALL, None, []),
    "tls13-record-padding": ([], None, []),
    "tls13-rsa-signatures": ([], None, []),
    "tls13-session-resumption": (["--tls1.2-cipher", SUITE[1], "--client-pke", "psk_dhe_ke",
                                  "--server-preferred-pke", "psk_dhe_ke"], None, []),
    "tls13-shuffled-extentions": ([], None, []),
    "tls13-signature-algorithms": (ALL, None, []),
    "tls13-unencrypted-alert": ([], None, []),
    "tls13-zero-content-type": ([], None, []),
    "tls13-zero-length-data": ([], None, []),
}

SECONDS = 1200  # for a script
LONGER = {"tls13-finished": 7200}  # its messages of 16 MB, encrypted in Python
WAIT = "300"  # seconds: so long is a script busy with one of them


def make_certificate(directory, name, algorithm, usage):
    files = directory / f"{name}.pem", directory / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-nodes", "-newkey", *algorithm, "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost", "-addext", f"extendedKeyUsage={usage}",
                    "-days", "30", "-out", files[0], "-keyout", files[1]], check=True, capture_output=True)
    return files


class Server:
    """tlspeer, and what it says."""

    def __init__(self, program, files, options):
        self.popen = subprocess.Popen([program, "--listen", "0", "--wait", WAIT, "--cert", files[0], "--key", files[1],
                                       *options],
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.port = self.popen.stdout.readline().split()[1]
        self.said = []
        threading.Thread(target=lambda: self.said.extend(self.popen.stdout), daemon=True).start()

    def stop(self):
        """Whether it had gone on to the end."""
        alive = self.popen.poll() is None
        self.popen.terminate()
        self.popen.wait()
        return alive


def run(name, o, certificates):
    options, key, server_options = SCRIPTS[name]
    if key:
        options = options + ["-c", certificates[key][0], "-k", certificates[key][1]]
    server = Server(o.tlspeer, certificates["server"], server_options)
    try:
        done = subprocess.run([sys.executable, f"scripts/test-{name}.py", "-h", "localhost", "-p", server.port,
                               *options], cwd=o.tlsfuzzer, env=dict(os.environ, PYTHONPATH=o.path), text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LONGER.get(name, SECONDS))
        passed, text = done.returncode == 0, done.stdout
    except subprocess.TimeoutExpired:
        passed, text = False, "it takes too long\n"
    if not server.stop():
        passed, text = False, text + "the server has died\n"
    if o.log:
        (o.log / f"{name}.log").write_text(text + "--- the server:\n" + "".join(server.said))
    total = re.search(r"^TOTAL: (\d+)", text, re.M)
    print("passed" if passed else "FAILED", name, total.group(1) if total else 0, flush=True)
    return name, passed


def main():
    parser = argparse.ArgumentParser(description="Runs tlsfuzzer's scripts against tlspeer.")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--log", type=Path)
    parser.add_argument("tlspeer", type=Path)
    parser.add_argument("tlsfuzzer", type=Path)
    parser.add_argument("scripts", nargs="*")
    o = parser.parse_args()
    o.tlspeer = o.tlspeer.resolve()
    o.path = os.pathsep.join([str(o.tlsfuzzer.resolve()), os.environ.get("PYTHONPATH", "")])
    if o.log:
        o.log.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="tlsfuzzer-") as directory:
        certificates = {
            "server": make_certificate(Path(directory), "server", ["rsa:2048"], "serverAuth"),
            RSA: make_certificate(Path(directory), "client", ["rsa:2048"], "clientAuth"),
            ECDSA: make_certificate(Path(directory), "client-ec", ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
                                    "clientAuth"),
        }
        with concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
            jobs = [pool.submit(run, name, o, certificates) for name in o.scripts or SCRIPTS]
            results = [job.result() for job in concurrent.futures.as_completed(jobs)]
            failed = [name for name, passed in results if not passed]
        # Some wait 0.1 s for an answer, and fail on a busy machine: once more, alone.
        failed = [name for name in failed if not run(name, o, certificates)[1]]
    print(f"{len(jobs) - len(failed)} of {len(jobs)} scripts pass")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
