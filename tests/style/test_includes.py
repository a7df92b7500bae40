#!/usr/bin/env python3
"""Arrows point down: what each directory of src/ may include, checked.

A module that reaches upwards, or a library that leaks out of the layer that hides it, fails the
test with one sentence that says where. The tables below are the rule itself.
"""
import os
import re
import tempfile
import unittest

# directory of src/: the directories that its files may include, beside their own
MAY_INCLUDE = {
    "base": [],
    "sys": ["base"],
    "pki": ["base"],
    "tls": ["base", "pki"],
    "sip": ["base"],
    "link": ["base", "sys", "pki", "tls", "sip"],
    "control": ["base", "sys", "pki", "tls", "sip", "link"],
    "app": ["base", "sys", "pki", "tls", "sip", "link", "control"],
    "client": [],
    "ctl": ["base", "sys", "pki", "tls", "link", "control"],
    "factory": ["base", "sys", "pki"],
}

# Who may include the public headers, "sipsd/...".
PUBLIC = ["client", "ctl", "link", "control"]

# library: its headers, and where (a directory, or one module) they may be included
LIBRARIES = {
    "libuv": (r"uv\.h|uv/.*", ["sys"]),
    "c-ares": (r"ares.*\.h", ["sys"]),
    "mbedTLS": (r"(mbedtls|psa|everest)/.*", ["pki", "tls", "factory", "base/hash"]),
    "osip": (r"osip.*/.*", ["sip"]),
    "cJSON": (r"(cjson/)?cJSON.*", ["control", "client", "ctl"]),
    "curl": (r"curl/.*", ["control/transfer", "control/weburl"]),
}

# These layers get bytes, time and randomness handed in, so that every one of their functions is a
# test and fuzz target as it stands.
PURE = ["pki", "tls", "sip"]
PURE_HEADERS = (
    r"(unistd|fcntl|poll|netdb|dirent|signal|pthread|threads)\.h|"
    r"sys/(socket|stat|un|epoll|random)\.h"
)
PURE_CALLS = (
    r"time|clock|clock_gettime|gettimeofday|localtime|nanosleep|sleep|usleep|"
    r"open|fopen|fdopen|read|write|recv|send|socket|connect|getenv|"
    r"rand|random|srand|getrandom|arc4random|"
    r"mbedtls_\w+_file|mbedtls_x509_crt_parse_path|mbedtls_ctr_drbg_seed|mbedtls_entropy_func"
)

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')
CALL = re.compile(r"(?<![\w.>])(" + PURE_CALLS + r")\s*\(")


def strip_comments_and_strings(text):
    """Blanks them out and keeps the lines, so that line numbers stay right."""
    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\''
    return re.sub(pattern, lambda m: re.sub(r"[^\n]", " ", m.group()), text, flags=re.S)


def check_include(module, quote, target):
    """One include of src/<module>; returns what is wrong with it, or None."""
    layer = module.split("/")[0]
    if target.startswith("sipsd/"):
        if layer in PUBLIC:
            return None
        return f"{layer}/ does not know the public headers (only {', '.join(PUBLIC)} do)"
    if quote == '"':
        if "/" not in target:
            return f'write the include of "{target}" from src/, as "{layer}/{target}"'
        other = target.split("/")[0]
        if other != layer and other not in MAY_INCLUDE[layer]:
            may = ", ".join(MAY_INCLUDE[layer]) or "nothing else"
            return f"{layer}/ may not include {other}/ (it may include {may})"
        return None
    for library, (headers, places) in LIBRARIES.items():
        if re.fullmatch(headers, target) and layer not in places and module not in places:
            return f"{library} stays inside {', '.join(places)}"
    if layer in PURE and re.fullmatch(PURE_HEADERS, target):
        return f"{layer}/ does no I/O: <{target}> has no place here"
    return None


def check_file(module, text):
    """Returns [(line number, sentence)] for src/<module>.[ch]."""
    layer = module.split("/")[0]
    if layer not in MAY_INCLUDE:
        return [(1, f"src/{layer}/ is not a layer; add it to the table in tests/style")]
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        include = INCLUDE.match(line)
        if include:
            wrong = check_include(module, include.group(1), include.group(2))
            if wrong:
                found.append((number, wrong))
    if layer in PURE:
        for number, line in enumerate(strip_comments_and_strings(text).split("\n"), 1):
            for call in CALL.finditer(line):
                found.append((number, f"{layer}/ gets time, bytes and randomness handed in, but "
                                      f"this calls {call.group(1)}()"))
    return found


def check_tree(src):
    """Returns one line of text for each violation under the directory SRC."""
    found = []
    for directory, _, files in sorted(os.walk(src)):
        for name in sorted(files):
            if not name.endswith((".c", ".h")):
                continue
            path = os.path.join(directory, name)
            module = os.path.splitext(os.path.relpath(path, src))[0].replace(os.sep, "/")
            with open(path, encoding="utf-8") as f:
                for line, wrong in check_file(module, f.read()):
                    found.append(f"{path}:{line}: {wrong}")
    return found


