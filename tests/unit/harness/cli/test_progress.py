import io
import threading

import pytest
from rich.console import Console

from harness.cli.progress import LiveProgress, PlainProgress
from harness.model.protocols import OVER, Progress, Tally


def progress(scenario, phase="steady", fault=""):
    return Progress(scenario, phase, fault, Tally(due=9, sent=5, acknowledged=4), 3, 2.0)


@pytest.fixture
def screen():
    return io.StringIO()


@pytest.fixture
def live(screen):
    console = Console(file=screen, force_terminal=True, width=60, height=20)
    with LiveProgress(console) as shown:
        yield shown


def test_plain_lines_of_scenarios_side_by_side_come_once_a_phase_of_each(capsys):
    watch = PlainProgress()

    for _ in range(3):
        watch(progress("one"))
        watch(progress("two", "inject", "killed on application"))
    watch(progress("one", OVER))

    assert capsys.readouterr().err.splitlines() == [
        "one · steady · sent 5 · acknowledged 4 · stored 3 · backlog 1 · 2 s of sending left",
        "two · inject [killed on application] · sent 5 · acknowledged 4 · stored 3 · backlog 1 · 2 s of "
        "sending left",
        "one · over · sent 5 · acknowledged 4 · stored 3 · backlog 1 · 2 s of sending left",
    ]


def test_a_terminal_shows_a_line_for_each_scenario_until_it_is_over(screen, live):
    live(progress("one"))
    live(progress("two", "inject", "killed on [red]"))
    live.refresh()
    both = screen.getvalue()
    screen.truncate(0)
    live(progress("one", OVER))
    live.refresh()
    left = screen.getvalue()

    assert "one · steady" in both
    assert "two · inject [killed on [red]]" in both
    assert "one ·" not in left
    assert "two · inject" in left


def test_a_line_wider_than_the_terminal_is_cut_and_not_wrapped(screen, live):
    live(progress("a" * 40, "inject"))
    live.refresh()

    assert "of sending left" not in screen.getvalue()
    assert "…" in screen.getvalue()


def test_scenarios_may_tell_at_once(screen, live):
    threads = [
        threading.Thread(target=lambda name: [live(progress(name)) for _ in range(20)], args=(f"s{n}",))
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    live.refresh()

    assert all(f"s{n} · steady" in screen.getvalue() for n in range(4))
