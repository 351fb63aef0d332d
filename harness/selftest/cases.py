"""The table of known-bad stacks: what each does, what it is examined with, and which check must catch it.

A primary catch is fixed for each. Consequences are objectives that may fail as well, because the same habit
breaks them too; a failure of any other objective, or a missing primary catch, fails the self-test.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.model.declarations import CounterSource, DeadLetterOutlet, Level, Part, Promises, Stack

LOST = "acknowledged_lost"
MISPLACED = "dead_letters_misplaced"
DUPLICATED = "duplicated"
CORRUPTED = "corrupted"
OUT_OF_ORDER = "out_of_order"
LATENCY = "response_p99_ms"
MEMORY = "memory_mib_above_idle"
EXIT = "exit_seconds"
FRESH = "fresh_record_seconds"
THROUGHPUT = "throughput_recovery_seconds"
BACKLOG = "backlog_seconds"
UNACKNOWLEDGED = "unacknowledged_percent"
MISCOUNTED = "miscounted"

HONEST = "harness.selftest.shipper:HonestShipper"
_COUNTERS = ("accepted", "delivered", "dead_lettered", "dropped", "held")


@dataclass(frozen=True, slots=True)
class Case:
    """One stack of the self-test; `catch` is empty for the honest twin, which must pass."""

    name: str
    habit: str
    handler: str
    scenario: str
    catch: str = ""
    consequences: frozenset[str] = frozenset()
    acknowledged_by: str = "return"
    line_bytes_max: int | None = None

    def stack(self) -> Stack:
        """Return the stack under test: one handler in the application, no process of its own."""
        index: Mapping[str, str] = {"index": "logs-selftest-{run.id}"}
        folder = "{run.folder}/shipper"
        return Stack(
            name=self.name,
            needs=("elasticsearch",),
            links={"to_store": "elasticsearch"},
            processes=(),
            intake=Part(
                "python_logging",
                {"handler": self.handler, "url": "{to_store.url}", "folder": folder, **index},
            ),
            acknowledged_by=self.acknowledged_by,
            archive=Part("elasticsearch", {"url": "{elasticsearch.url}", **index}),
            dead_letters=DeadLetterOutlet(
                Part("file", {"path": f"{folder}/dead-letters.ndjson", "field": "document.message"}),
                "reason",
            ),
            counters=CounterSource(
                Part("json_file", {"files": f"{folder}/counters.json"}),
                {name: (name,) for name in _COUNTERS},
            ),
            promises=Promises(
                durability=Level.MEMORY,
                exit_seconds=5.0,
                memory_mib_above_idle=64.0,
                order_by=("event.sequence",),
                line_bytes_max=self.line_bytes_max,
            ),
        )


def _bug(name: str) -> str:
    return f"harness.selftest.bugs:{name}"


CASES = (
    Case("honest-outage", "none", HONEST, "outage"),
    Case("honest-answers-cut", "none", HONEST, "answer_cut"),
    Case("honest-lies", "none", HONEST, "lying_answers"),
    Case("honest-poison", "none", HONEST, "poison_document"),
    Case("honest-no-fault", "none", HONEST, "no_fault"),
    Case(
        "loses-one-in-a-thousand",
        "forgets every thousandth record that it sends again",
        _bug("LosesOneInAThousand"),
        "outage",
        LOST,
        # What it lost it counts as delivered.
        frozenset({MISCOUNTED}),
    ),
    Case(
        "believes-every-200",
        "takes any answer of 200 for an acknowledgement",
        _bug("BelievesEvery200"),
        "lying_answers",
        LOST,
        frozenset({MISCOUNTED}),
    ),
    Case(
        "lets-the-store-name-things",
        "stores a batch again after its answer was cut",
        _bug("LetsTheStoreNameThings"),
        "answer_cut",
        DUPLICATED,
    ),
    Case(
        "corrupts-one-byte",
        "changes one character of one record that it sends again",
        _bug("CorruptsOneByte"),
        "outage",
        CORRUPTED,
    ),
    Case(
        "reorders", "numbers records anew when it sends them again", _bug("Reorders"), "outage", OUT_OF_ORDER
    ),
    Case(
        "blocks-the-caller",
        "holds one log call in ten for 200 ms while it retries",
        _bug("BlocksTheCaller"),
        "outage",
        LATENCY,
    ),
    Case(
        "never-recovers",
        "gives up for good after ten failures in a row",
        _bug("NeverRecovers"),
        "outage",
        FRESH,
        frozenset({LOST, THROUGHPUT, BACKLOG, EXIT}),
    ),
    Case(
        "takes-a-minute-to-exit",
        "waits for a minute when it is closed",
        _bug("TakesAMinuteToExit"),
        "outage",
        EXIT,
    ),
    Case(
        "hides-its-drops",
        "throws records away and reports that it dropped none",
        _bug("HidesItsDrops"),
        "outage",
        MISCOUNTED,
        frozenset({UNACKNOWLEDGED}),
        acknowledged_by="callback",
    ),
    Case(
        "leaks-while-the-store-is-down",
        "keeps the buffers of every failed request",
        _bug("LeaksWhileTheStoreIsDown"),
        "outage",
        MEMORY,
    ),
    Case(
        "goes-silent",
        "takes no record any more once a request has failed",
        _bug("GoesSilent"),
        "outage",
        UNACKNOWLEDGED,
        frozenset({MISCOUNTED, FRESH, THROUGHPUT, BACKLOG}),
        acknowledged_by="callback",
    ),
    Case(
        "retries-poison-for-ever",
        "sends a batch again, whole, as long as one document of it is refused",
        _bug("RetriesPoisonForEver"),
        "poison_document",
        # The fault ends one day, and then it stores what it had to put aside: there it shows for sure.
        MISPLACED,
        frozenset({LOST, FRESH, THROUGHPUT, BACKLOG, EXIT}),
    ),
    Case(
        "knows-ascii-only",
        "turns what is not ASCII into question marks",
        _bug("KnowsAsciiOnly"),
        "no_fault",
        CORRUPTED,
    ),
    Case(
        "stores-nothing",
        "takes every record and sends none anywhere",
        _bug("StoresNothing"),
        "no_fault",
        LOST,
        frozenset({MISCOUNTED, FRESH}),
    ),
    Case("cuts-long-lines", "cuts lines at 1,500 bytes", _bug("CutsLongLines"), "no_fault", CORRUPTED),
)
