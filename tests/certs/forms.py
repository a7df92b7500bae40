"""What only the public profile refuses, and where it draws the line: each chain is judged by both
profiles. The rules are those of RFC 5280 section 4 and of the CA/Browser Forum's Baseline
Requirements, section 7.1."""
import der
from chains import HOST, Case
from issue import aki, basic_constraints, eku, ext, info_access, key_usage, name_constraints, san

ISSUING = "O=Example/CN=Issuing CA"
LONG_LABEL = "a" * 64 + ".example.com"
LONG_NAME = ".".join(["a" * 50] * 5) + ".com"


def both(name, public, compatible, chain, trusted, **asked):
    yield Case(f"form/{name}", public, chain, trusted, **asked)
    yield Case(f"form/{name}/compatible", compatible, chain, trusted, profile="compatible", **asked)


# --- common names: name, CN, SAN (None: none), public, compatible; asked for is HOST or as said ---

DNS, IP4, IP6 = "DNS:" + HOST, "IP:192.0.2.1", "IP:2001:db8::1"
COMMON_NAMES = [
    ("copy", HOST, [DNS], "accept", "accept", HOST),
    ("copy-of-the-second", "a.example.com", [DNS, "DNS:a.example.com"], "accept", "accept", HOST),
    ("other-host", "a.example.com", [DNS], "malformed", "accept", HOST),
    ("other-case", "SIP.example.com", [DNS], "malformed", "accept", HOST),
    ("trailing-dot", HOST + ".", [DNS], "malformed", "accept", HOST),
    ("parent", "example.com", [DNS], "malformed", "accept", HOST),
    ("wildcard-copy", "*.example.com", ["DNS:*.example.com"], "accept", "accept", HOST),
    ("wildcard-no-copy", "*.example.com", [DNS], "malformed", "accept", HOST),
    ("letters-beside-a-label", "bücher.example", [DNS, "DNS:xn--bcher-kva.example"], "malformed",
     "accept", HOST),
    ("a-label-copy", "xn--bcher-kva.example", [DNS, "DNS:xn--bcher-kva.example"], "accept",
     "accept", HOST),
    ("underscore", "a_b.example.com", [DNS], "malformed", "accept", HOST),
    ("text", "Asterisk PBX", [DNS], "accept", "accept", HOST),
    ("text-with-version", "Asterisk 1.8", [DNS], "accept", "accept", HOST),
    ("version", "1.2", [DNS], "accept", "accept", HOST),
    ("label", "pbx", [DNS], "accept", "accept", HOST),
    ("person", "Dr. A. Example", [DNS], "accept", "accept", HOST),
    ("sip-uri", "sip:" + HOST, [DNS], "accept", "accept", HOST),
    ("address-copy", "192.0.2.1", [DNS, IP4], "accept", "accept", HOST),
    ("address-other", "192.0.2.9", [DNS, IP4], "malformed", "accept", HOST),
    ("address-other-without-dns", "192.0.2.9", [IP4], "malformed", "accept", "192.0.2.1"),
    ("address-as-dns", "192.0.2.1", [DNS, "DNS:192.0.2.1"], "accept", "accept", HOST),
    ("address-hexadecimal", "0xC0.0.2.1", [IP4], "malformed", "accept", "192.0.2.1"),
    ("address-octal", "0300.0.2.1", [IP4], "malformed", "accept", "192.0.2.1"),
    ("address6-copy", "2001:db8::1", [IP6], "accept", "accept", "2001:db8::1"),
    ("address6-long", "2001:db8:0:0:0:0:0:1", [IP6], "malformed", "accept", "2001:db8::1"),
    ("address6-upper-case", "2001:DB8::1", [IP6], "malformed", "accept", "2001:db8::1"),
    ("address6-brackets", "[2001:db8::1]", [IP6], "malformed", "accept", "2001:db8::1"),
    # RFC 2818 section 3.1: without a dNSName, the common name is a name itself
    ("host-without-san", HOST, None, "accept", "accept", HOST),
    ("host-beside-address", HOST, [IP4], "accept", "accept", HOST),
    ("host-beside-address-asked-for", HOST, [IP4], "accept", "accept", "192.0.2.1"),
    ("host-beside-email", HOST, ["email:a@example.com"], "accept", "accept", HOST),
    ("host-beside-uri", HOST, ["URI:sip:" + HOST], "accept", "accept", HOST),
    ("other-host-without-san", "a.example.com", None, "name_mismatch", "name_mismatch", HOST),
    ("wildcard-without-san", "*.example.com", None, "accept", "accept", HOST),
    ("fragment-without-san", "s*.example.com", None, "name_mismatch", "name_mismatch", HOST),
    ("wildcard-of-a-country", "*.co.uk", None, "name_mismatch", "name_mismatch", "a.co.uk"),
    ("two-the-last-is-no-copy", HOST + "/CN=a.example.com", [DNS], "malformed", "accept", HOST),
    ("two-the-first-is-no-copy", "a.example.com/CN=" + HOST, [DNS], "malformed", "accept", HOST),
    ("two-without-san-last", "a.example.com/CN=" + HOST, None, "accept", "accept", HOST),
    ("two-without-san-first", HOST + "/CN=a.example.com", None, "name_mismatch", "name_mismatch",
     HOST),
]


