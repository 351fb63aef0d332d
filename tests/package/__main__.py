"""Installs the package as strangers do and uses each extra: `make prove-package`.

For each interpreter, the wheel is installed without extras, with each extra alone and with all of them, and
the source distribution without extras, each into a new environment. What the extra is for is done there;
without extras, the same ends with an error that names the extra. Prints a table; ends with 1 where something
is not so. What passed with the same wheel is not done again where `--resume` names the same file.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.package.environments import Built, Environment, build, extras, make, smoke

# What the error names where an extra is no more than another one.
NAMED = {"coordination": "analytics"}
# Without pytest there is nobody to load the plugin; without testcontainers there is no such backend to name.
NOTHING_TO_SAY = {"pytest", "containers"}
NONE, SDIST, ALL = "(none)", "(none), from the sdist", "all"
_SAID_CHARACTERS = 400


def main(arguments: list[str] | None = None) -> int:
    """Prove what is asked for; return the exit code."""
    options = _options(arguments)
    failed = False
    with TemporaryDirectory(prefix="package-") as temporary:
        built = build(Path(temporary) / "dist")
        wheel = sha256(built.wheel.read_bytes()).hexdigest()
        passed = _passed(options.resume, wheel)
        for python, holds in _environments(options):
            name = f"| {_version(python)} | {holds} |"
            if name not in passed:
                with TemporaryDirectory(dir=temporary) as folder:
                    passed[name], problems = _prove(Path(folder), python, built, holds, options.extras)
                for problem in problems:
                    print(f"{name} {problem}", file=sys.stderr, flush=True)
                failed |= bool(problems)
                if options.resume is not None and not problems:
                    _keep(options.resume, {"wheel": wheel, "name": name, "figures": passed[name]})
            print(f"{name} {passed[name]} |", flush=True)
    return 1 if failed else 0


def _environments(options: argparse.Namespace) -> Iterator[tuple[Path, str]]:
    """Yield the interpreter of each environment, and the extra that it holds or what stands for none."""
    for python in options.python or [Path(sys.executable)]:
        for holds in (NONE, SDIST, *options.extras, ALL):
            yield python, holds


def _prove(folder: Path, python: Path, built: Built, holds: str, known: list[str]) -> tuple[str, list[str]]:
    """Make an environment and use it; return the figures of its row, and what is wrong in it."""
    package = built.sdist if holds == SDIST else built.wheel
    extra = "" if holds in {NONE, SDIST} else holds
    environment = make(folder / "venv", python, package, extra)
    figures = f"{environment.packages} | {environment.size_mib}"
    problems = _tells(environment, extra)
    if not extra:
        problems += [*_works(environment, folder / "works"), *_errors(environment, folder, known)]
    used = known if holds == ALL else [extra] if extra else []
    for each in used:
        if said := _said(smoke(environment, each, folder / each)):
            problems.append(f"{each}: {said[-_SAID_CHARACTERS:]}")
    return figures, problems


def _said(done: subprocess.CompletedProcess[str]) -> str:
    return "" if done.returncode == 0 else done.stderr or done.stdout or f"exit code {done.returncode}"


def _errors(bare: Environment, folder: Path, known: list[str]) -> list[str]:
    """Return for each extra what is wrong with the error that stands in its place where it is missing."""
    problems = []
    for extra in (each for each in known if each not in NOTHING_TO_SAY):
        done = smoke(bare, extra, folder / "without" / extra)
        name = f"logquake[{NAMED.get(extra, extra)}]"
        if done.returncode == 0:
            problems.append(f"{extra}: works without the extra")
        elif name not in done.stderr:
            problems.append(f"{extra}: the error does not name {name}: {done.stderr[-_SAID_CHARACTERS:]}")
    return problems


def _works(bare: Environment, folder: Path) -> list[str]:
    """Return what the package without extras cannot do: find its files, judge a run, start what ships."""
    folder.mkdir()
    logquake, python = str(bare.python.with_name("logquake")), str(bare.python)
    commands = (
        [logquake, "run", "no_fault", "--stack", "file_handler", "--require", "acknowledged_lost==0"],
        [python, "-m", "logging_system", "ship", "--help"],
    )
    problems = []
    for command in commands:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
        # A busy machine may leave latency undecided; that is no fault of the package.
        if done.returncode not in {0, 6}:
            problems.append(f"{' '.join(command)}: {_said(done)[-_SAID_CHARACTERS:]}")
    return problems


def _tells(environment: Environment, extra: str) -> list[str]:
    """Return what the versions should tell and do not: this Python, and the extra that is there."""
    python, version = str(environment.python), _version(environment.python, "platform.python_version()")
    problems = []
    for command in (
        [str(environment.python.with_name("logquake")), "--version"],
        [python, "-m", "logging_system", "--version"],
    ):
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        told = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
        if not told["python"].startswith(f"{version} "):
            problems.append(f"{' '.join(command)}: Python is {version}, not {told['python']}")
        if command[0] != python and (extra or "none") not in told["extras"].split(", "):
            problems.append(f"{' '.join(command)}: extras are {told['extras']}")
    return problems


def _version(python: Path, told: str = "'.'.join(platform.python_version_tuple()[:2])") -> str:
    command = [str(python), "-c", f"import platform; print({told})"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _passed(file: Path | None, wheel: str) -> dict[str, str]:
    """Return the figures of each environment that was all right with this wheel, by its name."""
    if file is None or not file.exists():
        return {}
    kept = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return {each["name"]: each["figures"] for each in kept if each["wheel"] == wheel}


def _keep(file: Path, entry: Mapping[str, str]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as kept:
        kept.write(json.dumps(entry) + "\n")


def _interpreter(named: str) -> Path:
    # Not resolved: the interpreter of an environment is a link, and knows the environment by where that lies.
    return Path(named).absolute()


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.package", description=__doc__)
    parser.add_argument(
        "--python", type=_interpreter, action="append", help="an interpreter; repeat for more"
    )
    parser.add_argument("--extras", nargs="*", default=list(extras()), help="only these. Default: every one")
    parser.add_argument(
        "--resume", type=Path, metavar="FILE", help="keeps what passed, and is not done again"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
