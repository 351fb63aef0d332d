import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.config.scenario import check_targets, load_scenario
from harness.judging.checkers import CHECKERS
from harness.model.declarations import Keys, Part, Permits, Promises, Stack, StackProcess, Step
from harness.model.errors import ScenarioError
from harness.model.protocols import Clock, LoadSpec

HEAD = """\
version: 1
name: outage
title: The store is gone
hypothesis: Nothing acknowledged is lost.
"""
LOAD = """\
schedule: {kind: steady, rate_per_second: 100}
sending_seconds: 20
"""
FAULT = f"fault: {__name__}:Unplugged"
WHOLE = f"""{HEAD}{LOAD}steps:
  - {FAULT}
    target: to_store
    at_seconds: 5
    for_seconds: 3
    direction: downstream
"""


KEYS = ("version", "name", "title", "hypothesis", "schedule", "sending_seconds", "steps", "checks", "other")
STEP_KEYS = ("kind", "fault", "target", "at_seconds", "for_seconds", "acknowledged_min", "direction")
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(("killed", "steady")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(STEP_KEYS), inner),
    max_leaves=12,
)


@dataclass(frozen=True)
class Unplugged:
    """A fault of a project's own, named by its dotted path."""

    direction: Literal["upstream", "downstream"] = "upstream"
    share: float = 1.0
    strict: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise ScenarioError(f"share {self.share} is not in (0, 1]")


class Users:
    """A load of a project's own; what the run hands it is no argument of a file."""

    def __init__(self, spec: LoadSpec, folder: Path, history: Path, clock: Clock, users: int = 1) -> None: ...


