from __future__ import annotations

from pathlib import Path

import pytest

from logging_system.coordination.finding_content import content_of, finding_of
from logging_system.coordination.workflows.loading import WorkflowsFileError, load_workflows
from tests.unit.logging_system.coordination.engines import finding

GOOD = """\
workflows:
  - name: quiet
    when: {kinds: [spike]}
    steps:
      - {kind: set_level, logger: a, level: ERROR}
"""


def mistake(tmp_path: Path, text: str) -> str:
    path = tmp_path / "w.yaml"
    path.write_text(text)
    with pytest.raises(WorkflowsFileError) as raised:
        load_workflows(path)
    return str(raised.value).replace(str(path), "")


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    path.write_text(GOOD)

    (workflow,) = load_workflows(path).workflows
    assert workflow.steps[0].kind == "set_level"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (
            "set_level",
            "set_levle",
            ':5 workflows[0].steps[0]: kind: no kind "set_levle"; did you mean "set_level"?',
        ),
        ("logger: a", "loger: a", ':5 workflows[0].steps[0].loger: no such name; did you mean "logger"?'),
        ("level: ERROR", "level: EROR", ':5 workflows[0].steps[0].level: no "EROR"; did you mean "ERROR"?'),
        ("[spike]", "[spyke]", ':3 workflows[0].when.kinds[0]: no "spyke"; did you mean "spike"?'),
        ("when:", "wen:", ':3 workflows[0].wen: no such name; did you mean "when"?'),
        (
            "name: quiet",
            "name: Quiet",
            ":2 workflows[0].name: must begin with a lower case letter and have lower "
            "case letters, digits and `_` only",
        ),
        ("workflows:", "workflow:", ':1 workflow: no such name; did you mean "workflows"?'),
        ("kinds: [spike]", "kinds: [spike", ":6: no YAML: did not find expected ',' or '}'"),
    ],
)
def test_a_mistake_is_told_with_line_place_and_remedy(
    tmp_path: Path, before: str, after: str, expected: str
) -> None:
    told = mistake(tmp_path, GOOD.replace(before, after, 1))

    if "no YAML" in expected:
        assert "no YAML" in told
    else:
        assert expected in told.splitlines()


def test_a_rule_for_a_workflow_that_is_not_there_is_told(tmp_path: Path) -> None:
    told = mistake(tmp_path, GOOD + "automatic: [{workflow: quite}]\n")

    assert 'no workflow "quite"; there are quiet' in told


def test_a_finding_comes_back_from_its_json() -> None:
    assert finding_of(content_of(finding()), "f.json") == finding()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"kind": "spyke"}, 'f.json kind: no "spyke"; did you mean "spike"?'),
        ({"cause": "disc"}, 'f.json cause: no "disc"; did you mean "disk"?'),
        ({"confidence": 2}, "f.json confidence: must be above 0 and at most 1"),
        ({"measures": {"rate": "x"}}, "f.json measures.rate: must be a number"),
        ({"sumary": "x"}, 'f.json sumary: no such name; did you mean "summary"?'),
        ({"summary": None}, "f.json summary: is missing"),
    ],
)
def test_a_finding_that_is_none_is_told(change: dict[str, object], expected: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - the whole text is compared
        finding_of({**content_of(finding()), **change}, "f.json")

    assert str(raised.value) == expected
