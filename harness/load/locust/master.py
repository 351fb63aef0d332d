"""The Locust master: collects the workers' figures, and is where Locust's page is served from, if it is.

    python -m harness.load.locust.master ASSIGNMENT.json PORT FIGURES.json LOCUSTFILE [PAGE PAGE.json]

PAGE is the dotted path of what opens a page on Locust's environment (`package.module:function`), PAGE.json
says where; without them there is no page. The master orders no users about: each worker has its own.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import gevent
import locust  # before all that opens connections: it replaces what blocks in the standard library
from locust.env import Environment
from locust.stats import StatsEntry

from harness.load.assignment import read_assignment
from harness.load.locust.commands import obey
from harness.load.locust.figures import Requests, write_figures
from harness.load.locust.files import host_of, user_classes
from harness.model.errors import HarnessError
from harness.model.registry import import_path
from harness.processes.ports import LOOPBACK

_INTERVAL_SECONDS = 0.5
_GOODBYE_SECONDS = 2.0


class Master:
    """Takes the workers' reports and keeps Locust's figures in a file.

    Args:
        environment: Locust's.
        port: where the workers report to, on this machine alone.
        figures_path: the file.
    """

    def __init__(self, environment: Environment, port: int, figures_path: Path) -> None:
        self._environment = environment
        self._figures_path = figures_path
        self._runner = environment.create_master_runner(LOOPBACK, port)

    def keep(self) -> None:
        """Write the figures again and again, on a greenlet of its own."""
        gevent.spawn(self._keep)

    def finish(self) -> None:
        """Wait a moment for the last report of each worker, and write the figures once more."""
        with gevent.Timeout(_GOODBYE_SECONDS, False):
            while self._runner.worker_count:
                gevent.sleep(0.02)
        self._write()

    def _keep(self) -> None:
        while True:
            self._write()
            gevent.sleep(_INTERVAL_SECONDS)

    def _write(self) -> None:
        entries = sorted(
            self._environment.stats.entries.values(), key=lambda entry: (entry.name, entry.method)
        )
        write_figures(self._figures_path, [_requests(entry) for entry in entries])


def _requests(entry: StatsEntry) -> Requests:
    return Requests(
        entry.method or "",
        entry.name,
        entry.num_requests,
        entry.num_failures,
        float(entry.get_response_time_percentile(0.5)),
        float(entry.get_response_time_percentile(0.95)),
    )


def main(arguments: Sequence[str]) -> int:
    """Run the master until told to finish; return its exit code.

    Args:
        arguments: the words that this module's docstring names, in their order.
    """
    assignment_path, port, figures_path, file, *page = arguments
    intake = read_assignment(Path(assignment_path)).intake
    try:
        open_page: Callable[[Environment, Path], None] | None = import_path(page[0]) if page else None
        environment = Environment(user_classes=user_classes(file), events=locust.events, host=host_of(intake))
        master = Master(environment, int(port), Path(figures_path))
        if open_page is not None:
            open_page(environment, Path(page[1]))
    except HarnessError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    locust.events.init.fire(environment=environment, runner=environment.runner, web_ui=environment.web_ui)
    master.keep()
    print('{"ready": true}', flush=True)
    obey({})
    master.finish()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
