"""What `logquake init` says about what it saw, what it writes, and what is left to fill in."""

from __future__ import annotations

from collections.abc import Sequence

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
    lines = [f"Project {survey.name}: {survey.files:,} files read, nothing imported."]
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


def files_told(new: Sequence[NewFile], there: Sequence[str]) -> str:
    """Return the files that would be written, whole.

    Args:
        new: the files.
        there: the paths at which something is already.
    """
    lines = []
    for file in new:
        state = " (already there: only --force replaces it)" if str(file.path) in there else ""
        lines += ["", f"--- {file.path}: {file.purpose}{state}", file.text.rstrip("\n")]
    return "\n".join((*lines, "", "Nothing was written."))


def open_points_told(draft: Draft, stack: str, command: str) -> str:
    """Return what is left to fill in before the stack file can be run.

    Args:
        draft: the draft.
        stack: the path of the stack file.
        command: what runs the first check afterwards.
    """
    points = [f"  - {sentence}" for sentence in draft.to_fill_in]
    return "\n".join(
        ("", f"{stack} is a skeleton, and nothing was run. Fill in:", *points, f"Then: {command}")
    )
