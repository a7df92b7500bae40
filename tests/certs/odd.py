"""Odd files of certificates, as they come from mail programs, web forms, old CAs and hand editing.

all_cases() yields (name, content): the name says what is odd, and is stable from run to run.
"""
import base64
import random
import re

import der
from issue import (NOW, Keys, aki, basic_constraints, encode_extensions, ext, issue, key_usage, san,
                   ski)

BEGIN, END = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"
LINE_LENGTHS = (1, 3, 4, 16, 60, 63, 65, 72, 76, 77, 80, 100, 128, 253, 254, 255, 256, 257, 512,
                1000, 4096, 100000)


def base64_lines(data, length=64):
    text = base64.b64encode(data)
    return [text[i:i + length] for i in range(0, len(text), length)]


def pem(data, length=64, end=b"\n", before=b"", after=b"", begin=BEGIN, close=END, label=None):
    if label is not None:
        begin, close = b"-----BEGIN %s-----" % label, b"-----END %s-----" % label
    lines = [begin, *base64_lines(data, length), close]
    return b"".join(before + line + after + end for line in lines)


# --- text ---

def line_cases(a, b):
    for end_name, end in (("lf", b"\n"), ("crlf", b"\r\n"), ("cr", b"\r"), ("lf-lf", b"\n\n"),
                          ("crlf-crlf", b"\r\n\r\n"), ("crcrlf", b"\r\r\n"), ("lfcr", b"\n\r"),
                          ("backslash-n", b"\\n"), ("none", b""), ("blank", b" ")):
        for before_name, before in (("", b""), ("-indented", b" "), ("-tabbed", b"\t"),
                                    ("-quoted", b"> "),
                                    ("-vertical-tab", b"\v")):
            for after_name, after in (("", b""), ("-blanks", b"   "), ("-tab", b"\t"),
                                      ("-form-feed", b"\f"), ("-nul", b"\0"), ("-comma", b",")):
                if not before or not after:
                    yield (f"lines-{end_name}{before_name}{after_name}",
                           pem(a, end=end, before=before, after=after))
    for length in LINE_LENGTHS:
        yield f"line-length-{length}", pem(a, length)
        yield f"line-length-{length}-two", pem(a, length) + pem(b, length, b"\r\n")
    lines = base64_lines(a)
    mixed = [line + (b"\r\n" if i % 2 else b"\n") for i, line in enumerate(lines)]
    yield "lines-of-both-ends", BEGIN + b"\n" + b"".join(mixed) + END
    ragged = re.findall(rb".{1,37}", b"".join(lines))
    yield "lines-ragged", BEGIN + b"\n" + b"\n\n".join(ragged) + b"\n" + END + b"\n"
    yield "no-last-line-end", pem(a)[:-1]
    yield "no-last-line-end-crlf", pem(a, end=b"\r\n")[:-2]


def mark_cases(a, b):
    good = pem(a)
    for label in (b"CERTIFICATE", b"X509 CERTIFICATE", b"TRUSTED CERTIFICATE", b"certificate",
                  b"Certificate", b"NEW CERTIFICATE", b"X.509 CERTIFICATE", b"CERTIFICATE ",
                  b" CERTIFICATE", b"CERT", b"PKCS7", b"ATTRIBUTE CERTIFICATE", b""):
        yield f"label-{label.decode()}", pem(a, label=label)
    for name, begin in (("4-dashes", BEGIN[1:]), ("6-dashes", b"-" + BEGIN),
                        ("4-behind", BEGIN[:-1]),
                        ("6-behind", BEGIN + b"-"), ("text-behind", BEGIN + b" x"),
                        ("blanks-behind", BEGIN + b"   "), ("text-before", b"x" + BEGIN),
                        ("blank-before", b"  " + BEGIN), ("tab-behind", BEGIN + b"\t"),
                        ("doubled", BEGIN + b"\n" + BEGIN),
                        ("en-dashes", "–––––BEGIN CERTIFICATE–––––".encode()),
                        ("two-blanks", b"-----BEGIN  CERTIFICATE-----"), ("base64-behind", None)):
        if begin is None:
            yield f"begin-{name}", good.replace(BEGIN + b"\n", BEGIN)
        else:
            yield f"begin-{name}", good.replace(BEGIN, begin)
    for name, end in (("4-dashes", END[1:]), ("6-dashes", b"-" + END), ("4-behind", END[:-1]),
                      ("6-behind", END + b"-"), ("text-behind", END + b" x"), ("missing", b""),
                      ("blanks-behind", END + b"   "), ("blank-before", b"  " + END),
                      ("other-label", b"-----END X509 CERTIFICATE-----"),
                      ("lower-case", END.lower()),
                      ("doubled", END + b"\n" + END), ("base64-before", None)):
        if end is None:
            yield f"end-{name}", good.replace(b"\n" + END, END)
        else:
            yield f"end-{name}", good.replace(END, end)
            yield f"end-{name}-and-another", good.replace(END, end) + pem(b)
            yield f"end-{name}-behind-another", pem(b) + good.replace(END, end)


