"""Grouping accuracy, as published (Zhu et al.: Tools and Benchmarks for Automated Log Parsing, 2019).

A line is right if the set of lines in its group is exactly the set of lines of its kind.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Miss:
    """A kind of line whose group is another set of lines.

    Attributes:
        event: The kind.
        lines: Its lines.
        groups: Groups that these lines are in.
        others: Kinds that lie in these groups too, and how many of their lines.
        example: Its first line, as a number from 0.
    """

    event: str
    lines: int
    groups: int
    others: dict[str, int]
    example: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """How well groups fit kinds.

    Attributes:
        lines: How many were judged.
        right: Lines whose group is their kind.
        missed: Kinds that no group is, the most frequent first.
    """

    lines: int
    right: int
    missed: list[Miss]

    @property
    def accuracy(self) -> float:
        """The share of right lines."""
        return self.right / self.lines if self.lines else 0.0


def judge(groups: Sequence[Hashable], events: Sequence[str]) -> Judgement:
    """Compare groups with kinds.

    Args:
        groups: The group of each line.
        events: The kind of each line.
    """
    of_group: defaultdict[Hashable, list[int]] = defaultdict(list)
    of_event: defaultdict[str, list[int]] = defaultdict(list)
    for line, (group, event) in enumerate(zip(groups, events, strict=True)):
        of_group[group].append(line)
        of_event[event].append(line)
    right, missed = 0, []
    for event, lines in of_event.items():
        found = {groups[line] for line in lines}
        if len(found) == 1 and of_group[groups[lines[0]]] == lines:
            right += len(lines)
        else:
            others = Counter(events[line] for group in found for line in of_group[group])
            del others[event]
            missed.append(Miss(event, len(lines), len(found), dict(others), lines[0]))
    return Judgement(len(events), right, sorted(missed, key=lambda it: (-it.lines, it.event)))
