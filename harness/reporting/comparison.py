"""A comparison of two versions by itself, as text for a terminal or a build log, and as Markdown."""

from __future__ import annotations

import json
from pathlib import Path

from harness.judging.regression import said
from harness.model.errors import UnavailableError
from harness.model.result import Regression
from harness.reporting.atomic_file import write_atomically
from harness.reporting.markdown_text import escaped
from harness.reporting.regression_words import HEADS, regression_head, regression_rows
from harness.reporting.result_json import as_document
from harness.reporting.scorecard_words import MARKS, status_word


def comparison_text(regression: Regression, title: str) -> str:
    """Return the comparison in lines.

    Args:
        regression: what was compared.
        title: what the candidate is.
    """
    lines = [f"{status_word(regression.status)}: {title}", f"  {regression_head(regression)}"]
    if regression.remark and regression.comparisons:
        lines.append(f"  {regression.remark}")
    lines += [
        f"  {status_word(each.status)} {said(each, regression.confidence)}" for each in regression.comparisons
    ]
    return "\n".join(lines)


def comparison_markdown(regression: Regression, title: str) -> str:
    """Return the comparison as Markdown, for a pull request or a step summary.

    Args:
        regression: what was compared.
        title: what was compared with what, for the heading; nothing in it is taken for Markdown.
    """
    lines = [f"# {_mark(regression)}: {_escaped(title)}", "", _escaped(regression_head(regression)), ""]
    if regression.remark and regression.comparisons:
        lines += [_escaped(regression.remark), ""]
    if rows := regression_rows(regression):
        lines += [f"| {' | '.join(HEADS)} |", f"| {' | '.join('---' for _ in HEADS)} |"]
        lines += [
            f"| {MARKS[row.status]} {status_word(row.status)} | {' | '.join(map(_escaped, row.cells))} |"
            for row in rows
        ]
        lines += [""] + [f"* {_escaped(row.cells[0])}: {_escaped(row.why)}" for row in rows if row.why]
    return "\n".join(lines).rstrip() + "\n"


def write_comparison(regression: Regression, title: str, folder: Path) -> tuple[Path, ...]:
    """Write the comparison as Markdown and as JSON.

    Args:
        regression: what was compared.
        title: of the Markdown, as of `comparison_markdown`.
        folder: where to; files of the same names are replaced.

    Returns:
        The paths of `comparison.md` and `comparison.json`.

    Raises:
        UnavailableError: the folder cannot be written to.
    """
    texts = {
        "comparison.md": comparison_markdown(regression, title),
        "comparison.json": json.dumps(as_document(regression), indent=1) + "\n",
    }
    try:
        return tuple(write_atomically(folder / name, text) for name, text in texts.items())
    except OSError as error:
        raise UnavailableError(
            f"{folder}: the comparison cannot be written: {error.strerror}; name another folder with --out"
        ) from error


def _mark(regression: Regression) -> str:
    return f"{MARKS[regression.status]} {status_word(regression.status)}"


def _escaped(text: str) -> str:
    return escaped(" ".join(text.split()))