def surrounding_cases(a, b):
    good, other = pem(a), pem(b)
    texts = {
        "text": b"Issuer: CN=x\n", "empty-lines": b"\n\n\n", "colon": b"a: b\n\n",
             "bom": b"\xef\xbb\xbf",
        "bom-line": b"\xef\xbb\xbf\n", "nul": b"\0", "nul-line": b"\0\n",
             "latin-1": b"gr\xfc\xdfe\n", "long-line": b"x" * 5000 + b"\n",
        "line-254": b"x" * 254 + b"\n", "line-255": b"x" * 255 + b"\n",
             "line-256": b"x" * 256 + b"\n",
        "dashes": b"-----\n", "many-dashes": b"-" * 60 + b"\n",
             "prose": b"paste from -----BEGIN to -----END\n",
        "prose-whole": b"Send the part from -----BEGIN CERTIFICATE----- on\n",
             "rule": b"----- BEGIN -----\n",
        "pgp": b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n", "html": b"<pre>",
             "json": b'{"ca": "',
        "key": b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n",
        "dh": b"-----BEGIN DH PARAMETERS-----\nMAYCAQUCAQI=\n-----END DH PARAMETERS-----\n",
        "openssh": b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
        "ssh2": b"---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----\n",
        "begin-alone": b"-----BEGIN CERTIFICATE-----\n", "end-alone": END + b"\n",
        "other-begin-alone": b"-----BEGIN X509 CRL-----\n",
             "empty-block": BEGIN + b"\n" + END + b"\n",
        "bag": b"Bag Attributes\n    friendlyName: x\nsubject=/CN=x\n", "crlf": b"\r\n",
             "cr": b"\r", "ctrl-z": b"\x1a",
    }
    for name, text in texts.items():
        yield f"before-{name}", text + good
        yield f"between-{name}", good + text + other
        yield f"behind-{name}", good + text
        yield f"behind-{name}-no-line-end", good[:-1] + text
    for name, header in (("proc-type", b"Proc-Type: 4,CLEAR\n\n"), ("comment", b"Comment: x\n\n"),
                         ("two", b"A: b\nC: d\n\n"), ("folded", b"A: b\n c\n\n"),
                         ("no-empty-line", b"A: b\n"),
                         ("empty-line", b"\n"), ("blank-line", b"  \n"), ("crlf", b"A: b\r\n\r\n")):
        yield f"header-{name}", good.replace(BEGIN + b"\n", BEGIN + b"\n" + header)


def base64_cases(a, b):
    lines = base64_lines(a)
    body = b"\n".join(lines) + b"\n"

    def block(content):
        return BEGIN + b"\n" + content + END + b"\n"
    for char in b"*-=!,:;.#\"'<>|~ \t\x00\xa0\xff":
        yield f"base64-with-{char:02x}-in-a-line", block(body[:100] + bytes([char]) + body[100:])
        yield f"base64-with-{char:02x}-at-a-start", block(body[:65] + bytes([char]) + body[65:])
        yield f"base64-with-{char:02x}-at-the-end", block(body[:-1] + bytes([char]) + b"\n")
    stripped = body.replace(b"\n", b"").rstrip(b"=")
    for padding in range(5):
        yield f"base64-padding-{padding}", block(stripped + b"=" * padding + b"\n")
    for cut in range(1, 9):
        yield f"base64-cut-{cut}", block(stripped[:-cut] + b"\n")
        yield f"base64-cut-{cut}-padded", block(stripped[:-cut] + b"=" * (-(len(stripped) - cut) % 4) + b"\n")
    yield "base64-padding-on-its-own-line", block(stripped + b"\n" + b"=" * (-len(stripped) % 4) + b"\n")
    yield "base64-url-alphabet", block(body.replace(b"+", b"-").replace(b"/", b"_"))
    yield "base64-quoted-printable", block(body.replace(b"=", b"=3D"))
    yield "base64-two-in-one-block", block(body + b"\n".join(base64_lines(b)) + b"\n")
    yield "base64-alone", body
    yield "base64-alone-one-line", stripped + b"=" * (-len(stripped) % 4)
    yield "base64-behind-trailing-bytes", pem(a + b"rubbish")
    yield "base64-behind-a-zero", pem(a + b"\0")
    yield "base64-shortened-der", pem(a[:-1])


