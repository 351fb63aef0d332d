"""What a process that sends does with records: which are its own, which share a call, what is noted."""

import time
from dataclasses import dataclass, field, replace

import pytest

from harness.load.assignment import Assignment
from harness.load.locust.sending import NAME, Users, send
from harness.load.sender import Sender
from harness.model.errors import StackError, UsageError

RUN = "sender-01"


@dataclass
class Intake:
    """Takes records, up to three in a call; refuses a call that holds one of these."""

    refused: frozenset[int] = frozenset()
    calls: list[list[int]] = field(default_factory=list)
    records_per_request: int = 3

    def open(self, acknowledge): ...

    def send(self, record): ...

    def send_together(self, records):
        self.calls.append([record.sequence for record in records])
        if self.refused & set(self.calls[-1]):
            raise StackError("no")

    def close(self): ...


def make_assignment(folder, records=12, producers=4, workers=2):
    assignment = Assignment(
        run_id=RUN,
        seed=1,
        scheduled=records,
        probes=4,
        waves=2,
        probe_interval_ns=1_000,
        producers=producers,
        schedule_path=str(folder / "schedule.bin"),
        slots_path=str(folder / "load.slots"),
        input_path="",
        acknowledged_by="http_2xx",
        intake_kind="http",
        intake_arguments={},
        workers=workers,
    )
    assignment.create_slots()
    assignment.write(folder / "load.json", [n * 1_000 for n in range(records)])
    return assignment


def test_where_the_schedule_says_levels_records_have_them_and_probes_are_info(tmp_path):
    assignment = replace(make_assignment(tmp_path, records=4), levels="IECD")
    lines = assignment.lines()

    levels = [assignment.record(sequence, lines).level for sequence in range(6)]

    assert levels == ["INFO", "ERROR", "CRITICAL", "DEBUG", "INFO", "INFO"]


def mine(assignment, worker):
    return lambda producer: assignment.worker(producer) == worker


def test_each_record_is_that_of_one_worker_which_has_neighbouring_producers(tmp_path):
    assignment = make_assignment(tmp_path)

    workers = [assignment.worker(assignment.producer(sequence)) for sequence in range(assignment.records)]

    assert workers == [1, 1, 2, 2] * 5


def test_workers_note_in_files_of_their_own_and_are_read_as_one(tmp_path):
    assignment = make_assignment(tmp_path)
    for worker in (1, 2):
        sender = Sender(assignment, Intake(refused=frozenset({7})), assignment.slots_of(worker))
        for share in sender.scheduled(time.monotonic_ns(), mine(assignment, worker)).values():
            while records := sender.due(share):
                sender.call(records)
    slots = assignment.slots()

    refused = {3, 7, 11}  # they were late, and so shared the call
    assert slots.entered() == 12
    assert sorted(slots.answered(range(12))) == [n for n in range(12) if n not in refused]
    assert {n for n in range(12) if slots.read(n).outcome == 2} == refused


def test_a_worker_that_is_started_again_makes_no_call_twice(tmp_path):
    assignment = make_assignment(tmp_path, workers=1)
    before = Sender(assignment, Intake(), assignment.slots_of(1))
    began_ns = time.monotonic_ns() - 1_000_000_000
    before.call(before.due(before.scheduled(began_ns)[2]))

    intake = Intake()
    again = Sender(assignment, intake, assignment.slots_of(1))
    shares = again.scheduled(began_ns)
    for share in shares.values():
        while records := again.due(share):
            again.call(records)

    assert 2 not in shares  # its three records went together
    assert sorted(n for call in intake.calls for n in call) == [0, 1, 3, 4, 5, 7, 8, 9, 11]


class StopUserError(Exception):
    pass


@dataclass
class Environment:
    """Takes what Locust's request event takes."""

    fired: list[dict] = field(default_factory=list)

    @property
    def events(self):
        return self

    @property
    def request(self):
        return self

    def fire(self, **request):
        self.fired.append(request)


class User:
    def __init__(self, environment):
        self.environment = environment

    def context(self):
        return {}


def make_users(folder, intake):
    assignment = make_assignment(folder)
    users = Users(Sender(assignment, intake, assignment.slots_of(1)), mine(assignment, 1), StopUserError)
    users.begin(time.monotonic_ns())
    return users


def test_each_user_has_the_records_of_one_producer_and_ends_when_they_are_sent(tmp_path):
    intake, environment = Intake(), Environment()
    users = make_users(tmp_path, intake)
    one, other, without = (User(environment) for _ in range(3))
    time.sleep(0.01)

    users.send(one)
    users.send(other)
    for user in (one, other, without):
        with pytest.raises(StopUserError):
            users.send(user)

    assert intake.calls == [[0, 4, 8], [1, 5, 9]]
    assert [(each["name"], each["exception"]) for each in environment.fired] == [(NAME, None)] * 2


def test_locust_is_told_of_a_refusal_as_a_failure(tmp_path):
    environment = Environment()
    users = make_users(tmp_path, Intake(refused=frozenset({0})))

    users.send(User(environment))

    assert isinstance(environment.fired[0]["exception"], StackError)


def test_send_outside_a_run_says_where_it_works():
    with pytest.raises(UsageError, match="in a run of logquake only"):
        send(object())


def test_records_that_share_a_call_are_of_one_tenant(tmp_path):
    tenants = {"red": 2, "blue": 1}
    assignment = replace(make_assignment(tmp_path, records=200, producers=2, workers=1), tenants=tenants)
    intake = Intake(records_per_request=20)
    sender = Sender(assignment, intake, assignment.slots_of(1))

    for share in sender.scheduled(time.monotonic_ns() - 1_000_000_000).values():
        while records := sender.due(share):
            assert len({record.tenant for record in records}) == 1
            assert all({record.tenant, record.other_tenant} == set(tenants) for record in records)
            sender.call(records)

    assert sorted(n for call in intake.calls for n in call) == list(range(200))
    assert max(map(len, intake.calls)) > 1
