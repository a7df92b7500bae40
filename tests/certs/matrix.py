"""The matrix: certificate chains with one property each, and what the validator must say of them.

A case is a name, the expected answer ("accept", or the code of the first reason), and what to ask.
Chains are generated anew in each run.
"""
import der
import forms
from chains import HOST, Case, Pki
from issue import (DAY, NOW, aki, basic_constraints, eku, ext, inhibit_any, info_access, key_usage,
                   name_constraints, policies, policy_constraints, policy_mappings, revoke, san,
                   ski)

# --- one certificate with one property, in each place ---

UNKNOWN = "1.3.6.1.4.1.55555.1"

# name: (expected for the leaf, for an intermediate, for the anchor; None: not tried there), overrides
EVERYWHERE = {
    "expired": ("expired",) * 3 + ({"not_after": NOW - 1},),
    "ends-now": ("accept",) * 3 + ({"not_after": NOW},),
    "not-yet-valid": ("not_yet_valid",) * 3 + ({"not_before": NOW + 1},),
    "begins-now": ("accept",) * 3 + ({"not_before": NOW},),
    "generalized-time-before-2050": (
        ("malformed",) * 3 + ({"not_after": der.tlv(0x18, b"20300101000000Z")},)),
    "no-end": ("accept",) * 3 + ({"not_after": der.tlv(0x18, b"99991231235959Z")},),
    "utc-time-without-seconds": (
        "malformed", "malformed", "unknown_ca", {"not_after": der.tlv(0x17, b"3001010000Z")}),
    "time-with-zone": (
        "malformed", "malformed", "unknown_ca",
        {"not_after": der.tlv(0x17, b"300101000000+0100")}),
    "time-with-fraction": (
        "malformed", "malformed", "unknown_ca",
        {"not_after": der.tlv(0x18, b"20300101000000.5Z")}),
    "unknown-extension": ("accept",) * 3 + ({"more": [ext(UNKNOWN, False, b"\x05\x00")]},),
    "unknown-critical-extension": (
        ("critical_extension",) * 3 + ({"more": [ext(UNKNOWN, True, b"\x05\x00")]},)),
    "extension-twice": (
        "malformed", "malformed", "unknown_ca",
        {"more": [ext(UNKNOWN, False, b""), ext(UNKNOWN, False, b"")]}),
    "serial-zero": ("malformed", "malformed", "accept", {"serial": 0}),
    "serial-negative": ("malformed", "malformed", "accept") + ({"serial": -5},),
    "serial-20-bytes": ("accept",) * 3 + ({"serial": b"\x7f" * 20},),
    "serial-21-bytes": ("malformed", "malformed", "accept", {"serial": b"\x7f" * 21}),
    "serial-padded": ("malformed", "malformed", "unknown_ca", {"serial": b"\x00\x01"}),
    "signature-changed": ("bad_signature", "bad_signature", "accept", {"break_signature": True}),
    "two-algorithms": ("malformed",) * 3 + ({"outer_algorithm": "ecdsa-sha384"},),
    "bytes-behind": ("malformed", "malformed", None, {"trailing": b"\x00"}),
    "critical-aki": (
        "malformed", "malformed", None, {"aki": lambda ca: aki(ca.key.key_id, critical=True)}),
    "no-aki": ("malformed", "malformed", "accept", {"aki": None}),
    "aki-of-another-key": (
        "accept", "accept", "malformed", {"aki": lambda ca: aki(b"\x01" * 20)}),
    "aki-without-key-id": (
        "malformed", "malformed", "malformed", {"aki": lambda ca: aki(None, "CN=x", 5)}),
    "aki-issuer-without-serial": (
        "malformed", "malformed", "unknown_ca", {"aki": lambda ca: aki(b"\x01" * 20, "CN=x")}),
    "critical-ski": ("malformed",) * 3 + ({"ski": ski(b"\x02" * 20, critical=True)},),
    "no-ski": ("accept", "malformed", "malformed", {"ski": None}),
    "empty-ski": ("malformed", "malformed", "unknown_ca", {"ski": ski(b"")}),
    "critical-aia": (
        ("malformed",) * 3 + ({"more": [info_access("http://a.example/ca", critical=True)]},)),
    "malformed-aia": (
        "malformed", "malformed", "unknown_ca", {"more": [info_access("", raw=b"malformed")]}),
    "key-usage-empty": ("malformed", "malformed", "unknown_ca", {"ku": key_usage()}),
    "no-key-usage": ("accept", "malformed", "malformed", {"ku": None}),
    "key-usage-not-critical": (
        "accept", None, None, {"ku": key_usage("digitalSignature", critical=False)}),
    "rsa-2048": ("accept",) * 3 + ({"key_kind": "rsa2048"},),
    "rsa-2048-exponent-3": ("accept",) * 3 + ({"key_kind": "rsa2048-e3"},),
    "rsa-1024": ("weak_key",) * 3 + ({"key_kind": "rsa1024"},),
    "rsa-2052": ("weak_key",) * 3 + ({"key_kind": "rsa2052"},),
    "p384": ("accept",) * 3 + ({"key_kind": "p384"},),
    "p521": ("accept",) * 3 + ({"key_kind": "p521"},),
    "p192": ("weak_key", "weak_key", "weak_key", {"key_kind": "p192"}),
    "secp256k1": ("weak_key",) * 3 + ({"key_kind": "secp256k1"},),
    "explicit-curve": ("weak_key",) * 3 + ({"key_kind": "p256-explicit"},),
    "ed25519": ("weak_key",) * 3 + ({"key_kind": "ed25519"},),
    "no-policies-required": ("accept",) * 3 + ({"policies": policies("1.2.3.4")},),
    "inhibit-any-not-critical": (
        None, "malformed", "malformed", {"more": [inhibit_any(0, critical=False)]}),
    "policy-constraints-not-critical": (
        None, "malformed", "malformed", {"more": [policy_constraints(mapping=0, critical=False)]}),
    "policy-twice": ("malformed", "malformed", None, {"policies": policies("1.2.3.4", "1.2.3.4")}),
    "mapping-from-any-policy": (
        None, "malformed", None, {"more": [policy_mappings(("2.5.29.32.0", "1.2.3"))]}),
}


