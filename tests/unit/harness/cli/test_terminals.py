"""What real commands print on real pipes and pseudo-terminals, whatever the environment claims of them."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping
from pathlib import Path

import pytest

from harness.cli.console import living_console
from harness.reporting import REPORTS
from harness.reporting.atomic_file import write_report
from harness.reporting.result_json import read_result
from tests.unit.harness.reporting.example_result import vetoed_result

LOGQUAKE = str(Path(sys.executable).parent / "logquake")
TIMEOUT_SECONDS = 60
COLUMNS = 80
# What a person's own shell has set must not decide.
CLAIMS = ("COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR", "PYTHONIOENCODING", "PYTHONUTF8", "LC_ALL", "LANG")
ODD = (
    "version: 1\nname: odd\ntitle: Größe → ☃ …\nhypothesis: x\nproducers: 1\nsending_seconds: 5\n"
    "schedule: {kind: steady, rate_per_second: 50}\nchecks: [corrupted]\n"
)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A project with a scenario whose title and whose file's name are beyond ASCII, and a finished run."""
    made = tmp_path_factory.mktemp("terminals")
    (made / "scenarios").mkdir()
    (made / "scenarios" / "odd.yaml").write_text(ODD, encoding="utf-8")
    (made / os.fsdecode(b"scenarios/not-\xffutf-8.yaml")).write_text("[", encoding="utf-8")
    for word in ("json", "terminal"):
        write_report(REPORTS.resolve(word)(), vetoed_result(), made)
    return made


def on(stream: str, arguments: str, folder: Path, claims: Mapping[str, str]) -> tuple[int, bytes]:
    """Run the command; return its exit code and what it printed on the pipe or the terminal."""
    environment = {name: value for name, value in os.environ.items() if name not in CLAIMS}
    environment |= {"TERM": "xterm", "XDG_STATE_HOME": str(folder / "state"), **claims}
    near, far = pty.openpty() if stream == "tty" else os.pipe()
    if stream == "tty":
        fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    command = [LOGQUAKE, *arguments.split()]
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=far, stderr=far
    ) as process:
        os.close(far)
        printed = bytearray()
        try:
            while read := os.read(near, 65536):
                printed += read
        except OSError:
            pass  # how Linux tells that nobody has the terminal any more
        os.close(near)
        return process.wait(TIMEOUT_SECONDS), bytes(printed).replace(b"\r\n", b"\n")


@pytest.mark.parametrize(
    ("stream", "arguments", "claims", "code", "words"),
    [
        ("pipe", "list", {"LC_ALL": "C"}, 0, "black_hole"),
        (
            "tty",
            "list scenarios",
            {"PYTHONIOENCODING": "ascii", "COLUMNS": "1"},
            0,
            "Größe → ☃ …",
        ),
        ("pipe", "list scenarios", {"PYTHONIOENCODING": "utf-16"}, 0, "Größe → ☃ …"),
        ("tty", "plan odd", {"TERM": "dumb", "COLUMNS": "garbage"}, 0, "plan hash"),
        (
            "pipe",
            "plan no_such",
            {"PYTHONIOENCODING": "utf-16", "FORCE_COLOR": "1"},
            4,
            'no scenario "no_such"',
        ),
        ("tty", "report .", {"COLUMNS": "0"}, 0, "✕ FAIL"),
        ("tty", "report .", {"COLUMNS": "²", "LINES": "²"}, 0, "✕ FAIL"),
        ("tty", "report .", {"COLUMNS": "9" * 5000, "PYTHONIOENCODING": "latin-1"}, 0, "x FAIL"),
        ("tty", "report .", {"COLUMNS": "100000", "NO_COLOR": "1"}, 0, "✕ FAIL"),
        ("tty", "report .", {"COLUMNS": "20", "TERM": "dumb", "PYTHONIOENCODING": "utf-16"}, 0, "✕ FAIL"),
        ("pipe", "report .", {"FORCE_COLOR": "1", "LC_ALL": "C"}, 0, "✕ FAIL"),
        ("pipe", "gate .", {"PYTHONIOENCODING": "ascii", "COLUMNS": "-5"}, 1, "FAIL: run "),
        ("tty", "doctor", {"PYTHONIOENCODING": "latin-1", "COLUMNS": "20"}, None, "python 3"),
        ("pipe", "heal --dry-run --run none", {"PYTHONIOENCODING": "utf-16"}, 0, "left nothing behind"),
    ],
)
def test_every_command_prints_readable_text(folder, stream, arguments, claims, code, words):
    ended, printed = on(stream, arguments, folder, claims)

    encoding = claims.get("PYTHONIOENCODING", "utf-8")
    # Where ASCII is claimed click writes UTF-8, as Python itself does in the C locale (PEP 540).
    text = printed.decode("utf-8" if encoding == "ascii" else encoding, "surrogateescape")
    # The machine may have something left of a run of somebody else's.
    assert ended == (int("left by an earlier run" in text) if code is None else code), text
    assert words in COLOUR.sub("", text)
    assert "Traceback" not in text
    assert "\0" not in text
    assert ("\x1b[" in text) == ("report" in arguments and "dumb" not in claims.values()), (
        "a scorecard on a terminal has colour or, under NO_COLOR, bold words; nothing else has"
    )
    assert not ("NO_COLOR" in claims and re.search(r"\x1b\[[0-9;]*3[0-7]", text))


