"""A file of JSON lines, read whole; each line is one stored copy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson

from harness.archives.document import field_value
from harness.errors import StackError
from harness.protocols import Scalar, StoredDocument

POSITION = "_position"
"""The field that every document has: its line's number, for stacks whose order is that of the file."""


class FileArchive:
    """Reads one file from its beginning. A file that does not exist yet holds nothing.

    A line that is no JSON object is a copy too, a torn one: its text is what was read.

    Args:
        path: the file.
        field: where the text is in each document; dotted where it lies deeper.
    """

    def __init__(self, path: str, field: str = "message") -> None:
        self._path = Path(path)
        self._field = field

    def count(self) -> int:
        """Return how many lines there are; raises StackError."""
        return sum(1 for _ in self._lines())

    def refresh(self) -> None:
        """Do nothing: what was written can be read."""

    def read(self, fields: Sequence[str] = ()) -> Iterator[StoredDocument]:
        """Yield every copy, with the values of the fields asked for; raises StackError."""
        for number, line in self._lines():
            try:
                document = orjson.loads(line)
            except orjson.JSONDecodeError:
                document = None
            text = field_value(document, self._field)
            values = tuple(self._value(document, field, number) for field in fields)
            shown = line.decode(errors="replace") if text is None else str(text)
            yield StoredDocument(f"{self._path.name}:{number}", shown, values)

    def close(self) -> None:
        """Do nothing: the file is open only while it is read."""

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        try:
            with self._path.open("rb") as file:
                for number, line in enumerate(file, start=1):
                    if stripped := line.strip():
                        yield number, stripped
        except FileNotFoundError:
            return
        except OSError as error:
            raise StackError(f"{self._path}: the archive cannot be read: {error.strerror}") from error

    def _value(self, document: object, field: str, number: int) -> Scalar | None:
        return number if field == POSITION else field_value(document, field)
