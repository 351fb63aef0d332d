"""Innocent matter of log lines: times, hosts, paths, hashes; and numbers that only look like secrets."""

from __future__ import annotations

import base64
from collections.abc import Callable
from random import Random

from tests.masking.values import money
from tests.masking.values.names import FIRST
from tests.masking.values.value import BASE62, BASE64, DIGITS, HEX, UPPER, characters

Filler = Callable[[Random], str]

HOSTS = ("prod.internal", "acme.test", "svc.cluster.local", "eu-west.acme.net", "lab.example.org")
WORDS = (
    "orders",
    "billing",
    "search",
    "inventory",
    "ledger",
    "gateway",
    "mailer",
    "catalog",
    "reports",
    "media",
)
LOGGERS = (
    "app.views",
    "c.a.s.OrderService",
    "werkzeug",
    "celery.worker",
    "org.acme.Pool",
    "http.server",
    "root",
)
PROGRAMS = ("nginx", "deployctl", "cron", "backup", "agent", "worker", "vault-init", "kubelet")
PATHS = (
    "/api/v1/orders",
    "/health",
    "/users/42/profile",
    "/v2/search",
    "/static/app.3f2a.js",
    "/",
    "/oauth/authorize",
)
FILES = ("main.go", "handlers.py", "Server.java", "index.ts", "pool.rs", "upload.csv", "run.sh")
AGENT_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
PLACEHOLDERS = (
    "***", "********", "[REDACTED]", "<redacted>", "[FILTERED]", "xxxxxxxx", "****1234", "null", "None",
    "<hidden>", "${SECRET}", "{{secret}}", "$SECRET", "(none)", "%s", "<password>", "*****",
    "••••••", "REDACTED",
)  # fmt: skip


def one_of(*choices: str) -> Filler:
    return lambda rng: rng.choice(choices)


def drawn(alphabet: str, length: int) -> Filler:
    return lambda rng: characters(rng, alphabet, length)


def between(low: int, high: int) -> Filler:
    return lambda rng: str(rng.randrange(low, high))


def clock(rng: Random) -> str:
    return f"{rng.randrange(24):02d}:{rng.randrange(60):02d}:{rng.randrange(60):02d}"


def iso(rng: Random) -> str:
    day = f"20{rng.randrange(19, 27)}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}"
    return f"{day}{rng.choice('T ')}{clock(rng)}{rng.choice(('Z', '.123Z', ',482', '.918273+00:00', ''))}"


def syslog(rng: Random) -> str:
    stamp = f"{rng.choice(AGENT_MONTHS)} {rng.randrange(1, 29):2d} {clock(rng)}"
    priority = rng.choice(("", "", f"<{rng.randrange(8, 190)}>"))
    return f"{priority}{stamp} {rng.choice(('web-1', 'db02', 'ip-10-0-3-7'))}"


def ip(rng: Random) -> str:
    return ".".join(str(rng.randrange(1, 255)) for _ in range(4))


def apache(rng: Random) -> str:
    stamp = f"{rng.randrange(1, 29):02d}/{rng.choice(AGENT_MONTHS)}/2025:{clock(rng)} +0000"
    return f"{ip(rng)} - {rng.choice(('-', *FIRST))} [{stamp}]"


def cri(rng: Random) -> str:
    return f"2025-0{rng.randrange(1, 10)}-1{rng.randrange(10)}T{clock(rng)}.{characters(rng, DIGITS, 9)}Z"


def uuid(rng: Random) -> str:
    return "-".join(characters(rng, HEX, size) for size in (8, 4, 4, 4, 12))


def not_luhn(rng: Random) -> str:
    """Sixteen digits of an issuer, whose check digit is wrong."""
    digits = rng.choice("4562") + characters(rng, DIGITS, 14)
    return digits + str((int(money.luhn_digit(digits)) + rng.randrange(1, 10)) % 10)


def checked_number(prefix: str, length: int) -> Filler:
    """A number that passes Luhn and is no card by its issuer or length, as device and SIM numbers do."""

    def filler(rng: Random) -> str:
        body = prefix + characters(rng, DIGITS, length - len(prefix) - 1)
        return body + money.luhn_digit(body)

    return filler


