from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from typing import Any

from logging_system.console.board import CONTENT_BYTES_MAX, Board, Page, Panel, PanelError, Shown

SOON = 0.01


def board_of(*panels: Panel, pages_max: int = 3, idle_factor: float = 10.0) -> Board:
    return Board(panels, ("1h", "7d"), pages_max=pages_max, idle_factor=idle_factor, clock=lambda: 1_000.0)


async def until(board: Board, key: str, wanted: Callable[[Shown], bool]) -> Shown:
    async with asyncio.timeout(60):
        while not wanted(board.shown(key)[1]):
            await asyncio.sleep(0.005)
    return board.shown(key)[1]


class Counts:
    """A panel's reader that counts how often it was read, and fails when told to."""

    def __init__(self) -> None:
        self.times = 0
        self.trouble: Exception | None = None

    def __call__(self) -> Mapping[str, Any]:
        self.times += 1
        if self.trouble is not None:
            raise self.trouble
        return {"times": self.times}


def test_a_panel_that_has_no_answer_keeps_its_last_one_and_since_when_it_is_old() -> None:
    async def run() -> tuple[Shown, Shown]:
        read = Counts()
        board = board_of(Panel("rates", read, SOON))
        board.start()
        with board.opened("1h"):
            await until(board, "rates", lambda shown: shown.content is not None)
            read.trouble = PanelError("the store does not answer")
            old = await until(board, "rates", lambda shown: bool(shown.trouble))
            read.trouble = None
            fresh = await until(board, "rates", lambda shown: not shown.trouble)
        await board.close()
        return old, fresh

    old, fresh = asyncio.run(run())

    assert old.content is not None
    assert (old.trouble, old.answered_seconds, old.since_seconds) == (
        "the store does not answer",
        1_000.0,
        1_000.0,
    )
    assert fresh.content is not None
    assert fresh.content["times"] > old.content["times"]


def test_a_panel_that_breaks_says_so_and_leaves_the_others(caplog: Any) -> None:
    async def run() -> tuple[Shown, Shown]:
        broken = Counts()
        broken.trouble = KeyError("secret detail")
        board = board_of(Panel("keys", broken, SOON), Panel("alerts", Counts(), SOON))
        board.start()
        shown = await until(board, "keys", lambda shown: bool(shown.trouble))
        other = await until(board, "alerts", lambda shown: shown.content is not None)
        await board.close()
        return shown, other

    shown, other = asyncio.run(run())

    assert "secret detail" not in shown.trouble
    assert "secret detail" in caplog.text
    assert other.trouble == ""


def test_a_panel_that_is_too_large_or_no_json_is_told_and_its_trouble_is_logged_once(caplog: Any) -> None:
    async def run() -> tuple[Shown, Shown]:
        large = Panel("rates", lambda: {"buckets": "x" * (CONTENT_BYTES_MAX + 1)}, SOON)
        read = Counts()
        board = board_of(large, Panel("keys", lambda: {**read(), "sum": 10**30}, SOON))
        board.start()
        with board.opened("1h"):
            first = await until(board, "rates", lambda shown: bool(shown.trouble))
            second = await until(board, "keys", lambda shown: bool(shown.trouble) and read.times > 3)
        await board.close()
        return first, second

    large, broken = asyncio.run(run())

    assert "too much to show" in large.trouble
    assert "its log says how" in broken.trouble
    assert caplog.text.count("the panel keys cannot be shown") == 1


def test_a_slow_page_holds_names_and_no_answers_and_an_unchanged_panel_is_not_told_again() -> None:
    async def run() -> tuple[list[str], list[str]]:
        same = Panel("keys", lambda: {"keys": []}, SOON)
        board = board_of(Panel("rates", Counts(), SOON), same)
        board.start()
        with board.opened("1h") as page:
            assert page is not None
            first = await page.wait(5)
            await until(board, "rates", lambda shown: (shown.content or {}).get("times", 0) > 5)
            await until(board, "keys", lambda shown: shown.content is not None)
            await page.wait(5)
            await asyncio.sleep(0.1)
            later = await page.wait(5)
        await board.close()
        return sorted(first), later

    first, later = asyncio.run(run())

    assert first == ["keys", "rates"]
    assert later == ["rates"]


def test_a_stretch_of_time_that_nobody_looks_at_is_not_asked_for_but_the_first() -> None:
    async def run() -> tuple[int, int]:
        first, other = Counts(), Counts()
        board = board_of(Panel("rates", first, SOON, "1h"), Panel("rates", other, SOON, "7d"))
        board.start()
        await until(board, "rates@1h", lambda shown: shown.content is not None)
        await asyncio.sleep(0.05)
        unseen = other.times
        with board.opened("7d"):
            await until(board, "rates@7d", lambda shown: shown.content is not None)
        await board.close()
        return unseen, first.times

    unseen, first = asyncio.run(run())

    assert unseen == 0
    assert first >= 1


