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
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.load.assignment import Assignment, read_assignment
from harness.load.intakes import INTAKES
from harness.load.sender import Sender, Share
from harness.model.errors import HarnessError
from harness.model.protocols import Intake


class Application:
    """Producer threads over one intake."""

    def __init__(self, assignment: Assignment, intake: Intake) -> None:
        """Take the assignment and the intake that will carry it."""
        self._sender = Sender(assignment, intake, Path(assignment.slots_path))
        self.acknowledge = self._sender.acknowledge
        self.pause, self.resume = self._sender.pauses.begin, self._sender.pauses.end
        self._threads: list[threading.Thread] = []

    def begin(self, at_ns: int) -> None:
        """Start the producers on the scheduled records."""
        self._start(self._sender.scheduled(at_ns))

    def probe(self, at_ns: int) -> None:
        """Start producers on the next wave of the records kept back."""
        self._start(self._sender.next_wave(at_ns))

    def finish(self) -> None:
        """Tell the producers to end; threads stuck in a call are daemons and do not hold the process."""
        self._sender.end()
        for thread in self._threads:
            thread.join(timeout=1.0)

    def _start(self, shares: Mapping[int, Share]) -> None:
        for share in shares.values():
            thread = threading.Thread(target=self._produce, args=(share,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _produce(self, share: Share) -> None:
        while records := self._sender.due(share):
            self._sender.call(records)


def main(arguments: Sequence[str]) -> int:
    """Run one application until told to finish; return its exit code.

    The folders of the user's own code come last on the import path, so that they can shadow nothing of ours.

    Args:
        arguments: the path of the assignment, then the folders of the user's own code.
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
            "pause": application.pause,
            "resume": application.resume,
        }[command](int(at_ns))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
