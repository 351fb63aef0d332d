"""Numbers on the command line that no run could be made of are refused before anything starts."""

import pytest
from click.testing import CliRunner

from harness.cli.baseline import baseline
from harness.cli.load import load
from harness.cli.run import run


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "0", "1e999"])
@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        (load, ("--headless", "--rate")),
        (load, ("--headless", "--seconds")),
        (load, ("--ui", "--seconds")),
        (load, ("--headless", "--max-minutes")),
        (run, ("no_fault", "--max-minutes")),
        (run, ("no_fault", "--history-mib-max")),
        (baseline, ("record", "--max-minutes")),
    ],
)
def test_what_is_no_finite_number_above_zero_is_refused(command, arguments, number):
    refused = CliRunner().invoke(command, [*arguments, number])

    assert refused.exit_code == 2
    assert f"Invalid value for '{arguments[-1]}'" in refused.output


@pytest.mark.parametrize(("option", "number"), [("--rate", "20000.5"), ("--seconds", "3601")])
def test_load_is_bounded_as_in_a_scenario_file(option, number):
    refused = CliRunner().invoke(load, ["--headless", option, number])

    assert refused.exit_code == 2
    assert f"Invalid value for '{option}'" in refused.output