def everywhere(p):
    root = p.root()
    ca = p.sub(root)

    def below(issuer, overrides):
        aki_of = overrides.get("aki")
        return dict(overrides, aki=aki_of(issuer)) if callable(aki_of) else dict(overrides)

    for name, (leaf, sub, anchor, overrides) in EVERYWHERE.items():
        if leaf:
            yield Case(f"leaf/{name}", leaf, [p.leaf(ca, **below(ca, overrides)), ca], [root])
        if sub:
            odd = p.sub(root, **below(root, overrides))
            yield Case(f"intermediate/{name}", sub, [p.leaf(odd), odd], [root])
        if anchor:
            odd = p.root(**below(root, overrides))
            under = p.sub(odd)
            yield Case(f"anchor/{name}", anchor, [p.leaf(under), under], [odd])


# --- what only a leaf, or only a CA has ---

def leaves(p):
    root = p.root()

    def leaf(name, expected, *args, **overrides):
        asked = {k: overrides.pop(k) for k in ("host", "purpose", "profile") if k in overrides}
        return Case(f"leaf/{name}", expected, [p.leaf(root, *args, **overrides)], [root], **asked)

    yield leaf("version-1", "malformed", version=1, host=None)
    yield leaf("version-1-compatible", "accept", version=1, profile="compatible")
    yield leaf("version-2", "malformed", version=2, host=None)
    yield leaf("version-4", "malformed", version=4)
    yield leaf("is-a-ca", "key_usage", bc=basic_constraints())
    yield leaf("is-a-ca-compatible", "accept", bc=basic_constraints(), profile="compatible")
    yield leaf("is-a-ca-any-purpose", "accept", bc=basic_constraints(), purpose="any")
    yield leaf("no-basic-constraints", "accept", bc=None)
    yield leaf("pathlen", "malformed", bc=basic_constraints(ca=False, pathlen=0))
    yield leaf("may-sign-certificates", "malformed",
               ku=key_usage("digitalSignature", "keyCertSign"))
    yield leaf("may-not-sign", "key_usage", ku=key_usage("keyEncipherment"))
    yield leaf("name-constraints", "malformed", nc=name_constraints(["DNS:example.com"]))
    yield leaf("name-constraints-not-critical", "malformed",
               nc=name_constraints(["DNS:example.com"], critical=False))
    yield leaf("no-subject", "malformed", "")
    yield leaf("no-subject-critical-san", "accept", "", san=san("DNS:" + HOST, critical=True))
    yield leaf("subject-and-critical-san", "malformed", san=san("DNS:" + HOST, critical=True))
    yield leaf("no-issuer", "malformed", issuer_name=der.name(""))
    yield leaf("san-empty", "malformed", san=ext("2.5.29.17", False, der.seq()))
    yield leaf("san-not-ascii", "malformed", san=san(der.context(2, "bücher.example".encode())))
    yield leaf("san-address-of-5-bytes", "malformed",
               san=san("DNS:" + HOST, der.context(7, b"\x01\x02\x03\x04\x05")))
    yield leaf("no-eku", "accept", eku=None)
    yield leaf("critical-eku", "malformed", eku=eku("server", critical=True))
    yield leaf("eku-empty", "malformed", eku=ext("2.5.29.37", False, der.seq()))
    for purpose in ("server", "client"):
        other = {"server": "client", "client": "server"}[purpose]
        yield leaf(f"eku-{purpose}", "accept", eku=eku(purpose), purpose=purpose)
        yield leaf(f"eku-{other}-as-{purpose}", "ext_key_usage", eku=eku(other), purpose=purpose)
        yield leaf(f"eku-both-as-{purpose}", "accept", eku=eku("server", "client"),
                   purpose=purpose)
        yield leaf(f"eku-any-as-{purpose}", "ext_key_usage", eku=eku("any"), purpose=purpose)
        yield leaf(f"eku-any-compatible-as-{purpose}", "accept", eku=eku("any"), purpose=purpose,
                   profile="compatible")
        yield leaf(f"eku-sip-domain-as-{purpose}", "accept", eku=eku("sip"), purpose=purpose)
        yield leaf(f"eku-code-as-{purpose}", "ext_key_usage", eku=eku("code"), purpose=purpose)
    yield leaf("eku-code-any-purpose", "accept", eku=eku("code"), purpose="any")
    for algorithm, expected in (("rsa-sha256", "accept"), ("rsa-sha1", "weak_signature"),
                                ("rsa-md5", "weak_signature"), ("pss-sha256", "accept")):
        odd = p.root(subject="O=Example/CN=RSA Root", key_kind="rsa2048")
        yield Case(f"leaf/signed-with-{algorithm}", expected,
                   [p.leaf(odd, algorithm=algorithm)], [odd])
    odd = p.root(key_kind="rsa2048", algorithm="rsa-sha1")
    yield Case("anchor/own-signature-sha1", "accept", [p.leaf(odd)], [odd])
    yield leaf("signed-with-ecdsa-sha1", "weak_signature", algorithm="ecdsa-sha1")
    yield leaf("signed-with-ecdsa-sha512", "accept", algorithm="ecdsa-sha512")


