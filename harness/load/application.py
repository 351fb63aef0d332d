"""The application process: hosts an intake and calls it when records are due, open loop.

    python -m harness.load.application ASSIGNMENT.json [CODE_FOLDER]...

It obeys lines on standard input: `begin AT_NS`, `probe AT_NS`, `pause AT_NS`, `resume AT_NS`, `finish`; the
end of input means that the harness died, and ends it too. What falls due in a pause is never sent. A producer
thread never waits for another, and a call that takes long makes the thread's next calls late, never fewer.
After a restart it goes on with records whose call was never entered.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from harness.load.assignment import Assignment, read_assignment
from harness.load.intakes import INTAKES
from harness.load.pauses import Pauses
from harness.load.slots import ANSWERED, REFUSED, Slots
from harness.model.errors import HarnessError
from harness.model.protocols import Batching, Intake, Record

_REFUSALS_SHOWN_MAX = 20
_SECOND_NS = 1_000_000_000


class Application:
    """Producer threads over one intake."""

    def __init__(self, assignment: Assignment, intake: Intake) -> None:
        """Take the assignment and the intake that will carry it."""
        self._assignment = assignment
        self._intake = intake
        self._slots = Slots(Path(assignment.slots_path))
        self._lines = assignment.lines()
        self._offsets_ns = assignment.offsets_ns()
        self._ending = threading.Event()
        self._threads: list[threading.Thread] = []
        self._waves = 0
        self.pauses = Pauses()
        self._refusals_shown = 0
        # Only what is late shares a call, so that the rate at which records come stays the schedule's.
        self._records_max = intake.records_per_request if isinstance(intake, Batching) else 1

    def acknowledge(self, sequences: Iterable[int]) -> None:
        """Note which records the stack became responsible for; called by the stack, from any thread."""
        now_ns = time.monotonic_ns()
        for sequence in sequences:
            self._slots.acknowledge(sequence, now_ns)

    def begin(self, at_ns: int) -> None:
        """Start the producers on the scheduled records."""
        scheduled = range(self._assignment.scheduled)
        self._start(scheduled, lambda sequence: at_ns + self._offsets_ns[sequence], self.pauses.hold)

    def probe(self, at_ns: int) -> None:
        """Start producers on the next wave of the records kept back."""
        probes = self._assignment.wave(self._waves)
        self._waves += 1
        self._start(
            probes, lambda sequence: at_ns + self._assignment.probe_offset_ns(sequence), lambda due_ns: False
        )

    def finish(self) -> None:
        """Tell the producers to end; threads stuck in a call are daemons and do not hold the process."""
        self._ending.set()
        for thread in self._threads:
            thread.join(timeout=1.0)

    def _start(self, sequences: range, due_ns: Callable[[int], int], withheld: Callable[[int], bool]) -> None:
        shares: dict[int, list[int]] = {}
        for sequence in sequences:
            shares.setdefault(self._assignment.producer(sequence), []).append(sequence)
        for mine in shares.values():
            thread = threading.Thread(target=self._produce, args=(mine, due_ns, withheld), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _produce(
        self, sequences: Sequence[int], due_ns: Callable[[int], int], withheld: Callable[[int], bool]
    ) -> None:
        left = deque(sequence for sequence in sequences if not self._slots.read(sequence).entered_ns)
        while left:
            records = [self._assignment.record(left[0], self._lines)]
            first_ns = due_ns(left.popleft())
            if not self._wait(first_ns):
                return
            if withheld(first_ns):
                continue
            now_ns = time.monotonic_ns()
            while left and len(records) < self._records_max and due_ns(left[0]) <= now_ns:
                if not withheld(due_ns(left[0])):
                    records.append(self._assignment.record(left[0], self._lines))
                left.popleft()
            self._call(records)

    def _wait(self, until_ns: int) -> bool:
        """Return whether the moment came before the producers were told to end."""
        while (left_ns := until_ns - time.monotonic_ns()) > 0:
            if self._ending.wait(min(left_ns / _SECOND_NS, 0.5)):
                return False
        return not self._ending.is_set()

    def _call(self, records: Sequence[Record]) -> None:
        entered_ns = time.monotonic_ns()
        for record in records:
            self._slots.enter(record.sequence, entered_ns)
        outcome = ANSWERED
        try:
            if isinstance(self._intake, Batching):
                self._intake.send_together(records)
            else:
                self._intake.send(records[0])
        except Exception as error:
            outcome = REFUSED
            for record in records:
                self._show(record.sequence, error)
        returned_ns = time.monotonic_ns()
        for record in records:
            self._slots.leave(record.sequence, returned_ns, outcome)

    def _show(self, sequence: int, error: Exception) -> None:
        self._refusals_shown += 1
        if self._refusals_shown <= _REFUSALS_SHOWN_MAX:
            print(f"record {sequence} refused: {type(error).__name__}: {error}", file=sys.stderr, flush=True)


def main(arguments: Sequence[str]) -> int:
    """Run one application until told to finish; return its exit code.

    The folders of the user's own code come last on the import path, so that they can shadow nothing of ours.
    """
    assignment_path, *code_folders = arguments
    sys.path.extend(code_folders)
    assignment = read_assignment(Path(assignment_path))
    try:
        intake: Intake = INTAKES.resolve(assignment.intake.kind)(**assignment.intake.arguments)
        application = Application(assignment, intake)
        intake.open(application.acknowledge)
    except HarnessError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print('{"ready": true}', flush=True)
    _obey(application)
    application.finish()
    intake.close()
    return 0


def _obey(application: Application) -> None:
    for line in sys.stdin:
        command, _, at_ns = line.strip().partition(" ")
        if command == "finish":
            return
        {
            "begin": application.begin,
            "probe": application.probe,
            "pause": application.pauses.begin,
            "resume": application.pauses.end,
        }[command](int(at_ns))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
