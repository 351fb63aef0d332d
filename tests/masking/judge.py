"""Judges a masker on labelled lines: a secret is found when nothing of it survives; innocent text must stay.

found     every sensitive character of the secret is covered
touched   something of the secret is covered: what a tool that only detects is judged by
missed    anything else; `left` says how much survived
strayed   a line in which text is covered that is neither a secret nor goes with one
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from tests.masking.labelled import Line, Secret

KEY_LABEL = re.compile(r"-----(?:BEGIN|END) [A-Z ]+-----|\\[nr]|\s")
# Grouping in card numbers and IBANs tells nothing.
GROUPED_KINDS = ("card", "iban")
# Equal text shorter than this between two changes came about by chance, as `e` in `ghe` and `***e***`.
CHANCE_CHARACTERS = 4


@dataclass(frozen=True, slots=True)
class Span:
    """What a masker would take out of a line, `text[start:end]`, and why."""

    start: int
    end: int
    kind: str


Spans = Callable[[str], Sequence[Span]]


@dataclass(frozen=True, slots=True)
class Missed:
    """A secret of which something survived."""

    line: Line
    secret: Secret
    left: str


@dataclass(frozen=True, slots=True)
class Strayed:
    """A line of which innocent text was taken; `kind` is what it resembles, or its first secret's."""

    line: Line
    kind: str
    taken: str
    rules: tuple[str, ...]


@dataclass
class Score:
    """Counts of one kind."""

    planted: int = 0
    found: int = 0
    touched: int = 0
    innocent: int = 0
    strayed: int = 0

    def precision(self, detected: bool = False) -> float | None:
        hits = self.touched if detected else self.found
        return hits / (hits + self.strayed) if hits + self.strayed else None

    def recall(self, detected: bool = False) -> float | None:
        return (self.touched if detected else self.found) / self.planted if self.planted else None

    def f1(self, detected: bool = False) -> float | None:
        """The harmonic mean of both; 2 TP / (2 TP + FP + FN), which exists where one of them does not."""
        if not self.planted:
            return None
        hits = self.touched if detected else self.found
        return 2 * hits / (hits + self.strayed + self.planted)


@dataclass
class Verdict:
    """What became of all lines: counts by kind, and each failure."""

    scores: dict[str, Score] = field(default_factory=lambda: defaultdict(Score))
    missed: list[Missed] = field(default_factory=list)
    strayed: list[Strayed] = field(default_factory=list)
    lines: int = 0

    def total(self) -> Score:
        """All kinds together."""
        out = Score()
        for score in self.scores.values():
            out.planted += score.planted
            out.found += score.found
            out.touched += score.touched
            out.innocent += score.innocent
            out.strayed += score.strayed
        return out


def sensitive(text: str, secret: Secret) -> Iterable[int]:
    """The places of the characters that must vanish."""
    places: Iterable[int] = range(secret.start, secret.end)
    if secret.kind in GROUPED_KINDS:
        return (place for place in places if text[place].isalnum())
    if secret.kind == "private_key":
        labels = KEY_LABEL.finditer(text, secret.start, secret.end)
        told = {place for label in labels for place in range(*label.span())}
        return (place for place in places if place not in told)
    return places


def covered(spans: Iterable[Span], length: int) -> bytearray:
    """For each character, whether a span takes it.

    Raises:
        ValueError: A span does not lie within the line.
    """
    out = bytearray(length)
    for span in spans:
        if not 0 <= span.start <= span.end <= length:
            raise ValueError(f"span {span} does not lie within a line of {length} characters")
        out[span.start : span.end] = b"\x01" * (span.end - span.start)
    return out


def stray(line: Line, taken: bytearray) -> str:
    """Innocent letters and digits that were taken."""
    allowed = bytearray(len(line.text))
    for secret in line.secrets:
        size = secret.reach_end - secret.reach_start
        allowed[secret.reach_start : secret.reach_end] = b"\x01" * size
    return "".join(
        character
        for character, gone, may in zip(line.text, taken, allowed, strict=True)
        if gone and not may and (character.isalnum() or not line.secrets)
    )


def judge(lines: Iterable[Line], spans: Spans) -> Verdict:
    """Gives each line to a masker and counts what became of it.

    Args:
        lines: Labelled; their labels are never shown to the masker.
        spans: The masker.

    Returns:
        Counts by kind, misses and strays in the order of the lines.

    Raises:
        ValueError: A span does not lie within its line.
    """
    verdict = Verdict()
    for line in lines:
        verdict.lines += 1
        answer = spans(line.text)
        taken = covered(answer, len(line.text))
        for secret in line.secrets:
            count_secret(verdict, line, secret, taken)
        count_stray(verdict, line, taken, answer)
    return verdict


def count_secret(verdict: Verdict, line: Line, secret: Secret, taken: bytearray) -> None:
    places = list(sensitive(line.text, secret))
    left = [place for place in places if not taken[place]]
    score = verdict.scores[secret.kind]
    score.planted += 1
    score.found += not left
    # A tool that reports a key block's label, or a token's prefix, has detected the secret.
    score.touched += any(taken[secret.reach_start : secret.reach_end])
    if left:
        verdict.missed.append(Missed(line, secret, "".join(line.text[place] for place in left)))


def count_stray(verdict: Verdict, line: Line, taken: bytearray, answer: Sequence[Span]) -> None:
    kind = line.resembles or (line.secrets[0].kind if line.secrets else "none")
    score = verdict.scores[kind]
    score.innocent += not line.secrets
    if gone := stray(line, taken):
        score.strayed += 1
        verdict.strayed.append(Strayed(line, kind, gone, tuple(sorted({span.kind for span in answer}))))


def spans_of_masked(mask: Callable[[str], str]) -> Spans:
    """A masker that returns masked text, as one that returns spans: what is not there any more was taken."""

    def spans(text: str) -> list[Span]:
        masked = mask(text)
        if masked == text:
            return []
        kept = bytearray(len(text))
        blocks = SequenceMatcher(None, text, masked, autojunk=False).get_matching_blocks()
        for start, _, size in blocks:
            at_an_edge = start == 0 or start + size == len(text)
            if size >= CHANCE_CHARACTERS or at_an_edge:
                kept[start : start + size] = b"\x01" * size
        return [Span(place, place + 1, "changed") for place, stays in enumerate(kept) if not stays]

    return spans