# --- DER ---

def long_length(data, octets):
    """The outermost element with a length of so many octets."""
    skip = 2 + (data[1] & 0x7F if data[1] >= 0x80 else 0)
    content = data[skip:]
    return data[:1] + bytes([0x80 | octets]) + len(content).to_bytes(octets, "big") + content


def der_file_cases(a, b):
    for name, data in (("der", a), ("der-two", a + b), ("der-behind-lf", a + b"\n"),
                       ("der-behind-crlf", a + b"\r\n"), ("der-behind-zeros", a + b"\0" * 100),
                       ("der-behind-text", a + b"rubbish"), ("der-behind-pem", a + pem(b)),
                       ("der-before-lf", b"\n" + a), ("der-cut", a[:-1]), ("der-empty", b""),
                       ("der-base64-twice", base64.b64encode(pem(a)))):
        yield name, data
    for octets in (3, 4, 5, 8):
        yield f"der-length-of-{octets}", long_length(a, octets)
        yield f"pem-length-of-{octets}", pem(long_length(a, octets))


def build(key, *, version=der.context(0, der.integer(2), True), serial=der.integer(5), inner=None,
          outer=None, issuer=None, subject=None, validity=None, spki=None, ids=b"", extensions=None,
          tail=b"", signature=None, cert_tail=b""):
    """A certificate out of parts, with a signature that nobody checks at loading."""
    algorithm = der.seq(der.oid("1.2.840.10045.4.3.2"))
    name = der.name("CN=odd")
    if extensions is None:
        extensions = der.context(3, encode_extensions(
            [basic_constraints(), key_usage("keyCertSign"), ski(key.key_id), aki(key.key_id)]),
                                 True)
    tbs = der.seq(version, serial, inner or algorithm, issuer or name,
                  validity or der.seq(der.time(NOW), der.time(NOW + 1000)), subject or name,
                  spki or key.spki, ids, extensions, tail)
    return der.seq(tbs, outer or algorithm, signature or der.bits(b"\x30\x00"), cert_tail)