def common_names(p):
    root = p.root()
    for name, cn, sans, public, compatible, host in COMMON_NAMES:
        leaf = p.leaf(root, "CN=" + cn, san=san(*sans) if sans is not None else None)
        yield from both(f"cn-{name}", public, compatible, [leaf], [root], host=host)
    leaf = p.leaf(root, "CN=a.example.com", eku=eku("client"))
    yield from both("cn-of-a-client", "accept", "accept", [leaf], [root], host=None,
                    purpose="client")


# --- dNSNames that are none, beside the right one; and wildcards ---

NO_HOSTS = ["", ".", "a..example.com", ".example.com", "example.com.", "my_host.example.com",
            "a b.example.com", "-a.example.com", "a-.example.com", LONG_LABEL, LONG_NAME,
            "evil.example\0.example.com", "*", "*.com", "*.co.uk", "a.*.example.com",
            "*.*.example.com", "**.example.com", "*a*.example.com", "*.a_b.example.com", "*.",
            "sip:sip.example.com", "http://sip.example.com/", "[2001:db8::1]"]
HOSTS = ["localhost", "pbx", "1.example.com", "a--b.example.com", "xn--bcher-kva.example",
         "*.example.com", "*.a.example.co.uk", "*.xn--bcher-kva.example", "s*.example.com",
         "192.0.2.1"]

# asked for, dNSName, public, compatible
WILDCARDS = [
    ("a.co.uk", "*.co.uk", "name_mismatch", "name_mismatch"),
    ("a.com.au", "*.com.au", "name_mismatch", "name_mismatch"),
    ("a.b.co.uk", "*.b.co.uk", "accept", "accept"),
    ("a.example.uk", "*.example.uk", "accept", "accept"),
    ("foo.com", "f*.com", "accept", "accept"),  # RFC 2818's own example
    ("bar.com", "f*.com", "name_mismatch", "name_mismatch"),
    ("xn--bcher-kva.example.com", "*.example.com", "accept", "accept"),
    ("xn--bcher-kva.example.com", "xn--b*.example.com", "name_mismatch", "name_mismatch"),
    ("a_b.example.com", "*.example.com", "accept", "accept"),
    ("a_b.example.com", "a_b.example.com", "malformed", "accept"),
    ("192.0.2.1", "*.0.2.1", "name_mismatch", "name_mismatch"),
    ("example.com", "*.example.com", "name_mismatch", "name_mismatch"),
]


def host_names(p):
    root = p.root()
    for text in NO_HOSTS:
        leaf = p.leaf(root, san=san(DNS, der.context(2, text.encode())))
        yield from both(f"san-beside-{text[:20]!r}", "malformed", "accept", [leaf], [root])
    for text in HOSTS:
        leaf = p.leaf(root, san=san(DNS, "DNS:" + text))
        yield from both(f"san-beside-{text}", "accept", "accept", [leaf], [root])
    for host, text, public, compatible in WILDCARDS:
        leaf = p.leaf(root, "CN=x", san=san("DNS:" + text))
        yield from both(f"{host}-by-{text}", public, compatible, [leaf], [root], host=host)
    # names of an address
    for host, value, expected in (("192.0.2.1", "::ffff:192.0.2.1", "name_mismatch"),
                                  ("::ffff:192.0.2.1", "192.0.2.1", "name_mismatch"),
                                  ("::ffff:192.0.2.1", "::ffff:192.0.2.1", "accept")):
        leaf = p.leaf(root, "CN=x", san=san("IP:" + value))
        yield from both(f"{host}-by-address-{value}", expected, expected, [leaf], [root], host=host)
    # what breaks the extension itself
    for name, broken in (("empty-ip", der.context(7, b"")), ("ip-of-5", der.context(7, b"12345")),
                         ("ip-of-32", der.context(7, b"1" * 32)), ("tag-9", der.context(9, b"x")),
                         ("constructed-dns", der.context(2, b"x.example", True)),
                         ("dns-not-ascii", der.context(2, b"\xe4.example")),
                         ("directory-name", der.context(4, b"x", True))):
        leaf = p.leaf(root, san=san(DNS, broken))
        yield from both(f"san-with-{name}", "malformed", "malformed", [leaf], [root])