def write(folder: Path, text: str, name: str = "outage.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def mistakes(folder: Path, text: str, name: str = "outage.yaml") -> list[str]:
    path = write(folder, text, name)
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    return [line.removeprefix(f"{folder}/") for line in str(caught.value).splitlines()]


def step(at_seconds: float, for_seconds: float) -> str:
    return f"  - {{{FAULT}, target: to_store, at_seconds: {at_seconds}, for_seconds: {for_seconds}}}\n"


def test_a_whole_file_becomes_a_scenario(tmp_path):
    scenario = load_scenario(write(tmp_path, WHOLE))

    assert scenario.name == "outage"
    assert scenario.schedule == Part("steady", {"rate_per_second": 100})
    assert scenario.producers == 4
    assert scenario.steps == (
        Step(f"{__name__}:Unplugged", "to_store", 5, 3, {"direction": "downstream"}, 1),
    )
    assert scenario.source == f"{tmp_path}/outage.yaml"


def test_all_checks_apply_where_none_are_named(tmp_path):
    assert load_scenario(write(tmp_path, HEAD + LOAD)).checks == tuple(map(Part, CHECKERS.kinds))


def test_the_load_is_hosted_unless_the_scenario_names_another_kind(tmp_path):
    other = HEAD + LOAD + f"load: {{kind: '{__name__}:Users', users: 7}}\n"

    assert load_scenario(write(tmp_path, HEAD + LOAD)).load == Part("hosted")
    assert load_scenario(write(tmp_path, other)).load == Part(f"{__name__}:Users", {"users": 7})


@pytest.mark.parametrize(
    ("load", "said"),
    [
        ("{kind: hostd}", 'load.kind: no load "hostd". Did you mean "hosted"?'),
        ("{kind: hosted, users: 7}", 'load.users: load "hosted" has no argument "users". Known: kind.'),
        (f"{{kind: '{__name__}:Users', users: x}}", 'load.users: must be a whole number, not "x".'),
        ("hosted", 'load: must be a mapping of keys to values, not "hosted".'),
    ],
)
def test_a_load_is_judged_like_every_part(tmp_path, load, said):
    assert mistakes(tmp_path, f"{HEAD}{LOAD}load: {load}\n") == [f"outage.yaml:7 {said}"]


def test_a_scenario_runs_alone_unless_it_says_otherwise(tmp_path):
    assert load_scenario(write(tmp_path, HEAD + LOAD)).exclusive
    assert not load_scenario(write(tmp_path, f"{HEAD}{LOAD}exclusive: false\n")).exclusive


def test_what_neighbours_would_feel_or_change_is_a_mistake_beside_them(tmp_path):
    text = WHOLE.replace("target: to_store", "target: load")

    assert mistakes(tmp_path, f"{text}exclusive: false\nchecks: [acknowledged_lost, response_p99_ms]\n") == [
        'outage.yaml:9 steps[0].target: "load" is felt by the scenarios beside this one. Remove "exclusive: '
        'false", or this.',
        'outage.yaml:14 checks[1]: "response_p99_ms" measures what scenarios beside this one change. Remove '
        '"exclusive: false", or this.',
    ]


def test_all_mistakes_of_a_file_come_at_once(tmp_path):
    text = (
        HEAD.replace("hypothesis", "hypotesis")
        + "schedule: {kind: stedy}\n"
        + "sending_seconds: yes\nproducers: 0\nchecks: [fresh_record_seconds, acknowledged_los]\n"
        + "steps:\n  - fault: black_whole\n    target: to_store\n    at_seconds: 1\n    for_seconds: 2\n"
    )

    assert mistakes(tmp_path, text) == [
        "outage.yaml:1 hypothesis: is missing. Add one sentence that says what you expect to hold.",
        'outage.yaml:4 hypotesis: no key "hypotesis". Did you mean "hypothesis"?',
        'outage.yaml:5 schedule.kind: no schedule "stedy". Did you mean "steady"?',
        'outage.yaml:6 sending_seconds: must be a number, not "yes".',
        "outage.yaml:7 producers: must be at least 1, not 0.",
        'outage.yaml:8 checks[1]: no check "acknowledged_los". Did you mean "acknowledged_lost"?',
        'outage.yaml:10 steps[0].fault: no fault "black_whole". Did you mean "black_hole"?',
        "outage.yaml:12 steps[0].at_seconds: must be at least 2, not 1: the steady state before a fault is "
        "what it is judged against.",
    ]


def test_duplicate_keys_come_with_the_other_mistakes(tmp_path):
    assert mistakes(tmp_path, f"{HEAD}{LOAD}name: other\nproducers: 1.5\n") == [
        'outage.yaml:7 name: the key "name" stands here again, first in line 2. Remove one.',
        "outage.yaml:8 producers: must be a whole number, not 1.5.",
    ]


def test_the_name_is_the_files_name(tmp_path):
    assert mistakes(tmp_path, HEAD + LOAD, "outtage.yaml") == [
        'outtage.yaml:2 name: must be "outtage" as the file is called, not "outage". Change one of them.'
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("version: 1", "version: 2", "outage.yaml:1 version: must be 1, the only version there is, not 2."),
        ("version: 1", "version: true", "outage.yaml:1 version: must be a whole number, not true."),
        (
            "sending_seconds: 20",
            "sending_seconds: .inf",
            "outage.yaml:6 sending_seconds: must be a finite number",
        ),
        (
            "sending_seconds: 20",
            "sending_seconds: .nan",
            "outage.yaml:6 sending_seconds: must be a finite number",
        ),
        (
            "sending_seconds: 20",
            "sending_seconds: 3601",
            "outage.yaml:6 sending_seconds: must be at most 3600",
        ),
        ("sending_seconds: 20", "sending_seconds: 0", "outage.yaml:6 sending_seconds: must be more than 0"),
        ("rate_per_second: 100", "rate_per_second: 20001", "schedule.rate_per_second: must be at most 20000"),
        ("rate_per_second: 100", "rate_per_second: 0", "schedule.rate_per_second: must be more than 0"),
        (
            "rate_per_second: 100",
            "rate: 100",
            'schedule "steady" has no argument "rate". Known: kind, rate_per_second.',
        ),
        (
            "rate_per_second: 100",
            "rate_per_second: [1]",
            "schedule.rate_per_second: must be a number, not a list.",
        ),
        (
            "title: The store is gone",
            "title: 5",
            "outage.yaml:3 title: must be text, not 5. Put it in quotes.",
        ),
        ("title: The store is gone", "title: ''", "outage.yaml:3 title: must not be empty."),
        ("title: The store is gone", "title:", "outage.yaml:3 title: must be text, not empty."),
        (
            "schedule: {kind: steady, rate_per_second: 100}",
            "schedule: steady",
            "schedule: must be a mapping of keys",
        ),
    ],
)
def test_each_value_is_bounded_and_typed(tmp_path, old, new, expected):
    found = mistakes(tmp_path, (HEAD + LOAD).replace(old, new))

    assert len(found) == 1
    assert expected in found[0]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("direction: downsteam", '.direction: no value "downsteam". Did you mean "downstream"?'),
        (
            "dirction: upstream",
            '.dirction: fault "test_scenario_file:Unplugged" has no argument "dirction". Did you',
        ),
        ("share: high", '.share: must be a number, not "high".'),
        ("share: 2", ": share 2 is not in (0, 1]"),
        ("strict: yes", '.strict: must be true or false, not "yes".'),
        ("share: {a: 1}", ".share: must be a number, not a mapping."),
        ("acknowledged_min: -1", ".acknowledged_min: must be at least 0, not -1."),
    ],
)
def test_a_faults_arguments_are_judged_by_its_class(tmp_path, line, expected):
    found = mistakes(tmp_path, WHOLE.replace("direction: downstream", line))

    assert len(found) == 1
    assert expected in found[0].replace(f"{__name__}:", "test_scenario_file:")