def cas(p):
    top = p.root()

    def below(name, expected, ca_name="O=Example/CN=Issuing CA", root=None, **overrides):
        ca = p.sub(top, ca_name, **dict(overrides))
        yield Case(f"intermediate/{name}", expected, [p.leaf(ca), ca], [top])
        odd = p.root(ca_name, **dict(overrides))
        yield Case(f"anchor/{name}", root or expected, [p.leaf(odd)], [odd])

    yield from below("not-a-ca", "not_a_ca", bc=basic_constraints(ca=False))
    yield from below("no-basic-constraints", "not_a_ca", bc=None)
    yield from below("basic-constraints-not-critical", "malformed",
                     bc=basic_constraints(critical=False))
    yield from below("version-1", "not_a_ca", version=1)
    yield from below("no-key-cert-sign", "key_usage", ku=key_usage("cRLSign"))
    yield from below("key-usage-not-critical", "accept",
                     ku=key_usage("keyCertSign", critical=False))
    yield from below("eku-server", "accept", root="ext_key_usage", eku=eku("server"))
    yield from below("eku-any", "accept", root="ext_key_usage", eku=eku("any"))
    yield from below("eku-client", "ext_key_usage", eku=eku("client"))
    yield from below("eku-code", "ext_key_usage", eku=eku("code"))
    yield from below("no-name", "malformed", ca_name="")


# --- names of the leaf ---

