"""A Locust worker: hosts some of the users, and writes a slot file of its own.

    python -m harness.load.locust.worker ASSIGNMENT.json NUMBER MASTER_PORT LOCUSTFILE [CODE_FOLDER]...

It obeys the same lines on standard input as the application does. Its users are its own from the start: the
master collects figures and gives no orders, so that nobody takes over the records of a worker that is gone.
After a restart it goes on with records whose call was never entered.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import gevent
import locust  # before all that opens connections: it replaces what blocks in the standard library
from locust import runners
from locust.dispatch import UsersDispatcher
from locust.env import Environment
from locust.exception import StopUser
from locust.runners import WorkerNode

from harness.load.assignment import Assignment, read_assignment
from harness.load.intakes import INTAKES
from harness.load.locust.commands import obey
from harness.load.locust.files import host_of, user_classes
from harness.load.locust.sending import Users, open_users
from harness.load.sender import Sender, Share
from harness.model.errors import HarnessError
from harness.model.protocols import Intake
from harness.processes.ports import LOOPBACK

REPORT_SECONDS = 1.0
_STOP_SECONDS = 1.0


class Worker:
    """Some of the users, and what they send.

    Args:
        assignment: what all workers send.
        number: which of them this is, from 1.
        intake: how records enter the stack.
    """

    def __init__(self, assignment: Assignment, number: int, intake: Intake) -> None:
        self._sender = Sender(assignment, intake, assignment.slots_of(number))
        self._users = Users(self._sender, lambda each: assignment.worker(each) == number, StopUser)
        self.pauses = self._users.pauses
        self._intake = intake
        self._count = sum(assignment.worker(each) == number for each in range(assignment.producers))
        self._host = host_of(assignment.intake)

    def connect(self, file: str, port: int) -> None:
        """Read the Locust file and connect to the master; returns once it has answered.

        Args:
            file: the Locust file's path.
            port: the master's, on loopback.
        """
        open_users(self._users)
        self._intake.open(self._sender.acknowledge)
        self._environment = Environment(
            user_classes=user_classes(file),
            events=locust.events,
            host=self._host,
            stop_timeout=_STOP_SECONDS,
        )
        runners.WORKER_REPORT_INTERVAL = REPORT_SECONDS
        self._runner = self._environment.create_worker_runner(LOOPBACK, port)
        locust.events.init.fire(environment=self._environment, runner=self._runner, web_ui=None)

    def begin(self, at_ns: int) -> None:
        """Start the users on the scheduled records."""
        self._users.begin(at_ns)
        locust.events.test_start.fire(environment=self._environment)
        self._runner.start_worker(self._spawn_counts())

    def probe(self, at_ns: int) -> None:
        """Send the next wave of the records kept back, beside the users: a call that hangs holds up none."""
        for share in self._users.probes(at_ns):
            gevent.spawn(self._send_all, share)

    def finish(self) -> None:
        """End the users, tell the master the last figures, and let go of the stack."""
        self._sender.end()
        self._runner.stop()
        report: dict[str, object] = {}
        locust.events.report_to_master.fire(client_id=self._runner.client_id, data=report)
        self._runner.send_message("stats", report)
        locust.events.quitting.fire(environment=self._environment, reverse=True)
        self._intake.close()
        # Its greenlets first: one that receives goes round and round on a closed socket.
        self._runner.greenlet.kill(block=True)
        self._runner.client.close(linger=int(_STOP_SECONDS * 1e3))

    def _send_all(self, share: Share) -> None:
        while self._users.send_next(share, self._environment, {}):
            pass

    def _spawn_counts(self) -> dict[str, int]:
        """Return how many users of each class there are to be, by Locust's own rule for their weights."""
        node = WorkerNode("this")
        dispatcher = UsersDispatcher([node], self._environment.user_classes)
        dispatcher.new_dispatch(self._count, spawn_rate=max(1, self._count))
        counts: dict[str, int] = {}
        for dispatched in dispatcher:
            counts = dispatched[node.id]
        return counts


def main(arguments: Sequence[str]) -> int:
    """Run one worker until told to finish; return its exit code.

    Args:
        arguments: the assignment's path, this worker's number (from 1), the master's port, the Locust file's
            path, then the folders of the user's own code.
    """
    assignment_path, number, port, file, *code_folders = arguments
    sys.path.extend(code_folders)
    assignment = read_assignment(Path(assignment_path))
    try:
        intake: Intake = INTAKES.resolve(assignment.intake.kind)(**assignment.intake.arguments)
        worker = Worker(assignment, int(number), intake)
        worker.connect(file, int(port))
    except HarnessError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print('{"ready": true}', flush=True)
    obey(
        {
            "begin": worker.begin,
            "probe": worker.probe,
            "pause": worker.pauses.begin,
            "resume": worker.pauses.end,
        }
    )
    worker.finish()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
