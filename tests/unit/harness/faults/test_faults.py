"""Each fault on a target that keeps book: what it does, takes back, and takes for proof."""

from __future__ import annotations

from random import Random

import pytest

from harness.faults.bandwidth import Bandwidth
from harness.faults.black_hole import BlackHole
from harness.faults.connection_reset import ConnectionReset
from harness.faults.frozen import Frozen
from harness.faults.killed import Killed
from harness.faults.latency import Latency
from harness.faults.new_error import NewError
from harness.faults.spike import Spike
from harness.model.errors import FaultError, ScenarioError
from harness.model.protocols import Undo
from harness.targets.capabilities import Killable, Pausable, Probe, Severable, Squeezable, Surging


class BookkeepingLink:
    """A Severable that notes its toxics; its probes meet `outcomes`, or are answered after `elapsed_ms`."""

    def __init__(self, *outcomes, elapsed_ms=()):
        self.toxics = {}
        self.outcomes = list(outcomes)
        self.elapsed_ms = list(elapsed_ms)

    def add_toxic(self, name, kind, stream, attributes, toxicity):
        self.toxics[name] = (kind, stream, dict(attributes), toxicity)

    def remove_toxic(self, name):
        del self.toxics[name]

    def undo_toxic(self, name):
        return Undo("remove_toxic", {"toxic": name})

    def probe(self, timeout_seconds=1.0):
        if self.elapsed_ms:
            return Probe("answered", self.elapsed_ms.pop(0))
        return Probe(self.outcomes.pop(0) if self.outcomes else "silent", 1.0)


class BookkeepingProcess:
    """A Killable and Pausable that notes whether it lives and stands."""

    def __init__(self, *, orderly=False, restarts=True):
        self.lives = True
        self.stands = False
        self.orderly = orderly
        self.restarts = restarts

    def kill(self):
        self.lives = False

    def restart(self):
        if not self.restarts:
            raise FaultError("it did not come back")
        self.lives = True

    def alive(self):
        return self.lives

    def stopped_orderly(self):
        return self.orderly

    def describe_state(self):
        return "pid 7 is gone"

    def undo_kill(self):
        return Undo("restart_process", {"process": "store"})

    def pause(self):
        self.stands = True

    def resume(self):
        self.stands = False

    def paused(self):
        return self.stands

    def undo_pause(self):
        return Undo("resume_process", {"mark": "7:4711"})


class Counting:
    """A Surging whose calls come at a rate."""

    def __init__(self, per_second):
        self.per_second = per_second
        self.calls = 100.0

    def sent(self):
        return int(self.calls)

    def wait(self, seconds):
        self.calls += seconds * self.per_second


def test_the_stand_ins_have_the_capabilities():
    assert isinstance(BookkeepingLink(), Severable)
    assert isinstance(BookkeepingProcess(), Killable)
    assert isinstance(BookkeepingProcess(), Pausable)
    assert isinstance(Counting(1), Surging)


@pytest.mark.parametrize(
    ("fault", "toxic"),
    [
        (ConnectionReset(), ("reset_peer", "upstream", {"timeout": 0}, 1.0)),
        (ConnectionReset("downstream", 0.5), ("reset_peer", "downstream", {"timeout": 0}, 0.5)),
        (BlackHole(), ("timeout", "upstream", {"timeout": 0}, 1.0)),
        (BlackHole("downstream"), ("timeout", "downstream", {"timeout": 0}, 1.0)),
        (Latency(300, 50, "downstream"), ("latency", "downstream", {"latency": 300, "jitter": 50}, 1.0)),
    ],
)
def test_a_link_carries_the_toxic_while_the_fault_is_on_and_its_undo_names_it(fault, toxic):
    link = BookkeepingLink()
    undo = fault.undo(link)
    with fault.inject(link, Random(1)):
        during = dict(link.toxics)

    assert during == {undo.arguments["toxic"]: toxic}
    assert link.toxics == {}


@pytest.mark.parametrize("fault", [ConnectionReset(), BlackHole(), Latency()])
def test_a_toxic_goes_even_when_the_run_breaks_in_mid_fault(fault):
    link = BookkeepingLink()
    with pytest.raises(KeyError), fault.inject(link, Random(1)):
        raise KeyError

    assert link.toxics == {}


@pytest.mark.parametrize(
    ("outcomes", "landed"),
    [
        (["reset"] * 5, True),
        (["answered"] * 4 + ["reset"], True),
        (["answered"] * 5, False),
        (["closed"] * 5, False),
    ],
)
def test_a_reset_is_proved_by_a_reset_connection_of_our_own(outcomes, landed):
    seen, proof = ConnectionReset().evidence(BookkeepingLink(*outcomes))

    assert seen is landed
    assert f"{outcomes.count('reset')} of 5" in proof


@pytest.mark.parametrize(("outcome", "landed"), [("silent", True), ("answered", False), ("refused", False)])
def test_a_black_hole_is_proved_by_silence(outcome, landed):
    assert BlackHole().evidence(BookkeepingLink(outcome))[0] is landed


def test_a_killed_process_is_gone_while_the_fault_is_on_and_back_after_it():
    process = BookkeepingProcess()
    with Killed().inject(process, Random(1)):
        assert not process.lives
        assert Killed().evidence(process) == (True, "pid 7 is gone")

    assert process.lives


def test_a_process_that_stopped_in_good_order_was_not_killed():
    process = BookkeepingProcess(orderly=True)
    with Killed().inject(process, Random(1)):
        assert Killed().evidence(process)[0] is False


