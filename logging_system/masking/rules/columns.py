"""Values under the name of their column: statements of SQL, tables, and files of comma-separated values."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

from logging_system.masking.denied_names import (
    CREDENTIALS,
    NAMED,
    PART_OF_NAME,
    PASSWORDS,
    SHORT_PASSWORDS,
    DeniedNames,
    words_of,
)
from logging_system.masking.placeholders import is_placeholder, is_word
from logging_system.masking.rule import Rule, Span

_ALL = words_of((*PASSWORDS, *CREDENTIALS, *SHORT_PASSWORDS))
_NAMES = DeniedNames()
_AROUND = " \t\r\"'`[]\\*"
"""What may stand around a column's name."""

_VALUES = re.compile(r"(?i)\)\s{0,8}values\s{0,8}(?=\()")
_COPIED = re.compile(r"(?i)\)\s{1,3}from\s[^\n]{0,80}\n")
_PARAMETERS = re.compile(r"(?i)\]?\s{0,4}\[?parameters:\s{0,3}\[?(?=\()")
_TOKEN = re.compile(r"""'(?:[^'\\]|''|\\.)*'?|"(?:[^"\\]|\\.)*"?|[(),]|[^'"(),\s]+|\s+""", re.DOTALL)
_STANDS_FOR_ONE = re.compile(r"(?i)\?|\$\d+|:\w+|%s|%\(\w+\)s|@\w+|null|default|true|false|current_\w+|now")
_DEPTH_MAX, _ROWS_MAX, _LINE_CHARACTERS_MAX = 8, 100, 2000

_HEADER_CELL = re.compile(r"[^\W\d][\w.-]{0,63}")
_HEADER_WORDS = re.compile(r"[^\W\d][\w .-]{0,63}|")
_RULE_LINE = re.compile(r"[-+|=:\s─┼├┤│]+")
_DELIMITERS = re.compile(r"""["'`*\\]{0,3} ?([,;|│\t])|["'`*]{0,3}( {2,})""")
_GAP = re.compile(r" {2,}")


def _inserted(text: str, found: Span) -> Iterator[Span]:
    """Yield values of the columns that a statement names, or that are its parameters' own."""
    start, end = found
    places = _denied(text[start:end].split(","))
    if not places:
        return
    if (copied := _COPIED.match(text, end)) is not None:
        yield from _cells(text, copied.end(), "\t", places, count=None)
    if (values := _VALUES.match(text, end)) is None:
        return
    place = values.end()
    for secret in _rows(text, place, places):
        place = secret[1]
        yield secret
    if (parameters := _PARAMETERS.search(text, place, place + 400)) is not None:
        yield from _rows(text, parameters.end(), places)


def _denied(names: Sequence[str]) -> frozenset[int]:
    return frozenset(place for place, name in enumerate(names) if _NAMES.denies(name.strip(_AROUND)))


def _rows(text: str, place: int, places: frozenset[int]) -> Iterator[Span]:
    """Yield what stands at some places of rows in brackets; a row that was cut has what is there."""
    depth = column = 0
    while (token := _TOKEN.match(text, place)) is not None and depth <= _DEPTH_MAX:
        place, told = token.end(), token[0]
        if told == "(":
            depth, column = depth + 1, column if depth else 0
        elif told == ")":
            depth -= 1
        elif told == ",":
            column += depth == 1
        elif told.isspace():
            continue
        elif depth <= 0:
            return
        elif column in places and (secret := _literal(told, token.start())) is not None:
            yield secret


def _literal(told: str, start: int) -> Span | None:
    """Return where a literal of SQL is, without its quotes."""
    if told[0] in "'\"":
        behind = start + len(told) - (len(told) > 1 and told[-1] == told[0])
        return (start + 1, behind) if behind > start + 1 and not is_placeholder(told[1:-1]) else None
    return (start, start + len(told)) if told.isdigit() and len(told) > 2 else None


def _column(text: str, found: Span) -> Iterator[Span]:
    """Yield what stands in the rows below a name in a table's first line."""
    start, end = found
    first = text.rfind("\n", max(0, start - _LINE_CHARACTERS_MAX), start) + 1
    last = text.find("\n", end, end + _LINE_CHARACTERS_MAX)
    if last < 0 or start - first >= _LINE_CHARACTERS_MAX:
        return
    delimiter = _delimiter(text, first, found, last)
    if delimiter is None:
        return
    header = _split(text[first:last], delimiter)
    words = _HEADER_WORDS if delimiter in "|│\t" else _HEADER_CELL
    names = [text[first + each[0] : first + each[1]].strip(_AROUND) for each in header]
    # The first column names rows: what stands below a name there is the name of another row.
    places = _denied(names) - {0}
    is_first = text.find(text[start:end], first, end) == start
    if places and is_first and all(map(words.fullmatch, names)) and _is_first_line(text, first, delimiter):
        yield from _cells(text, last + 1, delimiter, places, count=len(header))


