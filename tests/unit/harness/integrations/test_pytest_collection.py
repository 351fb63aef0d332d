"""What pytest collects of a user's folder, and what it says of files that have mistakes."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

import harness.integrations.pytest_hooks  # noqa: F401 - loaded before pytester notes which modules are

pytest_plugins = ["pytester"]

STACK = """\
version: 1
name: mine
needs: [elasticsearch]
links: {to_store: elasticsearch}
intake: {kind: python_logging, handler: "logging:NullHandler"}
acknowledged_by: return
archive: {kind: elasticsearch, url: "{elasticsearch.url}", index: "mine-{run.id}"}
"""
SCENARIO = """\
version: 1
name: {name}
title: A link is hurt
hypothesis: Nothing acknowledged is lost.
schedule: {{kind: steady, rate_per_second: 100}}
sending_seconds: 6
steps:
  - {{fault: {fault}, target: {target}, at_seconds: 3, for_seconds: 1}}
"""


def scenario(name: str, fault: str = "latency", target: str = "to_store") -> str:
    return SCENARIO.format(name=name, fault=fault, target=target)


@pytest.fixture
def project(pytester):
    """A project with a stack, two scenarios, and files that are none."""
    (pytester.path / "mine.yaml").write_text(STACK)
    folder = pytester.path / "scenarios"
    (folder / "suites").mkdir(parents=True)
    (folder / "slow_link.yaml").write_text(scenario("slow_link"))
    (folder / "cut_link.yaml").write_text(scenario("cut_link", "connection_reset"))
    suite = "version: 1\nname: both\ntitle: Both\nscenarios: [cut_link, slow_link]\n"
    (folder / "suites" / "both.yaml").write_text(suite)
    (pytester.path / "compose.yaml").write_text("services: {store: {image: none}}\n")
    return pytester


def collected(pytester, *arguments: str) -> list[str]:
    """Return the ids of what is collected."""
    result = pytester.runpytest("--collect-only", "-q", *arguments)
    return [line for line in result.outlines if "::" in line]


BOTH = ["scenarios/cut_link.yaml::cut_link", "scenarios/slow_link.yaml::slow_link"]


@pytest.mark.parametrize(
    "option", [["--stack", "mine.yaml"], ["--stack=mine.yaml"], ["--logquake-stack", "mine.yaml"]]
)
def test_scenario_files_are_tests_once_a_stack_is_named(project, option):
    assert collected(project, *option) == BOTH


def test_without_a_stack_no_file_is_touched(project):
    (project.path / "scenarios" / "broken.yaml").write_text("hypothesis: [")

    result = project.runpytest("--collect-only", "-q")

    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_the_ini_file_names_a_stack_beside_itself(project):
    project.makeini("[pytest]\nlogquake_stack = mine.yaml\n")

    assert collected(project, "scenarios") == BOTH


def test_a_stack_option_of_the_projects_own_stays_its_own(project):
    project.makeconftest("def pytest_addoption(parser):\n    parser.addoption('--stack')\n")
    project.makepyfile(
        test_own="def test_own(pytestconfig): assert pytestconfig.getoption('stack') == 'a.yaml'"
    )

    result = project.runpytest("-q", "--stack", "a.yaml", "test_own.py")

    result.assert_outcomes(passed=1)


@pytest.mark.parametrize(("selected", "found"), [("slow", BOTH[1:]), ("fault_connection_reset", BOTH[:1])])
def test_a_word_selects_by_name_and_by_fault(project, selected, found):
    assert collected(project, "--stack", "mine.yaml", "-k", selected) == found


def test_markers_select_by_fault_and_are_known_to_strict_sessions(project):
    arguments = ("--stack", "mine.yaml", "--strict-markers", "-m", "logquake and fault_latency")

    assert collected(project, *arguments) == BOTH[1:]


def test_of_a_suite_what_the_stack_has_the_targets_for_is_collected(project):
    """As `logquake run` takes `where_possible`."""
    (project.path / "scenarios" / "cut_away.yaml").write_text(
        scenario("cut_away", "connection_reset", "to_kms")
    )
    suite = project.path / "scenarios" / "suites" / "both.yaml"
    suite.write_text(
        "version: 1\nname: both\ntitle: Both\nscenarios: [cut_link]\nwhere_possible: [cut_away, slow_link]\n"
    )

    arguments = ["--stack", "mine.yaml", "scenarios/suites/both.yaml"]
    found = collected(project, *arguments)
    said = project.runpytest("--collect-only", *arguments).outlines

    assert found == ["scenarios/suites/both.yaml::cut_link", "scenarios/suites/both.yaml::slow_link"]
    (told,) = [line for line in said if "left out" in line]
    assert told.startswith("logquake: scenario cut_away is left out: ")
    assert "to_kms" in told


def test_a_suite_is_collected_where_it_is_named(project):
    found = collected(project, "--stack", "mine.yaml", "scenarios/suites/both.yaml")

    assert found == ["scenarios/suites/both.yaml::cut_link", "scenarios/suites/both.yaml::slow_link"]


def test_a_mistake_in_a_scenario_is_a_collection_error_with_its_line_and_remedy(project):
    (project.path / "scenarios" / "typo.yaml").write_text(scenario("typo", "latancy"))
    (project.path / "scenarios" / "torn.yaml").write_text("hypothesis: [\n")

    result = project.runpytest("--stack", "mine.yaml")

    result.stdout.fnmatch_lines_random(
        [
            "*ERROR collecting scenarios/typo.yaml*",
            'scenarios/typo.yaml:8 steps?0?.fault: no fault "latancy". Did you mean "latency"?',
            "scenarios/torn.yaml:* is not valid YAML:*",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    result.assert_outcomes(errors=2)


def test_a_target_that_the_stack_lacks_is_a_collection_error(project):
    (project.path / "scenarios" / "elsewhere.yaml").write_text(scenario("elsewhere", target="to_stor"))

    result = project.runpytest("--stack", "mine.yaml")

    result.stdout.fnmatch_lines(["*stack ?mine? has no target ?to_stor?. Did you mean ?to_store?*"])


def test_a_mistake_in_the_stack_is_told_in_full_once(project):
    (project.path / "mine.yaml").write_text(STACK.replace("acknowledged_by", "acknowledged_bye"))

    result = project.runpytest("--stack", "mine.yaml")

    text = result.stdout.str()
    assert text.count("acknowledged_by: is missing") == 1
    assert text.count("mine.yaml: the stack file cannot be used, as the first scenario file says") == 1


def test_two_scenarios_of_one_name_are_refused(project):
    (project.path / "scenarios" / "more").mkdir()
    (project.path / "scenarios" / "more" / "slow_link.yaml").write_text(scenario("slow_link"))

    result = project.runpytest("--stack", "mine.yaml", "scenarios")

    result.stdout.fnmatch_lines(["*a scenario of the name ?slow_link? is in *slow_link.yaml too.*"])


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--logquake-backend", "embeded", 'no backend "embeded". Did you mean "embedded"?'),
        ("--logquake-inconclusive", "skp", 'no outcome "skp". Did you mean "skip"?'),
        ("--logquake-seed", "-1", '"-1" is no number from 0'),
    ],
)
def test_a_value_that_cannot_be_used_ends_the_session(project, option, value, said):
    result = project.runpytest("--stack", "mine.yaml", f"{option}={value}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{option}: *{said}*"])


def test_a_fixture_without_a_stack_says_how_to_name_one(project):
    project.makepyfile("def test_it(fault): pass")

    result = project.runpytest("-p", "no:randomly")

    result.stdout.fnmatch_lines(["*logquake_stack: no stack is named. Add --logquake-stack NAME|FILE*"])
    result.assert_outcomes(errors=1)


def test_a_session_without_a_stack_imports_nothing_of_the_harness(project):
    """Measured as modules, since a time says how busy the machine is."""
    project.makepyfile(
        test_modules=textwrap.dedent(
            """
            import sys
            def test_it():
                own = {name for name in sys.modules if name.split(".")[0] == "harness"}
                assert own == {"harness", "harness.integrations", "harness.integrations.pytest_plugin"}
                assert not {"pydantic", "yaml", "click", "elasticsearch", "orjson"} & set(sys.modules)
            """
        )
    )

    project.runpytest_subprocess("test_modules.py").assert_outcomes(passed=1)


def test_the_plugin_imports_only_what_pytest_has():
    program = (
        "import sys, pytest, typing, contextlib, collections.abc; before = set(sys.modules); "
        "import harness.integrations.pytest_plugin; print(*sorted(set(sys.modules) - before))"
    )

    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout

    assert loaded.split() == ["harness", "harness.integrations", "harness.integrations.pytest_plugin"]
