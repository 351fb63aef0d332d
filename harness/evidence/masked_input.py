"""What of a real log file a stack may mask: what its patterns match, and how much of it that is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from harness.evidence.transforms import Spans


class InputMask:
    """Patterns whose matches in a line may be anything short once they are stored.

    Args:
        patterns: Python's regular expressions; one that does not compile, or matches nothing at all, is a
            defect of the caller.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = [re.compile(pattern) for pattern in patterns]

    def spans(self, text: str) -> Spans:
        """Return the parts (from, to) of a text that they match, in order; what touches is one."""
        found = sorted(match.span() for pattern in self._patterns for match in pattern.finditer(text))
        return joined(span for span in found if span[0] < span[1])

    def share(self, lines: Iterable[str]) -> float:
        """Return how much of the lines they match, as a share of all their bytes, from 0 to 1."""
        matched = total = 0
        for line in lines:
            total += _bytes(line)
            matched += sum(_bytes(line[begin:end]) for begin, end in self.spans(line))
        return matched / total if total else 0.0


def joined(spans: Iterable[tuple[int, int]]) -> Spans:
    """Return sorted spans with those that overlap or touch made one."""
    result: list[tuple[int, int]] = []
    for begin, end in sorted(spans):
        if result and begin <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((begin, end))
    return result


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