NAMES = [
    # name asked for, SAN (None: no extension), CN, expected
    ("sip.example.com", ["DNS:sip.example.com"], "x", "accept"),
    ("SIP.example.COM", ["DNS:sip.example.com"], "x", "accept"),
    ("sip.example.com.", ["DNS:sip.example.com"], "x", "accept"),
    ("sip.example.com", ["DNS:example.com"], "x", "name_mismatch"),
    ("example.com", ["DNS:sip.example.com"], "x", "name_mismatch"),
    ("sip.example.com", ["DNS:*.example.com"], "x", "accept"),
    ("a.sip.example.com", ["DNS:*.example.com"], "x", "name_mismatch"),
    ("example.com", ["DNS:*.example.com"], "x", "name_mismatch"),
    ("example.com", ["DNS:*.com"], "x", "name_mismatch"),
    ("example.com", ["DNS:*"], "x", "name_mismatch"),
    ("sip.example.com", ["DNS:sip.*.com"], "x", "name_mismatch"),
    ("sip.example.com", ["DNS:s*.example.com"], "x", "accept"),
    ("xn--bcher-kva.example.com", ["DNS:xn--*.example.com"], "x", "name_mismatch"),
    ("192.0.2.1", ["IP:192.0.2.1"], "x", "accept"),
    ("192.0.2.1", ["DNS:192.0.2.1"], "x", "name_mismatch"),
    ("192.0.2.1", None, "192.0.2.1", "name_mismatch"),
    ("2001:db8::1", ["IP:2001:db8::1"], "x", "accept"),
    ("[2001:0DB8::0:1]", ["IP:2001:db8::1"], "x", "accept"),
    ("2001:db8::1", ["IP:2001:db8::2"], "x", "name_mismatch"),
    ("sip.example.com", None, "sip.example.com", "accept"),
    ("sip.example.com", None, "other.example", "name_mismatch"),
    ("sip.example.com", ["DNS:other.example"], "sip.example.com", "name_mismatch"),
    ("sip.example.com", ["IP:192.0.2.1"], "sip.example.com", "accept"),
    ("sip.example.com", ["URI:sip:sip.example.com"], "x", "name_mismatch"),
    ("my_host.example.com", ["DNS:my_host.example.com"], "x", "malformed"),
    (None, ["DNS:other.example"], "x", "accept"),
]


def names(p):
    root = p.root()
    for host, sans, cn, expected in NAMES:
        leaf = p.leaf(root, "CN=" + cn, san=san(*sans) if sans is not None else None)
        yield Case(f"name/{host}/{','.join(sans or ['none'])}/{cn}", expected, [leaf], [root],
                   host=host)


# --- paths ---

def paths(p):
    root, other = p.root(), p.root("O=Other/CN=Other Root")
    ca = p.sub(root)
    leaf = p.leaf(ca)

    yield Case("path/usual", "accept", [leaf, ca], [root])
    yield Case("path/with-root", "accept", [leaf, ca, root], [root])
    yield Case("path/root-before-intermediate", "accept", [leaf, root, ca], [root])
    yield Case("path/others-between", "accept", [leaf, other, p.sub(other, "CN=x"), ca], [root])
    yield Case("path/unknown-root", "unknown_ca", [leaf, ca, root], [other])
    yield Case("path/unknown-root-not-sent", "unknown_ca", [leaf, ca], [other])
    yield Case("path/intermediate-missing", "missing_intermediate", [leaf], [root])
    yield Case("path/intermediate-is-anchor", "accept", [leaf], [ca])
    yield Case("path/peer-root-is-no-anchor", "unknown_ca", [p.leaf(root), root], [other])
    alone = p.leaf(None)
    yield Case("path/self-signed", "self_signed", [alone], [root])
    yield Case("path/self-signed-pinned", "accept", [alone], [alone])
    yield Case("path/self-signed-pinned-other-name", "name_mismatch", [alone], [alone],
               host="other.example.com")
    impostor = p.root(key="another key")
    yield Case("path/root-of-same-name", "bad_signature", [p.leaf(impostor)], [root])
    yield Case("path/root-of-same-name-sent", "bad_signature", [p.leaf(impostor), impostor], [root])

    # cross-signed: the same CA below two roots
    by_other = p.sub(other)
    for trusted, label in ((root, "first"), (other, "second")):
        yield Case(f"path/cross-signed-{label}", "accept", [leaf, ca, by_other], [trusted])
        yield Case(f"path/cross-signed-{label}-reversed", "accept", [leaf, by_other, ca], [trusted])
    expired = p.sub(root, not_after=NOW - DAY)
    yield Case("path/expired-twin", "accept", [leaf, expired, ca], [root])
    yield Case("path/cross-signed-one-expired", "accept", [leaf, expired, by_other], [root, other])
    old_root = p.root(not_after=NOW - DAY)
    yield Case("path/expired-root-twin", "accept", [leaf, ca], [old_root, root])
    root_by_other = p.sub(other, "O=Example/CN=Root", key="O=Example/CN=Root")
    yield Case("path/root-cross-signed", "accept", [leaf, ca, root_by_other], [other])
    yield Case("path/root-cross-signed-old-one-expired", "accept", [leaf, ca, root_by_other],
               [old_root, other])

    # dead ends that look better than the way out
    narrow = p.sub(root, nc=name_constraints(["DNS:other.example"]))
    yield Case("path/back-from-name-constraints", "accept", [leaf, narrow, by_other],
               [root, other])
    for wrong, label in ((eku("code"), "eku"),):
        yield Case(f"path/back-from-{label}", "accept", [leaf, p.sub(root, eku=wrong), by_other],
                   [root, other])
    yield Case("path/back-from-no-ca", "accept",
               [leaf, p.sub(root, bc=basic_constraints(ca=False)), by_other], [root, other])
    weak = p.root(subject="O=Example/CN=RSA Root", key_kind="rsa2048")
    yield Case("path/back-from-sha1", "accept",
               [leaf, p.sub(weak, algorithm="rsa-sha1"), by_other], [weak, other])

    # loops
    a = p.sub(other, "CN=A", key="a")
    b = p.sub(a, "CN=B", key="b")
    a_by_b = p.sub(b, "CN=A", key="a")
    yield Case("path/loop", "unknown_ca", [p.leaf(b), b, a_by_b], [root])
    yield Case("path/loop-with-a-way-out", "accept", [p.leaf(b), b, a_by_b, a], [other])

    # length
    chain, top = [], root
    for i in range(7):
        top = p.sub(top, f"CN=CA {i}")
        chain.insert(0, top)
        expected = "accept" if i < 6 else "limit"
        yield Case(f"path/{i + 1}-intermediates", expected, [p.leaf(top), *chain], [root])
    top = p.root(bc=basic_constraints(pathlen=1))
    first = p.sub(top, "CN=First")
    second = p.sub(first, "CN=Second")
    yield Case("path/pathlen-kept", "accept", [p.leaf(first), first], [top])
    yield Case("path/pathlen-exceeded", "path_length", [p.leaf(second), second, first], [top])
    again = p.sub(first, "CN=First", key="first's next key")
    yield Case("path/pathlen-self-issued-not-counted", "accept",
               [p.leaf(p.sub(top, "CN=First")), p.sub(top, "CN=First")], [top])
    yield Case("path/pathlen-rollover", "accept", [p.leaf(again), again, first], [top])

    # names of issuers: how they are written does not matter
    upper = p.root("O=EXAMPLE/CN=ROOT", key="O=Example/CN=Root", tag=0x13)
    yield Case("path/issuer-name-in-other-case", "accept", [leaf, ca], [upper])
    blanks = p.root("O=  Example/CN=Root ", key="O=Example/CN=Root")
    yield Case("path/issuer-name-with-blanks", "accept", [leaf, ca], [blanks])
    wide = p.root(tag=0x1E)
    yield Case("path/issuer-name-bmp", "accept", [leaf, ca], [wide])


