"""What must not leave the machine with a report: the text of a real log file, and folders nobody named.

A report is mailed, pasted and uploaded; the history stays beside it, whole, for its owner's eyes only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from harness.model.facts import DeadLettered, Event, Found
from harness.model.protocols import Verdict
from harness.model.result import KeptFiles, ScenarioResult

SHOWN_CHARACTERS_MAX = 80
# A text and the input have a stretch in common where they share a block of the input of this many characters:
# long enough that ordinary words are left alone, short enough that any quoted stretch of twice that is found.
BLOCK_CHARACTERS = 12
_SECRET = re.compile(
    r"""(?ix) ( (?:password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|authorization|credential)s?
                \\?["']? \s{0,8} [:=] \s{0,8} )
        ( \\?"[^"\n]*" | '[^'\n]*' | (?:bearer|basic|apikey)\s+\S+ | [^\s,;&"']+ )
    """
)
_USER_AND_PASSWORD = re.compile(r"(://[^/\s:@]{1,200}:)([^/\s@]{1,200})(?=@)")
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [^\n-]{0,60}-----|\Z)", re.S
)


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
                replace(attempt, reasons=tuple(map(hide, attempt.reasons)), kept=_kept(attempt.kept, hide))
                for attempt in result.attempts
            ),
            kept=_kept(result.kept, hide),
        )

    @property
    def masks_lines(self) -> bool:
        """Whether there are lines of an input that nothing may quote."""
        return bool(self._lines)

    def file_text(self, text: str) -> str:
        """Return a file of the stack's; masked are stretches of the input, and values named as secrets.

        Args:
            text: the whole content of the file.
        """
        hidden = _hidden(text, self._blocks) if self._lines else text
        hidden = _PRIVATE_KEY.sub("[a private key, left out]", hidden)
        hidden = _USER_AND_PASSWORD.sub(_masked_value, hidden)
        return _SECRET.sub(_masked_value, hidden)

    def text(self, text: str) -> str:
        """Return a text with every stretch masked that stands in the input too."""
        return _hidden(text, self._blocks_in([text]))

    def _found(self, found: Found | DeadLettered) -> Found | DeadLettered:
        if not found.excerpt:
            return found
        shown, expected = (masked(text[:SHOWN_CHARACTERS_MAX]) for text in (found.excerpt, found.expected))
        return replace(found, excerpt=f"{shown} (masked; hash {found.digest})", expected=expected)

    @cached_property
    def _blocks(self) -> frozenset[str]:
        """All blocks of the input, for texts that are long themselves."""
        size = BLOCK_CHARACTERS
        return frozenset(
            block
            for line in self._lines
            for at in (*range(0, len(line) - size + 1, size), max(0, len(line) - size))
            if len(block := line[at : at + size]) == size
        )

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
    for kept in (result.kept, *(attempt.kept for attempt in result.attempts)):
        yield from () if kept is None else kept.left_out


def _kept(kept: KeptFiles | None, hide: Callable[[str], str]) -> KeptFiles | None:
    """Return what is told of kept files: a file's name may quote the input, too."""
    return None if kept is None else replace(kept, left_out=tuple(map(hide, kept.left_out)))


def _masked_value(found: re.Match[str]) -> str:
    # Not its shape: a password of punctuation would be shown whole.
    return f"{found[1]}[masked]"


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
