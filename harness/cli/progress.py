"""What a person sees while a run is on: living lines on a terminal, plain ones elsewhere."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING

from harness.cli.console import living_console
from harness.cli.output import note
from harness.model.protocols import OVER, Progress

if TYPE_CHECKING:
    from rich.console import Console

_PLAIN_SECONDS = 5.0


class PlainProgress:
    """One line whenever a scenario's phase changes, and every few seconds in between."""

    def __init__(self) -> None:
        """Nothing has been shown yet."""
        self._shown: dict[str, tuple[str, str, float]] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> PlainProgress:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End; there is nothing to take back."""

    def __call__(self, progress: Progress) -> None:
        """Show where a scenario is, if that is news. Several may tell at once."""
        with self._lock:
            phase, fault, at = self._shown.get(progress.scenario, ("", "", 0.0))
            now = time.monotonic()
            if (phase, fault) == (progress.phase, progress.fault) and now - at < _PLAIN_SECONDS:
                return
            self._shown[progress.scenario] = (progress.phase, progress.fault, now)
            note(progress_line(progress))


class LiveProgress:
    """One line for each scenario that is running, drawn anew a few times a second."""

    def __init__(self, console: Console) -> None:
        """Prepare the display; nothing is drawn before it is entered."""
        from rich.live import Live
        from rich.text import Text

        self._live = Live(
            Text("starting"),
            console=console,
            transient=True,
            refresh_per_second=8,
        )
        self._lines: dict[str, Text] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> LiveProgress:
        """Take the lines."""
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the lines back."""
        self._live.stop()

    def __call__(self, progress: Progress) -> None:
        """Draw where a scenario is, or take its line away when it is over. Several may tell at once."""
        from rich.console import Group
        from rich.text import Text

        with self._lock:
            if progress.phase == OVER:
                self._lines.pop(progress.scenario, None)
            else:
                line = Text(progress_line(progress), no_wrap=True, overflow="ellipsis")
                self._lines[progress.scenario] = line
            self._live.update(Group(*self._lines.values()))

    def refresh(self) -> None:
        """Draw now what is drawn a few times a second anyway."""
        self._live.refresh()


def make_progress() -> PlainProgress | LiveProgress:
    """Return the display that fits where standard error goes."""
    console = living_console()
    return PlainProgress() if console is None else LiveProgress(console)


def progress_line(progress: Progress) -> str:
    """Return where a run is, in one line."""
    tally = progress.tally
    backlog = max(0, tally.acknowledged - progress.stored)
    fault = f" [{progress.fault}]" if progress.fault else ""
    return (
        f"{progress.scenario} · {progress.phase}{fault} · sent {tally.sent:,} · "
        f"acknowledged {tally.acknowledged:,} · stored {progress.stored:,} · backlog {backlog:,} · "
        + (progress.waiting or f"{progress.seconds_left:.0f} s of sending left")
    )