# --- name constraints: permitted, excluded, the leaf's names, expected ---

DNS = "DNS:sip.example.com"
CONSTRAINTS = [
    ("dns-kept", ["DNS:example.com"], [], [DNS], "accept"),
    ("dns-itself", ["DNS:sip.example.com"], [], [DNS], "accept"),
    ("dns-case", ["DNS:EXAMPLE.com"], [], [DNS], "accept"),
    ("dns-violated", ["DNS:example.org"], [], [DNS], "name_constraints"),
    ("dns-not-a-label", ["DNS:ample.com"], [], [DNS], "name_constraints"),
    ("dns-below-permitted", ["DNS:a.sip.example.com"], [], [DNS], "name_constraints"),
    ("dns-second-name", ["DNS:example.com"], [], [DNS, "DNS:evil.test"], "name_constraints"),
    ("dns-two-permitted", ["DNS:example.org", "DNS:example.com"], [], [DNS], "accept"),
    ("dns-excluded", [], ["DNS:example.com"], [DNS], "name_constraints"),
    ("dns-excluded-itself", [], ["DNS:sip.example.com"], [DNS], "name_constraints"),
    ("dns-excluded-other", [], ["DNS:example.org"], [DNS], "accept"),
    ("dns-excluded-in-permitted", ["DNS:example.com"], ["DNS:sip.example.com"], [DNS],
     "name_constraints"),
    ("dns-all-excluded", [], ["DNS:"], [DNS], "name_constraints"),
    ("dns-all-permitted", ["DNS:"], [], [DNS], "accept"),
    ("dns-leading-dot", ["DNS:.example.com"], [], [DNS], "malformed"),
    ("dns-wildcard-base", ["DNS:*.example.com"], [], [DNS], "malformed"),
    ("dns-trailing-dot-base", ["DNS:example.com."], [], [DNS], "malformed"),
    ("dns-wildcard-kept", ["DNS:example.com"], [], [DNS, "DNS:*.example.com"], "accept"),
    ("dns-wildcard-violated", ["DNS:sip.example.com"], [], [DNS, "DNS:*.example.com"],
     "name_constraints"),
    ("dns-wildcard-touches-excluded", [], ["DNS:a.example.com"], [DNS, "DNS:*.example.com"],
     "name_constraints"),
    ("dns-name-malformed", ["DNS:example.com"], [], [DNS, "DNS:a..example.com"],
     "name_constraints"),
    ("ip-kept", ["IP:192.0.2.0/24"], [], [DNS, "IP:192.0.2.1"], "accept"),
    ("ip-violated", ["IP:192.0.2.0/24"], [], [DNS, "IP:198.51.100.1"], "name_constraints"),
    ("ip-excluded", [], ["IP:192.0.2.0/24"], [DNS, "IP:192.0.2.1"], "name_constraints"),
    ("ip-other-family", ["IP:192.0.2.0/24"], [], [DNS, "IP:2001:db8::1"], "name_constraints"),
    ("ip6-kept", ["IP:2001:db8::/32"], [], [DNS, "IP:2001:db8::1"], "accept"),
    ("ip6-violated", ["IP:2001:db8::/32"], [], [DNS, "IP:2001:db9::1"], "name_constraints"),
    ("ip-all-excluded", [], ["IP:0.0.0.0/0", "IP:::/0"], [DNS, "IP:2001:db8::1"],
     "name_constraints"),
    ("ip-mask-with-gap", [der.context(7, b"\xc0\x00\x02\x00\xff\x00\xff\x00")], [], [DNS],
     "malformed"),
    ("ip-base-of-5-bytes", [der.context(7, b"\xc0\x00\x02\x00\xff")], [], [DNS], "malformed"),
    ("other-form-is-free", ["IP:192.0.2.0/24"], [], [DNS], "accept"),
    ("email-kept", ["email:example.com"], [], [DNS, "email:a@example.com"], "accept"),
    ("email-host-is-not-domain", ["email:example.com"], [], [DNS, "email:a@b.example.com"],
     "name_constraints"),
    ("email-domain", ["email:.example.com"], [], [DNS, "email:a@b.example.com"], "accept"),
    ("email-domain-itself", ["email:.example.com"], [], [DNS, "email:a@example.com"],
     "name_constraints"),
    ("email-mailbox", ["email:a@example.com"], [], [DNS, "email:a@EXAMPLE.com"], "accept"),
    ("email-local-part-case", ["email:a@example.com"], [], [DNS, "email:A@example.com"],
     "name_constraints"),
    ("email-excluded", [], ["email:example.com"], [DNS, "email:a@example.com"],
     "name_constraints"),
    ("email-malformed", [], ["email:example.com"], [DNS, "email:nobody"], "name_constraints"),
    ("uri-kept", ["URI:example.com"], [], [DNS, "URI:https://example.com/x"], "accept"),
    ("uri-port-and-user", ["URI:example.com"], [], [DNS, "URI:https://u@example.com:1/x"],
     "accept"),
    ("uri-sip", ["URI:example.com"], [], [DNS, "URI:sip:example.com"], "accept"),
    ("uri-sip-violated", ["URI:example.com"], [], [DNS, "URI:sip:a@evil.test"],
     "name_constraints"),
    ("uri-subdomain-of-host", ["URI:example.com"], [], [DNS, "URI:https://a.example.com/"],
     "name_constraints"),
    ("uri-domain", ["URI:.example.com"], [], [DNS, "URI:https://a.example.com/"], "accept"),
    ("uri-address", ["URI:.example.com"], [], [DNS, "URI:https://192.0.2.1/"],
     "name_constraints"),
    ("uri-address-excluded", [], ["URI:evil.test"], [DNS, "URI:https://192.0.2.1/"],
     "name_constraints"),
    ("uri-without-host", [], ["URI:evil.test"], [DNS, "URI:urn:x:y"], "name_constraints"),
    ("dir-kept", ["dir:O=Example"], [], [DNS], "accept"),
    ("dir-violated", ["dir:O=Other"], [], [DNS], "name_constraints"),
    ("dir-excluded", [], ["dir:O=Example"], [DNS], "name_constraints"),
    ("dir-case", ["dir:O=EXAMPLE"], [], [DNS], "accept"),
    ("dir-in-san", ["dir:O=Example"], [], [DNS, "dir:O=Evil"], "name_constraints"),
    ("rid-unknown-form", ["RID:1.2.3"], [], [DNS, "RID:1.2.3"], "name_constraints"),
    ("rid-not-used", ["RID:1.2.3"], [], [DNS], "accept"),
    ("other-name-excluded", [], ["other:x"], [DNS, "other:y"], "name_constraints"),
]


