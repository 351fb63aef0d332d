"""What a process that sends does with a record: wait until it is due, make the call, note it in its slot."""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from harness.load.assignment import Assignment
from harness.load.pauses import Pauses
from harness.load.slots import ANSWERED, REFUSED, Slots
from harness.model.nanoseconds import SECOND_NS
from harness.model.protocols import Batching, Intake, Record

_REFUSALS_SHOWN_MAX = 20


class Share:
    """The records of one producer that are still to be sent, in the order they are due.

    Args:
        sequences: of the records.
        due_ns: tells when each is due, in ns of CLOCK_MONOTONIC.
        withheld: tells of that moment whether the load is paused then, so that the record is never sent.
    """

    def __init__(
        self,
        sequences: Iterable[int],
        due_ns: Callable[[int], int],
        withheld: Callable[[int], bool] = lambda _: False,
    ) -> None:
        self._left = deque(sequences)
        self._due_ns = due_ns
        self.withheld = withheld

    def take(self) -> tuple[int, int] | None:
        """Take the next record; return its sequence and when it is due, None where there is none."""
        if not self._left:
            return None
        sequence = self._left.popleft()
        return sequence, self._due_ns(sequence)

    def take_due(self, now_ns: int, most: int, fits: Callable[[int], bool] = lambda _: True) -> list[int]:
        """Take the next records that are due by now, at most so many, up to one that does not fit.

        Args:
            now_ns: the moment of CLOCK_MONOTONIC by which they are due.
            most: how many are taken at most.
            fits: tells of a sequence whether its record may go along; the first that may not stays, with all
                after it.

        Returns:
            Their sequences, in order; what is withheld is taken, too, and left out.
        """
        taken: list[int] = []
        while (
            self._left and len(taken) < most and self._due_ns(self._left[0]) <= now_ns and fits(self._left[0])
        ):
            sequence = self._left.popleft()
            if not self.withheld(self._due_ns(sequence)):
                taken.append(sequence)
        return taken


class Sender:
    """Sends the records of an assignment through an intake; used by many producers at a time.

    Args:
        assignment: what to send.
        intake: how.
        slots_path: the slot file that this process writes.

    Attributes:
        pauses: when nothing of the schedule is sent.
    """

    def __init__(self, assignment: Assignment, intake: Intake, slots_path: Path) -> None:
        self._assignment = assignment
        self._intake = intake
        self._slots = Slots(slots_path)
        self._lines = assignment.lines()
        self._offsets_ns = assignment.offsets_ns()
        self._ending = threading.Event()
        self._waves = 0
        self.pauses = Pauses()
        self._refusals_shown = 0
        # Only what is late shares a call, so that the rate at which records come stays the schedule's.
        self._records_max = intake.records_per_request if isinstance(intake, Batching) else 1

    def acknowledge(self, sequences: Iterable[int]) -> None:
        """Note which records the stack became responsible for; called by the stack, from any thread.

        Args:
            sequences: of records that it has accepted; for a record that it names twice the first time
                counts.
        """
        now_ns = time.monotonic_ns()
        for sequence in sequences:
            self._slots.acknowledge(sequence, now_ns)

    def scheduled(self, at_ns: int, mine: Callable[[int], bool] = lambda _: True) -> dict[int, Share]:
        """Return the shares of the scheduled records, by producer, for a sending that begins at that moment.

        Args:
            at_ns: when sending begins.
            mine: tells of a producer whether this process has it; by default it has all.
        """
        scheduled = range(self._assignment.scheduled)
        withheld = self.pauses.hold
        return self._shares(scheduled, lambda sequence: at_ns + self._offsets_ns[sequence], mine, withheld)

    def next_wave(self, at_ns: int, mine: Callable[[int], bool] = lambda _: True) -> dict[int, Share]:
        """Return the shares of the next wave of the records kept back; as `scheduled` does.

        Args:
            at_ns: when the wave begins, in ns of CLOCK_MONOTONIC.
            mine: tells of a producer whether this process has it; by default it has all.
        """
        probes = self._assignment.wave(self._waves)
        self._waves += 1
        return self._shares(probes, lambda sequence: at_ns + self._assignment.probe_offset_ns(sequence), mine)

    def due(self, share: Share) -> list[Record]:
        """Wait until a share's next record is due; return it with those that are due already.

        Returns:
            Nothing where the share is sent, or the producers were told to end.
        """
        while (first := share.take()) is not None:
            sequence, due_ns = first
            record = self._record(sequence)  # made before it is due, so that it is not late for that
            if not self._wait(due_ns):
                return []
            if not share.withheld(due_ns):
                # Whose records a request brings is said once for all of them.
                fits = partial(self._is_of, self._assignment.tenant(sequence))
                others = share.take_due(time.monotonic_ns(), self._records_max - 1, fits)
                return [record, *map(self._record, others)]
        return []

    def call(self, records: Sequence[Record]) -> Exception | None:
        """Hand records over in one call, and note when it began and how it ended.

        Returns:
            Why they were refused; None where they were not.
        """
        entered_ns = time.monotonic_ns()
        for record in records:
            self._slots.enter(record.sequence, entered_ns)
        refusal: Exception | None = None
        try:
            if isinstance(self._intake, Batching):
                self._intake.send_together(records)
            else:
                self._intake.send(records[0])
        except Exception as error:
            refusal = error
            for record in records:
                self._show(record.sequence, error)
        returned_ns = time.monotonic_ns()
        for record in records:
            self._slots.leave(record.sequence, returned_ns, ANSWERED if refusal is None else REFUSED)
        return refusal

    def end(self) -> None:
        """Tell the producers to end; a call that is under way is not cut."""
        self._ending.set()

    def _shares(
        self,
        sequences: range,
        due_ns: Callable[[int], int],
        mine: Callable[[int], bool],
        withheld: Callable[[int], bool] = lambda _: False,
    ) -> dict[int, Share]:
        """After a restart a share holds what was never entered: no call is made twice."""
        left: dict[int, list[int]] = {}
        for sequence in sequences:
            producer = self._assignment.producer(sequence)
            if mine(producer) and not self._slots.read(sequence).entered_ns:
                left.setdefault(producer, []).append(sequence)
        return {producer: Share(records, due_ns, withheld) for producer, records in left.items()}

    def _is_of(self, tenant: str, sequence: int) -> bool:
        return self._assignment.tenant(sequence) == tenant

    def _record(self, sequence: int) -> Record:
        return self._assignment.record(sequence, self._lines)

    def _wait(self, until_ns: int) -> bool:
        """Return whether the moment came before the producers were told to end."""
        while (left_ns := until_ns - time.monotonic_ns()) > 0:
            if self._ending.wait(min(left_ns / SECOND_NS, 0.5)):
                return False
        return not self._ending.is_set()

    def _show(self, sequence: int, error: Exception) -> None:
        self._refusals_shown += 1
        if self._refusals_shown <= _REFUSALS_SHOWN_MAX:
            print(f"record {sequence} refused: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
