"""The trial of a Locust file before anything starts, in a process of its own: an import may do anything.

    python -m harness.load.locust.trial LOCUSTFILE [CODE_FOLDER]...

Ends with 0 where the file has users, else with 4 and what is wrong in the last line of standard error.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence

from harness.load.locust.files import user_classes  # brings Locust, first of all that opens connections
from harness.model.errors import ScenarioError


def problem(file: str) -> str:
    """Return what is wrong with a Locust file, in one line; empty where nothing is."""
    try:
        classes = user_classes(file)
    except BaseException as error:  # whatever it is: only this process is the file's
        frames = [] if isinstance(error, SyntaxError) else traceback.extract_tb(error.__traceback__)
        at = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
        return f"importing it fails: {type(error).__name__}: {' '.join(str(error).split())}{at}"
    return "" if classes else "it has no user; write a class of locust.User with a task that calls send()"


def main(arguments: Sequence[str]) -> int:
    """Try one file; return the exit code.

    Args:
        arguments: the Locust file's path, then the folders of the user's own code.
    """
    file, *code_folders = arguments
    sys.path.extend(code_folders)
    said = problem(file)
    print(said, file=sys.stderr, flush=True)
    return ScenarioError.exit_code if said else 0


if __name__ == "__main__":
    # A thread that the file has started would keep the process.
    os._exit(main(sys.argv[1:]))