def _delimiter(text: str, first: int, found: Span, last: int) -> str | None:
    """Return what stands behind a name, or before the last one of a line."""
    behind = _DELIMITERS.match(text, found[1], last)
    if behind is None and text[found[1] : last].strip(_AROUND) == "":
        behind = _DELIMITERS.match(text[first : found[0]].rstrip("\"'`*")[::-1])
    if behind is None:
        return None
    return behind[1] or "  "


def _is_first_line(text: str, first: int, delimiter: str) -> bool:
    """Whether no row stands above: a name in a later row is a value of its own, as in a description."""
    above = text[text.rfind("\n", max(0, first - _LINE_CHARACTERS_MAX), max(0, first - 1)) + 1 : first]
    return delimiter not in above.strip() or _RULE_LINE.fullmatch(above) is not None


def _split(line: str, delimiter: str) -> list[Span]:
    """Return where the cells of a line are."""
    gaps = _GAP.finditer(line) if delimiter == "  " else re.finditer(re.escape(delimiter), line)
    edges = [(0, 0), *(gap.span() for gap in gaps), (len(line), len(line))]
    return [(before[1], behind[0]) for before, behind in itertools.pairwise(edges)]


def _cells(
    text: str, place: int, delimiter: str, places: frozenset[int], *, count: int | None
) -> Iterator[Span]:
    """Yield the cells at some places of the lines that follow, as long as they are rows of the table."""
    for _row in range(_ROWS_MAX):
        behind = text.find("\n", place)
        end = len(text) if behind < 0 else behind
        line = text[place : min(end, place + _LINE_CHARACTERS_MAX)]
        cells = _split(line, delimiter)
        if not _RULE_LINE.fullmatch(line):
            if len(cells) <= max(places) or (count is not None and len(cells) != count):
                return
            for column in sorted(places):
                yield from _cell(text, place + cells[column][0], place + cells[column][1])
        place = end + 1
        if behind < 0:
            return


def _cell(text: str, start: int, end: int) -> Iterator[Span]:
    told = text[start:end]
    start += len(told) - len(told.lstrip(_AROUND))
    end -= len(told) - len(told.rstrip(_AROUND))
    told = text[start:end]
    if told and not is_placeholder(told) and not is_word(told) and not _NAMES.denies(told):
        yield start, end


COLUMNS = (
    Rule(
        name="inserted_value",
        what="Values of a statement's column whose name is secret: `INSERT INTO … (…, password) VALUES (…)`, "
        "also as parameters below it, and rows of `COPY`",
        gate=(rf"(?i)nto [^ (]+ ?\([^)]*(?:{PART_OF_NAME})", r"(?i)\) from stdin"),
        pattern=r"(?i)\b(?:(?:insert\s{1,3}(?:ignore\s{1,3})?|replace\s{1,3})into|copy)\s{1,3}[^\s(]{1,200}\s{0,3}"
        r"\(([^()]*)",
        judge=_inserted,
        examples=(
            "INSERT INTO users (name, password) VALUES ('bob', '«tiger»')",
            "insert into `u` (`id`,`password`,`x`) values (1,'«ti''ger, o»','x'), (2, '«lion»', 'y');",
            "INSERT INTO u (name, api_key) VALUES ('o''neil, bob', crypt('«tiger»', gen()))",
            "INSERT INTO u (name, password) VALUES (?, ?)]\n[parameters: ('bob', '«tiger»')]",
            "COPY users (name, password) FROM stdin;\nbob\t«tiger»\nann\t«lion»\n\\.",
            "INSERT INTO u (name, password) VALUES ('bob', '«tig»",
        ),
        counterexamples=(
            "INSERT INTO users (name, password) VALUES (?, ?)",
            "INSERT INTO users (name, role) VALUES ('password', 'tiger')",
            "INSERT INTO users (name, password_length) VALUES ('bob', 12)",
            "INSERT INTO users (name, password) SELECT name, password FROM old",
        ),
    ),
    Rule(
        name="column_value",
        what="Values below a column's name that is secret, in tables and comma-separated values",
        gate=(NAMED,),
        pattern=rf"(?i)((?:{_ALL})s?)",
        judge=_column,
        examples=(
            "user,password,role\nbob,«tiger»,admin\nann,«lion»,user",
            "| user | password |\n| --- | --- |\n| bob | «tiger» |",
            " id | user | password \n----+------+----------\n  1 | bob  | «tiger»\n(1 row)",
            "USER   PASSWORD     ROLE\nbob    «tiger»        admin",
            "user\tpassword\nbob\t«tiger»",
            "id;token;x\n1;«a1b2c3»;3",
            '"user","password"\n"bob","«tiger»"',
            "│ user │ password │\n│ bob │ «tiger» │",
        ),
        counterexamples=(
            "Check user, password, role\nand try again, please, now",
            " password | text |\n created  | timestamp |",
            " name | text |\n password | text |\n created  | timestamp |",
            "bad password\nbob, 17",
            "password,role\nNone,admin",
            "password\ttiger42\nuser\tbob",
        ),
    ),
)
