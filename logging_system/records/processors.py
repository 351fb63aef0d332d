"""What is done to every record before it is persisted anywhere: an ordered chain of processors.

Handler and gateway run the same chain. A processor is a word (below), or the dotted path of what makes one
("package.module:name", called with the settings), or an object handed to `install`.
"""

from __future__ import annotations

import difflib
import importlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from logging_system.records.document import Record
from logging_system.records.truncation import Label

PROCESSORS: Mapping[str, str] = {
    "add_labels": "logging_system.records.add_labels:from_settings",
    "encrypt_fields": "logging_system.encryption.fields:from_settings",
    "mask": "logging_system.masking.loading:from_settings",
    "route_namespace": "logging_system.records.route_namespace:from_settings",
}
"""Each word with the path of what makes it from the settings."""

FAILED = "processor_error"
"""Why a record was dropped whose processor raised."""
UNAVAILABLE = "processor_unavailable"
"""Why all records are dropped where a configured processor could not be loaded."""
REASONS_MAX = 32
"""Different reasons that are counted apart; further ones count as "other"."""

_REASON = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True, slots=True)
class Drop:
    """What a processor returns for a record that is not to be kept.

    Attributes:
        reason: Why, in one word: lower case letters, digits and underscores. Counted as `processor:<reason>`.

    Raises:
        ValueError: The reason is no such word.
    """

    reason: str

    def __post_init__(self) -> None:
        if not _REASON.fullmatch(self.reason):
            raise ValueError('a reason has lower case letters, digits and "_", 64 at most')


class Processor(Protocol):
    """Changes records, or drops them.

    It is called from the handler's worker, or from several of a gateway's threads at once, and for the same
    record again where a full spool made the worker start over. It has no bound of its own on time: what it
    waits for, every record behind it waits for.
    """

    def process(self, record: Record) -> Record | Drop:
        """Return the record itself, one with changes (`Record.edited`), or why it is dropped.

        What it raises does not reach the application: the record is dropped and counted as `processor_error`.
        """


class ProcessorOfMost(Processor, Protocol):
    """A processor that leaves most records as they are, and can tell so of many at once in less time."""

    def leaves(self, documents: Sequence[bytes]) -> bool:
        """Whether `process` would return each of these records as it is.

        False is always right: each is given to `process` then.

        Args:
            documents: The records, as each is encoded.
        """


class ProcessorSettings(Protocol):
    """What a processor's maker may read of the settings."""

    @property
    def labels(self) -> Mapping[str, Label]:
        """Labels that every record gets."""


class ProcessorError(ValueError):
    """A configured processor cannot be loaded; no record may be kept without it."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A record that is not kept.

    Attributes:
        reason: As it is counted.
        why: What happened, for whoever sent it; nothing of the record is in it.
    """

    reason: str
    why: str


class Chain:
    """Processors in order.

    Args:
        processors: The first one sees the record as it came.

    Attributes:
        is_empty: Whether there are none, so that no record need be made for them.
        may_leave: Whether `leaves` can be true.
    """

    def __init__(self, processors: Iterable[Processor] = ()) -> None:
        given = tuple(processors)
        self._steps = tuple((type(each).__qualname__, each.process) for each in given)
        self._looks = tuple(look for each in given if (look := _look_of(each)) is not None)
        self._reasons: set[str] = set()
        self.is_empty = not self._steps
        self.may_leave = len(self._looks) == len(self._steps)

    def leaves(self, documents: Sequence[bytes]) -> bool:
        """Whether `run` would return each of these records as it is; never raises for what processors do.

        Args:
            documents: The records, as each is encoded.
        """
        try:
            return self.may_leave and all(look(documents) for look in self._looks)
        except Exception:
            return False  # `run` tells which record it is

    def run(self, record: Record) -> Record | Dropped:
        """Return what the processors make of a record; never raises for what they do."""
        for name, process in self._steps:
            try:
                outcome: object = process(record)
            except Exception as error:
                return Dropped(FAILED, f"processor {name} failed ({type(error).__name__})")
            if isinstance(outcome, Drop):
                return Dropped(
                    f"processor:{self._counted(outcome.reason)}",
                    f"dropped by processor {name} ({outcome.reason})",
                )
            if not isinstance(outcome, Record):
                return Dropped(FAILED, f"processor {name} returned neither a record nor a drop")
            record = outcome
        return record

    def _counted(self, reason: str) -> str:
        if reason not in self._reasons:
            if len(self._reasons) >= REASONS_MAX:
                return "other"
            self._reasons.add(reason)
        return reason


class Closed(Chain):
    """Lets nothing through, because a configured processor could not be loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.is_empty = self.may_leave = False

    def run(self, record: Record) -> Record | Dropped:
        """Drop the record.

        Returns:
            The drop.
        """
        del record
        return Dropped(UNAVAILABLE, "a configured processor could not be loaded")


NO_PROCESSORS = Chain()


def load_chain(given: Sequence[object], settings: ProcessorSettings) -> Chain:
    """Return the chain of processors in the order given.

    Args:
        given: Words, dotted paths, or processors.
        settings: What their makers read.

    Raises:
        ProcessorError: One of them cannot be loaded; the message says which and why.
    """
    return Chain([_loaded(each, settings) for each in given])


def _look_of(processor: Processor) -> Callable[[Sequence[bytes]], bool] | None:
    """Return a processor's `leaves`; None where it has none, or one that speaks of an inherited `process`."""
    for each in type(processor).__mro__:
        if "process" in vars(each):
            return processor.leaves if "leaves" in vars(each) else None  # type: ignore[attr-defined]  # it has it
    return None


def _loaded(given: object, settings: ProcessorSettings) -> Processor:
    processor = _made(given, settings) if isinstance(given, str) else given
    if not callable(getattr(processor, "process", None)):
        shown = given if isinstance(given, str) else type(given).__qualname__
        raise ProcessorError(f"{shown}: is no processor; it has no method `process`")
    return processor  # type: ignore[return-value]  # as far as can be told without calling it


def _made(word: str, settings: ProcessorSettings) -> object:
    make = _resolved(PROCESSORS.get(word, word))
    try:
        return make(settings)
    except Exception as error:
        raise ProcessorError(f"{word}: cannot be made: {type(error).__name__}: {error}") from error


def _resolved(path: str) -> Callable[[ProcessorSettings], object]:
    module, colon, name = path.partition(":")
    if not colon or not module or not name:
        close = difflib.get_close_matches(path, PROCESSORS, n=1)
        hint = (
            f'did you mean "{close[0]}"?'
            if close
            else f"choose {', '.join(PROCESSORS)} or package.module:name"
        )
        raise ProcessorError(f'no processor "{path}"; {hint}')
    try:
        found = getattr(importlib.import_module(module), name)
    except Exception as error:
        raise ProcessorError(f"{path}: cannot be imported: {type(error).__name__}: {error}") from error
    if not callable(found):
        raise ProcessorError(f"{path}: is not callable; name a function or class that takes the settings")
    return found  # type: ignore[no-any-return]
