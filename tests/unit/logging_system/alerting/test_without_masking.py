"""Where the extra `masking` is not installed, commands that may mask start, and say what they leave out."""

import subprocess
import sys

import pytest

WITHOUT = """
import runpy, sys
sys.modules['re2'] = None
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name='__main__')
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["alerts", "list"], "nobody watches it"),
        (["coordination", "list"], "0 runs"),
        (["alerts", "test"], ""),
    ],
)
def test_a_command_that_may_mask_runs_without_what_masks(tmp_path, command, said):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, "logging_system", *command, "--spool", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )

    assert "Traceback" not in done.stderr
    assert said in done.stdout + done.stderr
