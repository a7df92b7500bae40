"""OpenSSL and GnuTLS as judges of chains, asked in this process, at any time of day.

Each function takes a case (chains.Case) and says whether the library accepts its chain. Both are set
up as a careful TLS program would: anchors need not be self-signed, 112 bits of security, the name and
the purpose checked, and for the public profile OpenSSL's strict mode.
"""
import ctypes
import ctypes.util
import ipaddress


def load(name):
    path = ctypes.util.find_library(name)
    if path is None:
        raise OSError(f"there is no library {name}")
    return ctypes.CDLL(path)


def address_of(host):
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


# --- OpenSSL ---

class OpenSsl:
    PARTIAL_CHAIN, TRUSTED_FIRST, STRICT = 0x80000, 0x8000, 0x20
    PURPOSES = {"client": 1, "server": 2}
    POINTERS = ("d2i_X509", "X509_STORE_new", "X509_STORE_CTX_new", "OPENSSL_sk_new_null",
                "X509_STORE_CTX_get0_param", "X509_verify_cert_error_string")

    def __init__(self):
        self.lib = load("crypto")
        for name in self.POINTERS:
            getattr(self.lib, name).restype = ctypes.c_void_p

    def read(self, data):
        start = ctypes.create_string_buffer(data, len(data))
        at = ctypes.c_void_p(ctypes.addressof(start))
        cert = self.lib.d2i_X509(None, ctypes.byref(at), ctypes.c_long(len(data)))
        if cert and at.value - ctypes.addressof(start) != len(data):
            self.lib.X509_free(ctypes.c_void_p(cert))
            return None
        return ctypes.c_void_p(cert) if cert else None

    def set_up(self, context, case):
        lib = self.lib
        param = ctypes.c_void_p(lib.X509_STORE_CTX_get0_param(context))
        strict = self.STRICT if case.profile == "public" and case.purpose != "any" else 0
        lib.X509_VERIFY_PARAM_set_flags(
            param, ctypes.c_ulong(self.PARTIAL_CHAIN | self.TRUSTED_FIRST | strict))
        lib.X509_VERIFY_PARAM_set_time(param, ctypes.c_int64(case.time))
        lib.X509_VERIFY_PARAM_set_auth_level(param, 2)
        if case.purpose in self.PURPOSES:
            lib.X509_VERIFY_PARAM_set_purpose(param, self.PURPOSES[case.purpose])
        if case.host is None:
            return
        address = address_of(case.host)
        if address is not None:
            lib.X509_VERIFY_PARAM_set1_ip(param, address.packed,
                                          ctypes.c_size_t(len(address.packed)))
        else:
            name = case.host.rstrip(".").encode()
            lib.X509_VERIFY_PARAM_set1_host(param, name, ctypes.c_size_t(len(name)))

    def verify(self, case, leaf, rest, anchors):
        lib = self.lib
        store = ctypes.c_void_p(lib.X509_STORE_new())
        others = ctypes.c_void_p(lib.OPENSSL_sk_new_null())
        context = ctypes.c_void_p(lib.X509_STORE_CTX_new())
        for cert in anchors:
            lib.X509_STORE_add_cert(store, cert)
        for cert in rest:
            lib.OPENSSL_sk_push(others, cert)
        lib.X509_STORE_CTX_init(context, store, leaf, others)
        self.set_up(context, case)
        good = lib.X509_verify_cert(context) == 1
        code = lib.X509_STORE_CTX_get_error(context)
        text = ctypes.string_at(lib.X509_verify_cert_error_string(ctypes.c_long(code))).decode()
        lib.X509_STORE_CTX_free(context)
        lib.OPENSSL_sk_free(others)
        lib.X509_STORE_free(store)
        return good, text

    def accepts(self, case):
        """Whether it does, and what it says."""
        certs = [self.read(c.der) for c in [*case.chain, *case.trusted]]
        try:
            chain, anchors = certs[:len(case.chain)], certs[len(case.chain):]
            if chain[0] is None:
                return False, "unreadable"
            return self.verify(case, chain[0], [c for c in chain[1:] if c],
                               [c for c in anchors if c])
        finally:
            for cert in filter(None, certs):
                self.lib.X509_free(cert)
            self.lib.ERR_clear_error()


# --- GnuTLS ---

class Datum(ctypes.Structure):
    _fields_ = [("data", ctypes.c_char_p), ("size", ctypes.c_uint)]


class Typed(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int), ("data", ctypes.c_char_p), ("size", ctypes.c_uint)]


class GnuTls:
    MEDIUM = 5 << 24  # GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_MEDIUM)
    UNSORTED = 1 << 10
    HOSTNAME, PURPOSE, ADDRESS = 1, 2, 4
    PURPOSES = {"server": b"1.3.6.1.5.5.7.3.1", "client": b"1.3.6.1.5.5.7.3.2"}
    CLOCK = ctypes.CFUNCTYPE(ctypes.c_long, ctypes.POINTER(ctypes.c_long))

    def __init__(self):
        self.lib = load("gnutls")
        self.now = 0
        self.clock = self.CLOCK(self.tell_time)  # must live as long as the library has it
        self.lib.gnutls_global_set_time_function(self.clock)

    def tell_time(self, out):
        if out:
            out[0] = self.now
        return self.now

    def read(self, data):
        cert = ctypes.c_void_p()
        datum = Datum(data, len(data))
        self.lib.gnutls_x509_crt_init(ctypes.byref(cert))
        if self.lib.gnutls_x509_crt_import(cert, ctypes.byref(datum), 0) == 0:
            return cert
        self.lib.gnutls_x509_crt_deinit(cert)
        return None

    def demands(self, case):
        out = []
        if case.purpose in self.PURPOSES:
            out.append(Typed(self.PURPOSE, self.PURPOSES[case.purpose], 0))
        if case.host is not None:
            address = address_of(case.host)
            if address is not None:
                out.append(Typed(self.ADDRESS, address.packed, len(address.packed)))
            else:
                out.append(Typed(self.HOSTNAME, case.host.rstrip(".").encode(), 0))
        return (Typed * len(out))(*out)

    def accepts(self, case):
        """Whether it does, and what it says."""
        lib = self.lib
        self.now = case.time
        chain = [self.read(c.der) for c in case.chain]
        anchors = [c for c in (self.read(c.der) for c in case.trusted) if c]
        trust = ctypes.c_void_p()
        lib.gnutls_x509_trust_list_init(ctypes.byref(trust), 0)
        lib.gnutls_x509_trust_list_add_cas(
            trust, (ctypes.c_void_p * len(anchors))(*(a.value for a in anchors)), len(anchors), 0)
        status = ctypes.c_uint(~0)
        answer = "unreadable"
        certs = [c for c in chain if c]
        if chain[0]:
            listed = (ctypes.c_void_p * len(certs))(*(c.value for c in certs))
            demands = self.demands(case)
            lib.gnutls_x509_trust_list_verify_crt2(
                trust, listed, len(certs), demands, len(demands), self.MEDIUM | self.UNSORTED,
                ctypes.byref(status), None)
            answer = f"status {status.value:#x}"
        for cert in certs:
            lib.gnutls_x509_crt_deinit(cert)
        lib.gnutls_x509_trust_list_deinit(trust, 1)  # with the anchors
        return status.value == 0, answer
