"""What runs of contenders cost and lost, and the tables that say so. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.benchmarks.callers.caller import NULL_PREFIX
from tests.benchmarks.page import markdown_table
from tests.benchmarks.paths.row import Row

OURS = ("logging_system, ship beside it", "logging_system, in one process")


@dataclass(frozen=True, slots=True)
class Account:
    """Where the records of one caller are.

    Attributes:
        offered: Log calls.
        arrived: Different records in the store, or the file, when its process was gone.
        counted: Those it says itself that it gave up; None where it says nothing that can be read.
        held: Those it left on disk: that arrived once somebody looked after them, or are there still.
    """

    offered: int
    arrived: int
    counted: int | None
    held: int

    @property
    def silently_lost(self) -> int:
        """Records that nobody knows of; negative where it gave up fewer than it says."""
        return self.offered - self.arrived - (self.counted or 0) - self.held

    def __add__(self, other: Account) -> Account:
        """Return both together; what one of them cannot say, the sum cannot."""
        counted = (
            None if None in (self.counted, other.counted) else (self.counted or 0) + (other.counted or 0)
        )
        return Account(
            self.offered + other.offered, self.arrived + other.arrived, counted, self.held + other.held
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run of one contender.

    Attributes:
        contender: Its name.
        turn: The round.
        state: Of its store: "healthy", "slow", "dead"; empty where it has none.
        figures: What it cost, as `caller` tells.
        exit_seconds: From the call that ends logging to the end of the process.
        killed: Whether it had to be, at the bound.
        account: Where its records are; None for the one that keeps none.
    """

    contender: str
    turn: int
    state: str
    figures: Mapping[str, float]
    exit_seconds: float
    killed: bool
    account: Account | None


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over the rounds."""

    values: Sequence[float]

    @property
    def median(self) -> float:
        """Its middle."""
        return statistics.median(self.values)

    def text(self, decimals: int) -> str:
        """Return median and range; the median alone where there is only one value."""
        if len(self.values) == 1:
            return f"{self.median:.{decimals}f}"
        least, most = min(self.values), max(self.values)
        return f"{self.median:.{decimals}f} ({least:.{decimals}f} to {most:.{decimals}f})"


def figure(outcomes: Sequence[Outcome], key: str) -> Spread:
    """Return a figure over the rounds."""
    return Spread([one.figures[key] for one in outcomes])


def cpu_ratio(mine: Sequence[Outcome], key: str) -> Spread:
    """Return a CPU time over the rounds, each as a ratio to the NullHandler's in the same process."""
    return Spread([one.figures[key] / one.figures[NULL_PREFIX + key] for one in mine])


def time_ratio(outcomes: Sequence[Outcome], mine: Sequence[Outcome], key: str) -> Spread:
    """Return a time over the rounds, each as a ratio to the NullHandler's in the same round.

    That is the median over all processes of the round: one process makes too few calls for a percentile that
    others are held against.
    """
    return Spread(
        [
            one.figures[key]
            / statistics.median(
                other.figures[NULL_PREFIX + key] for other in outcomes if other.turn == one.turn
            )
            for one in mine
        ]
    )


def costs(outcomes: Sequence[Outcome]) -> str:
    """Return what calls cost, as Markdown: medians and ranges over the rounds."""
    rows = []
    for mine in _groups(outcomes):
        rows.append(
            [
                mine[0].contender,
                mine[0].state or "-",
                cpu_ratio(mine, "thread_cpu_us").text(2),
                cpu_ratio(mine, "process_cpu_us").text(2),
                time_ratio(outcomes, mine, "call_p99_us").text(2),
                f"{max(figure(mine, 'call_max_ms').values):.1f}",
                figure(mine, "response_p99_ms").text(1),
                figure(mine, "memory_mib").text(0),
            ]
        )
    head = ["way to log", "store", "CPU of the call", "CPU of the process", "call p99"]
    return markdown_table([*head, "longest call ms", "response p99 ms", "memory MiB"], rows)


