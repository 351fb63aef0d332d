"""The page's templates (`templates/*.jinja`), and the only place where text becomes markup.

Whatever a template puts out is made visible and escaped, unless it came from a template itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from harness.judging.points import EN_DASH, hundredths, interval, points
from harness.model.protocols import Status
from harness.reporting.escaping import clipped, lines_of, visible
from harness.reporting.numbers import milliseconds, number, seconds_span
from harness.reporting.scorecard_words import (
    MARKS,
    attempt_line,
    count_by_status,
    kept_words,
    measured,
    status_word,
)

_PACKAGE = "harness.reporting"
_NAME_CHARACTERS_MAX = 120


def drawn(template: str, **values: object) -> Markup:
    """Return a template filled in.

    Args:
        template: its file's name in `templates`, without `.jinja`.
        values: what it names; all text among them is shown, never obeyed.

    Raises:
        jinja2.UndefinedError: the template names a value that is not given.
    """
    return Markup(_environment().get_template(f"{template}.jinja").render(values))  # noqa: S704 - escaped by the template


def own_markup(file_name: str) -> Markup:
    """Return a file of this package as it is, e.g. the style sheet: nothing in it comes from a stack.

    Args:
        file_name: inside the package `harness.reporting`.
    """
    return Markup(files(_PACKAGE).joinpath(file_name).read_text(encoding="utf-8").strip())  # noqa: S704 - ours


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(_PACKAGE, "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "attempt_line": attempt_line,
        "breakable": _breakable,
        "clip": clipped,
        "count_by_status": count_by_status,
        "hundredths": hundredths,
        "kept_words": kept_words,
        "lines": _lines,
        "lines_of": lines_of,
        "measured": measured,
        "milliseconds": milliseconds,
        "number": number,
        "points": points,
        "prose": _prose,
        "quoted": quote,
        "status_word": status_word,
    }
    environment.globals |= {
        "EN_DASH": EN_DASH,
        "MARKS": MARKS,
        "PASS": Status.PASS,
        "interval": interval,
        "seconds_span": seconds_span,
    }
    return environment


def _shown(value: object) -> object:
    """Make text visible before it is escaped; a template's own output stays."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _prose(text: str, characters_max: int) -> str:
    """Return running text: its line breaks are a file's, not the reader's."""
    return clipped(" ".join(text.split()), characters_max)


def _lines(texts: Iterable[str], characters_max: int) -> Markup:
    """Return texts one a line, for a `pre`."""
    return Markup("\n").join(clipped(text, characters_max) for text in texts)


def _breakable(name: str) -> Markup:
    """Return a dotted name that may break where its words do."""
    wbr = Markup("<wbr>")
    return escape(clipped(name, _NAME_CHARACTERS_MAX)).replace(".", "." + wbr).replace("_", "_" + wbr)
