"""The user's own code that files name: where it is found, and whether it can start.

Found is what is installed, then what lies in the stack file's folder, then in the current one. Both folders
are appended to the import path, never put before it, so that nobody's `queue.py` shadows the library's. Tried
is all of it before anything starts, in a child process, since an import may do anything.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from harness.config.yaml_source import KeyPath, Mistake, Source, texts_in
from harness.deployments.debian_packages import how_to_install
from harness.deployments.installed import cache_folder
from harness.deployments.placeholders import expand, placeholder_problems
from harness.model.errors import InternalError, ScenarioError, UnavailableError

IMPORT_SECONDS_MAX = 20.0
_DOTTED_PATH = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*\Z")
_WORD_KEYS = ("fault", "check", "kind", "handler", "beside")
_HANDLER, _BESIDE = ("intake", "handler"), ("intake", "beside")


def offer_code(folders: Sequence[Path]) -> None:
    """Let this process find the user's own modules there: last of all, so that they shadow nothing.

    Args:
        folders: absolute, or relative to the current folder; one that is on the import path already is not
            added again.
    """
    sys.path.extend(path for path in dict.fromkeys(map(str, folders)) if path not in sys.path)


def require_startable(
    sources: Sequence[Source],
    checks: Sequence[str],
    folders: Sequence[Path],
    seconds_max: float = IMPORT_SECONDS_MAX,
) -> None:
    """Try what files and `--check` name of the user's own: import each class, look for each command.

    Args:
        sources: the stack's file and those of the scenarios.
        checks: words of `--check`.
        folders: where own code may lie beside what is installed.
        seconds_max: how long all imports together may take.

    Raises:
        ScenarioError: something cannot start; each line names file, line, key, what happened and the remedy.
    """
    named = [each for source in sources for each in _named(source)]
    named += [_Named(None, ("--check",), word, None) for word in checks if _DOTTED_PATH.match(word)]
    problems = [
        *_import_problems(named, folders, seconds_max),
        *(problem for source in sources for problem in _command_problems(source)),
    ]
    if problems:
        raise ScenarioError("\n".join(problems))


@dataclass(frozen=True, slots=True)
class _Named:
    """A class by its dotted path: where it is named, and what a handler's constructor is given."""

    source: Source | None
    where: KeyPath
    path: str
    arguments: tuple[str, ...] | None

    def described(self, what: str) -> str:
        if self.source is None:
            return f"--check {self.path}: {what}"
        return self.source.describe(Mistake(self.where, what))


# --- classes ---------------------------------------------------------------------------------------------


def _named(source: Source) -> Iterator[_Named]:
    intake = source.data.get("intake")
    given = intake if isinstance(intake, Mapping) else {}
    for where, text in texts_in(source.data):
        if _DOTTED_PATH.match(text) and (where[-1] in _WORD_KEYS or where[:-1] == ("checks",)):
            is_hosted = given.get("kind") == "python_logging"
            yield _Named(source, where, text, _arguments(where, given) if is_hosted else None)


def _arguments(where: KeyPath, intake: Mapping[str, object]) -> tuple[str, ...] | None:
    """Return what a handler's constructor is given; None where a key names no handler."""
    if where == _BESIDE:
        return ()
    return (
        tuple(key for key in intake if key not in {"kind", "handler", "beside", "tenant_extra"})
        if where == _HANDLER
        else None
    )


def _import_problems(named: Sequence[_Named], folders: Sequence[Path], seconds_max: float) -> list[str]:
    classes = list(dict.fromkeys((each.path, each.arguments) for each in named))
    if not classes:
        return []
    found = dict(zip(classes, _tried(classes, folders, seconds_max), strict=False))
    return [
        each.described(problem) for each in named if (problem := found.get((each.path, each.arguments), ""))
    ]


def _tried(
    classes: Sequence[tuple[str, tuple[str, ...] | None]], folders: Sequence[Path], seconds_max: float
) -> list[str]:
    """Return what is wrong with each class; those behind one that ends the child stay untried."""
    command = [sys.executable, "-P", "-m", "harness.config.import_trial", f"{seconds_max:g}"]
    asked = json.dumps([{"path": path, "arguments": arguments} for path, arguments in classes])
    # A file, not a pipe: what the user's module forks may keep a pipe open for ever.
    with TemporaryFile() as answers:
        child = _start([*command, *map(str, folders)], answers.fileno())
        try:
            with suppress(BrokenPipeError):
                child.communicate(asked.encode(), timeout=seconds_max + 5.0)
        except subprocess.TimeoutExpired:
            pass
        finally:
            _end(child)
        answers.seek(0)
        lines = answers.read().splitlines()
    if not lines:
        raise InternalError(f"the trial of imports ended with {child.returncode} before it began")
    problems = [said for line in lines if (said := json.loads(line)) is not None]
    if len(problems) < len(classes):
        problems.append(_ended(classes[len(problems)][0], child.returncode, seconds_max))
    return problems


def _start(command: Sequence[str], answers: int) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=answers,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise UnavailableError(f"{command[0]}: no process can be started: {error.strerror}") from error


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the child's whole session: its module may have started others."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _ended(path: str, code: int, seconds_max: float) -> str:
    module_name = path.partition(":")[0]
    if code in (-signal.SIGALRM, -signal.SIGKILL):
        return f'importing "{module_name}" takes longer than {seconds_max:g} s. Do less while it is imported.'
    how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    return f'importing "{module_name}" ends the process with {how}. Correct the module.'


# --- commands --------------------------------------------------------------------------------------------


def _command_problems(source: Source) -> Iterator[str]:
    """Say which commands name a program that is not there; one in the run's own folder is not judged."""
    values = {
        "python": sys.executable,
        "stack.folder": str(Path(source.path).resolve().parent),
        "cache.folder": str(cache_folder()),
    }
    processes = source.data.get("processes")
    commands: list[tuple[KeyPath, object, object]] = [
        (("processes", name, "command"), process.get("command"), process.get("environment"))
        for name, process in (processes if isinstance(processes, Mapping) else {}).items()
        if isinstance(process, Mapping)
    ]
    for key in ("archive", "dead_letters"):
        outlet = source.data.get(key)
        if isinstance(outlet, Mapping):
            commands.append(((key, "decode"), outlet.get("decode"), None))
    for where, command, environment in commands:
        program = command[0] if isinstance(command, list) and command else None
        if not isinstance(program, str) or placeholder_problems(program, values):
            continue
        if what := _program_problem(expand(program, values), _search_path(environment, values)):
            yield source.describe(Mistake((*where, 0), what))


def _search_path(environment: object, values: Mapping[str, str]) -> str | None:
    """Return where the process looks for programs: its own PATH, where the file gives it one."""
    own = environment.get("PATH") if isinstance(environment, Mapping) else None
    if not isinstance(own, str) or placeholder_problems(own, values):
        return None
    return expand(own, values)


def _program_problem(program: str, search_path: str | None) -> str:
    if "/" not in program:
        if shutil.which(program, path=search_path):
            return ""
        means = f" ({command})" if (command := how_to_install(program)) else ""
        return f'no program "{program}" is in PATH. Install it{means}, or write its whole path.'
    path = Path(program)
    if not path.is_absolute():
        return (
            f'"{program}" is looked for in the run\'s own folder, which is empty at the start. '
            f'Write "{{stack.folder}}/{program.removeprefix("./")}", or the whole path.'
        )
    if not path.exists():
        return f'no program "{program}" is there. Install it, or mend the path.'
    if not path.is_file() or not os.access(program, os.X_OK):
        return f'"{program}" cannot be executed. Name a program, or make it one: chmod +x.'
    return ""
