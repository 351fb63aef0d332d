"""A handler that writes a file: logquake hosts it, and reads the file back. No store is needed."""

from __future__ import annotations

import re

from harness.onboarding.drafts.draft import (
    BY_RETURN,
    Draft,
    FirstFault,
    left_out,
    literal,
    opening,
    quoted,
    taken_over,
)
from harness.onboarding.seen import Outlet

FILE_ARGUMENTS = re.compile(r"(.*_)?(file|filename|file_name|file_path|filepath|logfile|path)")
_FILE = "{run.folder}/app.log"


def names_a_file(outlet: Outlet) -> bool:
    """Return whether a handler takes the name of a file."""
    return any(
        FILE_ARGUMENTS.fullmatch(key)
        for key in (*outlet.arguments, *outlet.parameters, *outlet.unread, *outlet.nested)
    )


def draft_hosted_file(name: str, outlet: Outlet) -> Draft:
    """Return the draft for a handler that writes a file.

    Args:
        name: the stack's.
        outlet: the handler.
    """
    keys = dict.fromkeys((*outlet.arguments, *outlet.parameters, *outlet.unread, *outlet.nested))
    file_key = next((key for key in keys if FILE_ARGUMENTS.fullmatch(key)), "filename")
    before = outlet.arguments.get(file_key, "")
    others = taken_over(outlet, {file_key})
    given = "".join(f"  {key}: {literal(value)}\n" for key, value in others.items())
    return Draft(
        opening(name, outlet)
        + f"intake:\n  kind: python_logging\n  handler: {quoted(outlet.class_path)}\n"
        + f"  {file_key}: {quoted(_FILE)}{f'  # in place of {before}' if before else ''}\n{given}"
        + left_out(outlet, {file_key, *others})
        + BY_RETURN
        + "# Rotated files are read too. A document ends with the end of a line that was sent.\n"
        + f"archive: {{kind: file, path: {quoted(_FILE + '*')}, format: multiline}}\n"
        + "promises:\n"
        + "  durability: write  # what was written outlives the application, not the machine\n"
        + "  copies_max: 1\n  response_p99_ms: 100\n",
        FirstFault.APPLICATION,
    )
