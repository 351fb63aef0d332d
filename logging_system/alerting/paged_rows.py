"""Very many rows by key, of which few are in use: those as they are, the others compressed in pages.

A hundred thousand alerts are alike but for a name, so a page of them takes a fifth of their text. The page of
a key follows from its bytes; no index is kept. A page knows when time alone makes the first of its rows
matter, so that nobody opens it before.

A row that was handed out may be changed in place until the next call of `settle`, or of what says that it
settles; later changes are lost.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

import orjson

FULL_MAX = 500
"""Rows that are held as they are."""
PAGES = 512
LOOSE_BYTES_MAX = 2_048
"""What may lie beside a page before it is packed with it: packing costs more than all else."""
NEVER = float("inf")
_LEVEL = 1

Key = TypeVar("Key")
Row = TypeVar("Row")


class RowForm(Protocol[Key, Row]):
    """How keys and rows are written down."""

    def key_bytes(self, key: Key) -> bytes:
        """Return a key as text without control characters."""

    def key_of(self, text: bytes) -> Key:
        """Return the key that `key_bytes` wrote.

        Args:
            text: What it wrote, byte for byte.
        """

    def content_of(self, row: Row) -> Any:
        """Return a row as JSON has it."""

    def row_of(self, content: Any) -> Row:
        """Return the row that `content_of` wrote.

        Args:
            content: What it wrote, as JSON gives it back: a tuple has become a list.
        """

    def wakes_at(self, row: Row) -> float:
        """Return when time alone makes a row matter; `NEVER` where it does not. Too early does no harm."""


class Packed:
    """The pages, as a state file keeps them beside its JSON; no dataclass, so that orjson asks what it is.

    Args:
        pages: Compressed.
    """

    def __init__(self, pages: list[bytes]) -> None:
        self.pages = pages


@dataclass(slots=True)
class _Page:
    """Lines of `key<tab>row`, each behind a newline.

    Attributes:
        packed: Compressed.
        loose: Later ones, which count before those; without a row where the key is gone.
        wakes_at: When time alone makes the first row matter.
    """

    packed: bytes = b""
    loose: bytes = b""
    wakes_at: float = NEVER

    def lines(self) -> dict[bytes, bytes]:
        """Return the rows, by key."""
        lines = _split(zlib.decompress(self.packed)) if self.packed else {}
        lines.update(_split(self.loose))
        return {text: row for text, row in lines.items() if row}

    def row(self, text: bytes) -> bytes | None:
        """Return the row of a key; None where there is none."""
        found = _found(self.loose, text)
        if found is None and self.packed:
            found = _found(zlib.decompress(self.packed), text)
        return found or None

    def hold(self, lines: Mapping[bytes, bytes]) -> None:
        """Hold these lines and no others."""
        self.packed, self.loose = zlib.compress(_joined(lines), _LEVEL) if lines else b"", b""

    def change(self, lines: Mapping[bytes, bytes]) -> None:
        """Replace the rows of some keys; an empty one removes its key."""
        self.loose += _joined(lines)
        if len(self.loose) > LOOSE_BYTES_MAX:
            self.hold(self.lines())


@dataclass(slots=True)
class PagedRows(Generic[Key, Row]):
    """The rows.

    Attributes:
        form: How keys and rows are written down.
        full_max: How many rows are held as they are.
    """

    form: RowForm[Key, Row]
    full_max: int = FULL_MAX
    _full: dict[Key, Row] = field(default_factory=dict)
    """These count, whatever their page says."""
    _gone: set[Key] = field(default_factory=set)
    """Removed, while their page still has them."""
    _pages: list[_Page] = field(default_factory=list)
    """Empty as long as nothing had to be packed."""
    _packed_rows: int = 0
    _missing: Key | None = None
    """The key that was looked for last and is not here: whoever asks adds it next."""

    def __len__(self) -> int:
        return len(self._full) + self._packed_rows

    def __contains__(self, key: Key) -> bool:
        return self.get(key) is not None

    def get(self, key: Key) -> Row | None:
        """Return a row; None where there is none.

        Args:
            key: Its key. The row stays unpacked, and may be changed in place, until `settle`.
        """
        row = self._full.get(key)
        if row is not None or key == self._missing:
            return row
        line = self._packed_line(key)
        if line is None:
            self._missing = key
            return None
        row = self._full[key] = self.form.row_of(orjson.loads(line))
        self._packed_rows -= 1
        return row

    def add(self, key: Key, row: Row) -> None:
        """Add a row whose key is not here."""
        self._full[key] = row
        self._gone.discard(key)
        self._missing = None

    def remove(self, key: Key) -> None:
        """Remove a row that was handed out and is not settled yet.

        Args:
            key: Its key; a KeyError where that row is not in use.
        """
        del self._full[key]
        if self._pages:
            self._gone.add(key)

    def settle(self) -> None:
        """Pack the rows, if there are more than are held as they are."""
        if len(self._full) <= self.full_max:
            return
        if not self._pages:
            self._pages = [_Page() for _ in range(PAGES)]
        moved: dict[int, list[tuple[bytes, Row | None]]] = {}
        for key, row in self._full.items():
            text = self.form.key_bytes(key)
            moved.setdefault(_place(text), []).append((text, row))
        for key in self._gone:
            text = self.form.key_bytes(key)
            moved.setdefault(_place(text), []).append((text, None))
        self._packed_rows += len(self._full)
        self._full, self._gone = {}, set()
        for place, rows in moved.items():
            self._merge(self._pages[place], rows)

    def _merge(self, page: _Page, moved: Iterable[tuple[bytes, Row | None]]) -> None:
        lines = {}
        for text, row in moved:
            if row is None:
                lines[text] = b""
            else:
                lines[text] = orjson.dumps(self.form.content_of(row))
                page.wakes_at = min(page.wakes_at, self.form.wakes_at(row))
        page.change(lines)

    def due(self, now: float) -> Iterator[tuple[Key, Row]]:
        """Yield the rows that time has made matter; settles between them.

        Args:
            now: By the clock of `RowForm.wakes_at`.
        """
        for key, row in list(self._full.items()):
            if self.form.wakes_at(row) <= now:
                yield key, row
        for page in self._pages:
            if page.wakes_at <= now:
                self.settle()
                yield from self._woken(page, now)
        self.settle()

    def _woken(self, page: _Page, now: float) -> list[tuple[Key, Row]]:
        woken: list[tuple[Key, Row]] = []
        page.wakes_at = NEVER
        for key, row in self._rows(page):
            wakes_at = self.form.wakes_at(row)
            if wakes_at <= now:
                woken.append((key, row))
            else:
                page.wakes_at = min(page.wakes_at, wakes_at)
        self._full.update(woken)
        self._packed_rows -= len(woken)
        return woken

    def sweep(self, visit: Callable[[Key, Row], bool]) -> None:
        """Show each row, which may be changed meanwhile.

        Args:
            visit: Returns whether the row stays.
        """
        for key, row in list(self._full.items()):
            if not visit(key, row):
                self.remove(key)
        for page in self._pages:
            self._packed_rows -= self._swept(page, visit)

    def _swept(self, page: _Page, visit: Callable[[Key, Row], bool]) -> int:
        """Show the rows of a page; returns how many do not stay."""
        lines, gone = page.lines(), 0
        page.wakes_at = NEVER
        for text, line in list(lines.items()):
            key = self.form.key_of(text)
            if self._is_stale(key):
                continue
            row = self.form.row_of(orjson.loads(line))
            if visit(key, row):
                lines[text] = orjson.dumps(self.form.content_of(row))
                page.wakes_at = min(page.wakes_at, self.form.wakes_at(row))
            else:
                gone += 1
                del lines[text]
        page.hold(lines)
        return gone

    def items(self) -> Iterator[tuple[Key, Row]]:
        """Yield all rows, to look at and not to change."""
        yield from list(self._full.items())
        for page in self._pages:
            yield from self._rows(page)

    def _rows(self, page: _Page) -> Iterator[tuple[Key, Row]]:
        for text, line in page.lines().items():
            key = self.form.key_of(text)
            if not self._is_stale(key):
                yield key, self.form.row_of(orjson.loads(line))

    def _is_stale(self, key: Key) -> bool:
        return key in self._full or key in self._gone

    def _packed_line(self, key: Key) -> bytes | None:
        """Return a row that only its page has."""
        if not self._packed_rows or key in self._gone:
            return None
        text = self.form.key_bytes(key)
        return self._pages[_place(text)].row(text)

    def content(self) -> dict[str, Any]:
        """Return all rows: those held as they are as JSON has them, and the pages."""
        form = self.form
        return {
            "rows": [[form.key_bytes(key).decode(), form.content_of(row)] for key, row in self._full.items()],
            "gone": [form.key_bytes(key).decode() for key in self._gone],
            "packed_rows": self._packed_rows,
            "pages": Packed([part for page in self._pages for part in (page.packed, page.loose)]),
        }

    def restore(self, content: Any) -> None:
        """Go on with what `content` returned."""
        self._full = {self.form.key_of(text.encode()): self.form.row_of(row) for text, row in content["rows"]}
        self._gone = {self.form.key_of(text.encode()) for text in content["gone"]}
        self._packed_rows = content["packed_rows"]
        # When a page matters first is known once it was looked into.
        parts = content["pages"].pages
        self._pages = [_Page(*each, float("-inf")) for each in zip(parts[::2], parts[1::2], strict=True)]


def _place(text: bytes) -> int:
    return zlib.crc32(text) % PAGES


def _joined(lines: Mapping[bytes, bytes]) -> bytes:
    return b"".join([b"\n%s\t%s" % each for each in lines.items()])


def _split(text: bytes) -> dict[bytes, bytes]:
    return {key: row for key, _, row in (line.partition(b"\t") for line in text[1:].split(b"\n")) if key}


def _found(text: bytes, key: bytes) -> bytes | None:
    """Return what the last line of a key says; None where there is none."""
    head = b"\n%s\t" % key
    start = text.rfind(head)
    if start < 0:
        return None
    start += len(head)
    end = text.find(b"\n", start)
    return text[start:] if end < 0 else text[start:end]
