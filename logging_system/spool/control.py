"""The control file of a spool folder: temporary orders to its handlers and its shipper.

Whoever coordinates replaces `control.json` as a whole; handlers and the shipper look about once a second
whether it is another one, on threads that no log call waits for. An order that cannot be understood is left
out, the others hold. Each has an end, at most a day ahead: nothing stays lowered for ever, also where whoever
gave the order has died.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar

import orjson

from logging_system.spool.disk import REAL_DISK, Disk, Identity

NAME = "control.json"
VERSION = 1
FILE_BYTES_MAX = 64 * 1024
ORDERS_MAX = 100
ORDER_SECONDS_MAX = 86_400.0
LOGGER_CHARACTERS_MAX = 256
MESSAGE_CHARACTERS_MAX = 1_000
WILDCARD = "<*>"
SAMPLED, QUARANTINED = "sampled", "quarantined"
"""Why records are dropped that an order wants dropped."""
LEVELS: Mapping[str, int] = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40, "CRITICAL": 50}
_CLOCK_TOLERANCE_SECONDS = 60.0
_KEEP_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class SetLevel:
    """One logger, and those below it that have no level of their own, log from a level on.

    Attributes:
        id: Which order it is.
        expires_seconds: When it ends, seconds since 1970.
        logger: The logger's name.
        level: The level's name.
    """

    kind: ClassVar[str] = "set_level"
    id: str
    expires_seconds: float
    logger: str
    level: str

    @property
    def is_sound(self) -> bool:
        """Whether it can be obeyed."""
        return self.level in LEVELS and 0 < len(self.logger) <= LOGGER_CHARACTERS_MAX


@dataclass(frozen=True, slots=True)
class SetSampling:
    """Of one logger's records below ERROR, and of those below it, one in so many is kept.

    Attributes:
        id: Which order it is.
        expires_seconds: When it ends, seconds since 1970.
        logger: The logger's name.
        keep_one_in: How many records there are for each that is kept.
    """

    kind: ClassVar[str] = "set_sampling"
    id: str
    expires_seconds: float
    logger: str
    keep_one_in: int

    @property
    def is_sound(self) -> bool:
        """Whether it can be obeyed."""
        return 2 <= self.keep_one_in <= _KEEP_MAX and 0 < len(self.logger) <= LOGGER_CHARACTERS_MAX


@dataclass(frozen=True, slots=True)
class QuarantineTemplate:
    """Of the records whose message fits a template, one in so many is kept, whatever their level.

    Attributes:
        id: Which order it is.
        expires_seconds: When it ends, seconds since 1970.
        message: The template: text with `<*>` for what differs.
        keep_one_in: How many records there are for each that is kept.
    """

    kind: ClassVar[str] = "quarantine_template"
    id: str
    expires_seconds: float
    message: str
    keep_one_in: int

    @property
    def is_sound(self) -> bool:
        """Whether it can be obeyed; a template of nothing but what differs would fit every record."""
        has_words = any(each.isalnum() for each in self.message.replace(WILDCARD, ""))
        return (
            2 <= self.keep_one_in <= _KEEP_MAX and has_words and len(self.message) <= MESSAGE_CHARACTERS_MAX
        )


@dataclass(frozen=True, slots=True)
class ShrinkBatches:
    """A request to the store carries at most so many records.

    Attributes:
        id: Which order it is.
        expires_seconds: When it ends, seconds since 1970.
        batch_records_max: Records in a request; never more than the settings allow.
    """

    kind: ClassVar[str] = "shrink_batches"
    id: str
    expires_seconds: float
    batch_records_max: int

    @property
    def is_sound(self) -> bool:
        """Whether it can be obeyed."""
        return 1 <= self.batch_records_max <= 1_000_000


@dataclass(frozen=True, slots=True)
class UseFallbackFile:
    """Records go to the fallback file, where the settings name one, without asking the store.

    Attributes:
        id: Which order it is.
        expires_seconds: When it ends, seconds since 1970.
    """

    kind: ClassVar[str] = "use_fallback_file"
    id: str
    expires_seconds: float

    @property
    def is_sound(self) -> bool:
        """Whether it can be obeyed."""
        return True


Order = SetLevel | SetSampling | QuarantineTemplate | ShrinkBatches | UseFallbackFile
_KINDS: Mapping[str, type[Order]] = {
    each.kind: each for each in (SetLevel, SetSampling, QuarantineTemplate, ShrinkBatches, UseFallbackFile)
}


def encoded(orders: Sequence[Order]) -> bytes:
    """Return the file's content.

    Raises:
        ValueError: There are more orders, or they take more bytes, than readers take.
    """
    data = orjson.dumps(
        {"version": VERSION, "orders": [{"kind": each.kind, **asdict(each)} for each in orders]}
    )
    if len(orders) > ORDERS_MAX or len(data) > FILE_BYTES_MAX:
        raise ValueError(
            f"{len(orders)} orders of {len(data)} bytes; {ORDERS_MAX} of {FILE_BYTES_MAX} are taken"
        )
    return data


def decoded(data: bytes) -> tuple[Order, ...]:
    """Return the orders of the file's content that can be obeyed; none of one that is no such file.

    Args:
        data: The whole file; none is obeyed of one larger than `FILE_BYTES_MAX`, and `ORDERS_MAX` at most.
    """
    if len(data) > FILE_BYTES_MAX:
        return ()
    try:
        content = orjson.loads(data)
    except orjson.JSONDecodeError:
        return ()
    if not isinstance(content, dict) or content.get("version") != VERSION:
        return ()
    found = content.get("orders")
    return tuple(_orders(found[:ORDERS_MAX])) if isinstance(found, list) else ()


def _orders(found: Sequence[object]) -> Iterator[Order]:
    for each in found:
        order = _order(each)
        if order is not None:
            yield order


def _order(content: object) -> Order | None:
    if not isinstance(content, dict):
        return None
    kind = _KINDS.get(str(content.get("kind")))
    if kind is None:
        return None
    given = {name: value for name, value in content.items() if name != "kind"}
    hints = {"id": str, "expires_seconds": int | float, "logger": str, "level": str, "message": str}
    for name, value in given.items():
        if isinstance(value, bool) or not isinstance(value, hints.get(name, int)):
            return None
    try:
        order = kind(**given)
    except TypeError:
        return None
    return order if order.is_sound else None


def in_force(orders: Sequence[Order], now_seconds: float) -> tuple[Order, ...]:
    """Return the orders that hold now; one that ends more than a day ahead is a mistake, and holds not.

    Args:
        orders: The orders.
        now_seconds: Seconds since 1970.
    """
    latest_seconds = now_seconds + ORDER_SECONDS_MAX + _CLOCK_TOLERANCE_SECONDS
    return tuple(each for each in orders if now_seconds < each.expires_seconds <= latest_seconds)


class ControlFile:
    """Reads the control file of a folder, once a second at most; used by one thread.

    Args:
        folder: The spool folder.
        disk: The system calls.
        wall_clock: Seconds since 1970.
        monotonic: Seconds of a clock that is never set.
    """

    LOOK_SECONDS = 1.0

    def __init__(
        self,
        folder: Path,
        *,
        disk: Disk = REAL_DISK,
        wall_clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = folder / NAME
        self._disk = disk
        self._wall_clock = wall_clock
        self._monotonic = monotonic
        self._due_seconds = float("-inf")
        self._identity: Identity | None = None
        self._written: tuple[Order, ...] = ()
        self._since_seconds: dict[str, float] = {}

    def is_due(self) -> bool:
        """Whether the last look is a second ago."""
        return self._monotonic() >= self._due_seconds

    def orders(self) -> tuple[Order, ...]:
        """Return the orders that hold now; where the file cannot be read, those that were read before."""
        now_seconds = self._monotonic()
        self._due_seconds = now_seconds + self.LOOK_SECONDS
        self._read()
        orders = in_force(self._written, self._wall_clock())
        # Where the time of day is set back, an order ends by the other clock.
        self._since_seconds = {
            each.id: self._since_seconds.get(each.id, now_seconds) for each in self._written
        }
        return tuple(
            each for each in orders if now_seconds - self._since_seconds[each.id] < ORDER_SECONDS_MAX
        )

    def _read(self) -> None:
        try:
            identity = self._disk.identity(self._path)
            if identity == self._identity:
                return
            self._written = () if identity is None else decoded(self._content())
            self._identity = identity
        except OSError:
            return

    def _content(self) -> bytes:
        descriptor = self._disk.open(self._path, 0)
        try:
            return self._disk.pread(descriptor, FILE_BYTES_MAX + 1, 0)
        finally:
            self._disk.close(descriptor)
