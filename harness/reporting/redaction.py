"""What must not leave the machine with a report: the text of a real log file, and folders nobody named.

A report is mailed, pasted and uploaded; the history stays beside it, whole, for its owner's eyes only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from harness.model.facts import DeadLettered, Event, Found
from harness.model.protocols import Verdict
from harness.model.result import ScenarioResult

SHOWN_CHARACTERS_MAX = 80
# A text and the input have a stretch in common where they share a block of the input of this many characters:
# long enough that ordinary words are left alone, short enough that any quoted stretch of twice that is found.
BLOCK_CHARACTERS = 12


def masked(text: str) -> str:
    """Return the text's shape: letters as x and X, digits as 0; ASCII punctuation and spaces stay."""
    return "".join(map(_masked_character, text))


def _masked_character(character: str) -> str:
    if character.isdecimal():
        return "0"
    if character.isascii() and not character.isalpha():
        return character
    return "X" if character.isupper() else "x"


class Redaction:
    """Masks what a result would quote of the input's lines, and names files from here.

    Args:
        lines: of the input; empty where everything may be shown.
        here: the folder that paths are told from.
    """

    def __init__(self, lines: Sequence[str], here: Path) -> None:
        self._lines = lines
        self._here = here

    def events(self, events: Sequence[Event]) -> list[Event]:
        """Return the facts with each quoted copy masked, so that no checker ever sees its text."""
        if not self._lines:
            return list(events)
        return [self._found(event) if isinstance(event, Found | DeadLettered) else event for event in events]

    def result(self, result: ScenarioResult) -> ScenarioResult:
        """Return the result with every stretch masked that stands in the input too.

        A stack's own words (the end of a log, an error) may quote a record in any form.
        """
        source = _told(Path(result.scenario.source), self._here)
        result = replace(result, scenario=replace(result.scenario, source=source))
        if not self._lines:
            return result
        blocks = self._blocks_in(_texts(result))
        if not blocks:
            return result

        def hide(text: str) -> str:
            return _hidden(text, blocks)

        return replace(
            result,
            verdicts=tuple(_verdict(verdict, hide) for verdict in result.verdicts),
            remarks=tuple(map(hide, result.remarks)),
            bands=tuple(replace(band, proof=hide(band.proof)) for band in result.bands),
            attempts=tuple(
                replace(attempt, reasons=tuple(map(hide, attempt.reasons))) for attempt in result.attempts
            ),
        )

    def text(self, text: str) -> str:
        """Return a text with every stretch masked that stands in the input too."""
        return _hidden(text, self._blocks_in([text]))

    def _found(self, found: Found | DeadLettered) -> Found | DeadLettered:
        if not found.excerpt:
            return found
        shown, expected = (masked(text[:SHOWN_CHARACTERS_MAX]) for text in (found.excerpt, found.expected))
        return replace(found, excerpt=f"{shown} (masked; hash {found.digest})", expected=expected)

    def _blocks_in(self, texts: Iterable[str]) -> frozenset[str]:
        """Return the blocks of the input that stand in the texts, at any place."""
        size = BLOCK_CHARACTERS
        pieces = {text[at : at + size] for text in texts for at in range(len(text) - size + 1)}
        return frozenset(
            block
            for line in self._lines
            for at in (*range(0, len(line) - size + 1, size), max(0, len(line) - size))
            if (block := line[at : at + size]) in pieces
        )


def _told(path: Path, here: Path) -> str:
    """Return a file's path as seen from here, so that the folders above are not told.

    One that lies elsewhere stays as its owner wrote it on the command line: no other word runs it again.
    """
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _texts(result: ScenarioResult) -> Iterable[str]:
    for verdict in result.verdicts:
        yield from (verdict.summary, *verdict.evidence, *verdict.counterexample)
    yield from result.remarks
    yield from (band.proof for band in result.bands)
    for attempt in result.attempts:
        yield from attempt.reasons


def _verdict(verdict: Verdict, hide: Callable[[str], str]) -> Verdict:
    return replace(
        verdict,
        summary=hide(verdict.summary),
        evidence=tuple(map(hide, verdict.evidence)),
        counterexample=tuple(map(hide, verdict.counterexample)),
    )


def _hidden(text: str, blocks: frozenset[str]) -> str:
    """Mask each block and the words that touch it: a stretch's ends need not fall on a block's."""
    size = BLOCK_CHARACTERS
    hidden = list(text)
    for at in range(len(text) - size + 1):
        if text[at : at + size] in blocks:
            begin, end = max(0, at - size), min(len(text), at + 2 * size)
            hidden[begin:end] = masked(text[begin:end])
    return "".join(hidden)