# --- extensions and fields: name, place ("leaf", "ca", "root"), public, compatible, overrides ---

UNIQUE = der.context(1, b"\x00\x01")
FIELDS = [
    ("aki-critical", "leaf", "malformed", "accept",
     {"aki": lambda ca: aki(ca.key.key_id, critical=True)}),
    ("aki-issuer-and-serial", "leaf", "malformed", "accept",
     {"aki": lambda ca: aki(ca.key.key_id, "O=Example/CN=Root", ca.serial)}),
    ("aki-issuer-and-serial", "ca", "malformed", "accept",
     {"aki": lambda ca: aki(ca.key.key_id, "O=Example/CN=Root", ca.serial)}),
    ("aki-empty", "leaf", "malformed", "accept", {"aki": lambda ca: aki()}),
    ("no-aki", "leaf", "malformed", "accept", {"aki": None}),
    ("no-aki", "ca", "malformed", "accept", {"aki": None}),
    ("aki-of-another", "ca", "accept", "accept", {"aki": lambda ca: aki(b"\x01" * 20)}),
    ("no-ski", "leaf", "accept", "accept", {"ski": None}),
    ("no-ski", "ca", "malformed", "accept", {"ski": None}),
    ("no-ski", "root", "malformed", "accept", {"ski": None}),
    ("aki-of-another", "root", "malformed", "accept", {"aki": lambda ca: aki(b"\x01" * 20)}),
    ("aki-critical", "root", "malformed", "accept",
     {"aki": lambda ca: aki(ca.key.key_id, critical=True)}),
    ("aki-issuer-and-serial", "root", "malformed", "accept",
     {"aki": lambda ca: aki(ca.key.key_id, "O=Example/CN=Root", ca.serial)}),
    ("key-usage-not-critical", "leaf", "accept", "accept",
     {"ku": key_usage("digitalSignature", critical=False)}),
    ("key-usage-not-critical", "ca", "accept", "accept",
     {"ku": key_usage("keyCertSign", critical=False)}),
    ("no-key-usage", "leaf", "accept", "accept", {"ku": None}),
    ("no-key-usage", "ca", "malformed", "accept", {"ku": None}),
    ("no-key-usage", "root", "malformed", "accept", {"ku": None}),
    ("crl-sign", "leaf", "malformed", "accept", {"ku": key_usage("digitalSignature", "cRLSign")}),
    ("key-cert-sign", "leaf", "malformed", "accept",
     {"ku": key_usage("digitalSignature", "keyCertSign")}),
    ("crl-sign-only", "ca", "key_usage", "key_usage", {"ku": key_usage("cRLSign")}),
    ("cert-sign-without-ca", "ca", "not_a_ca", "not_a_ca",
     {"bc": basic_constraints(ca=False), "ku": key_usage("keyCertSign")}),
    ("basic-constraints-not-critical", "leaf", "accept", "accept",
     {"bc": basic_constraints(ca=False, critical=False)}),
    ("basic-constraints-not-critical", "ca", "malformed", "accept",
     {"bc": basic_constraints(critical=False)}),
    ("basic-constraints-not-critical", "root", "malformed", "accept",
     {"bc": basic_constraints(critical=False)}),
    ("is-a-ca", "leaf", "key_usage", "accept", {"bc": basic_constraints()}),
    ("path-length", "leaf", "malformed", "accept", {"bc": basic_constraints(ca=False, pathlen=0)}),
    ("path-length-negative", "ca", "malformed", "malformed", {"bc": basic_constraints(pathlen=-1)}),
    ("path-length-padded", "ca", "malformed", "malformed",
     {"bc": basic_constraints(pathlen=b"\x00\x01")}),
    ("path-length-huge", "ca", "accept", "accept", {"bc": basic_constraints(pathlen=1 << 70)}),
    ("eku-critical", "leaf", "malformed", "accept", {"eku": eku("server", critical=True)}),
    ("eku-critical", "ca", "malformed", "accept", {"eku": eku("server", critical=True)}),
    ("eku-any", "leaf", "ext_key_usage", "accept", {"eku": eku("any")}),
    ("eku-any-and-server", "leaf", "ext_key_usage", "accept", {"eku": eku("any", "server")}),
    ("eku-any", "ca", "accept", "accept", {"eku": eku("any")}),
    ("eku-client", "ca", "ext_key_usage", "ext_key_usage", {"eku": eku("client")}),
    ("eku-client", "root", "ext_key_usage", "ext_key_usage", {"eku": eku("client")}),
    ("eku-server", "root", "ext_key_usage", "accept", {"eku": eku("server")}),
    ("no-eku", "leaf", "accept", "accept", {"eku": None}),
    ("name-constraints", "leaf", "malformed", "accept",
     {"nc": name_constraints(["DNS:example.com"])}),
    ("name-constraints-dotted", "ca", "malformed", "accept",
     {"nc": name_constraints(["DNS:.example.com"])}),
    ("name-constraints-dotted", "root", "malformed", "accept",
     {"nc": name_constraints(["DNS:.example.com"])}),
    ("information-access-critical", "leaf", "malformed", "accept",
     {"more": [info_access("http://a.example/", critical=True)]}),
    ("serial-zero", "leaf", "malformed", "accept", {"serial": 0}),
    ("serial-zero", "root", "accept", "accept", {"serial": 0}),
    ("serial-negative", "leaf", "malformed", "accept", {"serial": -1}),
    ("serial-negative", "ca", "malformed", "accept", {"serial": -1}),
    ("serial-of-21-bytes", "leaf", "malformed", "accept", {"serial": b"\x7f" * 21}),
    ("generalized-time", "leaf", "malformed", "accept",
     {"not_after": der.tlv(0x18, b"20491231235959Z")}),
    ("generalized-time-2050", "leaf", "accept", "accept",
     {"not_after": der.tlv(0x18, b"20500101000000Z")}),
    ("generalized-begin", "leaf", "malformed", "accept",
     {"not_before": der.tlv(0x18, b"20200101000000Z")}),
    ("unique-id", "leaf", "malformed", "accept", {"unique_ids": UNIQUE}),
    ("unique-id", "ca", "malformed", "accept", {"unique_ids": UNIQUE}),
    ("version-1", "leaf", "malformed", "accept", {"version": 1, "san": None}),
    ("version-2", "leaf", "malformed", "accept", {"version": 2, "san": None}),
    ("version-1", "ca", "not_a_ca", "not_a_ca", {"version": 1}),
    ("rsa-2052", "leaf", "weak_key", "accept", {"key_kind": "rsa2052"}),
    ("sha-224", "leaf", "weak_signature", "accept", {"algorithm": "ecdsa-sha224"}),
    ("ecdsa-null-parameters", "leaf", "weak_signature", "weak_signature",
     {"algorithm": "ecdsa-sha256-null"}),
]


