"""What `logquake init` says about what it saw, what it writes, and what is left to fill in."""

from __future__ import annotations

from collections.abc import Sequence

from harness.judging.wording import count
from harness.model.declarations import FILL_IN
from harness.onboarding.drafts import draft_for
from harness.onboarding.drafts.draft import Draft
from harness.onboarding.scaffold import NAMES, NewFile
from harness.onboarding.seen import Outlet, Survey

_TITLE_MAX = 56


def survey_told(survey: Survey) -> str:
    """Return what was seen, with the place of each thing.

    Args:
        survey: what was seen.
    """
    lines = [f"Project {survey.name}: {count(survey.files, 'file')} read, nothing imported."]
    if survey.cut:
        lines.append("There are more files; they were not looked at.")
    if survey.outlets:
        lines += [
            "",
            "It logs through",
            *(_outlet_line(at, each, survey.name) for at, each in enumerate(survey.outlets, 1)),
        ]
    if survey.structlog is not None:
        lines.append(f"     structlog hands its events on  {survey.structlog}")
    if survey.stores:
        lines += [
            "Its lines are stored in",
            *(f"     {store.title}  {store.place}" for store in survey.stores),
        ]
    if survey.pipelines:
        lines += [
            "Its builds run on",
            *(f"     {NAMES[each.ci]}  {each.place}" for each in survey.pipelines),
        ]
    lines += [f"Not read: {each}" for each in survey.unreadable]
    return "\n".join(lines)


def _outlet_line(at: int, outlet: Outlet, name: str) -> str:
    title = outlet.title if len(outlet.title) <= _TITLE_MAX else f"{outlet.title[: _TITLE_MAX - 1]}…"
    skeleton = "  (a skeleton to fill in: logquake cannot start it by itself)"
    return f"  {at}  {title}  {outlet.place}{skeleton if draft_for(name, outlet).to_fill_in else ''}"


def files_told(new: Sequence[NewFile], there: Sequence[NewFile]) -> str:
    """Return the files that would be written, whole; of those that are kept only their names.

    Args:
        new: all files of a first run.
        there: those that are there already and would be kept.
    """
    lines = []
    for file in new:
        if file in there:
            lines += ["", f"--- {file.path}: {file.purpose}: is there already and kept (--force replaces it)"]
        else:
            lines += ["", f"--- {file.path}: {file.purpose}", file.text.rstrip("\n")]
    return "\n".join((*lines, "", "Nothing was written."))


def written_told(new: Sequence[NewFile], there: Sequence[NewFile], folder: str) -> str:
    """Return which files were kept and which were written.

    Args:
        new: all files of a first run.
        there: those that were kept.
        folder: of the project; empty where it is the current one.
    """
    where = f" in {folder}, where the commands below are to be given" if folder else ""
    wrote = [file for file in new if file not in there]
    lines = [""]
    if there:
        lines += ["Kept, since it was there already (--force writes it anew)", *map(_file_line, there)]
    if wrote:
        lines += [f"Wrote{where}", *map(_file_line, wrote)]
    return "\n".join(lines)


def _file_line(file: NewFile) -> str:
    return f"  {file.path}  {file.purpose}"


def open_points_told(draft: Draft, stack: str) -> str:
    """Return what is left to fill in before the stack file can be run.

    Args:
        draft: the draft.
        stack: the path of the stack file.
    """
    points = [f"  - {sentence}" for sentence in draft.to_fill_in]
    return "\n".join(
        (
            "",
            f"{stack} is a skeleton, and nothing was run. Fill in:",
            *points,
            f'Remove each comment "{FILL_IN.strip()}" whose point you have filled in. Then say `logquake '
            "init` again: it keeps your files, and runs the first check.",
        )
    )