def field_cases(key):
    oid_key = der.oid("1.2.840.10045.2.1")
    point = b"\x04" + b"\x11" * 64
    dates = [b"491231235959Z", b"500101000000Z", b"4912312359Z", b"491231235959+0100",
             b"491331235959Z",
             b"49123123595Z", b"", b"x", b"491231235960Z", b"490230000000Z", b"491231240000Z"]
    longs = [b"20491231235959Z", b"99991231235959Z", b"00000101000000Z", b"20491231235959.5Z",
             b"20491231235959",
             b"204912312359Z", b"19500101000000Z", b"20491231235959-0000"]
    yield "built", build(key)
    for version in (0, 1, 2, 3, 4, 127, -1, 1 << 40):
        yield f"version-{version}", build(key, version=der.context(0, der.integer(version), True))
    yield "version-missing-with-extensions", build(key, version=b"")
    yield "version-1-plain", build(key, version=b"", extensions=b"")
    for n, serial in enumerate((b"\0", b"\xff", b"\x80", b"\0\x80", b"\0\x01", b"\xff\xff",
                                b"\x7f" * 20, b"\x7f" * 21,
                                b"\x01" * 1000, b"")):
        yield f"serial-{n}", build(key, serial=der.tlv(2, serial))
    for n, (tag, text) in enumerate([(0x17, t) for t in dates] + [(0x18, t) for t in longs] +
                                    [(0x13, b"491231235959Z")]):
        yield f"date-{n}", build(key, validity=der.seq(der.time(NOW), der.tlv(tag, text)))
        yield f"date-both-{n}", build(key, validity=der.seq(der.tlv(tag, text), der.tlv(tag, text)))
    yield "dates-backwards", build(key, validity=der.seq(der.time(NOW), der.time(NOW - 1000)))
    yield "dates-three", build(key, validity=der.seq(der.time(NOW), der.time(NOW), der.time(NOW)))
    for tag in (0x0C, 0x12, 0x13, 0x14, 0x15, 0x16, 0x19, 0x1A, 0x1B, 0x1C, 0x1E, 0x04, 0x02, 0x05,
                0x03, 0x80, 0x30):
        for n, value in enumerate((b"odd", b"", b"\0o\0d", b"\xff\xfe\xfd", b"x" * 10000)):
            name = der.seq(der.set_(der.seq(der.oid("2.5.4.3"), der.tlv(tag, value))))
            yield f"name-tag-{tag:02x}-{n}", build(key, subject=name, issuer=name)
    pair = der.seq(der.oid("2.5.4.3"), der.tlv(0x0C, b"x"))
    for n, name in enumerate((der.seq(), der.seq(der.set_()), der.seq(der.set_(pair), der.set_()),
                              der.set_(pair),
                              der.seq(pair), der.seq(der.set_(pair, pair)),
                              der.seq(der.set_(der.seq(der.oid("2.5.4.3")))),
                              der.seq(der.set_(pair + der.null())),
                              der.seq(*[der.set_(pair)] * 500),
                              der.seq(der.set_(*[pair] * 500)))):
        yield f"name-form-{n}", build(key, subject=name)
        yield f"issuer-form-{n}", build(key, issuer=name)
    for n, spki in enumerate((der.seq(der.seq(der.oid("1.3.101.112")), der.bits(b"\x11" * 32)),
                              der.seq(der.seq(der.oid("1.2.3.4")), der.bits(b"")),
                              der.seq(der.seq(oid_key, der.oid("1.2.3.4")), der.bits(point)),
                              der.seq(der.seq(oid_key, der.seq(der.integer(1))), der.bits(point)),
                              der.seq(der.seq(oid_key, der.null()), der.bits(point)),
                              der.seq(der.seq(oid_key), der.bits(point)),
                              der.seq(der.seq(der.oid("1.2.840.113549.1.1.1"), der.null()),
                                      der.bits(der.seq(der.integer(0), der.integer(0)))),
                              der.seq(der.seq(der.oid("1.2.840.113549.1.1.1"), der.null()),
                                      der.bits(b"rubbish")),
                              der.seq(der.seq(der.oid("1.2.840.113549.1.1.1")),
                                      der.bits(der.seq(der.integer(1 << 4095), der.integer(3)))),
                              der.seq(der.seq(der.oid("1.2.840.10040.4.1")),
                                      der.bits(der.integer(5))),
                              der.seq(), der.seq(der.seq(oid_key)),
                              der.seq(der.seq(oid_key), der.bits(point), der.null()))):
        yield f"key-{n}", build(key, spki=spki)
    for n, algorithm in enumerate((der.seq(der.oid("1.2.840.113549.1.1.5"), der.null()),
                                   der.seq(der.oid("1.2.3.4.5")),
                                   der.seq(der.oid("1.2.840.113549.1.1.10")), der.seq(), der.null(),
                                   der.seq(der.oid("1.2.840.10045.4.3.2"), der.null(), der.null()),
                                   der.seq(der.tlv(6, b"\x80\x01")), der.seq(der.tlv(6, b"")))):
        yield f"algorithm-{n}", build(key, inner=algorithm, outer=algorithm)
        yield f"algorithm-outer-{n}", build(key, outer=algorithm)
    for n, signature in enumerate((der.bits(b""), der.bits(b"\x01\x01", 1), der.bits(b"\x02", 1),
                                   der.tlv(3, b""), der.tlv(3, b"\x08\0"),
                                   der.octets(b"x"), der.bits(b"x" * 60000))):
        yield f"signature-{n}", build(key, signature=signature)
    yield "behind-tbs-fields", build(key, tail=der.null())
    yield "behind-signature", build(key, cert_tail=der.null())
    yield "unique-ids", build(key, ids=der.context(1, b"\0x") + der.context(2, b"\0y"))
    yield "unique-ids-version-1", build(key, version=b"", ids=der.context(1, b"\0x"),
                                        extensions=b"")


