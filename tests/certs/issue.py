"""Issues certificates and revocation lists, right or as wrong as a case wants them.

Keys and signatures are made by the openssl program; everything around them by der.py. Keys live in
a temporary directory for one run.
"""
import copy
import hashlib
import os
import subprocess

import der

# The time at which cases are judged: 2027-01-15T08:00:00Z, if nobody wants another.
NOW = int(os.environ.get("CERTS_NOW", "1800000000"))
DAY = 86400
NOT_BEFORE = NOW - 100 * DAY
NOT_AFTER = NOW + 100 * DAY

KEY_TYPES = {
    "p256": ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "p384": ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "p521": ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
    "p192": ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-192"],
    "secp256k1": ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"],
    "p256-explicit": ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256",
                      "-pkeyopt", "ec_param_enc:explicit"],
    "rsa2048": ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    "rsa1024": ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
    "rsa2052": ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2052"],
    "rsa2048-e3": ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048",
                   "-pkeyopt", "rsa_keygen_pubexp:3"],
    "ed25519": ["genpkey", "-algorithm", "ED25519"],
}


def _ecdsa(bits):
    oids = {256: "1.2.840.10045.4.3.2", 384: "1.2.840.10045.4.3.3", 512: "1.2.840.10045.4.3.4"}
    return der.seq(der.oid(oids[bits]))


