from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.errors import InternalError, ScenarioError
from harness.model.protocols import Status, Verdict
from harness.model.result import Band, GateDecision, Result, SecondOfRun
from harness.reporting.atomic_file import write_report
from harness.reporting.result_json import SCHEMA_VERSION, ResultJson, read_result
from tests.unit.harness.reporting.example_result import EXAMPLES, NASTY, passing_result, vetoed_result


@pytest.mark.parametrize("build", EXAMPLES.values(), ids=EXAMPLES)
def test_what_was_written_is_read_back_equal(tmp_path: Path, build: Callable[[], Result]) -> None:
    result = build()

    assert read_result(write_report(ResultJson(), result, tmp_path)) == result


TEXT = st.text(st.characters(exclude_categories=()), max_size=20)
TEXTS = st.lists(TEXT, max_size=3).map(tuple)
FLOAT = st.floats(allow_nan=False)
MAYBE_FLOAT = st.none() | FLOAT
COUNT = st.integers(0, 2**70)
SCALAR = TEXT | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VERDICTS = st.lists(
    st.builds(
        Verdict,
        TEXT,
        TEXT,
        st.sampled_from(Status),
        TEXT,
        MAYBE_FLOAT,
        TEXT,
        MAYBE_FLOAT,
        TEXTS,
        TEXTS,
        TEXTS,
    ),
    max_size=2,
).map(tuple)
SERIES = st.lists(
    st.builds(
        SecondOfRun,
        *[COUNT] * 4,
        *[MAYBE_FLOAT] * 3,
        *[st.none() | COUNT] * 2,
    ),
    max_size=3,
).map(tuple)
BANDS = st.lists(st.builds(Band, FLOAT, FLOAT, TEXT, TEXT, st.booleans(), TEXT), max_size=2).map(tuple)


@given(
    verdicts=VERDICTS,
    series=SERIES,
    bands=BANDS,
    arguments=st.dictionaries(TEXT, SCALAR, max_size=3),
    word=TEXT,
)
def test_any_text_and_any_number_survive_the_way_there_and_back(
    tmp_path_factory: pytest.TempPathFactory,
    verdicts: tuple[Verdict, ...],
    series: tuple[SecondOfRun, ...],
    bands: tuple[Band, ...],
    arguments: dict[str, str | int | float | bool],
    word: str,
) -> None:
    base = passing_result()
    one = base.scenarios[0]
    scenario = replace(one.scenario, schedule=replace(one.scenario.schedule, arguments=arguments), why=word)
    changed = replace(one, scenario=scenario, verdicts=verdicts, series=series, bands=bands)
    result = replace(
        base, scenarios=(changed,), surroundings={word: word}, gate=GateDecision(Status.FAIL, (word,))
    )

    assert read_result(write_report(ResultJson(), result, tmp_path_factory.mktemp("result"))) == result


def test_the_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    path = write_report(ResultJson(), passing_result(), tmp_path)

    assert path == tmp_path / "result.json"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_result_that_cannot_be_written_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = write_report(ResultJson(), passing_result(), tmp_path)
    before = path.read_bytes()
    foreign = replace(passing_result(), surroundings={"cores": object()})  # type: ignore[dict-item]

    with pytest.raises(InternalError, match=r"result\.surroundings\.cores is a object"):
        write_report(ResultJson(), foreign, tmp_path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_failing_rename_leaves_no_temporary_file(tmp_path: Path) -> None:
    (tmp_path / "result.json").mkdir()

    with pytest.raises(OSError, match=r"result\.json"):
        write_report(ResultJson(), passing_result(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]


Change = Callable[[dict[str, Any]], object]


def damaged(tmp_path: Path, change: Change) -> Path:
    path = write_report(ResultJson(), vetoed_result(), tmp_path)
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (
            lambda d: d["scenarios"][0].update(status="GREEN"),
            r"scenarios\[0\]\.status: expected one of PASS,",
        ),
        (lambda d: d["scenarios"][1].pop("tally"), r'scenarios\[1\]: "tally" is missing'),
        (lambda d: d["score"].update(low="98"), r'score\.low: expected a number, found "98"'),
        (lambda d: d["score"].update(low=True), r"score\.low: expected a number, found true"),
        (lambda d: d["score"].update(low=10**400), r"score\.low: expected a number"),
        (lambda d: d.update(seed=4.5), r"seed: expected a whole number, found 4\.5"),
        (lambda d: d.update(surprise=1), r'result: unknown key "surprise"'),
        (lambda d: d.update(scenarios={}), r"scenarios: expected a list, found \{\}"),
        (lambda d: d.update(score=[]), r"score: expected an object, found \[\]"),
        (lambda d: d.update(surroundings={"cores": 2}), r"surroundings\.cores: expected a text, found 2"),
        (
            lambda d: d["score"]["dimensions"][0]["objectives"][0].pop("low"),
            r'score\.dimensions\[0\]\.objectives\[0\]: "low" is missing',
        ),
        (
            lambda d: d["scenarios"][0]["series"][3].update(stored="9"),
            r'scenarios\[0\]\.series\[3\]\.stored: expected a whole number or null, found "9"',
        ),
    ],
)
def test_a_changed_file_is_refused_with_the_place_and_a_remedy(
    tmp_path: Path, change: Change, where: str
) -> None:
    path = damaged(tmp_path, change)

    with pytest.raises(ScenarioError, match=f"result\\.json: {where}.*restore it, or run the suite again"):
        read_result(path)


def test_a_file_cut_short_is_named_as_damaged(tmp_path: Path) -> None:
    path = write_report(ResultJson(), passing_result(), tmp_path)
    path.write_bytes(path.read_bytes()[:-900])

    with pytest.raises(ScenarioError, match=r"not whole JSON: .* line \d+ .*restore it"):
        read_result(path)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"[" * 100_000, b'{"schema_version": NaN}', b""])
def test_what_is_no_json_is_named_as_damaged(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "result.json"
    path.write_bytes(content)

    with pytest.raises(ScenarioError, match="not whole JSON"):
        read_result(path)


@pytest.mark.parametrize("content", ["{}", "[1]", '"text"', '{"results": []}'])
def test_a_foreign_file_is_named_as_foreign(tmp_path: Path, content: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(content)

    with pytest.raises(ScenarioError, match=r'no "schema_version".*Name the result\.json'):
        read_result(path)


def test_a_newer_schema_is_refused_with_the_remedy_to_upgrade(tmp_path: Path) -> None:
    path = damaged(
        tmp_path, lambda document: document.update(schema_version=SCHEMA_VERSION + 1, later="thing")
    )

    said = rf"schema_version is {SCHEMA_VERSION + 1}, .* reads {SCHEMA_VERSION}\. Upgrade logquake"
    with pytest.raises(ScenarioError, match=said):
        read_result(path)


@pytest.mark.parametrize("version", [0, "1", None])
def test_any_other_schema_is_refused(tmp_path: Path, version: object) -> None:
    path = damaged(tmp_path, lambda document: document.update(schema_version=version))

    with pytest.raises(ScenarioError, match="Run the suite again with this logquake"):
        read_result(path)


def test_a_missing_file_and_a_folder_are_refused_with_a_remedy(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing.json", tmp_path):
        with pytest.raises(ScenarioError, match=r"cannot be read: .*Name the result\.json"):
            read_result(path)


def test_nasty_text_is_kept_exactly(tmp_path: Path) -> None:
    path = write_report(ResultJson(), vetoed_result(), tmp_path)

    assert path.read_text(encoding="ascii")
    assert read_result(path).scenarios[0].verdicts[0].counterexample[-1] == NASTY