def test_a_plug_in_that_cannot_be_imported_says_where_it_is_named(tmp_path):
    found = mistakes(tmp_path, WHOLE.replace(f"{__name__}:Unplugged", "no_such_plugin:Fault"))

    assert len(found) == 1
    assert found[0].startswith('outage.yaml:8 steps[0].fault: cannot import "no_such_plugin:Fault"')


def test_a_dotted_path_to_something_that_is_no_class_says_so(tmp_path):
    found = mistakes(tmp_path, WHOLE.replace(":Unplugged", ":HEAD"))

    assert len(found) == 1
    assert "is no class whose arguments can be read" in found[0]


def test_steps_may_touch_and_may_not_overlap(tmp_path):
    touching = f"{HEAD}{LOAD}steps:\n{step(5, 3)}{step(8, 3)}"
    overlapping = f"{HEAD}{LOAD}steps:\n{step(5, 3)}{step(7, 3)}"

    assert len(load_scenario(write(tmp_path, touching)).steps) == 2
    assert mistakes(tmp_path, overlapping) == [
        "outage.yaml:9 steps[1].at_seconds: begins at 7 s, while a step is on that ends at 8 s. "
        "Begin it then, or let it end by then."
    ]


def test_a_step_may_lie_within_another_one(tmp_path):
    other = step(6, 2).replace("target: to_store", "target: elasticsearch")
    within = f"{HEAD}{LOAD}steps:\n{step(5, 3)}{other}{step(8, 3)}"
    same = f"{HEAD}{LOAD}steps:\n{step(5, 3)}{step(6, 1)}"

    assert len(load_scenario(write(tmp_path, within)).steps) == 3
    assert mistakes(tmp_path, same) == [
        "outage.yaml:9 steps[1].at_seconds: begins while the same fault is on the same target. "
        "Leave one of them out."
    ]


def test_steps_come_in_the_order_of_time(tmp_path):
    assert mistakes(tmp_path, f"{HEAD}{LOAD}steps:\n{step(8, 3)}{step(5, 3)}") == [
        "outage.yaml:9 steps[1].at_seconds: begins at 5 s, before the previous step begins at 8 s. "
        "Order the steps by time."
    ]


def test_what_a_step_may_destroy_is_read(tmp_path):
    permitting = WHOLE + "    permits: {destroyed: 2}\n"

    assert load_scenario(write(tmp_path, permitting)).steps[0].permits == Permits(destroyed=2)
    assert load_scenario(write(tmp_path, WHOLE)).steps[0].permits == Permits(destroyed=0)
    assert mistakes(tmp_path, permitting.replace("destroyed", "destroyd")) == [
        "outage.yaml:13 steps[0].permits.destroyed: is missing. "
        "Say in how many places the step may destroy something of the stack for good.",
        'outage.yaml:13 steps[0].permits.destroyd: no key "destroyd". Did you mean "destroyed"?',
    ]


def test_a_step_ends_before_sending_does(tmp_path):
    assert mistakes(tmp_path, f"{HEAD}{LOAD}steps:\n{step(5, 15)}") == [
        "outage.yaml:8 steps[0].for_seconds: the step ends at 20 s, but sending ends at 20 s. "
        "Raise sending_seconds, or end the step earlier."
    ]


def test_a_check_named_twice_is_refused(tmp_path):
    assert mistakes(tmp_path, f"{HEAD}{LOAD}checks: [fresh_record_seconds, fresh_record_seconds]\n") == [
        'outage.yaml:7 checks[1]: "fresh_record_seconds" stands here twice. Remove one.'
    ]


def test_an_empty_list_of_checks_is_refused(tmp_path):
    assert mistakes(tmp_path, f"{HEAD}{LOAD}checks: []\n") == [
        "outage.yaml:7 checks: must hold at least 1, not 0."
    ]


@pytest.mark.parametrize("steps", ["killed", "[killed]", "[[1]]", "[{fault: [1]}]", "{a: 1}", "[null]"])
def test_steps_of_a_wrong_shape_are_mistakes_and_no_traceback(tmp_path, steps):
    assert mistakes(tmp_path, f"{HEAD}{LOAD}steps: {steps}\n")


@settings(deadline=None)  # the first example imports the families
@given(st.dictionaries(st.sampled_from(KEYS), VALUES))
def test_whatever_the_values_are_the_answer_is_a_scenario_or_its_mistakes(tmp_path_factory, values):
    """A file of known keys with any values at all gives a Scenario or a ScenarioError, never a traceback."""
    path = tmp_path_factory.mktemp("any") / "outage.yaml"
    path.write_text(json.dumps({"version": 1, "name": "outage", **values}), encoding="utf-8")
    try:
        outcome = load_scenario(path).source
    except ScenarioError as error:
        outcome = str(error)

    assert outcome.startswith(str(path))


