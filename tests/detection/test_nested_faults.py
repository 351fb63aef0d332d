"""A fault within another one takes its time for real, and the other one ends when its file says."""

from __future__ import annotations

import pytest

from harness.model.declarations import Level
from harness.model.protocols import Status
from harness.selftest.examination import examine
from harness.selftest.stacks import Case
from tests.repository import REPOSITORY
from tests.system import handlers


@pytest.mark.alone
def test_an_application_slow_to_close_within_an_outage_does_not_prolong_the_outage(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    late = Case("closes-late", "none", f"{handlers.__name__}:ClosesLate", "stopped", durability=Level.WRITE)

    _, result = examine(late, tmp_path, lambda: 0, lambda _: None)

    (scenario,) = result.scenarios
    outage, stopped = scenario.bands
    assert (outage.fault, stopped.fault) == ("black_hole", "stopped")
    assert outage.to_seconds - outage.from_seconds == pytest.approx(3.6, abs=1.0)
    # Its process closes for five seconds, and longer than the outage lasts.
    assert stopped.to_seconds > outage.to_seconds
    assert stopped.to_seconds - stopped.from_seconds >= 5.0
    assert (outage.landed, stopped.landed) == (True, True)
    assert scenario.status is Status.PASS
