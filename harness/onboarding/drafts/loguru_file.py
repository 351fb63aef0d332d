"""loguru with a file: it is no `logging.Handler`, so a few lines beside the stack file host it."""

from __future__ import annotations

from harness.onboarding.drafts.draft import BY_RETURN, Draft, FirstFault, opening, taken_over
from harness.onboarding.seen import Outlet

_ADAPTER = '''"""loguru as {place} sets it up, as a handler for logquake. Drafted by `logquake init`."""

import logging

from loguru import logger


class LoguruFile(logging.Handler):
    """Hands each record to loguru, which writes it to a file."""

    def __init__(self, filename):
        super().__init__()
        logger.remove()
        logger.add(filename, {arguments})

    def emit(self, record):
        logger.opt(exception=record.exc_info).log(record.levelname, "{{}}", record.getMessage())

    def close(self):
        logger.complete()
        logger.remove()
        super().close()
'''
# They decide how a line looks or which lines are kept; the whole line is compared, and each one is owed.
_NOT_TAKEN = {"format", "level", "colorize", "filter", "serialize"}


def draft_loguru_file(name: str, outlet: Outlet) -> Draft:
    """Return the draft for loguru with a file.

    Args:
        name: the stack's.
        outlet: the call of `logger.add`.
    """
    taken = taken_over(outlet, _NOT_TAKEN)
    arguments = ", ".join(
        ('format="{message}"', 'level="DEBUG"', *(f"{key}={value!r}" for key, value in taken.items()))
    )
    module = f"{name}_loguru"
    return Draft(
        opening(name, outlet)
        + "intake:\n  kind: python_logging\n"
        + f"  handler: {module}:LoguruFile  # {module}.py, beside this file\n"
        + '  filename: "{run.folder}/app.log"\n'
        + BY_RETURN
        + 'archive: {kind: file, path: "{run.folder}/app*", format: multiline}\n'
        + "promises:\n"
        + "  durability: write  # what was written outlives the application, not the machine\n"
        + "  copies_max: 1\n  response_p99_ms: 100\n",
        FirstFault.APPLICATION,
        beside={f"{module}.py": _ADAPTER.format(place=outlet.place, arguments=arguments)},
    )
