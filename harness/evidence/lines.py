"""Log lines that can be verified in every stored copy: each ends in its identity.

A line is a function of (seed, sequence), or a line of a real file, byte for byte. The identity travels at the
end: run, sequence and a check, e.g. `kmzqvt-gggghxr-wpnt`, 19 characters in all. It is written in 16 letters
that no number, no hexadecimal text and no word of a language is made of, so that neither an encoding (JSON,
HTML, URL, CSV, syslog) nor a masking rule for numbers, addresses, keys or tokens touches it. The check covers
run and sequence: a damaged identity names no other record. What became of a text shows beside what was sent.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from random import Random
from typing import Protocol

from harness.model.errors import InternalError, ScenarioError

LINE_CHARACTERS_MAX = 16_384
INPUT_BYTES_MAX = 1 << 30

LETTERS = "ghjkmnpqrstvwxyz"
"""The digits of an identity, 0 to 15."""

# No eight letters and no eleven: a rule for bank codes (BIC) would take them for one.
_RUN_LETTERS, _SEQUENCE_LETTERS, _CHECK_LETTERS = 6, 7, 4
SEQUENCE_MAX = 16**_SEQUENCE_LETTERS - 1
IDENTITY = (
    f"[{LETTERS}]{{{_RUN_LETTERS}}}-([{LETTERS}]{{{_SEQUENCE_LETTERS}}})-[{LETTERS}]{{{_CHECK_LETTERS}}}"
)
"""A regular expression that finds an identity of any run; its group is the sequence in `LETTERS`."""

# Where nearly every line has its identity: at its end.
_TAIL_CHARACTERS = 64
_VALUES = {letter: value for value, letter in enumerate(LETTERS)}


def stamp(text: str, run_id: str, sequence: int) -> str:
    """Return the text with its identity at the end.

    Args:
        text: the line as its source has it.
        run_id: the run's, or that of its scenario.
        sequence: the record's place in the run, from 0 to `SEQUENCE_MAX`.
    """
    return f"{text} {identity(run_id, sequence)}"


def identity(run_id: str, sequence: int) -> str:
    """Return what names a record of a run.

    Args:
        run_id: the run's, or that of its scenario.
        sequence: the record's place in the run, from 0 to `SEQUENCE_MAX`.

    Raises:
        InternalError: the sequence is above `SEQUENCE_MAX`.
    """
    if not 0 <= sequence <= SEQUENCE_MAX:
        raise InternalError(f"record {sequence:,}: a run has at most {SEQUENCE_MAX + 1:,} records")
    written = _written(sequence, _SEQUENCE_LETTERS)
    return f"{run_word(run_id)}-{written}-{_check(run_word(run_id), written)}"


@lru_cache(maxsize=64)
def run_word(run_id: str) -> str:
    """Return the first word of every identity of a run.

    Args:
        run_id: the run's, or that of its scenario; hashed, so its own length does not matter.
    """
    return _hashed(run_id, _RUN_LETTERS)


def identify(line: str, run_id: str) -> int | None:
    """Return the sequence a stored line claims in this run; None where it carries no whole identity of it.

    Of several it is the last: that is the one which ends the line that was sent.

    Args:
        line: as it was stored.
        run_id: whose identities count; those of other runs claim nothing.
    """
    claimed = identities(line, run_id)
    return claimed[-1] if claimed else None


def identities(line: str, run_id: str) -> tuple[int, ...]:
    """Return each sequence that a stored line claims in this run: several where a stack has joined lines.

    Letters count in either case. A damaged identity claims nothing.

    Args:
        line: as it was stored.
        run_id: whose identities count; those of other runs claim nothing.
    """
    if line.count(run_word(run_id)) < 2 and (at_end := _found(line[-_TAIL_CHARACTERS:], run_id)):
        return at_end
    return _found(line, run_id)


def _found(text: str, run_id: str) -> tuple[int, ...]:
    run = run_word(run_id)
    matches = _identity_of(run).findall(text)
    return tuple(
        dict.fromkeys(
            _read(written.lower())
            for written, check in matches
            if _check(run, written.lower()) == check.lower()
        )
    )


@lru_cache(maxsize=64)
def _identity_of(run: str) -> re.Pattern[str]:
    sequence, check = (f"([{LETTERS}]{{{length}}})" for length in (_SEQUENCE_LETTERS, _CHECK_LETTERS))
    return re.compile(f"{run}-{sequence}-{check}", re.IGNORECASE | re.ASCII)


def _written(number: int, length: int) -> str:
    return "".join(LETTERS[number >> 4 * place & 15] for place in reversed(range(length)))


def _read(written: str) -> int:
    number = 0
    for letter in written:
        number = number << 4 | _VALUES[letter]
    return number


def _check(run: str, written: str) -> str:
    return _hashed(f"{run}-{written}", _CHECK_LETTERS)


def _hashed(text: str, length: int) -> str:
    return _written(int.from_bytes(blake2b(text.encode(), digest_size=4).digest()), length)


def digest(line: str) -> str:
    """Return a 64-bit fingerprint of a line (BLAKE2b), as hexadecimal."""
    return blake2b(line.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


class LineSource(Protocol):
    """Where the text of a record comes from: the same for every process that asks."""

    def text(self, sequence: int) -> str:
        """Return the text of this record, without its identity.

        Args:
            sequence: the record's place in the run, from 0 on; the same one always has the same text.
        """
        ...


class FileLines:
    """The lines of a real log file in order, starting over when the schedule needs more than it holds."""

    def __init__(self, path: Path, lines_max: int) -> None:
        """Read at most `lines_max` lines.

        Raises:
            ScenarioError: the file cannot be read, is empty or larger than 1 GiB.
        """
        self._lines = read_lines(path, lines_max)

    def text(self, sequence: int) -> str:
        """Return line `sequence`, counted from 0."""
        return self._lines[sequence % len(self._lines)]


def require_regular(path: Path) -> None:
    """Refuse an input that is no file: several processes read it, each from its beginning.

    Raises:
        ScenarioError: it is a pipe, a folder or a device, or it cannot be looked at.
    """
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise ScenarioError(f"{path}: cannot read the input: {error.strerror}") from error
    if not stat.S_ISREG(mode):
        raise ScenarioError(
            f"{path}: the input is not a regular file, and it is read more than once; "
            "write the lines to a file and name that with --input"
        )


def read_lines(path: Path, lines_max: int) -> Sequence[str]:
    r"""Return the lines of a log file: the bytes between `\n`, one trailing `\r` dropped.

    Bytes that are not UTF-8 become `\xNN` escapes, since a Python log call takes text; that is the form
    expected back.

    Args:
        path: a regular file of at most 1 GiB.
        lines_max: how many lines from its beginning are read; the rest is left out.

    Raises:
        ScenarioError: the file cannot be read, is empty or larger than 1 GiB.
    """
    require_regular(path)
    try:
        size_bytes = path.stat().st_size
        if size_bytes > INPUT_BYTES_MAX:
            raise ScenarioError(f"{path}: {size_bytes:,} bytes are more than 1 GiB; give a part of the file")
        with path.open("rb") as file:
            lines = [line for _, line in zip(range(lines_max), file, strict=False)]
    except OSError as error:
        raise ScenarioError(f"{path}: cannot read the input: {error.strerror}") from error
    if not lines:
        raise ScenarioError(f"{path}: the input holds no line; give a log file with at least one")
    return [
        line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8", "backslashreplace") for line in lines
    ]


class GeneratedLines:
    """Lines as services write them: mostly short, some long, some tracebacks of many lines."""

    def __init__(self, seed: int) -> None:
        """Fix the seed; text is then a function of the sequence alone."""
        self._seed = seed

    def text(self, sequence: int) -> str:
        """Return the text of this record, at most 16 KiB of characters."""
        rng = Random(f"{self._seed}:{sequence}")  # noqa: S311 - reproducible load, not a secret
        draw = rng.random()
        if draw < 0.85:
            return _event(rng)
        if draw < 0.95:
            return _with_payload(rng, rng.randint(300, 2_000))
        if draw < 0.98:
            return _traceback(rng)
        return _with_payload(rng, rng.randint(2_000, LINE_CHARACTERS_MAX))


_SERVICES = ("checkout", "payments", "search", "session", "inventory", "mail", "gateway", "billing")
_EVENTS = (
    "request {method} /api/v{n}/{noun} finished with {status} in {ms} ms",
    "user {number} opened a session from 10.{n}.{n}.{n}",
    "cache miss for key {noun}:{number}, loading from replica {n}",
    "retrying {noun} after {ms} ms: connection reset by peer",
    "processed batch {number}: {n} items, {ms} ms, queue depth {n}",
    "größe geändert: {noun} → {number} Stück (naïve façade ☃)",
    "slow query on table {noun}: {ms} ms, {number} rows",
    # What stacks normalise, escape or strip: a letter in two parts, ligatures, a hard space, what lies beyond
    # sixteen bits, a tab, two spaces, backslashes, marks of HTML and of templates.
    "cafe\u0301 \ufb01le \u00bd\u00a0{noun} \U0001f600 n\u00ba\u2460 {number}",
    'cannot open C:\\temp\\{noun}\\new.txt:\t<{noun} id="{n}">  a&b 100 % %s ${{HOME}} {{}}',
)
_NOUNS = ("orders", "carts", "invoices", "profiles", "sessions", "baskets", "messages", "shipments")


def _event(rng: Random) -> str:
    text = rng.choice(_EVENTS).format(
        method=rng.choice(("GET", "POST", "PUT", "DELETE")),
        noun=rng.choice(_NOUNS),
        status=rng.choice((200, 200, 200, 201, 204, 304, 400, 404, 500, 503)),
        ms=rng.randint(1, 4_000),
        number=rng.randint(1, 10_000_000),
        n=rng.randint(1, 255),
    )
    return f"[{rng.choice(_SERVICES)}] {text}"


def _with_payload(rng: Random, characters: int) -> str:
    head = f"{_event(rng)} payload="
    hex_digits = max(0, characters - len(head))
    return head + (f"{rng.getrandbits(4 * hex_digits):0{hex_digits}x}" if hex_digits else "")


def _traceback(rng: Random) -> str:
    frames = [
        f'  File "/srv/{rng.choice(_SERVICES)}/{rng.choice(_NOUNS)}.py", '
        f"line {rng.randint(1, 900)}, in handle\n"
        f"    return self.{rng.choice(_NOUNS)}.load(key, deadline={rng.random():.3f})"
        for _ in range(rng.randint(3, 25))
    ]
    cause = rng.choice(("TimeoutError: read timed out", "KeyError: 'total'", "ValueError: bad amount"))
    return "\n".join([f"{_event(rng)} failed", "Traceback (most recent call last):", *frames, cause])
