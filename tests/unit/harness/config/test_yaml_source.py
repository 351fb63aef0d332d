from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.config.yaml_source import FILE_BYTES_MAX, VALUES_MAX, Mistake, read_yaml, written
from harness.model.errors import ScenarioError


def read_text(folder: Path, text: str):
    path = folder / "file.yaml"
    path.write_text(text, encoding="utf-8")
    return read_yaml(path)


def read_error(folder: Path, content: str | bytes) -> str:
    path = folder / "file.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ScenarioError) as caught:
        read_yaml(path)
    return str(caught.value)


def test_every_key_and_entry_has_its_line(tmp_path):
    source = read_text(
        tmp_path, "version: 1\nsteps:\n  - fault: killed\n    target: store\n  - fault: reset\n"
    )

    assert source.data == {
        "version": 1,
        "steps": [{"fault": "killed", "target": "store"}, {"fault": "reset"}],
    }
    assert source.line(("steps",)) == 2
    assert source.line(("steps", 0, "target")) == 4
    assert source.line(("steps", 1)) == 5


def test_a_missing_key_is_placed_at_what_holds_it(tmp_path):
    source = read_text(tmp_path, "version: 1\nsteps:\n  - fault: killed\n")

    assert source.line(("steps", 0, "target")) == 3
    assert source.line(("name",)) == 1


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("on", "on"),
        ("true", True),
        ("12:30", "12:30"),
        ("010", "010"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        ("2026-01-31", "2026-01-31"),
        ("-3", -3),
        ("1e3", 1000.0),
        ("1.5", 1.5),
        ("~", None),
        ("", None),
        ('"5"', "5"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_plain_values_mean_what_they_look_like(tmp_path, text, value):
    assert read_text(tmp_path, f"key: {text}\n").data == {"key": value}


def test_keys_are_always_text(tmp_path):
    assert read_text(tmp_path, "on: 1\n5: 2\nnull: 3\n").data == {"on": 1, "5": 2, "null": 3}


def test_a_repeated_key_names_both_lines(tmp_path):
    source = read_text(tmp_path, "a: 1\nb: 2\na: 3\n")

    assert source.data["a"] == 1
    assert [source.describe(mistake) for mistake in source.mistakes] == [
        f'{tmp_path}/file.yaml:3 a: the key "a" stands here again, first in line 1. Remove one.'
    ]


def test_a_key_that_is_a_list_is_a_mistake(tmp_path):
    source = read_text(tmp_path, "a: 1\n? [b, c]\n: 2\n")

    assert [mistake.what for mistake in source.mistakes] == ["line 2: a key must be one word."]


@pytest.mark.parametrize(
    ("content", "line", "what"),
    [
        ("", ":1", "is empty"),
        ("# only a comment\n", ":1", "is empty"),
        ("- a\n- b\n", ":1", "must hold keys and values at the top"),
        ("just text\n", ":1", "must hold keys and values at the top"),
        ("a: 1\nb: [1, 2\nc: 3\n", ":3", "is not valid YAML"),
        ('a: "open\n', ":2", "is not valid YAML"),
        ("a:\n\tb: 1\n", ":2", "is indented by a tab"),
        ("a: 1\n---\nb: 1\n", ":2", "second document"),
        (b"a: 1\nb: \xff\xfe\n", ":2", "is not UTF-8"),
        ("a: 1\nb: \x07\n", ":2", "control character U+0007"),
        ("a: &x [1]\nb: *x\n", ":2", 'uses the alias "*x"'),
        ("a: !!python/object/apply:os.getcwd []\n", ":1", "uses the tag"),
        ("a: !!str 5\n", ":1", "uses the tag"),
        ("a: " + "[" * 5000, ":1", "nested more than"),
        ("a:\n" + "- 1\n" * (VALUES_MAX + 1), "", "values. Split the file."),
        ("#" * (FILE_BYTES_MAX + 1), "", "larger than 1024 KiB"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_clear_sentence(tmp_path, content, line, what):
    message = read_error(tmp_path, content)

    assert message.startswith(f"{tmp_path}/file.yaml{line}")
    assert what in message
    assert "\n" not in message


def test_aliases_cannot_blow_up(tmp_path):
    levels = "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{f'*{chr(97 + n)},' * 9}]\n" for n in range(9))

    assert "alias" in read_error(tmp_path, f"a: &a [lol]\n{levels}")


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(ScenarioError, match=r"gone\.yaml: no such file\. Check the spelling"):
        read_yaml(tmp_path / "gone.yaml")


def test_a_folder_says_so(tmp_path):
    with pytest.raises(ScenarioError, match="is a folder"):
        read_yaml(tmp_path)


def test_something_that_never_ends_is_not_read():
    with pytest.raises(ScenarioError, match="not a regular file"):
        read_yaml(Path("/dev/zero"))


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path):
    path = tmp_path / "file.yaml"
    path.write_bytes(b"\xef\xbb\xbfversion: 1\n")

    assert read_yaml(path).data == {"version": 1}


def test_mistakes_are_listed_by_line_each_once(tmp_path):
    source = read_text(tmp_path, "a: 1\nb: 2\n")
    error = source.error([Mistake(("b",), "second."), Mistake(("a",), "first."), Mistake(("b",), "second.")])

    assert str(error).splitlines() == [
        f"{tmp_path}/file.yaml:1 a: first.",
        f"{tmp_path}/file.yaml:2 b: second.",
    ]


def test_a_flood_of_mistakes_is_cut(tmp_path):
    source = read_text(tmp_path, "a: 1\n")
    error = source.error(Mistake(("a",), f"number {number}.") for number in range(80))

    assert len(str(error).splitlines()) == 51
    assert str(error).endswith("… and 30 more")


def test_key_paths_are_written_as_a_person_writes_them():
    assert written(("steps", 0, "target")) == "steps[0].target"
    assert written(("processes", "a b", "command", 2)) == 'processes."a b".command[2]'
    assert written(()) == ""


@given(st.text(st.sampled_from("ab:- \n\t[]{},'\"#&*!|>?%@`0.\\~\x00\x85\ufeff\ud7ff"), max_size=40))
def test_any_text_is_read_or_refused_in_one_sentence(tmp_path_factory, text):
    """Whatever a file holds, reading it gives data or one ScenarioError that names the file."""
    path = tmp_path_factory.mktemp("any") / "file.yaml"
    path.write_bytes(text.encode())
    try:
        outcome = f"{read_yaml(path).path}:"
    except ScenarioError as error:
        outcome = str(error)

    assert outcome.startswith(f"{path}:")
    assert "\n" not in outcome