def constraints(p):
    root = p.root()
    for name, permitted, excluded, sans, expected in CONSTRAINTS:
        def leaf_of(ca, names=sans):
            return p.leaf(ca, "O=Example/CN=x", san=san(*names))
        for critical, label in ((True, ""), (False, "-not-critical")):
            nc = name_constraints(permitted, excluded, critical=critical)
            ca = p.sub(root, nc=nc)
            yield Case(f"constraints/{name}{label}", expected, [leaf_of(ca), ca], [root])
        if not name.startswith("dir-"): # those would be violated by the CA's own name
            odd = p.root(nc=nc)
            ca = p.sub(odd)
            yield Case(f"constraints/{name}-of-the-anchor", expected, [leaf_of(ca), ca], [odd])
    for raw, name in ((der.seq(), "empty"), (der.seq(der.context(0, b"", True)), "no-subtrees"),
                      (b"\x04\x00", "no-sequence"),
                      (der.seq(der.context(0, der.seq(der.general_name("DNS:example.com"),
                                                      der.context(1, b"\x05")), True)), "maximum"),
                      (der.seq(der.context(0, der.seq(der.general_name("DNS:example.com"),
                                                      der.context(0, b"\x01")), True)), "minimum")):
        ca = p.sub(root, nc=name_constraints(raw=raw))
        yield Case(f"constraints/malformed-{name}", "malformed", [p.leaf(ca), ca], [root])
    ca = p.sub(root, nc=name_constraints(["DNS:.example.com"]))
    yield Case("constraints/dns-leading-dot-compatible", "accept", [p.leaf(ca), ca], [root],
               profile="compatible")
    yield Case("constraints/dns-leading-dot-compatible-itself", "name_constraints",
               [p.leaf(ca, san=san("DNS:example.com")), ca], [root], profile="compatible",
               host="example.com")

    # the common name, where it is looked at
    ca = p.sub(root, nc=name_constraints(["DNS:example.com"]))
    yield Case("constraints/cn-kept", "accept", [p.leaf(ca, san=None), ca], [root])
    yield Case("constraints/cn-violated", "name_constraints",
               [p.leaf(ca, "CN=evil.test", san=None), ca], [root], host="evil.test")
    yield Case("constraints/cn-not-looked-at", "accept",
               [p.leaf(ca, "CN=evil.test", san=san(DNS)), ca], [root], profile="compatible")
    yield Case("constraints/cn-beside-an-address", "name_constraints",
               [p.leaf(ca, "CN=evil.test", san=san("IP:192.0.2.1")), ca], [root],
               host="192.0.2.1")
    yield Case("constraints/cn-is-no-host", "accept",
               [p.leaf(ca, "CN=Example PBX", san=san("IP:192.0.2.1")), ca], [root],
               host="192.0.2.1")
    mail = p.sub(root, nc=name_constraints(["email:example.com"]))
    yield Case("constraints/email-in-subject", "name_constraints",
               [p.leaf(mail, f"CN={HOST}/emailAddress=a@evil.test", san=None), mail], [root])
    yield Case("constraints/email-in-subject-beside-san", "accept",
               [p.leaf(mail, f"CN={HOST}/emailAddress=a@evil.test"), mail], [root])

    # on the way down: two CAs' constraints add up; self-issued ones are passed over
    upper = p.sub(root, "CN=Upper", nc=name_constraints(["DNS:example.com"]))
    lower = p.sub(upper, "CN=Lower", nc=name_constraints(["DNS:sip.example.com"]))
    wider = p.sub(upper, "CN=Lower", nc=name_constraints(["DNS:example.org"]))
    yield Case("constraints/both-kept", "accept", [p.leaf(lower), lower, upper], [root])
    yield Case("constraints/lower-cannot-widen", "name_constraints",
               [p.leaf(wider, san=san("DNS:sip.example.org")), wider, upper], [root],
               host="sip.example.org")
    own = p.sub(root, "O=Example/CN=Renewing", nc=name_constraints(["dir:O=Elsewhere"]))
    renewed = p.sub(own, "O=Example/CN=Renewing", key="renewed")
    yield Case("constraints/self-issued-intermediate", "accept",
               [p.leaf(renewed, f"O=Elsewhere/CN={HOST}"), renewed, own], [root])
    yield Case("constraints/intermediate-violates", "name_constraints",
               [p.leaf(p.sub(own, "O=Example/CN=x"), f"O=Elsewhere/CN={HOST}"),
                p.sub(own, "O=Example/CN=x"), own], [root])


