from tests.benchmarks.callers.caller import Load
from tests.benchmarks.callers.compare import plan
from tests.benchmarks.callers.contenders import CONTENDERS
from tests.benchmarks.callers.numbers import CALLS_MAX, caller_of, distinct_lines, first_number


def test_rounds_go_forwards_and_backwards_in_turn():
    runs = plan(["NullHandler", "OpenTelemetry batch"], 2)

    assert [(run.turn, run.name, run.state) for run in runs] == [
        (0, "NullHandler", ""),
        (0, "OpenTelemetry batch", "healthy"),
        (0, "OpenTelemetry batch", "slow"),
        (0, "OpenTelemetry batch", "dead"),
        (1, "OpenTelemetry batch", "dead"),
        (1, "OpenTelemetry batch", "slow"),
        (1, "OpenTelemetry batch", "healthy"),
        (1, "NullHandler", ""),
    ]


def test_those_that_disturb_what_comes_after_them_run_once_and_last():
    seldom = [name for name, contender in CONTENDERS.items() if contender.seldom]
    runs = plan(list(CONTENDERS), 3)

    assert [(run.turn, run.name, run.state) for run in runs[-len(seldom) :]] == [
        (2, name, "dead") for name in seldom
    ]
    assert not {run.name for run in runs[: -len(seldom)]} & set(seldom)


def test_no_two_runs_share_a_number_and_a_caller_stays_within_its_own():
    runs = plan(list(CONTENDERS), 3)

    assert len({run.caller for run in runs}) == len(runs)
    assert min(run.caller for run in runs) >= 1
    assert Load().calls <= CALLS_MAX
    assert caller_of(first_number(7) + Load().calls - 1) == 7


def test_lines_that_are_there_twice_or_in_part_are_not_counted():
    content = b'{"order": 1}\n{"order":2}\n{"order": 1}\n{"order": 3'

    assert distinct_lines(content) == 2


def test_a_file_without_a_whole_line_holds_nothing():
    assert distinct_lines(b'{"order": 3') == 0
