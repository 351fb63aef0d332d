"""What a person sees while a run is on: one living line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType

import click

from harness.protocols import Progress

_PLAIN_SECONDS = 5.0


class PlainProgress:
    """One line whenever the phase changes, and every few seconds in between."""

    def __init__(self) -> None:
        """Nothing has been shown yet."""
        self._shown = ("", "", "")
        self._shown_at = 0.0

    def __enter__(self) -> PlainProgress:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End; there is nothing to take back."""

    def __call__(self, progress: Progress) -> None:
        """Show where the run is, if that is news."""
        now = (progress.scenario, progress.phase, progress.fault)
        if now == self._shown and time.monotonic() - self._shown_at < _PLAIN_SECONDS:
            return
        self._shown, self._shown_at = now, time.monotonic()
        click.echo(progress_line(progress), err=True)


class LiveProgress:
    """One line that is drawn anew, a few times a second."""

    def __init__(self) -> None:
        """Prepare the display; nothing is drawn before it is entered."""
        from rich.console import Console
        from rich.status import Status

        self._status = Status("starting", console=Console(stderr=True))

    def __enter__(self) -> LiveProgress:
        """Take the line."""
        self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the line back."""
        self._status.stop()

    def __call__(self, progress: Progress) -> None:
        """Draw where the run is."""
        self._status.update(progress_line(progress).replace("[", r"\["))


def make_progress() -> PlainProgress | LiveProgress:
    """Return the display that fits where standard error goes."""
    return LiveProgress() if sys.stderr.isatty() else PlainProgress()


def progress_line(progress: Progress) -> str:
    """Return where a run is, in one line."""
    tally = progress.tally
    backlog = max(0, tally.acknowledged - progress.stored)
    fault = f" [{progress.fault}]" if progress.fault else ""
    return (
        f"{progress.scenario} · {progress.phase}{fault} · sent {tally.sent:,} · "
        f"acknowledged {tally.acknowledged:,} · stored {progress.stored:,} · backlog {backlog:,} · "
        f"{progress.seconds_left:.0f} s of sending left"
    )