def bad_iban(rng: Random) -> str:
    text = money.iban_text(rng)
    wrong = (int(text[2:4]) + rng.randrange(1, 96)) % 97
    made = f"{text[:2]}{wrong:02d}{text[4:]}"
    # Check digits run from 02 to 98, and 00, 01 and 99 are the same numbers modulo 97 as 97, 98 and 02.
    return made if (int(text[2:4]) - wrong) % 97 else f"{text[:2]}{(wrong + 1) % 97:02d}{text[4:]}"


def pem(rng: Random) -> str:
    body = base64.b64encode(rng.randbytes(300)).decode()
    return "\n".join(body[start : start + 64] for start in range(0, len(body), 64))


FILLERS: dict[str, Filler] = {
    "Camel": one_of("OrderService", "PoolManager", "UserController", "HttpClient", "JobRunner"),
    "alldigits": drawn(DIGITS, 32),
    "amount": lambda rng: f"{rng.randrange(1, 5000)}.{rng.randrange(100):02d}",
    "apache": apache,
    "bad_iban": bad_iban,
    "base62_14": drawn(BASE62, 14),
    "base62_24": drawn(BASE62, 24),
    "base64": lambda rng: "iVBORw0KGgo" + characters(rng, BASE64, rng.randrange(60, 200)) + "=",
    "block": lambda rng: rng.choice("123456789") + characters(rng, DIGITS, 18),
    "broker": one_of("amqp", "amqps"),
    "bytes": between(100, 99_999),
    "city": one_of("Lyon", "Osaka", "Porto", "Leeds", "Graz"),
    "cri": cri,
    "db": one_of("postgres", "postgresql", "mysql", "postgresql+psycopg2"),
    "digits": drawn(DIGITS, 6),
    "digits9": drawn("123456789", 9),
    "digits12": drawn("123456789", 12),
    "digits20": lambda rng: "9" + characters(rng, DIGITS, 19),
    "epoch": between(1_600_000_000, 1_790_000_000),
    "file": one_of(*FILES),
    "fraction": drawn(DIGITS, 16),
    "hex16": drawn(HEX, 16),
    "hex2": drawn(HEX, 2),
    "hex32": drawn(HEX, 32),
    "hex4": drawn(HEX, 4),
    "hex8": drawn(HEX, 8),
    "host": one_of(*HOSTS),
    "iccid": checked_number("8949", 20),
    "imei": checked_number("35", 15),
    "ip": ip,
    "iso": iso,
    "level": one_of("INFO", "WARN", "ERROR", "DEBUG", "warning"),
    "line": between(10, 900),
    "logger": one_of(*LOGGERS),
    "long_iban": lambda rng: money.iban_text(rng) + "123456",
    "micros": between(1_600_000_000_000_000, 1_790_000_000_000_000),
    "millis": between(1_600_000_000_000, 1_790_000_000_000),
    "ms": between(1, 3000),
    "nanos": between(1_600_000_000_000_000_000, 1_790_000_000_000_000_000),
    "not_luhn": not_luhn,
    "not_luhn_spaced": lambda rng: money.fours(not_luhn(rng)),
    "order": lambda rng: f"ORD-{rng.randrange(10_000, 999_999)}",
    "path": one_of(*PATHS),
    "pem": pem,
    "pid": between(100, 32_000),
    "placeholder": one_of(*PLACEHOLDERS),
    "port": between(1024, 65_000),
    "program": one_of(*PROGRAMS),
    "pyfile": one_of(
        "/srv/app/views.py", "/usr/lib/python3.12/site-packages/acme/client.py", "/app/tasks.py"
    ),
    "queue": lambda rng: characters(rng, UPPER + DIGITS, 10),
    "region": one_of("eu-west-1", "us-east-2", "ap-south-1"),
    "scheme": one_of("https", "http"),
    "sha1": drawn(HEX, 40),
    "sha256": drawn(HEX, 64),
    "small": between(1, 99),
    "syslog": syslog,
    "thread": one_of("main", "http-nio-8080-exec-7", "pool-2-thread-1", "Thread-12"),
    "trace": drawn(HEX, 32),
    "upper16": drawn(UPPER + DIGITS, 16),
    "upper9": drawn(UPPER + DIGITS, 9),
    "user": one_of(*FIRST),
    "uuid": uuid,
    "version": lambda rng: f"{rng.randrange(9)}.{rng.randrange(20)}.{rng.randrange(30)}",
    "word": one_of(*WORDS),
}
