"""What cases are made of: ordinary certificates, of which a case changes one property."""
from issue import (NOW, Keys, aki, basic_constraints, eku, issue, key_usage, san, ski)

HOST = "sip.example.com"


class Case:
    def __init__(self, name, expected, chain, trusted, host=HOST, purpose="server", time=NOW,
                 crls=(), options=(), profile="public"):
        self.name, self.expected, self.chain, self.trusted = name, expected, chain, trusted
        self.host, self.purpose, self.time, self.crls = host, purpose, time, crls
        self.options, self.profile = list(options), profile

    def arguments(self):
        out = ["--time", str(self.time), "--purpose", self.purpose, "--profile", self.profile]
        if self.host is not None:
            out += ["--name", self.host]
        return out + self.options


class Pki:
    """Certificates with everything that an ordinary one has; each extension can be replaced by
    name, or left out with None, and more be added with MORE."""

    def __init__(self, directory):
        self.keys = Keys(directory)

    def make(self, subject, issuer, key, defaults, overrides):
        fields = {k: overrides.pop(k) for k in list(overrides)
                  if k in ("serial", "not_before", "not_after", "version", "algorithm",
                           "outer_algorithm", "break_signature", "tag", "issuer_name", "trailing",
                           "unique_ids")}
        kind = overrides.pop("key_kind", "p256")
        key = self.keys.get(overrides.pop("key", key), kind)
        key = overrides.pop("written", lambda k: k)(key)
        more = overrides.pop("more", [])
        standard = dict(defaults, ski=ski(key.key_id),
                        aki=aki(issuer.key.key_id) if issuer else None)
        unknown = set(overrides) - set(standard) - {"san", "eku", "nc", "policies"}
        assert not unknown, unknown
        standard.update(overrides)
        extensions = [e for e in standard.values() if e is not None] + list(more)
        if fields.get("version", 3) < 3:
            extensions = []
        return issue(subject, key, issuer, extensions, **fields)

    def root(self, subject="O=Example/CN=Root", **overrides):
        return self.make(subject, None, subject,
                         {"bc": basic_constraints(), "ku": key_usage("keyCertSign", "cRLSign")},
                         overrides)

    def sub(self, issuer, subject="O=Example/CN=Issuing CA", **overrides):
        return self.make(subject, issuer, subject,
                         {"bc": basic_constraints(), "ku": key_usage("keyCertSign", "cRLSign")},
                         overrides)

    def leaf(self, issuer, subject="CN=" + HOST, **overrides):
        return self.make(subject, issuer, "leaf",
                         {"bc": basic_constraints(ca=False), "ku": key_usage("digitalSignature"),
                          "eku": eku("server"), "san": san("DNS:" + HOST)}, overrides)
