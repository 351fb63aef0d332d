"""What `logquake load --ui` runs: one scenario, its steps left to the person who watches."""

import pytest

from harness.cli.load import load
from harness.cli.load_page import interactive_request
from harness.cli.main import exit_code


def asked(*arguments):
    """Return what a command line asks for, as `run_with_page` is told."""
    told = load.make_context("load", ["--ui", *arguments]).params
    own = {"ui", "headless", "users", "workers", "file", "shape", "rate", "seconds"}
    options = {name: value for name, value in told.items() if name not in own and not name.startswith("web_")}
    return {**options, "load_kind": "locust", "load_arguments": {"workers": 1}, "schedule": None}


@pytest.mark.parametrize("flags", [(), ("--ui", "--headless")])
def test_it_is_said_that_one_of_the_two_ways_is_to_be_named(flags, capsys):
    assert exit_code(["load", *flags]) == 4
    assert "--headless runs the plan" in capsys.readouterr().err


def test_more_than_one_scenario_is_refused(capsys):
    assert exit_code(["load", "--ui", "latency", "no_fault", "--stack", "gateway"]) == 4
    assert "--ui runs one scenario, not 2" in capsys.readouterr().err


def test_the_steps_are_left_to_the_person_and_the_load_goes_on_for_so_long():
    request, scenario = interactive_request(asked("latency"), 77.0)

    assert [step.fault for step in scenario.steps] == ["latency"]
    (run,) = request.scenarios
    assert (run.steps, run.sending_seconds, run.load.kind) == ((), 77.0, "locust")
    assert request.repeats_max == 0


def test_a_stack_that_is_a_handler_is_driven_in_an_application_process(capsys):
    request, _ = interactive_request(asked("latency", "--stack", "reference"), 77.0)

    assert request.scenarios[0].load.kind == "hosted"
    assert "driven in an application process instead" in capsys.readouterr().err