def fields(p):
    root = p.root()
    ca = p.sub(root)

    def changed(issuer, overrides):
        make = overrides.get("aki")
        return dict(overrides, aki=make(issuer)) if callable(make) else dict(overrides)

    for name, place, public, compatible, overrides in FIELDS:
        if place == "leaf":
            chain, anchor = [p.leaf(ca, **changed(ca, overrides)), ca], root
        elif place == "ca":
            odd = p.sub(root, **changed(root, overrides))
            chain, anchor = [p.leaf(odd), odd], root
        else:
            anchor = p.root(**changed(root, overrides))
            under = p.sub(anchor)
            chain = [p.leaf(under), under]
        yield from both(f"{place}/{name}", public, compatible, chain, [anchor])


# --- keys as they are written ---

RSA_OID = der.oid("1.2.840.113549.1.1.1")


def rsa_without_parameters(key):
    at = key.spki.index(b"\x03\x82")  # the BIT STRING
    return key.written(der.seq(der.seq(RSA_OID), key.spki[at:]))


def point(key, change):
    """A P-256 key whose point is written otherwise."""
    algorithm = der.seq(der.oid("1.2.840.10045.2.1"), der.oid("1.2.840.10045.3.1.7"))
    return key.written(der.seq(algorithm, der.bits(change(key.spki[-65:]))))


