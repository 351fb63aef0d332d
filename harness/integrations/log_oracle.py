"""Records of a user's own test, and the proof that the stack kept them: the same checks as in a scenario."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from types import TracebackType

from harness.evidence.lines import GeneratedLines, digest, stamp
from harness.evidence.readback import Outlets, OutletSpec, Reading
from harness.integrations.failure_text import verdict_lines
from harness.integrations.running_stack import RunningStack
from harness.judging.check_selection import checker_of
from harness.judging.checker import Charge
from harness.judging.timeline import timeline
from harness.load.intakes import INTAKES
from harness.model.declarations import Fields, Part, Scenario
from harness.model.errors import StackError
from harness.model.facts import Acknowledged, Answered, Due, Event, Found, PhaseChanged, Refused, Sent
from harness.model.protocols import Intake, LoadSpec, Record, Status, Verdict
from harness.runs.wiring import expanded, make_part, outlets, variables

CHECKS = ("acknowledged_lost", "duplicated", "corrupted")
WITHIN_SECONDS = 30.0
QUIET_SECONDS = 1.5
_POLL_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Conserved:
    """What was proved: counts of records, and how long it took until all were found, in seconds."""

    sent: int
    acknowledged: int
    refused: int
    seconds: float


class LogOracle:
    """Gives records an identity, and asserts that each acknowledged one is stored once and unchanged.

    Args:
        running: the stack they are sent into.
    """

    def __init__(self, running: RunningStack) -> None:
        self._running = running
        self._generated = GeneratedLines(running.seed)
        self._texts: list[str] = []
        self._events: list[Event] = []
        self._owed: set[int] = set()
        self._refused = 0
        self._marked = 0
        self._intake: Intake | None = None

    def __enter__(self) -> LogOracle:
        """Begin; nothing is opened before something is sent."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the stack the way an exiting application does."""
        if self._intake is not None:
            self._intake.close()
            self._intake = None

    def send(self, records: int | Iterable[str] = 100, *, interval_seconds: float = 0.0) -> range:
        """Send records through the stack's intake, from this process.

        Args:
            records: how many generated lines, or the lines themselves.
            interval_seconds: how long to wait after each.

        Returns:
            Their numbers. A record that the stack refuses is counted, and the next one is sent.
        """
        first = len(self._texts)
        if isinstance(records, int):
            records = [self._generated.text(first + number) for number in range(records)]
        for text in records:
            self._send(text)
            if interval_seconds:
                time.sleep(interval_seconds)
        return range(first, len(self._texts))

    def mark(self, text: str) -> str:
        """Return a text with an identity at its end, for a log call of the test's own.

        The record counts as acknowledged: it must be stored, with this text as its line.
        """
        sequence, line, now_ns = self._new(text)
        self._marked += 1
        self._owed.add(sequence)
        self._events += [Sent(sequence, now_ns), Answered(sequence, now_ns), Acknowledged(sequence, now_ns)]
        return line

    def assert_conserved(self, within_seconds: float = WITHIN_SECONDS) -> Conserved:
        """Assert that every acknowledged record can be read back, none too often, none changed.

        Args:
            within_seconds: how long the stack may take from now on, in seconds.

        Returns:
            How many records that was, and how long it took.

        Raises:
            AssertionError: records are missing, duplicated or damaged, with a counterexample; or nothing was
                acknowledged, or the outlets cannot be read, so that nothing is proved.
        """
        __tracebackhide__ = True
        began = time.monotonic()
        opened = Outlets(self._spec())
        try:
            reading = self._reading(opened, began + within_seconds)
            found = list(opened.facts(reading, time.monotonic_ns()))
        except StackError as error:
            raise AssertionError(
                f"the stack's outlets cannot be read within {within_seconds:g} s: {error}"
            ) from None
        finally:
            opened.close()
        problems = [
            verdict for verdict in self._verdicts(found) if verdict.status not in {Status.PASS, Status.WARN}
        ]
        if problems:
            # Beside a failure, what it leaves undecided is no news.
            failed = [verdict for verdict in problems if verdict.status is not Status.INCONCLUSIVE]
            raise AssertionError(_told(failed or problems, within_seconds))
        return Conserved(len(self._texts), len(self._owed), self._refused, round(time.monotonic() - began, 3))

    # --- inside ------------------------------------------------------------------------------------------

    def _new(self, text: str) -> tuple[int, str, int]:
        sequence, now_ns = len(self._texts), time.monotonic_ns()
        self._texts.append(text)
        line = stamp(text, self._running.run_id, sequence)
        size_bytes = len(line.encode("utf-8", "surrogatepass"))
        self._events.append(Due(sequence, now_ns, 0, digest(line), size_bytes, text.isascii()))
        return sequence, line, now_ns

    def _send(self, text: str) -> None:
        intake = self._opened()
        sequence, line, entered_ns = self._new(text)
        self._events.append(Sent(sequence, entered_ns))
        try:
            intake.send(Record(sequence, line))
        except Exception:  # whatever a handler or client raises is its refusal
            self._refused += 1
            self._events.append(Refused(sequence, time.monotonic_ns()))
            return
        self._events.append(Answered(sequence, time.monotonic_ns()))
        if not self._by_callback:
            self._acknowledge([sequence])

    def _acknowledge(self, sequences: Iterable[int]) -> None:
        """Note what the stack became responsible for; called from any thread, with appending calls alone."""
        now_ns = time.monotonic_ns()
        for sequence in sequences:
            self._events.append(Acknowledged(sequence, now_ns))
            self._owed.add(sequence)

    @property
    def _by_callback(self) -> bool:
        return self._running.declared.acknowledged_by == "callback"

    def _opened(self) -> Intake:
        if self._intake is None:
            intake = self._running.declared.intake
            made: Intake = make_part(INTAKES, Part(intake.kind, expanded(intake, self._running.values)))
            made.open(self._acknowledge)
            self._intake = made
        return self._intake

    def _spec(self) -> OutletSpec:
        running = self._running
        records = LoadSpec(
            run_id=running.run_id,
            seed=running.seed,
            offsets_ns=range(len(self._texts)),
            producers=1,
            input_path="",
            acknowledged_by=running.declared.acknowledged_by,
            intake=running.declared.intake,
            history_bytes_max=0,
            probes=0,
            environment=variables(running.declared, running.values),
        )
        # Level, logger and time are the test's own; its lines alone are compared.
        declared = replace(running.declared, fields=Fields())
        return outlets(declared, running.values, records, self._line, lambda: frozenset(self._owed))

    def _line(self, sequence: int) -> str:
        text = self._texts[sequence] if sequence < len(self._texts) else ""
        return stamp(text, self._running.run_id, sequence)

    def _reading(self, opened: Outlets, until: float) -> Reading:
        """Read the outlets until all that is owed is there and nothing more has come in for a moment.

        Raises:
            StackError: they cannot be read by then.
        """
        before, still_since = -1, time.monotonic()
        while True:
            is_over = time.monotonic() >= until
            try:
                reading = opened.read()
            except StackError:
                if is_over:
                    raise
            else:
                copies = len(reading.documents) + len(reading.letters)
                if copies != before:
                    before, still_since = copies, time.monotonic()
                quiet = time.monotonic() - still_since >= QUIET_SECONDS
                if is_over or (quiet and self._settled(opened, reading)):
                    return reading
            time.sleep(_POLL_SECONDS)

    def _settled(self, opened: Outlets, reading: Reading) -> bool:
        unanswered = len(self._texts) - len(self._owed) - self._refused
        return unanswered <= 0 and not frozenset(self._owed) - opened.kept(reading)

    def _verdicts(self, found: Sequence[Event]) -> list[Verdict]:
        if self._marked:
            # The test makes log calls of its own: those without an identity are nobody's fault.
            found = [each for each in found if not isinstance(each, Found) or each.sequence is not None]
        began_ns = min((event.at_ns for event in self._events if isinstance(event, Due)), default=0)
        phases = [PhaseChanged(began_ns, "steady"), PhaseChanged(time.monotonic_ns(), "read back")]
        arranged = timeline([*phases, *self._events, *self._running.events, *found])
        charge = self._charge()
        return [checker_of(Part(word), charge).check(arranged) for word in CHECKS]

    def _charge(self) -> Charge:
        declared = self._running.declared
        scenario = Scenario(
            "log_oracle", "a test", "nothing is lost", Part("steady"), 1, 0.0, tuple(self._running.steps), ()
        )
        return Charge(scenario, declared.promises, declared.dead_letters is not None, fields=Fields())


def _told(problems: Sequence[Verdict], within_seconds: float) -> str:
    first, *others = problems
    lines = [f"{first.objective}: {first.summary} ({within_seconds:g} s allowed)"]
    _, _, *details = verdict_lines(first)  # an empty line, and what was just said
    lines += details
    for verdict in others:
        lines += verdict_lines(verdict)
    return "\n".join(lines)
