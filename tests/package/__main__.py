"""Installs the package as strangers do and uses each extra: `make prove-package`.

For the first interpreter, each extra is installed alone into a new environment, and what it is for is done
there; in an environment without any extra the same ends with an error that names the extra. For each further
interpreter, the package is installed without extras and with all of them. Prints a table; ends with 1 where
something is not so.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.package.environments import Built, Environment, build, extras, make, smoke

# What the error names where an extra is no more than another one.
NAMED = {"coordination": "analytics"}
# Without pytest there is nobody to load the plugin; without testcontainers there is no such backend to name.
NOTHING_TO_SAY = {"pytest", "containers"}
_BEGIN, _END = "<!-- generated: package -->", "<!-- end of package -->"
_SAID_CHARACTERS = 400


def main(arguments: list[str] | None = None) -> int:
    """Prove what is asked for; return the exit code."""
    options = _options(arguments)
    failures: list[str] = []
    rows: list[str] = []
    with TemporaryDirectory(prefix="package-") as temporary:
        folder = Path(temporary)
        built = build(folder / "dist")
        for number, python in enumerate(options.python or [Path(sys.executable)]):
            version = _version(python)
            wanted = [*options.extras, "all"] if number == 0 else ["all"]
            for row, problems in _prove(folder / version, python, built, wanted, options.extras):
                line = f"| {version} | {row} |"
                sys.stdout.write(line + "\n")
                sys.stdout.flush()
                rows.append(line)
                failures += [f"Python {version}: {problem}" for problem in problems]
    if options.write is not None and not failures:
        _write(options.write, rows)
    for failure in failures:
        sys.stderr.write(f"{failure}\n")
    return 1 if failures else 0


def _prove(
    folder: Path, python: Path, built: Built, wanted: list[str], known: list[str]
) -> Iterator[tuple[str, list[str]]]:
    """Yield for each environment the cells of its row, and what is wrong in it."""
    folder.mkdir()
    bare = make(folder / "bare", python, built.wheel)
    problems = [*_works(bare, folder / "works"), *_errors(bare, folder, known)]
    yield _row("(none)", bare), problems
    for extra in wanted:
        environment = make(folder / f"venv-{extra}", python, built.wheel, extra)
        used = known if extra == "all" else [extra]
        broken = [
            f"{each} in an environment with {extra}: {said[-_SAID_CHARACTERS:]}"
            for each in used
            if (said := _said(smoke(environment, each, folder / f"in-{extra}" / each)))
        ]
        yield _row(extra, environment), broken


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
    """Return what the package without extras cannot do: say its version, find its files, judge a run."""
    folder.mkdir()
    logquake = bare.python.with_name("logquake")
    commands = (
        [logquake, "--version"],
        [bare.python, "-m", "logging_system", "--version"],
        [logquake, "run", "no_fault", "--stack", "file_handler", "--require", "acknowledged_lost==0"],
    )
    problems = []
    for command in commands:
        done = subprocess.run(
            list(map(str, command)), cwd=folder, capture_output=True, text=True, timeout=300, check=False
        )
        # A busy machine may leave latency undecided; that is no fault of the package.
        if done.returncode not in {0, 6}:
            problems.append(f"{' '.join(map(str, command))}: {_said(done)[-_SAID_CHARACTERS:]}")
    return problems


def _row(extra: str, environment: Environment) -> str:
    return f"{extra} | {environment.packages} | {environment.size_mib}"


def _version(python: Path) -> str:
    said = subprocess.run(
        [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
        capture_output=True,
        text=True,
        check=True,
    )
    return said.stdout.strip()


def _write(page: Path, rows: list[str]) -> None:
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(_BEGIN)
    after = rest.partition(_END)[2]
    table = "\n".join(("| Python | extra | packages | MiB |", "| --- | --- | --- | --- |", *rows))
    page.write_text(f"{before}{_BEGIN}\n\n{table}\n\n{_END}{after}", encoding="utf-8")


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.package", description=__doc__)
    parser.add_argument("--python", type=Path, action="append", help="an interpreter; repeat for more")
    parser.add_argument("--extras", nargs="*", default=list(extras()), help="only these. Default: every one")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the table into a page")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