def _pss(bits):
    digest = der.seq(der.oid({256: "2.16.840.1.101.3.4.2.1", 384: "2.16.840.1.101.3.4.2.2"}[bits]),
                     der.null())
    mask = der.seq(der.oid("1.2.840.113549.1.1.8"), digest)
    return der.seq(der.oid("1.2.840.113549.1.1.10"),
                   der.seq(der.context(0, digest, True), der.context(1, mask, True),
                           der.context(2, der.integer(bits // 8), True)))


# name: AlgorithmIdentifier, digest for openssl, its further options
ALGORITHMS = {
    "ecdsa-sha256": (_ecdsa(256), "-sha256", []),
    "ecdsa-sha384": (_ecdsa(384), "-sha384", []),
    "ecdsa-sha512": (_ecdsa(512), "-sha512", []),
    "ecdsa-sha224": (der.seq(der.oid("1.2.840.10045.4.3.1")), "-sha224", []),
    "ecdsa-sha256-null": (der.seq(der.oid("1.2.840.10045.4.3.2"), der.null()), "-sha256", []),
    "ecdsa-sha1": (der.seq(der.oid("1.2.840.10045.4.1")), "-sha1", []),
    "rsa-sha256": (der.seq(der.oid("1.2.840.113549.1.1.11"), der.null()), "-sha256", []),
    "rsa-sha256-absent": (der.seq(der.oid("1.2.840.113549.1.1.11")), "-sha256", []),
    "rsa-sha1": (der.seq(der.oid("1.2.840.113549.1.1.5"), der.null()), "-sha1", []),
    "rsa-md5": (der.seq(der.oid("1.2.840.113549.1.1.4"), der.null()), "-md5", []),
    "pss-sha256": (_pss(256), "-sha256", ["-sigopt", "rsa_padding_mode:pss",
                                          "-sigopt", "rsa_pss_saltlen:32"]),
    "ed25519": (der.seq(der.oid("1.3.101.112")), None, []),
}


class Key:
    """A key pair; SPKI is its public half as it stands in certificates."""

    def __init__(self, path, kind):
        self.path, self.kind = path, kind
        self.spki = subprocess.run(["openssl", "pkey", "-in", path, "-pubout", "-outform", "DER"],
                                   check=True, capture_output=True).stdout
        self.key_id = hashlib.sha1(self.spki).digest()

    def written(self, spki):
        """The same key, whose public half stands as SPKI in certificates."""
        other = copy.copy(self)
        other.spki = spki
        return other

    def algorithm(self):
        if self.kind.startswith("rsa"):
            return "rsa-sha256"
        return {"p384": "ecdsa-sha384", "p521": "ecdsa-sha512",
                "ed25519": "ed25519"}.get(self.kind, "ecdsa-sha256")

    def sign(self, algorithm, data):
        _, digest, options = ALGORITHMS[algorithm]
        if digest is None:
            message = self.path + ".tbs"
            with open(message, "wb") as f:
                f.write(data)
            command = ["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", self.path, "-in", message]
            return subprocess.run(command, check=True, capture_output=True).stdout
        command = ["openssl", "dgst", digest, "-sign", self.path, *options]
        return subprocess.run(command, input=data, check=True, capture_output=True).stdout


class Keys:
    """Makes keys when they are asked for: the same name and kind is the same key."""

    def __init__(self, directory):
        self.directory, self.known = directory, {}

    def get(self, name, kind="p256"):
        if (name, kind) not in self.known:
            path = os.path.join(self.directory, f"{len(self.known)}.key")
            subprocess.run(["openssl", *KEY_TYPES[kind], "-out", path], check=True,
                           capture_output=True)
            self.known[name, kind] = Key(path, kind)
        return self.known[name, kind]


# --- extensions: each gives (OID, critical, value) ---

def ext(oid, critical, value):
    return (oid, critical, value)


def basic_constraints(ca=True, pathlen=None, critical=True, raw=None):
    content = (der.boolean(True) if ca else b"") + \
        (der.integer(pathlen) if pathlen is not None else b"")
    return ext("2.5.29.19", critical, raw if raw is not None else der.seq(content))


USAGES = {"digitalSignature": 0, "keyEncipherment": 2, "keyAgreement": 4, "keyCertSign": 5,
          "cRLSign": 6}


def key_usage(*usages, critical=True):
    return ext("2.5.29.15", critical, der.named_bits(*(USAGES[u] for u in usages)))


PURPOSES = {"server": "1.3.6.1.5.5.7.3.1", "client": "1.3.6.1.5.5.7.3.2",
            "code": "1.3.6.1.5.5.7.3.3", "any": "2.5.29.37.0", "sip": "1.3.6.1.5.5.7.3.20"}


def eku(*purposes, critical=False):
    return ext("2.5.29.37", critical, der.seq(*(der.oid(PURPOSES[p]) for p in purposes)))


def san(*names, critical=False):
    return ext("2.5.29.17", critical, der.seq(der.general_names(names)))


def ski(key_id, critical=False):
    return ext("2.5.29.14", critical, der.octets(key_id))


def aki(key_id=None, issuer=None, serial=None, critical=False):
    content = b""
    if key_id is not None:
        content += der.context(0, key_id)
    if issuer is not None:
        content += der.context(1, der.general_name("dir:" + issuer), True)
    if serial is not None:
        content += der.context(2, der.integer(serial)[2:])
    return ext("2.5.29.35", critical, der.seq(content))


def name_constraints(permitted=(), excluded=(), critical=True, raw=None):
    def subtrees(n, names):
        if not names:
            return b""
        return der.context(n, b"".join(der.seq(der.general_name(x)) for x in names), True)
    value = der.seq(subtrees(0, permitted), subtrees(1, excluded)) if raw is None else raw
    return ext("2.5.29.30", critical, value)


def policies(*oids, critical=False):
    return ext("2.5.29.32", critical, der.seq(*(der.seq(der.oid(o)) for o in oids)))


def policy_mappings(*pairs, critical=True):
    return ext("2.5.29.33", critical,
               der.seq(*(der.seq(der.oid(a), der.oid(b)) for a, b in pairs)))


def policy_constraints(explicit=None, mapping=None, critical=True):
    content = (der.context(0, der.integer(explicit)[2:]) if explicit is not None else b"") + \
        (der.context(1, der.integer(mapping)[2:]) if mapping is not None else b"")
    return ext("2.5.29.36", critical, der.seq(content))


def inhibit_any(skip, critical=True):
    return ext("2.5.29.54", critical, der.integer(skip))


def info_access(url, critical=False, raw=None):
    value = der.seq(der.seq(der.oid("1.3.6.1.5.5.7.48.2"), der.general_name("URI:" + url)))
    return ext("1.3.6.1.5.5.7.1.1", critical, value if raw is None else raw)


# --- certificates ---

class Cert:
    """A certificate; TBS, SIGNER (a key) and ALGORITHM are kept so that it can be signed again."""

    def __init__(self, tbs, outer, subject, key, serial, signer, algorithm):
        self.tbs, self.outer, self.subject, self.key = tbs, outer, subject, key
        self.serial, self.signer, self.algorithm = serial, signer, algorithm
        self.der = self.signed(tbs)

    def signed(self, tbs):
        """The whole of it around another TBS."""
        return der.seq(tbs, self.outer, der.bits(self.signer.sign(self.algorithm, tbs)))

    def pem(self):
        return der.pem("CERTIFICATE", self.der)


_serials = iter(range(0x1000, 0x7FFFFFFF))


def encode_extensions(extensions):
    out = []
    for oid, critical, value in extensions:
        out.append(der.seq(der.oid(oid), der.boolean(True) if critical else b"",
                           der.octets(value)))
    return der.seq(*out)


def issue(subject, key, issuer=None, extensions=(), *, serial=None, not_before=NOT_BEFORE,
          not_after=NOT_AFTER, version=3, algorithm=None, outer_algorithm=None, break_signature=False,
          tag=0x0C, issuer_name=None, trailing=b"", unique_ids=b""):
    """A certificate of SUBJECT (as der.name() takes it) and KEY by ISSUER (None: self-signed)."""
    serial = next(_serials) if serial is None else serial
    signer = issuer.key if issuer else key
    algorithm = algorithm or signer.algorithm()
    identifier = ALGORITHMS[algorithm][0]
    if issuer_name is None:
        issuer_name = issuer.subject if issuer else der.name(subject, tag)
    body = [der.context(0, der.integer(version - 1), True) if version > 1 else b"",
            der.integer(serial), identifier, issuer_name,
            der.seq(der.time(not_before), der.time(not_after)), der.name(subject, tag), key.spki,
            unique_ids]
    if extensions:
        body.append(der.context(3, encode_extensions(extensions), True))
    tbs = der.seq(*body)
    outer = ALGORITHMS[outer_algorithm][0] if outer_algorithm else identifier
    cert = Cert(tbs, outer, der.name(subject, tag), key, serial, signer, algorithm)
    if break_signature:
        cert.der = cert.der[:-1] + bytes([cert.der[-1] ^ 1])
    cert.der += trailing
    return cert


# --- revocation lists ---

def revoke(issuer, serials=(), *, this_update=NOW - DAY, next_update=NOW + DAY, number=1,
           extensions=(), entry_extensions=(), break_signature=False, signer=None):
    """A list by ISSUER, signed by SIGNER's key if it is another, as PEM."""
    key = (signer or issuer).key
    algorithm = key.algorithm()
    entries = []
    for serial in serials:
        extra = encode_extensions(entry_extensions) if entry_extensions else b""
        entries.append(der.seq(der.integer(serial), der.time(this_update), extra))
    all_extensions = [aki(key.key_id), ext("2.5.29.20", False, der.integer(number)), *extensions]
    body = [der.integer(1), ALGORITHMS[algorithm][0], issuer.subject, der.time(this_update)]
    if next_update is not None:
        body.append(der.time(next_update))
    if entries:
        body.append(der.seq(*entries))
    body.append(der.context(0, encode_extensions(all_extensions), True))
    tbs = der.seq(*body)
    signature = bytearray(key.sign(algorithm, tbs))
    if break_signature:
        signature[-1] ^= 1
    return der.pem("X509 CRL", der.seq(tbs, ALGORITHMS[algorithm][0], der.bits(bytes(signature))))
