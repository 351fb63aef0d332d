"""`python -m tests.templates`: accuracy on labelled log sets and speed, ours and drain3-improved."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from pathlib import Path
from statistics import mean, median

from tests.templates.judge import Judgement, judge
from tests.templates.log_sets import LogSet, log_sets
from tests.templates.miners import Learner, drain3, drain3_groups, our_groups, ours
from tests.templates.streams import ever_new, lines_per_second

Groups = Callable[[Sequence[str]], list[Hashable]]

OURS = "ours"
GROUPS: dict[str, Groups] = {
    OURS: our_groups,
    "drain3-improved": partial(drain3_groups, masks=False),
    "drain3-improved, masks": partial(drain3_groups, masks=True),
}
LEARNERS: dict[str, Callable[[], Learner]] = {
    OURS: ours,
    "drain3-improved": partial(drain3, masks=False),
    "drain3-improved, masks": partial(drain3, masks=True),
}


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.templates", description=__doc__)
    parser.add_argument("--folder", default=os.environ.get("LOGHUB_DIR"), help="with *.structured.csv")
    parser.add_argument("--rounds", type=int, default=5, help="timings of each miner (default: 5)")
    parser.add_argument("--seed", type=int, default=1, help="of the digits of ever new lines (default: 1)")
    parser.add_argument("--misses", type=int, default=10, help="missed kinds shown a set (default: 10)")
    return parser.parse_args(given)


def accuracy(sets: Sequence[LogSet], misses: int) -> None:
    judged = {name: [judge(groups(it.messages), it.events) for it in sets] for name, groups in GROUPS.items()}
    print(f"| set | kinds | {' | '.join(judged)} |\n|---|--:|{'--:|' * len(judged)}")
    for place, log_set in enumerate(sets):
        cells = " | ".join(f"{of[place].accuracy:.3f}" for of in judged.values())
        print(f"| {log_set.name} | {len(log_set.texts)} | {cells} |")
    print(f"| mean | | {' | '.join(f'{mean(it.accuracy for it in of):.3f}' for of in judged.values())} |\n")
    for log_set, judgement in zip(sets, judged[OURS], strict=True):
        show_misses(log_set, judgement, misses)


def show_misses(log_set: LogSet, judgement: Judgement, most: int) -> None:
    for miss in judgement.missed[:most]:
        others = f", with {miss.others}" if miss.others else ""
        print(
            f"{log_set.name} {miss.event}: {miss.lines} lines in {miss.groups} groups{others}: "
            f"{log_set.texts[miss.event][:100]}"
        )


def speed(sets: Sequence[LogSet], rounds: int, seed: int) -> None:
    as_they_are = [message for it in sets for message in it.messages]
    streams = {"as they are": as_they_are, "ever new": ever_new(as_they_are, 3, seed)}
    for stream, messages in streams.items():
        taken: dict[str, list[float]] = {name: [] for name in LEARNERS}
        for _ in range(rounds):  # in turns, so that a neighbour's load meets all
            for name, learner in LEARNERS.items():
                taken[name].append(lines_per_second(learner(), messages))
        print(f"\n{len(messages)} lines, {stream}, {len(set(messages))} of them different:")
        for name, each in taken.items():
            ratios = [mine / theirs for mine, theirs in zip(taken[OURS], each, strict=True)]
            compared = "" if name == OURS else f"; ours {median(ratios):.2f} times as fast"
            print(f"  {name:24} {median(each):>9,.0f} lines a second of processor time{compared}")


def main(given: Sequence[str] | None = None) -> int:
    """Judges and prints; 0 when there were log sets, else 7."""
    asked = arguments(given)
    if not asked.folder:
        print("LOGHUB_DIR names no folder; name one with --folder", file=sys.stderr)
        return 7
    try:
        sets = log_sets(Path(asked.folder))
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 7
    accuracy(sets, asked.misses)
    speed(sets, asked.rounds, asked.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