STACK = Stack(
    name="mine",
    needs=("elasticsearch",),
    links={"to_store": "elasticsearch"},
    processes=(StackProcess("shipper", ("ship",)),),
    intake=Part("python_logging"),
    acknowledged_by="return",
    archive=Part("elasticsearch"),
    promises=Promises(),
)


@pytest.mark.parametrize("target", ["to_store", "elasticsearch", "shipper", "application", "load", "clock"])
def test_links_services_processes_the_application_the_load_and_the_clock_are_targets(tmp_path, target):
    path = write(tmp_path, WHOLE.replace("target: to_store", f"target: {target}"))

    assert check_targets(load_scenario(path), STACK) == []


def test_the_elected_master_is_a_target_where_the_store_has_several_nodes(tmp_path):
    scenario = load_scenario(write(tmp_path, WHOLE.replace("target: to_store", "target: elected_master")))
    beside = load_scenario(
        write(tmp_path, f"{WHOLE}exclusive: false\n".replace("target: to_store", "target: elected_master"))
    )
    cluster = replace(STACK, needs=("elasticsearch", "elasticsearch_2"))

    assert check_targets(scenario, cluster) == []
    assert "no target" in check_targets(scenario, STACK)[0]
    assert "use too" in check_targets(beside, cluster)[0]


def test_an_unknown_target_names_its_line_and_the_nearest_target(tmp_path):
    path = write(tmp_path, WHOLE.replace("target: to_store", "target: elastcsearch"))

    assert check_targets(load_scenario(path), STACK) == [
        f'{path}:9 steps[0].target: stack "mine" has no target "elastcsearch". Did you mean "elasticsearch"?'
    ]


@pytest.mark.parametrize("target", ["to_store", "shipper", "application", "clock"])
def test_what_is_a_scenarios_own_may_be_hurt_beside_others(tmp_path, target):
    text = f"{WHOLE}exclusive: false\n".replace("target: to_store", f"target: {target}")

    assert check_targets(load_scenario(write(tmp_path, text)), STACK) == []


def test_a_service_is_not_hurt_while_others_use_it(tmp_path):
    text = f"{WHOLE}exclusive: false\n".replace("target: to_store", "target: elasticsearch")
    path = write(tmp_path, text)

    assert check_targets(load_scenario(path), STACK) == [
        f'{path}:9 steps[0].target: "elasticsearch" is a service that the scenarios beside this one use too. '
        'Remove "exclusive: false", or this.'
    ]


@pytest.mark.parametrize(
    ("target", "fault", "said"),
    [
        ("keys", "key_revoked", 'cannot revoke its keys: "keys.revoke" names no command'),
        ("key_provider", "key_lost", 'cannot lose its keys: "keys.provider" names no files'),
    ],
)
def test_what_cannot_be_done_to_the_keys_of_a_stack_is_told_before_the_run(tmp_path, target, fault, said):
    written = load_scenario(write(tmp_path, WHOLE))
    scenario = replace(written, steps=(replace(written.steps[0], target=target, fault=fault),))
    served = replace(STACK, keys=Keys(("rotate",), ("status",), provider_link="to_store"))
    whole = replace(STACK, keys=Keys(("rotate",), ("status",), revoke=("x",), provider=("{run.folder}/k",)))

    assert check_targets(scenario, whole) == []
    assert check_targets(scenario, served) == [f'{scenario.source}:9 steps[0].target: stack "mine" {said}']


def test_keys_without_which_nothing_can_be_read_cannot_be_lost_but_be_out_of_reach(tmp_path):
    written = load_scenario(write(tmp_path, WHOLE))
    step = replace(written.steps[0], target="key_provider", fault="key_lost")
    inside = replace(
        STACK, keys=Keys(("rotate",), ("status",), provider=("{run.folder}/tokens/*",), losable=False)
    )

    assert check_targets(replace(written, steps=(step,)), inside) == [
        f'{written.source}:9 steps[0].target: stack "mine" cannot lose its keys: "keys.losable" is false'
    ]
    assert check_targets(replace(written, steps=(replace(step, fault="kms_unavailable"),)), inside) == []


def test_a_key_server_is_not_hurt_while_others_use_it(tmp_path):
    text = f"{WHOLE}exclusive: false\n".replace("target: to_store", "target: key_server")
    served = replace(STACK, keys=Keys(("rotate",), ("status",), provider_link="to_store"))

    assert '"key_server" is a service that' in check_targets(load_scenario(write(tmp_path, text)), served)[0]


def test_a_scenario_without_a_file_is_checked_as_well(tmp_path):
    scenario = replace(load_scenario(write(tmp_path, WHOLE.replace("to_store", "to_stor"))), source="")

    assert check_targets(scenario, STACK) == [
        'outage:1 steps[0].target: stack "mine" has no target "to_stor". Did you mean "to_store"?'
    ]