class Tree(unittest.TestCase):
    def test_every_arrow_points_down(self):
        root = os.path.join(os.path.dirname(__file__), "..", "..", "src")
        found = check_tree(os.path.normpath(root))
        self.assertEqual([], found, "\n" + "\n".join(found))

    def test_table_has_no_circle(self):
        """So that there is an order in which everything points down."""
        done, left = set(), dict(MAY_INCLUDE)
        while left:
            ready = [name for name, below in left.items() if done.issuperset(below)]
            self.assertTrue(ready, f"a circle among {', '.join(left)}")
            done.update(ready)
            for name in ready:
                del left[name]


    def test_tools_have_no_cmocka(self):
        """`./dev run` builds them for its demo on a machine that has no package for tests."""
        tools = os.path.join(os.path.dirname(__file__), "..", "tools")
        found = []
        for name in sorted(os.listdir(tools)):
            if name.endswith((".c", ".h")) and name != "unit.h":
                with open(os.path.join(tools, name), encoding="utf-8") as f:
                    included = [m.group(2) for m in map(INCLUDE.match, f) if m]
                if "cmocka.h" in included or "tools/unit.h" in included:
                    found.append(f"tests/tools/{name} includes cmocka; what asserts goes beside the "
                                 "tests that it is for")
        self.assertEqual([], found, "\n" + "\n".join(found))


class Checker(unittest.TestCase):
    """The check sees what it is there for."""

    CASES = [
        # module, line, what is said of it (None: nothing)
        ("base/log", '#include "base/buf.h"', None),
        ("base/log", '#include "sys/loop.h"', "base/ may not include sys/"),
        ("pki/trust", '#include "tls/session.h"', "pki/ may not include tls/"),
        ("tls/session", '  #  include "sip/frame.h"', "tls/ may not include sip/"),
        ("sip/frame", '#include "pki/x509.h"', "sip/ may not include pki/"),
        ("link/account", '#include "control/events.h"', "link/ may not include control/"),
        ("client/client", '#include "base/buf.h"', "client/ may not include base/"),
        ("sys/loop", '#include "dns.h"', "from src/"),
        ("sys/loop", "#include <uv.h>", None),
        ("link/route", "#include <uv.h>", "libuv stays inside sys"),
        ("link/route", "#include <ares.h>", "c-ares stays inside sys"),
        ("base/hash", "#include <mbedtls/md5.h>", None),
        ("base/rng", "#include <mbedtls/md5.h>", "mbedTLS stays inside"),
        ("sip/digest", "#include <mbedtls/md5.h>", "mbedTLS stays inside"),
        ("link/relay", "#include <osipparser2/osip_parser.h>", "osip stays inside sip"),
        ("app/main", "#include <cjson/cJSON.h>", "cJSON stays inside"),
        ("control/rpc", "#include <curl/curl.h>", "curl stays inside control/transfer"),
        ("control/transfer", "#include <curl/curl.h>", None),
        ("control/weburl", "#include <curl/curl.h>", None),
        ("pki/x509", "#include <unistd.h>", "no I/O"),
        ("sys/store", "#include <unistd.h>", None),
        ("base/log", "#include <sipsd/client.h>", "public headers"),
        ("client/client", '#include "sipsd/client.h"', None),
        ("tls/session", "t = time(NULL);", "this calls time()"),
        ("sip/digest", "n = rand ();", "this calls rand()"),
        ("pki/x509", "x = c->read(c); /* time() */", None),
        ("pki/x509", 'fail("could not open (it)");', None),
        ("pki/x509", "slice_read(s); cert_time(c); s.time(x);", None),
        ("sys/random", "n = getrandom(b, 1, 0);", None),
        ("ui/window", "", "is not a layer"),
    ]

    def test_cases(self):
        for module, line, want in self.CASES:
            with self.subTest(module=module, line=line):
                found = check_file(module, "\n" + line)
                if want is None:
                    self.assertEqual([], found)
                else:
                    self.assertEqual(1, len(found), found)
                    self.assertIn(want, found[0][1])

    def test_finds_the_file_and_line(self):
        with tempfile.TemporaryDirectory() as src:
            os.mkdir(os.path.join(src, "base"))
            path = os.path.join(src, "base", "log.c")
            with open(path, "w", encoding="utf-8") as f:
                f.write('/* */\n\n#include "app/daemon.h"\n')
            found = check_tree(src)
            self.assertEqual(1, len(found))
            self.assertTrue(found[0].startswith(path + ":3: base/ may not include app/"), found)


if __name__ == "__main__":
    unittest.main()
