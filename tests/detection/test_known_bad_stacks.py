"""Each known-bad stack is run for real and caught by the check meant for it; the honest twin passes."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness.deployments.clock_library import clock_library
from harness.model.errors import FaultError, UnavailableError
from harness.model.protocols import Status
from harness.selftest import bugs
from harness.selftest.cases import CASES, CORRUPTED
from harness.selftest.examination import OutcomeFile, examine
from harness.selftest.stacks import Case
from harness.targets.small_disk import mount, unmount

LOGQUAKE = str(Path(sys.executable).parent / "logquake")

PROOF_ONLY = frozenset(
    {
        "acknowledges-what-it-cannot-keep",
        "alerts-on-nothing",
        "alerts-only-while-the-store-is-up",
        "alerts-twice",
        "answers-before-it-writes",
        "believes-every-200",
        "blames-the-keys",
        "caches-across-namespaces",
        "calls-held-delivered",
        "calls-held-delivered-for-a-moment",
        "counts-by-the-time-of-day",
        "drops-the-old-key-too-early",
        "falls-open-when-refused",
        "finds-late",
        "forgets-at-restart",
        "forgets-whose-it-is",
        "goes-blank",
        "grows-with-each-record",
        "has-no-cooldown",
        "honest-alert",
        "honest-alert-clock-jump",
        "honest-alert-unanswered",
        "honest-dashboard",
        "honest-encrypting",
        "honest-engines",
        "honest-findings",
        "honest-folder-gone",
        "honest-lies",
        "honest-mailing",
        "honest-monitoring",
        "honest-monitoring-spike",
        "honest-served-keys",
        "honest-tenants",
        "honest-tracing",
        "keeps-a-histogram-for-each-message",
        "keeps-a-part",
        "keeps-a-part-of-locusts",
        "knows-ascii-only",
        "leaks-in-its-mail",
        "leaks-into-dead-letters",
        "leaks-through-tracebacks",
        "loses-trace-ids",
        "masks-on-the-callers-thread",
        "names-anew-when-unanswered",
        "never-acts",
        "never-recovers",
        "sees-nothing",
        "shows-everybody",
        "swaps-neighbours-texts",
    }
)
"""What `make prove-selftest` alone runs: nearly all that these show others show within CI's time."""


def require_small_disks(folder):
    try:
        mount(folder, 1)
    except FaultError as error:
        pytest.skip(str(error))
    unmount(folder)


def require_movable_clocks():
    try:
        clock_library()
    except UnavailableError as error:
        pytest.skip(str(error))


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    "case", [case for case in CASES if case.name not in PROOF_ONLY], ids=lambda case: case.name
)
def test_the_self_test_comes_out_as_it_must(case, tmp_path):
    if case.scenario == "disk_full":
        require_small_disks(tmp_path / "disk")
    if case.scenario == "clock_jump":
        require_movable_clocks()
    kept = tmp_path / "outcomes.jsonl"
    command = [LOGQUAKE, "gate", "selftest", case.name, "--resume", str(kept)]
    finished = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=220, check=False)

    (outcome,) = OutcomeFile(kept).read()
    assert outcome.problem == "", finished.stderr[-2000:]
    assert (case.catch in outcome.failed) is bool(case.catch)
    assert finished.returncode == 0


def test_a_stack_that_promises_where_it_cuts_is_warned_of_and_does_not_fail(tmp_path):
    honest = Case(
        "promises-to-cut", "none", f"{bugs.__name__}:CutsLongLines", "no_fault", line_bytes_max=1_500
    )

    outcome, result = examine(honest, tmp_path, lambda: 0, lambda _: None)

    (scenario,) = result.scenarios
    (corrupted,) = [each for each in scenario.verdicts if each.objective == CORRUPTED]
    assert outcome.failed == ()
    assert corrupted.status is Status.WARN
    assert re.search(r"\d+ of \d+ stored copies \(\d+\.\d%\) are truncated at 1,500 bytes", corrupted.summary)
