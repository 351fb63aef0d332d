"""The latest answer of every panel, its age, and why there is no newer one; pages are told what changed.

One task a panel asks again and again, on a bounded number of threads. A page holds the names of what changed
since it was told last, never the answers: however slow it is, it costs no more memory.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import orjson

LOG = logging.getLogger("logging_system.console")
_Answer = TypeVar("_Answer")
THREADS = 2
STORE_THREADS = LATER_THREADS = 2
"""How many questions the store is asked at once by what people look at first and search for, and by the rest.

None waits for the other kind, and what asks no store waits for neither.
"""
FIRST_SECONDS_MAX = 2.0
"""How long a panel waits for the one that it is read after: a store that hangs must not hold up all."""
_TOOK_FACTOR = 4.0
"""A store that takes long is asked less often: it is busy for a fifth of the time at most for one panel."""


CONTENT_BYTES_MAX = 4 * 1024 * 1024
"""How large what a panel shows may be, as JSON: a page must not choke on a store that answers nonsense."""


class PanelError(Exception):
    """A panel has no answer now: a sentence for people."""


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of the page.

    Attributes:
        name: Its name.
        read: Returns what it shows, as JSON has it; called on a thread. Raises PanelError.
        every_seconds: The pause between two readings.
        window: The stretch of time that it shows; empty where it is the same for all.
        asks_store: Whether reading it asks the store, which may take its time.
        after: The name of the panel of the same stretch of time that is read first when neither was read
            yet, and never waits for this one; empty for none.
    """

    name: str
    read: Callable[[], Mapping[str, Any]]
    every_seconds: float
    window: str = ""
    asks_store: bool = False
    after: str = ""

    @property
    def key(self) -> str:
        """Its name among all panels."""
        return f"{self.name}@{self.window}" if self.window else self.name


@dataclass(frozen=True, slots=True)
class Shown:
    """What a panel shows.

    Attributes:
        content: The last answer; None where there was none yet.
        answered_seconds: When it came, seconds since 1970.
        trouble: Why there is no newer one; empty where there is none to tell.
        since_seconds: Since when that is so.
    """

    content: Mapping[str, Any] | None = None
    answered_seconds: float = 0.0
    trouble: str = ""
    since_seconds: float = 0.0


