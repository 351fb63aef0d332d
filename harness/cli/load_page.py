"""`logquake load --ui`: one scenario under load, whose faults a person starts on the live page."""

from __future__ import annotations

from dataclasses import replace

from harness.cli.interruption import Interruption
from harness.cli.output import note, say
from harness.cli.progress import make_progress
from harness.cli.run import write_reports
from harness.faults import FAULTS
from harness.live.server import PageServer
from harness.model.errors import InterruptedRunError, UsageError
from harness.runs.live_desk import LiveDesk
from harness.runs.request import Request, make_plan
from harness.runs.suite import SuiteRun


def run_with_page(request: Request, host: str, port: int, names: tuple[str, ...], minutes: float) -> int:
    """Serve the page while one scenario runs; return 0, since what is done by hand gates nothing.

    Args:
        request: what a person asked for, of one scenario; its steps are what the page offers first.
        host: the address that the page listens on.
        port: the port; 0 for any that is free.
        names: further names that the page may be asked under.
        minutes: how long records are sent, unless the run is ended on the page.

    Raises:
        UsageError: there is more than one scenario.
        UnavailableError: the address is taken, or this machine lacks something that the run needs.
        InterruptedRunError: a signal ended the run.
    """
    if len(request.scenarios) != 1:
        raise UsageError(
            f"--ui runs one scenario, not {len(request.scenarios)}; name it: logquake load NAME --ui"
        )
    (scenario,) = request.scenarios
    by_hand = replace(scenario, steps=(), sending_seconds=minutes * 60, exclusive=True)
    request = replace(request, scenarios=(by_hand,), repeats_max=0)
    plan = make_plan(request)
    desk = LiveDesk(FAULTS)
    server = PageServer(desk, host, port, names)
    interruption = Interruption()
    server.start()
    try:
        say(f"live page: {server.url}")
        note("The run ends by its button on the page, after its time, or with Ctrl-C.")
        with make_progress() as watch:
            suite_run = SuiteRun(plan, request, interruption, watch, desk, scenario.steps)
            result, ended_by = suite_run.run()
    finally:
        server.stop()
    write_reports(result, suite_run.folder)
    if ended_by is not None:
        raise ended_by
    if interruption.requested:
        raise InterruptedRunError("interrupted by a signal; the result holds what was judged until then")
    return 0