def test_a_process_that_does_not_come_back_is_an_error():
    with (
        pytest.raises(FaultError, match="did not come back"),
        Killed().inject(BookkeepingProcess(restarts=False), Random(1)),
    ):
        pass


@pytest.mark.parametrize("toxicity", [0, -0.1, 1.1])
def test_a_toxicity_that_is_no_share_is_refused(toxicity):
    with pytest.raises(ScenarioError, match="share of connections"):
        ConnectionReset(toxicity=toxicity)


@pytest.mark.parametrize(
    ("before_ms", "during_ms", "landed"),
    [
        ([2, 1, 3], [252, 260, 300], True),
        ([2, 1, 3], [2, 260, 300], False),
        ([240, 250, 260], [252, 260, 300], False),
        ([400, 400, 400], [660, 700, 700], True),
    ],
    ids=["slower by it", "one came through", "slow already", "slower by it on a slow store"],
)
def test_latency_is_proved_by_round_trips_that_grew_by_what_was_added(before_ms, during_ms, landed):
    fault = Latency(300, 50)
    link = BookkeepingLink(elapsed_ms=[*before_ms, *during_ms])
    with fault.inject(link, Random(1)):
        seen, proof = fault.evidence(link)

    assert seen is landed
    assert f"{min(during_ms):.1f} ms through the link, {min(before_ms):.1f} ms before the fault" in proof


def test_latency_is_not_proved_where_nothing_answered_before():
    fault = Latency(300, 50)
    link = BookkeepingLink()
    with fault.inject(link, Random(1)):
        link.elapsed_ms = [400, 400, 400]
        seen, _ = fault.evidence(link)

    assert seen is False


@pytest.mark.parametrize(
    "arguments", [{"latency_ms": 0}, {"jitter_ms": -1}, {"latency_ms": 50, "jitter_ms": 50}]
)
def test_a_latency_that_could_not_be_told_from_none_is_refused(arguments):
    with pytest.raises(ScenarioError, match="_ms"):
        Latency(**arguments)


def test_a_frozen_process_stands_while_the_fault_is_on_and_goes_on_after_it():
    process = BookkeepingProcess()
    with Frozen().inject(process, Random(1)):
        during = Frozen().evidence(process)

    assert during[0] is True
    assert not process.stands
    assert Frozen().undo(process) == Undo("resume_process", {"mark": "7:4711"})


def test_a_process_that_runs_on_is_not_frozen():
    class RunsOn(BookkeepingProcess):
        def pause(self) -> None:
            """Leaves it running."""

    process = RunsOn()
    with Frozen().inject(process, Random(1)):
        assert Frozen().evidence(process)[0] is False


def test_a_frozen_process_goes_on_even_when_the_run_breaks_in_mid_fault():
    process = BookkeepingProcess()
    with pytest.raises(KeyError), Frozen().inject(process, Random(1)):
        raise KeyError

    assert not process.stands


@pytest.mark.parametrize(("per_second", "landed"), [(2000, True), (1999, False)])
def test_a_spike_is_proved_by_the_rate_of_log_calls(per_second, landed):
    load = Counting(per_second)
    with Spike(2000).inject(load, Random(1)):
        seen, proof = Spike(2000).evidence(load)

    assert seen is landed
    assert f"Observed {per_second:,} calls/s (at least 2,000 required)." == proof


@pytest.mark.parametrize("rate", [0, -1, 20_001])
@pytest.mark.parametrize("planned", [Spike, NewError])
def test_a_rate_no_schedule_has_is_refused(planned, rate):
    with pytest.raises(ScenarioError, match="rate_per_second_min"):
        planned(rate)


@pytest.mark.parametrize(("per_second", "landed"), [(150, True), (149, False)])
def test_new_errors_are_proved_by_the_rate_at_which_the_load_goes_on(per_second, landed):
    load = Counting(per_second)
    with NewError(150).inject(load, Random(1)):
        seen, proof = NewError(150).evidence(load)

    assert seen is landed
    assert f"Observed {per_second:,} calls/s (at least 150 required)." == proof


class NarrowLink(BookkeepingLink):
    """A Squeezable whose pushes take what its bandwidth toxic makes of them."""

    def __init__(self, base_ms=1.0, *, obeys=True):
        super().__init__()
        self.base_ms = base_ms
        self.obeys = obeys

    def push(self, size_bytes, timeout_seconds):
        elapsed_ms = self.base_ms
        for _, _, attributes, _ in self.toxics.values() if self.obeys else ():
            elapsed_ms += size_bytes / attributes["rate"]
        return Probe("answered", elapsed_ms)


@pytest.mark.parametrize(("obeys", "landed"), [(True, True), (False, False)])
def test_a_narrow_link_is_proved_by_a_request_that_takes_as_long_as_its_size_says(obeys, landed):
    fault, link = Bandwidth(20), NarrowLink(obeys=obeys)
    with fault.inject(link, Random(1)):
        during = dict(link.toxics)
        seen, proof = fault.evidence(link)

    assert isinstance(link, Squeezable)
    assert during == {fault.undo(link).arguments["toxic"]: ("bandwidth", "upstream", {"rate": 20}, 1.0)}
    assert link.toxics == {}
    assert seen is landed
    assert "(at least 200 ms at 20 KB/s)" in proof


@pytest.mark.parametrize("rate", [0, 101])
def test_a_bandwidth_that_could_not_be_measured_is_refused(rate):
    with pytest.raises(ScenarioError, match="rate_kb_per_second"):
        Bandwidth(rate)