def losses(outcomes: Sequence[Outcome]) -> str:
    """Return where the records are, summed over the rounds, and how long the end took, as Markdown."""
    rows = []
    for mine in _groups(outcomes):
        account = _sum(mine)
        if account is not None:
            rows.append([mine[0].contender, mine[0].state or "-", *_account_cells(account), exits(mine)])
    head = ["way to log", "store", "offered", "arrived", "counted as dropped"]
    return markdown_table([*head, "held on disk for later", "silently lost", "exit s"], rows)


def headline(outcomes: Sequence[Outcome]) -> str:
    """Return the few figures that matter most, with the store dead, as Markdown."""
    rows = []
    for mine in _groups(outcomes):
        account = _sum(mine)
        if account is not None and mine[0].state == "dead":
            parts = [account.arrived + account.held, account.counted or 0, account.silently_lost]
            rows.append(
                [
                    mine[0].contender,
                    *(_share(part, account.offered) for part in parts),
                    exits(mine),
                    *(f"{cpu_ratio(mine, key).median:.1f}" for key in ("thread_cpu_us", "process_cpu_us")),
                ]
            )
    head = ["way to log", "kept", "dropped and counted", "silently lost", "exit s"]
    return markdown_table([*head, "CPU of a call", "CPU of the process"], rows)


def goal_rows(outcomes: Sequence[Outcome]) -> list[Row]:
    """Return this project's figures with their goals: of each round that of the store's worst state."""
    return [
        row
        for name in OURS
        for turn in sorted({one.turn for one in outcomes})
        if (mine := [one for one in outcomes if (one.contender, one.turn) == (name, turn)])
        for row in _goals(outcomes, mine)
    ]


def exits(mine: Sequence[Outcome]) -> str:
    """Return how long the end took; one that had to be killed took longer than was waited."""
    text = Spread([one.exit_seconds for one in mine]).text(1)
    killed = sum(one.killed for one in mine)
    return f"{text}, killed {killed} of {len(mine)}" if killed else text


def _goals(outcomes: Sequence[Outcome], mine: Sequence[Outcome]) -> list[Row]:
    spreads = [
        ("CPU of the call / NullHandler", cpu_ratio(mine, "thread_cpu_us"), "x", "≤ 1.5"),
        ("CPU of the process / NullHandler", cpu_ratio(mine, "process_cpu_us"), "x", "≤ 3"),
        ("call p99 / NullHandler", time_ratio(outcomes, mine, "call_p99_us"), "x", "≤ 2"),
        ("longest call", figure(mine, "call_max_ms"), "ms", "≤ 100"),
        ("response p99", figure(mine, "response_p99_ms"), "ms", "≤ 100"),
        ("exit", Spread([one.exit_seconds for one in mine]), "s", "≤ 5"),
        ("silently lost", Spread([one.account.silently_lost for one in mine if one.account]), "", "≤ 0"),
    ]
    return [
        Row(f"{mine[0].contender}: {what}", max(spread.values), unit, goal)
        for what, spread, unit, goal in spreads
    ]


def _groups(outcomes: Sequence[Outcome]) -> list[list[Outcome]]:
    """Return the outcomes of each contender in each state, in the order in which they first came."""
    found: dict[tuple[str, str], list[Outcome]] = {}
    for one in outcomes:
        found.setdefault((one.contender, one.state), []).append(one)
    return list(found.values())


def _sum(mine: Sequence[Outcome]) -> Account | None:
    accounts = [one.account for one in mine if one.account is not None]
    return sum(accounts[1:], accounts[0]) if accounts else None


def _account_cells(account: Account) -> list[str]:
    counted = "cannot say" if account.counted is None else f"{account.counted:,}"
    lost = f"{account.silently_lost:,}"
    return [
        f"{account.offered:,}",
        f"{account.arrived:,}",
        counted,
        f"{account.held:,}",
        f"**{lost}**" if account.silently_lost > 0 else lost,
    ]


def _share(part: int, whole: int) -> str:
    """Return a share in percent; a part of something never reads as nothing, nor as everything."""
    if part in (0, whole):
        return f"{100 * part // whole} %"
    share = 100 * part / whole
    return f"{min(99.9, max(0.1, share)):.1f} %" if part > 0 else f"{share:.1f} %"
