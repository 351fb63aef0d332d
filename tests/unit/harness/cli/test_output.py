"""What happens to the command where its streams, its folder or its home are not as they should be."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from harness.runs.request import preflight
from tests.repository import REPOSITORY

LOGQUAKE = str(Path(sys.executable).parent / "logquake")
TIMEOUT_SECONDS = 60

EXAMPLE = REPOSITORY / "reports/example"


def call(script: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run a line of shell, in which $L is the command."""
    variables: Mapping[str, str] = {**os.environ, "L": LOGQUAKE, **environment}
    return subprocess.run(
        ["/bin/bash", "-c", script],
        cwd=folder,
        env=variables,
        capture_output=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )


@pytest.mark.parametrize(
    ("script", "code", "said"),
    [
        ("$L list >/dev/full", 7, b"No space left on device"),
        ("$L list >&-", 7, b"standard output is closed"),
        ("$L --help >/dev/full", 7, b"No space left on device"),
        ("$L list 2>/dev/full >&-", 7, b""),
        ("$L run no_such 2>/dev/full", 4, b""),
        ("$L run no_such 2>&-", 4, b""),
        ("$L list | true; exit ${PIPESTATUS[0]}", 3, b"its reader has closed it"),
        (f"$L gate {EXAMPLE} >/dev/full", 0, b"the gate's decision is PASS"),
        (f"$L gate {EXAMPLE} >&-", 0, b"the gate's decision is PASS"),
        (f"$L gate {EXAMPLE} | true; exit ${{PIPESTATUS[0]}}", 0, b"the gate's decision is PASS"),
        ("$L run no_fault --input <(echo one)", 4, b"the input is not a regular file"),
        ("$L plan no_fault --input /dev/null", 4, b"the input is not a regular file"),
        (
            "mkdir gone && cd gone && rmdir ../gone && $L plan no_fault",
            7,
            b"the current folder cannot be used",
        ),
        ("mkdir gone && cd gone && rmdir ../gone && $L --version", 0, b""),
    ],
)
def test_a_clear_word_and_the_right_exit_code_never_a_traceback(tmp_path, script, code, said):
    done = call(script, tmp_path)

    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert b"Traceback" not in done.stderr
    assert b"defect of logquake" not in done.stderr


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "utf-8"])
def test_any_encoding_takes_the_output(tmp_path, encoding):
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "odd.yaml").write_text(
        "version: 1\nname: odd\ntitle: Größe → ☃ …\nhypothesis: x\nproducers: 1\nsending_seconds: 5\n"
        "schedule: {kind: steady, rate_per_second: 50}\nchecks: [corrupted]\n",
        encoding="utf-8",
    )

    done = call("$L list scenarios", tmp_path, PYTHONIOENCODING=encoding, PYTHONUTF8="0", LC_ALL="C")

    assert done.returncode == 0, done.stderr
    # In the C locale click writes UTF-8, as Python itself does there (PEP 540).
    wanted = "Größe -> \\u2603 ...".encode("latin-1") if encoding == "latin-1" else "Größe → ☃ …".encode()
    assert wanted in done.stdout


def test_a_home_that_cannot_be_written_is_named_before_anything_starts(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file" / "state"))

    lacking = [check for check in preflight("embedded", tmp_path) if check.remedy]

    assert [check.name for check in lacking] == [f"undo journal in {tmp_path}/file/state/logquake/undo"]
    assert "set XDG_STATE_HOME" in lacking[0].remedy
    done = call(
        "$L doctor; $L run no_fault --out r", tmp_path, XDG_STATE_HOME=str(tmp_path / "file" / "state")
    )
    assert done.returncode == 7
    assert b"undo journal" in done.stdout
    assert b"undo journal" in done.stderr
