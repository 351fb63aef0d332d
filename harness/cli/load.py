"""`logquake load`: drive a stack by Locust and judge it: by a plan, or by hand on a live page."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from pathlib import Path
from typing import Any

import click

from harness.cli.finite_range import FiniteRange
from harness.cli.run import run
from harness.config.scenario import RATE_PER_SECOND_MAX
from harness.config.validation import SECONDS_MAX
from harness.model.declarations import Arguments, Part
from harness.model.errors import InternalError, UsageError
from harness.processes.ports import LOOPBACK

LOAD_SCENARIO = "load"
"""What runs where the command line names nothing: load without faults."""

_Sized = Callable[[float, float], Arguments]

SHAPES: Mapping[str, _Sized] = {
    "steady": lambda rate, _: {"rate_per_second": rate},
    "ramp": lambda rate, _: {"rate_per_second": rate / 10, "to_per_second": rate},
    "step": lambda rate, seconds: {
        "rate_per_second": rate / 4,
        "by_per_second": rate / 4,
        "every_seconds": seconds / 4,
    },
    "spike": lambda rate, seconds: {
        "rate_per_second": rate / 10,
        "times": 10.0,
        "at_seconds": seconds / 3,
        "for_seconds": seconds / 3,
    },
    "soak": lambda rate, seconds: {"rate_per_second": rate, "rise_seconds": min(5.0, seconds / 10)},
}
"""By the word of a schedule, its arguments for a highest rate (records a second) and a length in seconds."""


_RATE_PER_SECOND, _SECONDS = 100.0, 20.0
UI_SECONDS = 600.0
"""How long records are sent where faults are started by hand, unless the run is ended on the page."""


def _of_run() -> Iterator[click.Parameter]:
    """Yield what `logquake run` takes, but for the load, with a stack that is posted to as the default."""
    for option in map(copy, run.params):
        if option.name == "stack":
            option.default = "gateway"
        if option.name != "load_kind":
            yield option


@click.command(params=list(_of_run()))
@click.option("--headless", is_flag=True, help="Run the plan and end with the gate's exit code.")
@click.option(
    "--ui",
    is_flag=True,
    help="Serve Locust's page with a tab /chaos: live charts, faults by hand, scorecards of the run so far.",
)
@click.option(
    "--web-address",
    default=LOOPBACK,
    show_default=True,
    metavar="ADDRESS",
    help="The address that the page of --ui listens on.",
)
@click.option(
    "--web-port",
    type=click.IntRange(0, 65535),
    default=8089,
    show_default=True,
    metavar="N",
    help="The port that the page of --ui listens on; 0 for any that is free.",
)
@click.option(
    "--web-host",
    "web_hosts",
    multiple=True,
    metavar="NAME",
    help="A further name that the page of --ui may be asked under. May be repeated.",
)
@click.option("--users", type=click.IntRange(1), default=None, metavar="N", help="How many users send.")
@click.option(
    "--workers", type=click.IntRange(1), default=None, metavar="N", help="How many processes host the users."
)
@click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    metavar="FILE",
    help="A Locust file of your own, whose users call send().",
)
@click.option(
    "--shape",
    type=click.Choice(sorted(SHAPES)),
    default=None,
    help="How the rate goes, in scenarios without faults.  [default: steady]",
)
@click.option(
    "--rate",
    type=FiniteRange(min=0, max=RATE_PER_SECOND_MAX, min_open=True),
    default=None,
    metavar="N",
    help=f"The shape's highest rate, in records a second.  [default: {_RATE_PER_SECOND:g}]",
)
@click.option(
    "--seconds",
    type=FiniteRange(min=0, max=SECONDS_MAX, min_open=True),
    default=None,
    metavar="N",
    help="How long records are sent, in scenarios without faults.  "
    f"[default: {_SECONDS:g}; with --ui {UI_SECONDS:g}]",
)
def load(
    headless: bool,
    ui: bool,
    web_address: str,
    web_port: int,
    web_hosts: tuple[str, ...],
    users: int | None,
    workers: int | None,
    file: Path | None,
    shape: str | None,
    rate: float | None,
    seconds: float | None,
    **options: Any,
) -> int:
    """Drive a stack by Locust, on a schedule that a slow stack cannot slow, and judge every record.

    Without arguments it sends a steady load without faults. A SCENARIO, or each of a suite, is run with
    Locust in place of its own load. Locust's workers are processes of their own on this machine. With --ui
    one scenario is run, and its faults are started on the page by whoever watches.
    """
    if headless == ui:
        raise UsageError(
            "say how to run, by one of these: --headless runs the plan and ends with the gate's exit code, "
            "--ui serves a live page where faults are started by hand"
        )
    if not options["scenarios"] and not options["suite"]:
        options["scenarios"] = (LOAD_SCENARIO,)
    given: dict[str, Any] = {"users": users, "workers": workers, "file": file and str(file)}
    arguments = {name: value for name, value in given.items() if value is not None}
    schedule = None
    if shape is not None or rate is not None or (seconds is not None and not ui):
        seconds = seconds or (UI_SECONDS if ui else _SECONDS)
        word = shape or "steady"
        schedule = Part(word, SHAPES[word](rate or _RATE_PER_SECOND, seconds))
    own = {"shape": shape, "rate": rate, "seconds": seconds if schedule or ui else None, **arguments}
    words = ["logquake", "load", "--ui" if ui else "--headless"]
    for name, value in own.items():
        words += [] if value is None else [f"--{name}", str(value)]
    if ui:
        # What selects the user's own code is loaded only where a page is asked for.
        from harness.cli.load_page import Page, run_with_page

        options |= {"load_kind": "locust", "load_arguments": arguments, "schedule": schedule}
        options |= {"sending_seconds": seconds if schedule else None, "command": shlex.join(words)}
        page = Page(web_address, web_port, web_hosts)
        return run_with_page(options, page, seconds or UI_SECONDS)
    if run.callback is None:
        raise InternalError("`logquake run` has no callback")
    code: int = run.callback(
        load_kind="locust",
        load_arguments=arguments,
        schedule=schedule,
        sending_seconds=seconds if schedule else None,
        command=shlex.join(words),
        **options,
    )
    return code
