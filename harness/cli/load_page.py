"""`logquake load --ui`: one scenario under load, whose faults a person starts on the live page."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from harness.cli.interruption import Interruption
from harness.cli.output import note, say
from harness.cli.progress import make_progress
from harness.cli.run import write_reports
from harness.cli.selection import Selection, make_request
from harness.faults import FAULTS
from harness.live.page import PATH
from harness.live.server import PageServer
from harness.model.declarations import Part, Scenario
from harness.model.errors import UsageError
from harness.model.protocols import PageSpec, Progress
from harness.processes.ports import free_port
from harness.runs.live_desk import LiveDesk
from harness.runs.request import Request, make_plan
from harness.runs.suite import SuiteRun

_OF_RUNS = ("jobs", "repeats_max", "fail_fast", "baselines")
"""Options of `logquake run` that mean nothing where one scenario is run by hand."""


@dataclass(frozen=True, slots=True)
class Page:
    """Where the page listens, and under which further names it may be asked; port 0 is any that is free."""

    address: str
    port: int
    names: tuple[str, ...]


def run_with_page(options: Mapping[str, Any], page: Page, seconds: float) -> int:
    """Serve the page while one scenario runs; return 0, since what is done by hand gates nothing.

    Args:
        options: of `logquake run`; the steps of the scenario are what the page offers first.
        page: where the page listens.
        seconds: how long records are sent, unless the run is ended on the page.

    Raises:
        UsageError: there is more than one scenario.
        UnavailableError: the address is taken, or this machine lacks something that the run needs.
        InterruptedRunError: a signal ended the run.
    """
    request, scenario = interactive_request(options, seconds)
    plan = make_plan(request)
    desk = LiveDesk(FAULTS)
    interruption = Interruption()
    with _served(request, desk, page) as (spec, tell), make_progress() as watch:

        def watched(progress: Progress) -> None:
            tell(progress)
            watch(progress)

        suite_run = SuiteRun(plan, request, interruption, watched, desk, scenario.steps, spec)
        result, ended_by = suite_run.run()
    write_reports(result, suite_run.folder)
    interruption.raise_what_ended(ended_by)
    return 0


def interactive_request(options: Mapping[str, Any], seconds: float) -> tuple[Request, Scenario]:
    """Return what is run, without any step, and the scenario as its file has it.

    Args:
        options: of `logquake run`.
        seconds: how long records are sent.

    Raises:
        UsageError: there is more than one scenario.
    """
    rest = {name: value for name, value in options.items() if name not in _OF_RUNS}
    out, max_minutes = rest.pop("out"), rest.pop("max_minutes")
    history_mib_max, show_lines = rest.pop("history_mib_max"), rest.pop("show_lines")
    request = make_request(Selection(**rest), out, max_minutes, repeats_max=0, show_lines=show_lines)
    if len(request.scenarios) != 1:
        raise UsageError(f"--ui runs one scenario, not {len(request.scenarios)}: logquake load --ui SCENARIO")
    (scenario,) = request.scenarios
    load = scenario.load
    if request.stack.intake.kind != "http":
        load = Part("hosted")
        note(
            "Locust posts to HTTP intakes; this stack's handler is driven in an application process instead."
        )
    elif importlib.util.find_spec("locust") is None:
        load = Part("hosted")
        note("Locust is not installed (pip install 'logquake[load]'); an application process sends instead.")
    by_hand = replace(scenario, steps=(), sending_seconds=seconds, exclusive=True, load=load)
    bytes_max = int(history_mib_max * (1 << 20))
    return replace(request, scenarios=(by_hand,), history_bytes_max=bytes_max), scenario


@contextmanager
def _served(
    request: Request, desk: LiveDesk, page: Page
) -> Iterator[tuple[PageSpec | None, Callable[[Progress], None]]]:
    """Serve the page here, or say where the load is to serve it; yields that, and what watches the run."""
    if request.scenarios[0].load.kind == "locust":
        port = page.port or free_port()
        spec = PageSpec("", page.address, port, page.names)
        yield spec, _Told(f"http://{_written(page.address)}:{port}")
        return
    server = PageServer(desk, page.address, page.port, page.names)
    server.start()
    told = _Told(f"http://{_written(page.address)}:{server.port}")
    try:
        yield None, told
    finally:
        server.stop()


class _Told:
    """Says where the page is, once it is there."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._is_told = False

    def __call__(self, progress: Progress) -> None:
        if not self._is_told and progress.phase != "start":
            self._is_told = True
            say(f"live page: {self._url}{PATH}")
            note("The run ends by its button on the page, after its time, or with Ctrl-C.")


def _written(address: str) -> str:
    return f"[{address}]" if ":" in address else address
