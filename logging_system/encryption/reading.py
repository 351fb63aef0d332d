"""Reads back what was sealed: documents of the store, lines of files, a spool; says what could not be opened.

```python
reading = Reading(encryption)
for document in reading.documents(lines):   # each a dict, its sealed fields where they were
    ...
reading.unopened                            # Counter({("logs:3", "missing"): 12})
```

What cannot be opened is counted by key, and the rest is delivered. What was changed by somebody is never
shown.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from typing import TYPE_CHECKING

import orjson

from logging_system.encryption import fields
from logging_system.encryption.envelope import SealError
from logging_system.encryption.fernet import FERNET_VERSION, FernetKeys
from logging_system.spool.codec import UnavailableError

if TYPE_CHECKING:
    from logging_system.encryption.encryption import Encryption

Document = dict[str, object]
_UNKNOWN = "unknown"


class TamperedError(SealError):
    """Something sealed was changed, or damaged; nothing of it is shown."""


class Reading:
    """Opens documents and lines, and counts what could not be opened.

    Args:
        encryption: The keys; None where there are only Fernet keys.
        fernet: Fernet keys, for fields that were sealed in the simple mode.
        is_strict: Whether `TamperedError` is raised for what was changed; else it is counted, and left out.

    Attributes:
        opened: How many fields and lines were opened.
        unopened: What could not be, by key and reason: `missing`, `unavailable`, `refused`, `retired` (not
            allowed any more), `invalid` (its data key is damaged), `destroyed`, `tampered`, or `dropped` (it
            was never stored).
    """

    def __init__(
        self,
        encryption: Encryption | None,
        fernet: FernetKeys | None = None,
        *,
        is_strict: bool = False,
    ) -> None:
        self._fields = None if encryption is None else encryption.opener(fields.PURPOSE)
        self._lines = None if encryption is None else encryption.lines()
        self._fernet = fernet
        self._is_strict = is_strict
        self.opened = 0
        self.unopened: Counter[tuple[str, str]] = Counter()

    def documents(self, given: Iterable[bytes]) -> Iterator[Document]:
        """Yield the documents of lines of JSON: plain ones, dead letters, and those of the fallback file.

        Args:
            given: One JSON object each; a hit of a search is its `_source`.

        Raises:
            TamperedError: Something was changed, and the reading is strict.
        """
        for line in given:
            if line.strip():
                document = self._document_of(line)
                if document is not None:
                    yield self.document(document)

    def document(self, document: Document) -> Document:
        """Return a document with its sealed fields where they were; what cannot be opened stays sealed.

        Raises:
            TamperedError: Something was changed, and the reading is strict.
        """
        sealed = document.get(fields.FIELD)
        if not isinstance(sealed, list):
            return document
        opened = deepcopy({name: value for name, value in document.items() if name != fields.FIELD})
        left: list[object] = []
        for each in sealed:
            content = self._field(each)
            if content is None or not _put(opened, content):
                left.append(each)
        if left:
            opened[fields.FIELD] = left
        return opened

    def count(self, key: str, reason: str, count: int = 1) -> None:
        """Note that something could not be opened.

        Args:
            key: Which key it needs, or `unknown`.
            reason: As in `unopened`, or another word.
            count: How many records, lines or fields.

        Raises:
            TamperedError: It was changed, and the reading is strict.
        """
        if self._is_strict and reason in {"tampered", "damaged"}:
            raise TamperedError(f"key {key}: {count} records were changed, or are damaged", key_id=key)
        self.unopened[key, reason] += count

    def _document_of(self, line: bytes) -> Document | None:
        try:
            content = orjson.loads(line)
        except orjson.JSONDecodeError:
            content = None
        if not isinstance(content, dict):
            self.count(_UNKNOWN, "no JSON object")
            return None
        for id_name, sealed_name in (("id", "sealed"), ("_id", "_sealed")):
            sealed, line_id = content.get(sealed_name), content.get(id_name)
            if isinstance(sealed, str) and isinstance(line_id, str):
                return self._line(sealed, line_id)
        return _source(content)

    def _line(self, sealed: str, line_id: str) -> Document | None:
        opened = self._try(lambda: None if self._lines is None else self._lines.open(sealed, line_id))
        return None if opened is None else _source(orjson.loads(opened))

    def _field(self, sealed: object) -> Document | None:
        if not isinstance(sealed, str):
            is_dropped = isinstance(sealed, dict) and fields.DROPPED in sealed
            self.count(_UNKNOWN, fields.DROPPED if is_dropped else "damaged")
            return None
        opened = self._try(lambda: self._open(sealed))
        if opened is None:
            return None
        content: Document = orjson.loads(opened)
        return content

    def _open(self, sealed: str) -> bytes | None:
        try:
            data = urlsafe_b64decode(sealed.encode())
        except ValueError:
            raise SealError("what is sealed is no base64") from None
        if data[:1] == bytes([FERNET_VERSION]):
            return None if self._fernet is None else self._fernet.open(data)
        return None if self._fields is None else self._fields.open(data, fields.PLACE)

    def _try(self, open_it: Callable[[], bytes | None]) -> bytes | None:
        try:
            opened = open_it()
        except UnavailableError as error:
            key, reason = error.missing.removeprefix("key "), error.reason
        except SealError as error:
            key, reason = error.key_id or _UNKNOWN, "destroyed" if error.is_destroyed else "tampered"
        except ValueError:
            key, reason = _UNKNOWN, "tampered"
        else:
            if opened is not None:
                self.opened += 1
                return opened
            key, reason = _UNKNOWN, "missing"
        self.count(key, reason)
        return None


def _source(content: Document) -> Document:
    for name, beside in (("_source", {"_id"}), ("document", {"id", "status", "reason"})):
        inner = content.get(name)
        if isinstance(inner, dict) and beside <= content.keys():
            return inner
    return content


def _put(document: Document, content: Document) -> bool:
    """Put a field back; False where what is there now has no place for it."""
    path, value = content.get("path"), content.get("value")
    if not isinstance(path, list) or not path:
        return False
    holder: object = document
    for key in path[:-1]:
        if isinstance(holder, dict):
            holder = holder.setdefault(key, {})
        elif isinstance(holder, list) and isinstance(key, int) and 0 <= key < len(holder):
            holder = holder[key]
        else:
            return False
    if not isinstance(holder, dict):
        return False
    holder[path[-1]] = value
    return True
