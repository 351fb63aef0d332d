"""The rules in force, compiled: one gate for all of them, and RE2 for each that the gate lets through.

RE2 takes linear time whatever the pattern and the text are: https://github.com/google/re2/wiki/WhyRE2
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import re2

from logging_system.masking.declaration import NAMED_FIELD_NAME
from logging_system.masking.denied_names import DeniedNames
from logging_system.masking.look_alikes import GATE as LOOK_ALIKES
from logging_system.masking.look_alikes import Plain, plain
from logging_system.masking.placeholders import is_mask
from logging_system.masking.replacement import TokenKey, failed, redacted, replacement
from logging_system.masking.rule import Action, Rule, Span
from logging_system.records.document import encode_document

NAMED_FIELD = Rule(
    name=NAMED_FIELD_NAME,
    what="Values of fields and labels whose name says that they are secret, whatever they look like",
    gate=(),
    pattern="",
    examples=(),
    counterexamples=(),
)

_CONTROL = re.compile(rb"\\u00[01][0-9a-f]")
_COLOUR = re.compile(rb"(?:\x1b|\\x1[bB]|\\033|\\u001[bB]|\\e)\[[0-9;]{0,32}m")
_BETWEEN = "', '"
"""Between the items of a list, as Python writes it: rules for commands read that."""
_HIDDEN = rb"\\(?:u|/)|" + LOOK_ALIKES
"""A character that a line writes by its number, a slash that it writes as JSON need not, and look-alikes."""

Count = Callable[[str], None]
"""Told the name of a rule for each secret that it found."""


def gate_text(value: object) -> bytes:
    """Return JSON as the gate must see it: a control character is no number, and what looks alike is alike.

    Args:
        value: What JSON can carry.
    """
    encoded = encode_document(value)
    if not encoded.isascii():
        encoded = plain(encoded.decode()).text.encode()
    return _CONTROL.sub(b" ", encoded) if b"\\u00" in encoded else encoded


class RecordDroppedError(Exception):
    """A rule whose action is `drop_record` found a secret.

    Attributes:
        rule: Its name.
    """

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


@dataclass(frozen=True, slots=True)
class Find:
    """A secret in a text: where it is, and the place of the rule that found it."""

    start: int
    end: int
    rank: int


class RuleSet:
    """Rules with their actions, ready to be used by several threads at once.

    Args:
        rules: In order: where two find the same text, the first names it.
        actions: By rule, where it is not the rule's own.
        names: Whose values are secrets; None where names say nothing.
        allowed: Texts that are no secrets though a rule finds them.
        key: What tokens are made with.

    Raises:
        re2.error: A pattern is none.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        *,
        actions: Mapping[str, Action] | None = None,
        names: DeniedNames | None,
        allowed: frozenset[str] = frozenset(),
        key: TokenKey | None = None,
    ) -> None:
        self.rules = (NAMED_FIELD, *rules)
        self.names = names
        given = actions or {}
        self._actions: tuple[Action, ...] = tuple(given.get(rule.name, rule.action) for rule in self.rules)
        self._allowed = frozenset(plain(each).text for each in allowed)
        self._key = key
        self.names_place = 0
        """The place of the rule that looks at names."""
        self._patterns = tuple(_compiled(rule.pattern) for rule in self.rules)
        options = re2.Options()
        options.encoding = re2.Options.Encoding.LATIN1  # bytes as they are
        options.log_errors = False
        gate = re2.Set.SearchSet(options)
        self._behind = _behind(self.rules, names.gate if names else ())
        for piece in self._behind:
            gate.Add(piece.encode())
        gate.Add(_HIDDEN)
        self.hidden_place = len(self.rules)
        """What `places` returns beside rules where JSON may hide characters; `gate_text` shows them."""
        self._places = (*self._behind.values(), (self.hidden_place,))
        gate.Compile()
        # Without the wrapper, whose `Match` looks whether it is given a text: a sixth of what masking costs.
        self.gate: Callable[[bytes], list[int] | None] = getattr(gate, "_set", gate).Match
        """Returns what it finds in a record's JSON, for `places`; nothing where no rule finds anything."""

    def places(self, found: list[int] | None) -> list[int]:
        """Return the places of the rules that may find something, and `hidden_place`.

        Args:
            found: What the gate did.
        """
        return sorted({place for piece in found or () for place in self._places[piece]})

    def hits(self, encoded: bytes) -> list[int]:
        """Return the places of the rules that may find something in JSON, and `hidden_place`.

        Args:
            encoded: UTF-8: a record's JSON, or what `gate_text` makes of one text.
        """
        return self.places(self.gate(encoded))

    def masked_text(self, text: str, count: Count) -> str:
        """Return a text without its secrets; itself where it has none.

        Args:
            text: Any text that can be encoded.
            count: Told what was found.

        Raises:
            RecordDroppedError: The record is not to be kept.
        """
        hits = self.hits(gate_text(text))
        if not hits:
            return text
        found: list[Find] = []
        shown = plain(text)
        for place in hits:
            if place in (self.names_place, self.hidden_place):
                continue
            try:
                found += (self._placed(find, shown) for find in self.found(place, shown.text))
            except Exception:
                # What a rule raises may quote the text; nothing of either is kept.
                count(self.rules[place].name)
                return failed(self.rules[place].name)
        return self._without(text, found, count) if found else text

    def masked_command(self, arguments: Sequence[str], count: Count) -> Sequence[str]:
        """Return a command's arguments without what only all of them together show to be secret.

        Args:
            arguments: The program and what it was given; the same object comes back where nothing was found.
            count: Told what was found.

        Raises:
            RecordDroppedError: The record is not to be kept.
        """
        text = f"['{_BETWEEN.join(arguments)}']"
        command = [place for place in self.hits(gate_text(text)) if self._is_of_command(place)]
        if not command or not text.isascii():
            return arguments
        found = [find for place in command for find in self.found(place, text)]
        masked, start = [], 2
        for argument in arguments:
            end = start + len(argument)
            within = [
                Find(each.start - start, each.end - start, each.rank)
                for each in found
                if start <= each.start < each.end <= end
            ]
            masked.append(self._without(argument, within, count) if within else argument)
            start = end + len(_BETWEEN)
        return masked

    def _is_of_command(self, place: int) -> bool:
        return place < len(self.rules) and self.rules[place].is_of_command

    def masked_named(self, text: str, count: Count) -> str:
        """Return what stands for the value of a field whose name says that it is secret.

        Args:
            text: The value; itself where it is empty, masked already, or allowed by settings.
            count: Told what was found.

        Raises:
            RecordDroppedError: The record is not to be kept.
        """
        if not text or is_mask(text) or plain(text).text in self._allowed:
            return text
        return self._replaced(self.names_place, text, count)

    def found(self, place: int, text: str) -> Iterator[Find]:
        """Yield what one rule finds in a text, whatever the gate says of it.

        Args:
            place: The rule's, as `hits` returns it.
            text: Any text.
        """
        rule = self.rules[place]
        for span in _spans(self._patterns[place], text):
            for start, end in rule.judge(text, span) if rule.judge is not None else (span,):
                secret = text[start:end]
                if secret not in self._allowed and not is_mask(secret):
                    yield Find(start, end, place)

    def _placed(self, find: Find, shown: Plain) -> Find:
        return Find(*shown.span(find.start, find.end), find.rank)

    def _without(self, text: str, found: list[Find], count: Count) -> str:
        out: list[str] = []
        position = 0
        for place, start, end, whole in _merged(found):
            out.append(text[position:start])
            secret = text[start:end]
            if whole:
                out.append(self._replaced(place, secret, count))
            else:
                # Another rule's secret reaches beyond this one's: no action can tell what may be left.
                self._check_kept(place)
                count(self.rules[place].name)
                out.append(redacted(self.rules[place].name))
            position = end
        out.append(text[position:])
        return "".join(out)

    def _replaced(self, place: int, secret: str, count: Count) -> str:
        rule = self.rules[place]
        self._check_kept(place)
        count(rule.name)
        return replacement(rule, self._actions[place], secret, self._key)

    def _check_kept(self, place: int) -> None:
        if self._actions[place] == "drop_record":
            raise RecordDroppedError(self.rules[place].name)