@dataclass(slots=True, eq=False)
class Page:
    """An open page.

    Attributes:
        window: The stretch of time that it shows.
        changed: The keys of panels that it was not told of.
        is_over: Whether the console is shutting down.
    """

    window: str
    changed: dict[str, None] = field(default_factory=dict)
    is_over: bool = False
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        """Have `wait` return."""
        self._wake.set()

    async def wait(self, seconds: float) -> list[str]:
        """Return the keys of what changed, as soon as something did; none after so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return []
        self._wake.clear()
        changed, self.changed = list(self.changed), {}
        return changed


class Board:
    """All panels; used by one event loop.

    Args:
        panels: They.
        windows: The stretches of time there are; the first is asked for also while nobody looks.
        pages_max: How many pages are kept up to date at most.
        idle_factor: What nobody looks at is asked so much less often: there is a last answer when the store
            goes down.
        clock: Seconds since 1970.
    """

    def __init__(
        self,
        panels: Iterable[Panel],
        windows: tuple[str, ...],
        *,
        pages_max: int,
        idle_factor: float = 10.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.windows = windows
        self._panels = {panel.key: panel for panel in panels}
        self._shown = dict.fromkeys(self._panels, Shown())
        self._pages: dict[Page, None] = {}
        self._pages_max = pages_max
        self._idle_factor = idle_factor
        self._clock = clock
        self._threads = ThreadPoolExecutor(THREADS, "logging_system.console")
        self._store_threads = ThreadPoolExecutor(STORE_THREADS, "logging_system.console.store")
        self._later_threads = ThreadPoolExecutor(LATER_THREADS, "logging_system.console.later")
        self._due = {key: asyncio.Event() for key in self._panels}
        self._read_once = {key: asyncio.Event() for key in self._panels}
        self._resting: set[str] = set()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to ask."""
        self._tasks = [asyncio.create_task(self._ask_on(panel)) for panel in self._panels.values()]

    def stop_pages(self) -> None:
        """Let every page end, so that the server can."""
        for page in self._pages:
            page.is_over = True
            page.wake()

    async def close(self) -> None:
        """Stop asking; what a thread still waits for ends by its own time limit."""
        self.stop_pages()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for threads in (self._threads, self._store_threads, self._later_threads):
            threads.shutdown(wait=False, cancel_futures=True)

    @property
    def is_full(self) -> bool:
        """Whether no further page can be kept up to date."""
        return len(self._pages) >= self._pages_max

    def keys_of(self, window: str) -> list[str]:
        """Return the keys of the panels of a page.

        Args:
            window: The stretch of time that the page shows, by its name; panels without one are on every
                page.
        """
        return [key for key, panel in self._panels.items() if panel.window in {"", window}]

    def shown(self, key: str) -> tuple[Panel, Shown]:
        """Return a panel and what it shows.

        Args:
            key: The panel's; one of `keys_of`.
        """
        return self._panels[key], self._shown[key]

    @contextmanager
    def opened(self, window: str) -> Iterator[Page | None]:
        """Yield a page that is told what changes while the block runs; None where there are too many.

        Args:
            window: The stretch of time that it shows; one of `windows`.
        """
        if self.is_full:
            yield None
            return
        page = Page(window)
        self._pages[page] = None
        for key in self.keys_of(window):
            page.changed[key] = None
            if key in self._resting:  # else whoever opens page after page would ask the store each time
                self._due[key].set()
        page.wake()
        try:
            yield page
        finally:
            self._pages.pop(page, None)

    def ask_soon(self, name: str) -> None:
        """Have a panel read at once, such as after something was changed.

        Args:
            name: The panel's, without a stretch of time; an unknown one is left alone.
        """
        if name in self._due:
            self._due[name].set()

    async def run(
        self, work: Callable[[], _Answer], *, asks_store: bool = False, is_later: bool = False
    ) -> _Answer:
        """Return what some work on one of the board's threads returns.

        Args:
            work: What is done; it may block.
            asks_store: Whether it asks the store, which has threads of its own: one that hangs holds up no
                other.
            is_later: Whether what people look at first, which asks the store too, must not wait for it.
        """
        of_store = self._later_threads if is_later else self._store_threads
        threads = of_store if asks_store else self._threads
        return await asyncio.get_running_loop().run_in_executor(threads, work)

    async def _ask_on(self, panel: Panel) -> None:
        due = self._due[panel.key]
        while True:  # until the task is cancelled
            due.clear()
            is_asked = self._is_wanted(panel)
            began_seconds = time.monotonic()
            if is_asked:
                await self._first_of_its_window(panel)
                self._put(panel.key, await self._asked(panel))
                self._read_once[panel.key].set()
            pause_seconds = max(panel.every_seconds, _TOOK_FACTOR * (time.monotonic() - began_seconds))
            if is_asked and await _is_set(due, pause_seconds):
                continue
            if not self._is_watched(panel):
                await self._rest(panel.key, (self._idle_factor - 1) * pause_seconds)

    async def _first_of_its_window(self, panel: Panel) -> None:
        """Let the panel that people look at first have the store to itself, for a moment."""
        first = replace(panel, name=panel.after).key
        if not self._read_once[panel.key].is_set() and first in self._read_once:
            await _is_set(self._read_once[first], FIRST_SECONDS_MAX)

    async def _rest(self, key: str, seconds: float) -> None:
        """Leave a panel that nobody looks at alone for a while; a page that opens ends that at once."""
        self._resting.add(key)
        await _is_set(self._due[key], seconds)
        self._resting.discard(key)

    def _is_watched(self, panel: Panel) -> bool:
        return any(panel.window in {"", page.window} for page in self._pages)

    def _is_wanted(self, panel: Panel) -> bool:
        return panel.window in {"", self.windows[0]} or self._is_watched(panel)

    async def _asked(self, panel: Panel) -> Shown:
        before = self._shown[panel.key]
        try:
            content = await self.run(
                lambda: _fit(panel.read()), asks_store=panel.asks_store, is_later=bool(panel.after)
            )
        except PanelError as error:
            trouble = str(error)
        except Exception:
            # One panel that breaks leaves the others as they are.
            trouble = "This part of the console failed; its log says how."
            if before.trouble != trouble:
                LOG.exception("the panel %s cannot be shown", panel.name)
        else:
            return Shown(content, self._clock())
        since_seconds = before.since_seconds if before.trouble else self._clock()
        return replace(before, trouble=trouble, since_seconds=since_seconds)

    def _put(self, key: str, shown: Shown) -> None:
        before, self._shown[key] = self._shown[key], shown
        if (before.content, before.trouble) == (shown.content, shown.trouble):
            return
        panel = self._panels[key]
        for page in self._pages:
            if panel.window in {"", page.window}:
                page.changed[key] = None
                page.wake()


def _fit(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a page can take. Raises PanelError where it is too large, TypeError where it is no JSON."""
    size_bytes = len(orjson.dumps(content))
    if size_bytes > CONTENT_BYTES_MAX:
        raise PanelError(f"There is too much to show: {size_bytes:,} bytes; {CONTENT_BYTES_MAX:,} at most.")
    return content


async def _is_set(event: asyncio.Event, seconds: float) -> bool:
    """Wait until an event is set, for so long at most; return whether it is."""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