# --- policies ---

def policy(p):
    one, two, any_policy = "1.2.3.1", "1.2.3.2", "2.5.29.32.0"
    root = p.root()

    def chain(name, expected, ca, leaf, options=()):
        sub = p.sub(root, **ca)
        return Case(f"policy/{name}", expected, [p.leaf(sub, **leaf), sub], [root],
                    options=options)

    explicit = [policy_constraints(explicit=0)]
    yield chain("required-and-there", "accept", {"policies": policies(one), "more": explicit},
                {"policies": policies(one)})
    yield chain("required-and-missing", "policy", {"policies": policies(one), "more": explicit}, {})
    yield chain("required-and-other", "policy", {"policies": policies(one), "more": explicit},
                {"policies": policies(two)})
    yield chain("required-and-any", "accept",
                {"policies": policies(any_policy), "more": explicit}, {"policies": policies(two)})
    yield chain("any-inhibited", "policy",
                {"policies": policies(one), "more": [*explicit, inhibit_any(0)]},
                {"policies": policies(any_policy)})
    yield chain("mapped", "accept",
                {"policies": policies(one), "more": [*explicit, policy_mappings((one, two))]},
                {"policies": policies(two)})
    yield chain("mapped-away", "policy",
                {"policies": policies(one), "more": [*explicit, policy_mappings((one, two))]},
                {"policies": policies(one)})
    yield chain("not-required", "accept", {"policies": policies(one)}, {"policies": policies(two)})
    yield chain("asked-for", "accept", {"policies": policies(one)}, {"policies": policies(one)},
                ["--require-policy", "--policy", one])
    yield chain("asked-for-another", "policy", {"policies": policies(one)},
                {"policies": policies(one)}, ["--require-policy", "--policy", two])
    yield chain("mapping-inhibited", "policy",
                {"policies": policies(one), "more": [*explicit, policy_mappings((one, two))]},
                {"policies": policies(two)}, ["--inhibit-mapping"])