def test_no_more_pages_are_kept_up_to_date_than_allowed_and_a_closed_one_makes_room() -> None:
    async def run() -> list[bool]:
        board = board_of(Panel("keys", Counts(), SOON), pages_max=1)
        with board.opened("1h") as first, board.opened("1h") as second:
            found = [first is not None, second is not None, board.is_full]
        with board.opened("1h") as third:
            return [*found, third is not None]

    assert asyncio.run(run()) == [True, False, True, True]


def test_pages_end_when_the_console_does() -> None:
    async def run() -> tuple[list[str], Page]:
        board = board_of()
        board.start()
        with board.opened("1h") as page:
            assert page is not None
            await page.wait(1)
            waiting = asyncio.create_task(page.wait(60))
            await asyncio.sleep(0)
            await board.close()
            return await waiting, page

    told, page = asyncio.run(run())

    assert told == []
    assert page.is_over


def test_a_panel_is_read_at_once_when_asked_for() -> None:
    async def run() -> int:
        read = Counts()
        board = board_of(Panel("workflows", read, 3_600.0))
        board.start()
        await until(board, "workflows", lambda shown: shown.content is not None)
        await asyncio.sleep(0.02)
        board.ask_soon("workflows")
        await until(board, "workflows", lambda shown: (shown.content or {}).get("times") == 2)
        await board.close()
        return read.times

    assert asyncio.run(run()) == 2


def test_opening_page_after_page_does_not_ask_again_what_is_young() -> None:
    async def run() -> int:
        read = Counts()
        board = board_of(Panel("rates", read, 3_600.0))
        board.start()
        await until(board, "rates", lambda shown: shown.content is not None)
        for _ in range(20):
            with board.opened("1h"):
                await asyncio.sleep(0.002)
        await board.close()
        return read.times

    assert asyncio.run(run()) == 1


def test_a_page_that_opens_soon_after_a_reading_gets_the_next_one_at_the_usual_pace() -> None:
    """Nobody looked when it was read, so it would rest for a hundred thousand times as long."""

    async def run() -> None:
        board = board_of(Panel("rates", Counts(), SOON), idle_factor=1e5)
        board.start()
        await until(board, "rates", lambda shown: shown.content is not None)
        with board.opened("1h"):
            await until(board, "rates", lambda shown: (shown.content or {}).get("times", 0) >= 3)
        await board.close()

    asyncio.run(run())


def test_a_page_that_opens_while_a_panel_rests_has_it_read_at_once() -> None:
    async def run() -> None:
        board = board_of(Panel("rates", Counts(), SOON), idle_factor=1e5)
        board.start()
        await until(board, "rates", lambda shown: shown.content is not None)
        await asyncio.sleep(0.2)
        with board.opened("1h"):
            await until(board, "rates", lambda shown: (shown.content or {}).get("times") == 2)
        await board.close()

    asyncio.run(run())


def test_what_people_look_at_first_has_the_store_to_itself_until_it_has_answered() -> None:
    async def run() -> list[str]:
        order: list[str] = []
        free = threading.Event()

        def slow() -> Mapping[str, Any]:
            free.wait(60)
            order.append("rates")
            return {}

        def other() -> Mapping[str, Any]:
            order.append("loggers")
            return {}

        board = board_of(
            Panel("loggers", other, 60.0, "1h", asks_store=True, after="rates"),
            Panel("rates", slow, 60.0, "1h", asks_store=True),
        )
        board.start()
        await asyncio.sleep(0.2)
        before = list(order)
        free.set()
        await until(board, "loggers@1h", lambda shown: shown.content is not None)
        await board.close()
        return [*before, "then", *order]

    assert asyncio.run(run()) == ["then", "rates", "loggers"]


def test_a_panel_that_hangs_holds_up_those_after_it_for_a_moment_only() -> None:
    async def run() -> Shown:
        free = threading.Event()
        board = board_of(
            Panel("loggers", dict, 60.0, "1h", asks_store=True, after="rates"),
            Panel("rates", lambda: {"waited": free.wait(60)}, 60.0, "1h", asks_store=True),
        )
        board.start()
        shown = await until(board, "loggers@1h", lambda shown: shown.content is not None)
        assert board.shown("rates@1h")[1].content is None
        free.set()
        await board.close()
        return shown

    assert asyncio.run(run()).content == {}