KEYS = [
    ("rsa-without-parameters", "weak_key", "rsa2048", rsa_without_parameters),
    ("point-compressed", "accept", "p256",
     lambda k: point(k, lambda xy: bytes([2 + (xy[64] & 1)]) + xy[1:33])),
    ("point-hybrid", "weak_key", "p256", lambda k: point(k, lambda xy: bytes([6]) + xy[1:])),
    ("point-at-infinity", "weak_key", "p256", lambda k: point(k, lambda xy: b"\x00")),
    ("point-off-the-curve", "weak_key", "p256",
     lambda k: point(k, lambda xy: xy[:-1] + bytes([xy[-1] ^ 1]))),
    ("point-too-short", "weak_key", "p256", lambda k: point(k, lambda xy: xy[:-1])),
    ("point-too-long", "weak_key", "p256", lambda k: point(k, lambda xy: xy + b"\x00")),
]


def keys(p):
    root = p.root()
    for name, expected, kind, written in KEYS:
        leaf = p.leaf(root, key_kind=kind, written=written)
        yield from both(f"key-{name}", expected, expected, [leaf], [root])
    rsa = p.root("O=Example/CN=RSA Root", key_kind="rsa2048")
    leaf = p.leaf(rsa, algorithm="rsa-sha256-absent")  # RFC 4055 section 5: MUST be accepted
    yield from both("signature-rsa-without-parameters", "accept", "accept", [leaf], [rsa])


# --- paths whose certificates are all in order ---

def paths(p):
    root, other = p.root(), p.root("O=Other/CN=Other Root")
    ca = p.sub(root)
    leaf = p.leaf(ca)

    # the anchor among the peer's, the leaf among the anchors
    signs = key_usage("digitalSignature", "keyCertSign")
    root_ca = p.root("CN=" + HOST, san=san(DNS), ku=signs)
    yield from both("root-as-leaf-pinned", "accept", "accept", [root_ca], [root_ca])
    issued_ca = p.sub(root, "CN=" + HOST, san=san(DNS), ku=signs)
    yield from both("ca-as-leaf", "key_usage", "accept", [issued_ca], [root])
    yield from both("leaf-twice", "accept", "accept", [leaf, leaf, ca, ca], [root])
    middle = p.leaf(ca, "CN=middle.example.com", key="middle")
    yield from both("leaf-as-issuer", "not_a_ca", "not_a_ca", [p.leaf(middle), middle, ca], [root])
    yield from both("leaf-issued-anchor", "unknown_ca", "unknown_ca", [p.leaf(other)], [leaf])
    # weak only where nobody looks
    sha1 = p.root("O=Example/CN=RSA Root", key_kind="rsa2048", algorithm="rsa-sha1")
    crossed = p.sub(sha1, "O=Example/CN=Root", key="O=Example/CN=Root", algorithm="rsa-sha1")
    yield from both("sha1-cross-sign-beside-the-anchor", "accept", "accept", [leaf, ca, crossed],
                    [root, sha1])
    yield from both("sha1-cross-sign-as-the-anchor", "accept", "accept", [leaf, ca], [crossed])
    yield from both("sha1-cross-sign-needed", "weak_signature", "weak_signature",
                    [leaf, ca, crossed], [sha1])
    # purposes narrow on the way down, and cannot widen again
    server = p.sub(root, "CN=Server CA", eku=eku("server"))
    client_below = p.sub(server, "CN=Client CA", eku=eku("client"))
    plain_below = p.sub(server, "CN=Plain CA")
    yield from both("eku-narrowed", "accept", "accept",
                    [p.leaf(plain_below), plain_below, server], [root])
    yield from both("eku-of-a-client-ca-below", "ext_key_usage", "ext_key_usage",
                    [p.leaf(client_below), client_below, server], [root])
    yield from both("eku-of-the-leaf-is-not-enough", "ext_key_usage", "ext_key_usage",
                    [p.leaf(server, eku=eku("client")), server], [root], purpose="client")
    # name constraints of an anchor that is no root, and of one far above
    narrow = p.sub(root, nc=name_constraints(["DNS:example.org"]))
    yield from both("constraints-of-an-intermediate-anchor", "name_constraints",
                    "name_constraints", [leaf], [narrow])
    # an address in a common name is no name
    only_ip = p.sub(root, nc=name_constraints(["IP:198.51.100.0/24"]))
    yield from both("constrained-address-in-a-common-name", "accept", "accept",
                    [p.leaf(only_ip, "CN=PBX 192.0.2.1"), only_ip], [root])
    # extensions of an intermediate that nobody understands
    odd = p.sub(root, more=[ext("2.5.29.18", True, der.seq(der.general_name("DNS:a.example")))])
    yield from both("issuer-alt-name-critical", "critical_extension", "critical_extension",
                    [p.leaf(odd), odd], [root])


def cases(p):
    for part in (common_names, host_names, fields, keys, paths):
        yield from part(p)