# --- revocation ---

def revocation(p):
    root = p.root()
    ca = p.sub(root)
    leaf = p.leaf(ca)
    of_root = revoke(root)

    def listed(name, expected, *lists, chain=None):
        return Case(f"crl/{name}", expected, chain or [leaf, ca], [root], crls=list(lists))

    yield listed("good", "accept", of_root, revoke(ca))
    yield listed("revoked", "revoked", of_root, revoke(ca, [5, leaf.serial]))
    yield listed("intermediate-revoked", "revoked", revoke(root, [ca.serial]), revoke(ca))
    yield listed("none-for-the-leaf", "crl", of_root)
    yield listed("none-for-the-intermediate", "crl", revoke(ca))
    yield listed("of-another-ca", "accept", revoke(p.root("O=Other/CN=Other")))
    yield listed("expired", "crl", of_root, revoke(ca, next_update=NOW - 1))
    yield listed("from-the-future", "crl", of_root, revoke(ca, this_update=NOW + 1))
    yield listed("expired-but-newer-there", "accept", of_root, revoke(ca, next_update=NOW - 1),
                 revoke(ca))
    yield listed("signature-changed", "crl", of_root, revoke(ca, break_signature=True))
    yield listed("signed-by-another", "crl", of_root, revoke(ca, signer=leaf))
    silent = p.sub(root, "CN=Silent", ku=key_usage("keyCertSign"))
    yield listed("without-crl-sign", "crl", of_root, revoke(silent), chain=[p.leaf(silent), silent])
    yield listed("critical-extension", "crl", of_root,
                 revoke(ca, extensions=[ext(UNKNOWN, True, b"\x05\x00")]))
    yield listed("critical-entry-extension", "crl", of_root,
                 revoke(ca, [5], entry_extensions=[ext(UNKNOWN, True, b"\x05\x00")]))
    yield listed("indirect", "crl", of_root,
                 revoke(ca, extensions=[ext("2.5.29.28", True, der.seq(der.context(4, b"\xff")))]))
    yield listed("for-cas-only", "crl", of_root,
                 revoke(ca, extensions=[ext("2.5.29.28", True, der.seq(der.context(2, b"\xff")))]))
    yield listed("for-users-only", "accept", of_root,
                 revoke(ca, extensions=[ext("2.5.29.28", True, der.seq(der.context(1, b"\xff")))]))
    base = ext("2.5.29.27", True, der.integer(1))
    yield listed("delta-alone", "crl", of_root, revoke(ca, number=2, extensions=[base]))
    yield listed("delta-revokes", "revoked", of_root, revoke(ca),
                 revoke(ca, [leaf.serial], number=2, extensions=[base]))
    yield listed("delta-releases", "accept", of_root, revoke(ca, [leaf.serial]),
                 revoke(ca, [leaf.serial], number=2, extensions=[base],
                        entry_extensions=[ext("2.5.29.21", False, der.tlv(0x0A, b"\x08"))]))


PARTS = (everywhere, leaves, cas, names, paths, constraints, policy, revocation, forms.cases)


def all_cases(directory, parts=PARTS):
    p = Pki(directory)
    for part in parts:
        yield from part(p)
