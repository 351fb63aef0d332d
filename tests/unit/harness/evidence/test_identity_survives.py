"""What encodings, stores and masking rules do to text, they do not do to an identity."""

import csv
import html
import io
import json
import re
import unicodedata
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

import pytest

from harness.evidence.lines import SEQUENCE_MAX, GeneratedLines, identify, identity, stamp
from harness.evidence.transforms import TRANSFORMS
from harness.reporting.redaction import Redaction

RUN = "20260101-000000-abcd-01"
SEQUENCES = [0, 1, 7, 819, 65_535, 180_019, 10**6, SEQUENCE_MAX]
RUNS = [f"2026{month:02d}01-{month:06d}-{month * 4_000:04x}-{month:02d}" for month in range(1, 13)]
TEXTS = ["", "  größe geändert: naïve façade ☃\n\tat <b> & 'c' \"d\", 50 %", GeneratedLines(1).text(5)]


def _csv(line):
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL).writerow(["a", line])
    return written.getvalue()


CHANGES = {
    "JSON with ASCII alone": json.dumps,
    "JSON twice": lambda line: json.dumps(json.dumps(line)),
    "HTML": lambda line: html.escape(line, quote=True),
    "XML": escape,
    "URL": lambda line: quote(line, safe=""),
    "form": quote_plus,
    "CSV": _csv,
    "Python's repr": repr,
    "non-ASCII as ?": lambda line: line.encode("ascii", "replace").decode(),
    "non-ASCII dropped": lambda line: line.encode("ascii", "ignore").decode(),
    "Latin-1": lambda line: line.encode("latin-1", "replace").decode("latin-1"),
    "UTF-8 read as Latin-1": lambda line: line.encode().decode("latin-1"),
    "UTF-8 read as ASCII": lambda line: line.encode().decode("ascii", "replace"),
    "accents taken off": lambda line: unicodedata.normalize("NFKD", line).encode("ascii", "ignore").decode(),
    "NFKC": lambda line: unicodedata.normalize("NFKC", line),
    "capitals": str.upper,
    "small letters": str.lower,
    "white space trimmed": str.strip,
    "white space joined": lambda line: " ".join(line.split()),
    "control characters dropped": lambda line: "".join(c for c in line if c.isprintable()),
    "signs dropped": lambda line: re.sub(r"[^\w\s-]", "", line),
    "a newline behind it": lambda line: line + "\n",
    "a word behind it": lambda line: f"{line} [host=a1]",
    "quoted and escaped": lambda line: '"' + line.replace("\\", "\\\\").replace('"', '\\"') + '"',
    "syslog's PRI, and #012": lambda line: f"<165>1 - - - - - {TRANSFORMS['escape_control'](line)}",
    "shell quoting": lambda line: "'" + line.replace("'", "'\\''") + "'",
    "the first half gone": lambda line: line[len(line) // 2 :] if len(line) > 60 else line,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_an_identity_is_read_after_what_stacks_do_to_text(change):
    for text in TEXTS:
        for sequence in SEQUENCES:
            assert identify(change(stamp(text, RUN, sequence)), RUN) == sequence


# As log shippers, secret scanners and data-loss prevention write them; each finds what it is named for.
MASKING_RULES = {
    "payment card": (r"\b(?:\d[ -]*?){13,19}\b", "4111 1111 1111 1111"),
    "IBAN": (r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b", "DE89370400440532013000"),
    "BIC": (r"\b[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?\b", "DEUTDEFF500"),
    "e-mail": (r"[\w.+-]+@[\w-]+\.[\w.-]+", "a.b@example.org"),
    "IPv4": (r"\b(?:\d{1,3}\.){3}\d{1,3}\b", "10.0.0.1"),
    "IPv6": (r"\b(?:[0-9a-f]{1,4}:){2,7}[0-9a-f]{0,4}\b", "2001:db8::1:2:3"),
    "MAC address": (r"\b(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}\b", "00:1a:2b:3c:4d:5e"),
    "host name": (r"\b(?:[a-z0-9-]+\.)+[a-z]{2,}\b", "db1.internal.example"),
    "URL": (r"\b\w+://\S+", "https://example.org/?a=b"),
    "path": (r"(?:/[\w.-]+){2,}", "/home/somebody"),
    "UUID": (r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", "0b2e7a8c-1f7a-4a3b-9c55-3d9e4b7f1a20"),
    "phone": (r"\+?\(?\d{1,4}\)?(?:[ ./-]?\d{2,5}){2,5}", "+49 (30) 1234-567"),
    "social security number": (r"\b\d{3}-\d{2}-\d{4}\b", "078-05-1120"),
    "postcode": (r"\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b", "SW1A 1AA"),
    "date": (r"\b\d{4}-?\d{2}-?\d{2}\b", "1980-01-31"),
    "digits": (r"\d{4,}", "12345"),
    "any digit": (r"\d", "7"),
    "hexadecimal": (r"\b[0-9a-f]{8,}\b", "9c41d2e0"),
    "number plate": (r"\b[A-Z]{1,3}-[A-Z]{1,2} ?\d{1,4}\b", "B-AB 1234"),
    "licence key": (r"\b[A-Z0-9]{5}(?:-[A-Z0-9]{5}){2,}\b", "ABCDE-12345-FGHIJ"),
    "JWT": (r"\beyJ[\w-]+\.[\w-]+\.[\w-]*", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"),
    "bearer token": (r"(?:bearer|basic)\s+[\w+/=.~-]+", "Bearer abc.def"),
    "AWS key id": (r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}\b", "AKIAIOSFODNN7EXAMPLE"),
    "AWS secret": (r"(?<![\w+/=])[A-Za-z0-9+/=]{40}(?![\w+/=])", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    "GitHub token": (r"\bgh[pousr]_\w{36,}\b", "ghp_" + "a1B2" * 9),
    "Google key": (r"\bAIza[\w-]{35}\b", "AIza" + "Sy-_x" * 7),
    "Slack token": (r"\bxox[abpors]-[\w-]{10,}", "xoxb-1234567890-abc"),
    "Stripe key": (r"\b[rs]k_(?:live|test)_\w{10,}", "sk_live_1234567890"),
    "npm token": (r"\bnpm_\w{36}\b", "npm_" + "a1B2" * 9),
    "long token": (r"[\w-]{20,}", "abcdefghij_klmnopqrst"),
    "long word": (r"\b\w{16,}\b", "abcdefghijklmnop"),
    "Base64": (r"(?:[A-Za-z0-9+/]{4}){4,}={0,2}", "aGVsbG8gd29ybGQh"),
    "key and value": (r"\b(?:password|passwd|secret|token|api[_-]?key)\s*[=:]\s*\S+", "password=x"),
    "letters and digits": (r"\b(?=\w*\d)(?=\w*[a-z])\w{6,}\b", "abc123def"),
    "private key": (r"-----BEGIN [A-Z ]+-----", "-----BEGIN RSA PRIVATE KEY-----"),
    "repeated signs": (r"([^\w\s])\1{2,}", "====="),
}


@pytest.mark.parametrize(("rule", "example"), MASKING_RULES.values(), ids=MASKING_RULES.keys())
def test_no_usual_masking_rule_touches_an_identity(rule, example):
    pattern = re.compile(rule, re.IGNORECASE)
    identities = [identity(run, sequence) for run in RUNS for sequence in SEQUENCES]

    assert pattern.search(example)
    assert [found for found in identities if pattern.search(f"{found}")] == []
    assert [found for found in identities if pattern.sub("***", f"ok {found}") != f"ok {found}"] == []


def test_reports_mask_an_input_and_leave_the_identity(tmp_path):
    line = stamp("Failed password for root from 5.36.59.76", RUN, 1_612)
    shown = Redaction(["something else that a customer wrote"], tmp_path).text(line)

    assert identify(shown, RUN) == 1_612
