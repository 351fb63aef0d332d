"""What a run saw of its canaries: all finds put together, each told once and none of them quoted."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from harness.evidence.secrets.fields import field_with, line_around
from harness.evidence.secrets.needles import Needles
from harness.evidence.secrets.search import Hit, Stream
from harness.evidence.secrets.sweep import FileHit, Sweep
from harness.model.facts import Event, SecretSeen, SecretsSought
from harness.model.nanoseconds import SECOND_NS
from harness.model.protocols import RawDocument

LOOK_BYTES_MAX = 8 << 20
LOOK_SECONDS_MIN = 1.0

SECRETS_TOLD_MAX = 1_000
"""How many different finds are told; what leaks everything leaks each kind in each place."""


@dataclass(slots=True)
class _Find:
    """One canary in one place in one encoding."""

    where: str
    at_byte: int
    field: str
    halves: set[tuple[int, bool]] = dataclasses.field(default_factory=set)
    times: int = 0
    is_sure: bool = False


@dataclass(frozen=True, slots=True)
class _Key:
    kind: str
    path: str
    encoding: str
    place: str


class SecretWatch:
    """Looks for a run's canaries: in files as they are written, in stored documents, in all files at the end.

    Args:
        needles: what is looked for.
        sweep: the files.
        beyond: what nobody can look into, e.g. a link that is encrypted, for a person.
    """

    def __init__(self, needles: Needles, sweep: Sweep, beyond: Iterable[str] = ()) -> None:
        self._needles = needles
        self._sweep = sweep
        self._beyond = tuple(beyond)
        self._finds: dict[_Key, _Find] = {}
        self._documents = self._messages = 0
        self._next_ns = 0
        self._unread: list[str] = []

    def look(self, now_ns: int) -> None:
        """Look at what files have become, about once a second and at a bounded number of bytes."""
        if now_ns < self._next_ns:
            return
        self._next_ns = now_ns + int(LOOK_SECONDS_MIN * SECOND_NS)
        try:
            for found in self._sweep.look(LOOK_BYTES_MAX):
                self._in_file(found)
        except OSError:
            return  # a file that cannot be read now is read at the end, and told there

    def documents(self, outlet: str, documents: Iterable[RawDocument]) -> None:
        """Look at documents as they are stored; raises StackError where they cannot be read.

        Args:
            outlet: what reports call where they are.
            documents: each is searched by itself.
        """
        for document in documents:
            self._documents += 1
            for hit in Stream(self._needles).feed(document.body):
                self._note(hit, outlet, f"{outlet}: {self._sweep.told(document.copy)}", document.body)

    def message(self, channel: str, pieces: Iterable[bytes]) -> None:
        """Look at a message that people got.

        Args:
            channel: by which it came.
            pieces: all of it, each searched by itself.
        """
        self._messages += 1
        place = f"messages by {channel}"
        for piece in pieces:
            for hit in Stream(self._needles).feed(piece):
                self._note(hit, place, f"{place}: number {self._messages}", piece)

    def unread(self, what: str) -> None:
        """Note what could not be searched."""
        self._unread.append(what)

    def facts(self, now_ns: int) -> Iterator[Event]:
        """Look at all files as they are now, and yield what was found in all.

        Args:
            now_ns: when the look begins, in ns of CLOCK_MONOTONIC.
        """
        for found in self._sweep.look_at_all():
            self._in_file(found)
        told = [(key, find) for key, find in self._finds.items() if find.is_sure]
        for key, find in told[:SECRETS_TOLD_MAX]:
            whole = any((secret, not is_first) in find.halves for secret, is_first in find.halves)
            yield SecretSeen(
                now_ns,
                key.kind,
                key.path,
                key.encoding,
                find.where,
                find.at_byte,
                find.field,
                whole,
                find.times,
            )
        sweep = self._sweep
        yield SecretsSought(
            now_ns,
            self._documents,
            sweep.files,
            sweep.read_bytes,
            "; ".join([*self._unread, *sweep.unread]),
            "; ".join(self._beyond),
            self._messages,
        )

    def _in_file(self, found: FileHit) -> None:
        self._note(found.hit, found.file, found.file, found)

    def _note(self, hit: Hit, place: str, where: str, source: bytes | FileHit) -> None:
        needle = hit.needle
        key = _Key(needle.kind, needle.path, hit.encoding, place)
        find = self._finds.get(key)
        if find is None:
            find = self._finds[key] = _Find(where, hit.at_byte, "")
        if not find.halves and not hit.packed:
            body = source if isinstance(source, bytes) else line_around(source.path, hit.at_byte)
            find.field = field_with(body, self._needles, needle)
        find.halves.add((needle.secret, needle.is_first))
        find.times += 1
        find.is_sure = (
            find.is_sure
            or needle.unmistakable
            or {
                (needle.secret, True),
                (needle.secret, False),
            }
            <= find.halves
        )
