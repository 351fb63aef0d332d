"""What the live page shows, and what a person may ask for. The page knows this desk, and no run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

import orjson

from harness.model.declarations import Arguments, Scalar
from harness.model.result import Band, SecondOfRun

SERIES_SECONDS_MAX = 600
"""How many seconds a page is shown at most: the last ones."""


class Verb(Enum):
    """What a person may ask a run for."""

    START = "start"
    HEAL = "heal"
    PAUSE = "pause"
    RESUME = "resume"
    SNAPSHOT = "snapshot"
    END = "end"


@dataclass(frozen=True, slots=True)
class Wish:
    """One request of a person.

    `fault`, `target`, `arguments` and `seconds` (how long the fault may stand) belong to `START`, the fault's
    `number` to `HEAL`.
    """

    verb: Verb
    fault: str = ""
    target: str = ""
    arguments: Arguments = field(default_factory=dict)
    seconds: float | None = None
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether a wish was taken, and a sentence for the person."""

    taken: bool
    words: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A fault that a target allows, with the arguments that it would be started with."""

    fault: str
    target: str
    words: str
    arguments: Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class Standing:
    """A fault that was started by hand and is not healed yet."""

    number: int
    fault: str
    target: str
    phase: str
    heals_in_seconds: float


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A scorecard of the run so far; `status` is empty while it is being made."""

    number: int
    at_seconds: float
    status: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Counts:
    """Conservation so far, in records. `missing` were acknowledged and are not seen in any outlet yet.

    `unknown` copies carry no identity of this run, `excerpts` are the beginnings of a few of them; `stored`,
    `duplicates` and `missing` are None where no outlet could be read.
    """

    due: int = 0
    acknowledged: int = 0
    refused: int = 0
    withheld: int = 0
    stored: int | None = None
    missing: int | None = None
    duplicates: int | None = None
    unknown: int = 0
    excerpts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence about what happened, and when."""

    at_seconds: float
    words: str


@dataclass(frozen=True, slots=True)
class LiveState:
    """All that the page shows at a moment. Seconds count from the beginning of sending."""

    run_id: str = ""
    scenario: str = ""
    title: str = ""
    stack: str = ""
    phase: str = "start"
    seconds: float = 0.0
    seconds_left: float = 0.0
    paused: bool = False
    pausable: bool = False
    busy: str = ""
    counts: Counts = field(default_factory=Counts)
    series: tuple[SecondOfRun, ...] = ()
    bands: tuple[Band, ...] = ()
    standing: tuple[Standing, ...] = ()
    offers: tuple[Offer, ...] = ()
    snapshots: tuple[Snapshot, ...] = ()
    notes: tuple[Note, ...] = ()


class Desk(Protocol):
    """Where the page asks. Every method returns at once and may be called from any thread.

    Raises:
        OSError: the run is gone.
    """

    def shown(self) -> bytes:
        """Return what there is to show now: a `LiveState` as JSON."""
        ...

    def ask(self, wish: Wish) -> Answer:
        """Take a wish, or say why not."""
        ...

    def scorecard(self, number: int) -> str | None:
        """Return the HTML of a snapshot's scorecard; None where there is none of that number."""
        ...


_SCALARS = (str, int, float, bool)
_MUST_BE: Mapping[type, str] = {
    str: "must be a text",
    int: "must be a whole number, e.g. 0",
    float: "must be a number of seconds, e.g. 30",
}
_SHOWN_CHARACTERS_MAX = 60


def read_wish(body: bytes) -> Wish:
    """Return the wish that a body tells; raises ValueError with a sentence."""
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"The request is no JSON: {error}") from error
    known = {verb.value: verb for verb in Verb}
    verb = told.get("verb") if isinstance(told, dict) else None
    if not isinstance(verb, str) or verb not in known:
        raise ValueError(f"A request's verb is one of {', '.join(known)}.")
    arguments = told.get("arguments", {})
    if not isinstance(arguments, dict) or not all(isinstance(each, _SCALARS) for each in arguments.values()):
        raise ValueError("A fault's arguments are texts, numbers, and true or false.")
    return Wish(
        known[verb],
        fault=_told(told, "fault", str, ""),
        target=_told(told, "target", str, ""),
        arguments=arguments,
        seconds=_told(told, "seconds", float, None),
        number=_told(told, "number", int, None),
    )


def _shown(value: object) -> str:
    """Return a value as JSON spells it, cut where it is long."""
    text = orjson.dumps(value).decode()
    return text if len(text) <= _SHOWN_CHARACTERS_MAX else f"{text[:_SHOWN_CHARACTERS_MAX]}…"


def _told(told: Mapping[str, Any], name: str, kind: type, default: Any) -> Any:
    value = told.get(name, default)
    if kind is float and type(value) is int:
        value = float(value)
    if value is not default and type(value) is not kind:
        raise ValueError(f"`{name}` in the request {_MUST_BE[kind]}, not {_shown(value)}.")
    return value
