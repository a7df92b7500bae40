"""Writes DER and PEM: as much as certificates and revocation lists need, and no rule kept.

Everything is a function from values to bytes, so that a test can put any bytes in any place.
"""
import base64
import datetime
import ipaddress


def tlv(tag, content):
    n = len(content)
    if n < 0x80:
        return bytes([tag, n]) + content
    length = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def seq(*items):
    return tlv(0x30, b"".join(items))


def set_(*items):
    return tlv(0x31, b"".join(items))


def context(n, content, constructed=False):
    return tlv((0xA0 if constructed else 0x80) | n, content)


def integer(value):
    if isinstance(value, bytes):
        return tlv(0x02, value)
    n = value.bit_length() // 8 + 1
    return tlv(0x02, value.to_bytes(n, "big", signed=True))


def boolean(value):
    return tlv(0x01, b"\xff" if value else b"\x00")


def octets(content):
    return tlv(0x04, content)


def bits(content, unused=0):
    return tlv(0x03, bytes([unused]) + content)


def null():
    return tlv(0x05, b"")


def oid(text):
    arcs = [int(a) for a in text.split(".")]
    out = bytearray()
    for arc in [40 * arcs[0] + arcs[1]] + arcs[2:]:
        digits = [arc & 0x7F]
        while arc > 0x7F:
            arc >>= 7
            digits.append(0x80 | (arc & 0x7F))
        out += bytes(reversed(digits))
    return tlv(0x06, bytes(out))


def named_bits(*numbers):
    """A BIT STRING in which these bits are set."""
    if not numbers:
        return bits(b"")
    size = max(numbers) + 1
    value = 0
    for n in numbers:
        value |= 1 << (8 * ((size + 7) // 8) - 1 - n)
    return bits(value.to_bytes((size + 7) // 8, "big"), -size % 8)


def time(epoch_s):
    """A Time: UTCTime to 2049, then GeneralizedTime; text is taken as it is."""
    if isinstance(epoch_s, bytes):
        return epoch_s
    t = datetime.datetime.fromtimestamp(epoch_s, datetime.timezone.utc)
    if 1950 <= t.year < 2050:
        return tlv(0x17, t.strftime("%y%m%d%H%M%SZ").encode())
    return tlv(0x18, t.strftime("%Y%m%d%H%M%SZ").encode())


ATTRIBUTES = {
    "CN": "2.5.4.3", "O": "2.5.4.10", "OU": "2.5.4.11", "C": "2.5.4.6",
    "emailAddress": "1.2.840.113549.1.9.1", "DC": "0.9.2342.19200300.100.1.25",
}


def name(text, tag=0x0C):
    """A Name of "O=Example/CN=leaf"; "" is the empty one."""
    rdns = []
    for part in filter(None, text.split("/")):
        kind, _, value = part.partition("=")
        string = 0x16 if kind in ("emailAddress", "DC") else tag
        encoded = value.encode("utf-16-be" if string == 0x1E else "utf-8")
        rdns.append(set_(seq(oid(ATTRIBUTES[kind]), tlv(string, encoded))))
    return seq(*rdns)


def general_name(text):
    """A GeneralName of "DNS:a", "IP:192.0.2.1", "IP:192.0.2.0/24" (for constraints), "URI:...",
    "email:...", "dir:O=x/CN=y", "RID:1.2.3", "other:..."; bytes are taken as they are."""
    if isinstance(text, bytes):
        return text
    kind, _, value = text.partition(":")
    if kind == "DNS":
        return context(2, value.encode())
    if kind == "email":
        return context(1, value.encode())
    if kind == "URI":
        return context(6, value.encode())
    if kind == "dir":
        return context(4, name(value), constructed=True)
    if kind == "RID":
        return context(8, oid(value)[2:])
    if kind == "other":
        return context(0, oid("1.3.6.1.4.1.311.20.2.3") +
                       context(0, tlv(0x0C, value.encode()), constructed=True), constructed=True)
    if "/" in value:
        net = ipaddress.ip_network(value)
        return context(7, net.network_address.packed + net.netmask.packed)
    return context(7, ipaddress.ip_address(value).packed)


def general_names(texts):
    return b"".join(general_name(t) for t in texts)


def pem(label, der):
    body = base64.encodebytes(der).decode().replace("\n", "")
    lines = [body[i:i + 64] for i in range(0, len(body), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


# --- reading, as far as it takes to change something and write it again ---

def _header(data, at):
    """Tag, and where the content of the element at AT begins and ends."""
    length, begin = data[at + 1], at + 2
    if length & 0x80:
        begin += length & 0x7F
        length = int.from_bytes(data[at + 2:begin], "big")
    if begin + length > len(data):
        raise IndexError
    return data[at], begin, begin + length


def parse(data):
    """A list of (tag, content); the content of constructed elements is such a list, and that of an
    OCTET STRING too if it is DER itself."""
    out, at = [], 0
    while at < len(data):
        tag, begin, end = _header(data, at)
        content = data[begin:end]
        if tag & 0x20 or (tag == 0x04 and content[:1] in (b"\x30", b"\x03", b"\x04")):
            try:
                content = parse(content)
            except IndexError:
                pass
        out.append((tag, content))
        at = end
    return out


def write(tree):
    return b"".join(tlv(tag, content if isinstance(content, bytes) else write(content))
                    for tag, content in tree)