@pytest.mark.parametrize("stream", ["pipe", "tty"])
def test_a_report_for_machines_depends_on_none_of_it(folder, stream):
    odd = {"PYTHONIOENCODING": "utf-16", "COLUMNS": "1", "FORCE_COLOR": "1", "LC_ALL": "C"}

    ended, printed = on(stream, "report . --format json", folder, odd)

    assert ended == 0
    read = read_result(folder / "result.json")
    assert printed == REPORTS.resolve("json")().text(read).encode()


def test_the_scorecard_as_text_depends_on_none_of_it(folder, monkeypatch):
    for name, value in {"COLUMNS": "²", "LINES": "²", "FORCE_COLOR": "1", "TERM": "dumb"}.items():
        monkeypatch.setenv(name, value)

    text = REPORTS.resolve("terminal")().text(vetoed_result())

    assert text == (folder / "scorecard.txt").read_text(encoding="ascii")


@pytest.fixture
def terminal(monkeypatch):
    """A terminal of 80 columns that nothing is claimed of."""
    for name in CLAIMS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    near, far = pty.openpty()
    fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    with os.fdopen(far, "w", encoding="utf-8") as stream:
        yield stream
    os.close(near)


def living_on(stream, monkeypatch):
    """Return the console of lines that live on a stream; pytest sets its own one after the fixtures."""
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stream)
        return living_console()


@pytest.mark.parametrize(("claimed", "wide"), [("60", 60), ("80", 80), ("100000", COLUMNS)])
def test_a_line_that_lives_is_never_wider_than_the_terminal_is(terminal, monkeypatch, claimed, wide):
    monkeypatch.setenv("COLUMNS", claimed)

    console = living_on(terminal, monkeypatch)

    assert console is not None
    assert console.width == wide


@pytest.mark.parametrize(
    ("name", "value"), [("COLUMNS", "1"), ("COLUMNS", "20"), ("TERM", "dumb"), ("FORCE_COLOR", "")]
)
def test_lines_are_plain_on_a_terminal_that_can_hold_no_living_one(terminal, monkeypatch, name, value):
    assert living_on(terminal, monkeypatch) is not None
    monkeypatch.setenv(name, value)

    assert living_on(terminal, monkeypatch) is None


def test_lines_are_plain_where_standard_error_is_closed_or_in_another_encoding(terminal, monkeypatch):
    terminal.reconfigure(encoding="latin-1")

    assert living_on(terminal, monkeypatch) is None
    assert living_on(None, monkeypatch) is None


def test_what_is_started_in_turn_is_told_nothing_of_the_encoding(monkeypatch):
    """A stack whose log is in UTF-16 would never be seen to get ready."""
    monkeypatch.setenv("PYTHONIOENCODING", "utf-16")
    asks = "import os; from harness.cli.output import prepare_streams; prepare_streams(); "

    told = subprocess.run(
        [sys.executable, "-c", asks + "os.system('echo $PYTHONIOENCODING.')"],
        capture_output=True,
        timeout=TIMEOUT_SECONDS,
        check=True,
    )

    assert told.stdout == b".\n"