def _behind(rules: Sequence[Rule], of_names: tuple[str, ...]) -> dict[str, tuple[int, ...]]:
    """Return the expressions of the gate, and the places of the rules behind each: rules may share one."""
    behind: dict[str, tuple[int, ...]] = {}
    for place, rule in enumerate(rules):
        for piece in rule.gate if rule is not NAMED_FIELD else of_names:
            behind[piece] = (*behind.get(piece, ()), place)
    return behind


def _compiled(pattern: str) -> re2._Regexp:
    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern, options)


def _spans(pattern: re2._Regexp, text: str) -> Iterator[Span]:
    """Yield what a pattern finds, in characters; the next find may begin where the last secret ended."""
    encoded = text.encode()
    # A terminal's colours end in a letter, which is none of the word behind it. Lengths stay.
    seen = _COLOUR.sub(lambda colour: b"\x1b" * len(colour[0]), encoded)
    position, end = 0, len(encoded)
    characters = _Characters(text, encoded)
    while position <= end and (match := pattern.search(seen, position)) is not None:
        start, behind = _secret(match, pattern.groups)
        yield characters.at(start), characters.at(behind)
        position = behind if behind > position else position + 1


def _secret(match: re2._Match, groups: int) -> Span:
    for group in range(1, groups + 1):
        start, end = match.span(group)
        if start >= 0:
            return start, end
    start, end = match.span()
    return start, end


class _Characters:
    """Counts characters up to places in bytes; places only rise, so that each byte is looked at once."""

    def __init__(self, text: str, encoded: bytes) -> None:
        self._encoded = encoded
        self._is_plain = len(text) == len(encoded)
        self._bytes = self._characters = 0

    def at(self, place: int) -> int:
        """Return how many characters are before a place."""
        if self._is_plain:
            return place
        between = self._encoded[self._bytes : place] if place >= self._bytes else b""
        # A byte that continues a character is 10xxxxxx.
        self._characters += sum(byte & 0xC0 != 0x80 for byte in between)
        self._bytes = max(place, self._bytes)
        return self._characters


def _merged(found: list[Find]) -> Iterator[tuple[int, int, int, bool]]:
    """Yield rule, start and end of each secret, and whether that is all that the rule found.

    What overlaps becomes one secret, of the rule that comes first.
    """
    found.sort(key=lambda each: (each.start, each.end))
    group: list[Find] = []
    end = -1
    for each in found:
        if group and each.start >= end:
            yield _one(group, end)
            group, end = [], -1
        group.append(each)
        end = max(end, each.end)
    if group:
        yield _one(group, end)


def _one(group: list[Find], end: int) -> tuple[int, int, int, bool]:
    first = min(group, key=lambda each: each.rank)
    start = group[0].start
    return first.rank, start, end, (first.start, first.end) == (start, end)
