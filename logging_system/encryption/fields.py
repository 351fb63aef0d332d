"""Takes the fields that are named out of each record, and puts them back sealed: the store cannot read them.

```
{"message":"paid","labels":{"card":"4111…","shop":"x"}}
{"message":"paid","labels":{"shop":"x","card.token":"5e1f09aa:…"},"encrypted":["AQEEbG9ncw…"]}
```

`encrypted` is mapped nowhere, so it is kept in `_source` and not indexed. Which field an element was is
sealed with its value. A token is for search by equality, see `tokens.py`. The time, level, logger, service
and message of a record stay readable unless they are named. Where there is no key the record is dropped and
counted, or, where the settings say so, kept with `"encrypted":[{"dropped":["labels.card"]}]`.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

import orjson

from logging_system.records.document import Edit, Path, Put, Record, Remove, encode_document
from logging_system.records.processors import Drop, ProcessorError, ProcessorSettings
from logging_system.spool.codec import UnavailableError

if TYPE_CHECKING:
    from pathlib import Path as FilePath

    from logging_system.encryption.encryption import Encryption

FIELD = "encrypted"
PURPOSE = "field"
PLACE = b"field"
NO_KEY = "key_unavailable"
"""Why a record that cannot be sealed is dropped: it would be acknowledged, and not whole."""

DROPPED = "dropped"
"""What says, in place of sealed fields, which were left out because there was no key."""

_KEPT = frozenset({"@timestamp", "log.level", "service.name"})

Seal = Callable[[bytes], bytes]
"""Returns the bytes sealed; raises `UnavailableError` or `OSError` where there is no key."""


class TokenMaker(Protocol):
    """Makes tokens of values for search by equality."""

    def token(self, path: str, value: object) -> str:
        """Return the token of a field's value; raises `UnavailableError` or `OSError` without a key.

        Args:
            path: The field's name, with dots.
            value: As the document has it.
        """


class FieldSettings(ProcessorSettings, Protocol):
    """What is read of the settings."""

    @property
    def encrypt_fields(self) -> Sequence[str]:
        """Fields to seal, such as `labels.card`."""

    @property
    def token_fields(self) -> Sequence[str]:
        """Those of them that get a token."""

    @property
    def fields_without_key(self) -> str:
        """What is done where there is no key: `drop_record` or `drop_fields`."""

    @property
    def fernet_keys(self) -> FilePath | None:
        """A file of Fernet keys, for the simple mode."""

    def open_encryption(self) -> Encryption | None:
        """Return what the setting `encryption` names."""


class EncryptFields:
    """Seals fields; a record whose field cannot be sealed now is dropped, or kept without it.

    Args:
        fields: Names such as `labels.card`; in a list of objects the field of each.
        seal: Seals the bytes of one field.
        tokens: Makes tokens; None where no field gets one.
        token_fields: Which fields get one.
        drops_fields: Whether a record is kept without its fields where there is no key.

    Raises:
        ValueError: A field is needed by everybody who handles the record.
    """

    def __init__(
        self,
        fields: Sequence[str],
        seal: Seal,
        *,
        tokens: TokenMaker | None = None,
        token_fields: Sequence[str] = (),
        drops_fields: bool = False,
    ) -> None:
        if kept := [name for name in fields if any(f"{each}.".startswith(f"{name}.") for each in _KEPT)]:
            raise ValueError(f"{kept[0]} cannot be encrypted; records are ordered and routed by it")
        if unsealed := sorted(set(token_fields) - set(fields)):
            raise ValueError(f"token_fields: {unsealed[0]} is not in encrypt_fields; only those get a token")
        self._fields = [(name, tuple(name.split("."))) for name in fields]
        self._seal = seal
        self._tokens = tokens
        self._token_fields = frozenset(token_fields)
        self._drops_fields = drops_fields

    def process(self, record: Record) -> Record | Drop:
        """Return the record with its fields sealed; where there is no key drop it, or only them."""
        try:
            return self._with_sealed(record)
        except (UnavailableError, OSError):
            return self._without_fields(record) if self._drops_fields else Drop(NO_KEY)

    def _without_fields(self, record: Record) -> Record:
        document = record.document
        found = self._found(document)
        there = [] if (FIELD,) in found else document.get(FIELD) or []
        kept = there if isinstance(there, list) else [there]
        edits: list[Edit] = [Remove(path) for path in found if path != (FIELD,)]
        return record.edited([*edits, Put((FIELD,), [*kept, {DROPPED: sorted(set(found.values()))}])])

    def _with_sealed(self, record: Record) -> Record:
        document = record.document
        found = self._found(document)
        if not found:
            return record
        sealed: list[object] = [self._sealed(path, _value_at(document, path)) for path in found]
        there = document.get(FIELD)
        if there is not None and not isinstance(there, list):
            there = [self._sealed((FIELD,), there)]
        edits: list[Edit] = [Remove(path) for path in found if path != (FIELD,)]
        kept = [] if (FIELD,) in found else there or []
        changed = record.edited([*edits, Put((FIELD,), [*kept, *sealed])])
        return self._with_tokens(changed, document, found)

    def _found(self, document: Mapping[str, object]) -> Mapping[Path, str]:
        """Return where the fields are, each with its name; what lies within one goes with it."""
        every = sorted(
            ((path, name) for name, names in self._fields for path in resolved(document, names)),
            key=lambda each: len(each[0]),
        )
        found: dict[Path, str] = {}
        for path, name in every:
            if not any(path[:length] in found for length in range(1, len(path) + 1)):
                found[path] = name
        return found

    def _with_tokens(
        self, record: Record, document: Mapping[str, object], found: Mapping[Path, str]
    ) -> Record:
        if self._tokens is None or not isinstance(record.document.get("labels", {}), Mapping):
            return record
        labels: dict[str, str] = {}
        for path, name in found.items():
            if name in self._token_fields:
                # Without a key it is found by nobody.
                with suppress(UnavailableError, OSError):
                    labels[token_label(name)] = self._tokens.token(name, _value_at(document, path))
        return record.edited([Put(("labels", label), token) for label, token in labels.items()])

    def _sealed(self, path: Path, value: object) -> str:
        content = b'{"path":%b,"value":%b}' % (orjson.dumps(path), encode_document(value))
        return urlsafe_b64encode(self._seal(content)).decode()


def token_label(name: str) -> str:
    """Return the label that holds the token of a field.

    Args:
        name: The field's, such as `labels.card`.
    """
    return f"{name.removeprefix('labels.')}.token"


def resolved(value: object, names: Sequence[str]) -> Iterator[Path]:
    """Yield the paths at which a field is: names may be nested, or stand with their dots in one.

    Args:
        value: A document, or what is inside it; of a list every element is looked at.
        names: The field's name, parted at its dots.
    """
    if not names:
        yield ()
    elif isinstance(value, Mapping):
        for count in range(1, len(names) + 1):
            key = ".".join(names[:count])
            if key in value:
                yield from ((key, *rest) for rest in resolved(value[key], names[count:]))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from ((place, *rest) for rest in resolved(inner, names))


def _value_at(value: object, path: Path) -> object:
    """Return what is at a path that `resolved` yielded.

    Args:
        value: The document.
        path: Keys and list positions.
    """
    for key in path:
        value = value[key]  # type: ignore[index]  # where `resolved` has been
    return value


def from_settings(settings: FieldSettings) -> EncryptFields:
    """Return the processor for the settings `encrypt_fields`, `token_fields`, `fernet_keys` and `encryption`.

    Raises:
        ProcessorError: No field is named, or there are no keys to seal it with.
    """
    if not settings.encrypt_fields:
        raise ProcessorError("encrypt_fields names no field, such as labels.card")
    drops_fields = settings.fields_without_key == "drop_fields"
    if settings.fernet_keys is not None:
        from logging_system.encryption.fernet import FernetKeys

        if settings.token_fields:
            raise ProcessorError("token_fields needs the setting encryption; Fernet makes no tokens")
        seal = FernetKeys(settings.fernet_keys).seal
        return EncryptFields(settings.encrypt_fields, seal, drops_fields=drops_fields)
    encryption = settings.open_encryption()
    if encryption is None:
        raise ProcessorError("encrypt_fields needs the setting encryption, or fernet_keys")
    sealer = encryption.sealer(PURPOSE)
    return EncryptFields(
        settings.encrypt_fields,
        lambda content: sealer.seal(content, PLACE),
        tokens=encryption.tokens() if settings.token_fields else None,
        token_fields=settings.token_fields,
        drops_fields=drops_fields,
    )