def extension_cases(key):
    plain = [basic_constraints(), key_usage("keyCertSign")]

    def with_extensions(content):
        return build(key, extensions=der.context(3, content, True))
    yield "extensions-empty", with_extensions(der.seq())
    yield "extensions-none", build(key, extensions=b"")
    yield "extensions-nothing-inside", build(key, extensions=der.context(3, b"", True))
    yield "extensions-set", with_extensions(der.set_())
    for n, one in enumerate((der.seq(der.oid("2.5.29.19"), der.tlv(1, b"\x01"),
                                     der.octets(der.seq())),
                             der.seq(der.oid("2.5.29.19"), der.tlv(1, b"\0"),
                                     der.octets(der.seq())),
                             der.seq(der.oid("2.5.29.19"), der.tlv(1, b""), der.octets(der.seq())),
                             der.seq(der.oid("2.5.29.19"), der.octets(der.seq()), der.null()),
                             der.seq(der.oid("2.5.29.19")), der.seq(der.octets(b"")), der.seq(),
                             der.null(),
                             der.seq(der.oid("2.5.29.19"), der.tlv(0x0C, b"x")))):
        yield f"extension-form-{n}", with_extensions(der.seq(one))
    known = [f"2.5.29.{n}" for n in (14, 15, 16, 17, 18, 19, 30, 31, 32, 33, 35, 36, 37, 46,
                                     54)] + \
        ["1.3.6.1.5.5.7.1.1", "1.3.6.1.5.5.7.1.11", "1.2.3.4"]
    values = (b"", b"\x05\0", der.seq(), b"\x30\x80", b"rubbish", der.seq(der.seq()),
              der.integer(-1), der.bits(b""), der.octets(b""),
              der.seq(der.integer(-1)), der.seq(der.context(2, b"\xff")),
              der.seq(der.context(7, b"12345")))
    for oid in known:
        for n, value in enumerate(values):
            rest = [p for p in plain if p[0] != oid]
            yield (f"extension-{oid}-value-{n}",
                   with_extensions(encode_extensions([*rest, ext(oid, n % 3 == 0, value)])))
        yield f"extension-{oid}-twice", with_extensions(encode_extensions([ext(oid, False,
                                                                               b"\x05\0")] * 2))
    for count in (60, 64, 65, 200):
        many = [ext(f"1.2.3.{n}", False, b"") for n in range(count)]
        yield f"extensions-{count}", with_extensions(encode_extensions(many))
    yield "extension-of-60-kb", with_extensions(encode_extensions([ext("1.2.3", False,
                                                                       b"x" * 60000)]))
    yield "extension-of-70-kb", with_extensions(encode_extensions([ext("1.2.3", False,
                                                                       b"x" * 70000)]))
    yield "san-10000-names", with_extensions(encode_extensions([san(*["DNS:a.b"] * 5000)]))


def mutation_cases(a, count, seed):
    """Single bytes of the DER replaced; outside of the key, whose bytes differ from run to run."""
    rng = random.Random(seed)
    for n in range(count):
        data = bytearray(a)
        at = rng.randrange(len(data))
        data[at] = rng.choice((data[at] ^ 1 << rng.randrange(8), 0, 0x30, 0x80, 0xFF))
        yield f"mutation-{seed}-{n}-byte-{at}", bytes(data)


def all_cases(directory):
    key = Keys(directory).get("odd")
    common = [basic_constraints(), key_usage("keyCertSign"), ski(key.key_id)]
    a = issue("CN=Odd CA,O=Example", key, extensions=common, serial=0x1234).der
    b = issue("CN=Other CA,O=Example", key, extensions=common, serial=0x1235).der
    for cases in (line_cases, mark_cases, surrounding_cases, base64_cases, der_file_cases):
        yield from cases(a, b)
    mutations = mutation_cases(build(key), 150, 1)
    for n, (name, data) in enumerate((*field_cases(key), *extension_cases(key), *mutations)):
        yield (name, data) if n % 2 else (name + "-pem", pem(data))
