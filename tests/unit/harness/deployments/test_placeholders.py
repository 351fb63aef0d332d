import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.deployments.placeholders import expand, placeholder_names, placeholder_problems
from harness.model.errors import ScenarioError

VALUES = {"run.id": "a1", "to_store.url": "http://127.0.0.1:9"}


def test_placeholders_become_their_values():
    assert expand("{to_store.url}/logs-{run.id}", VALUES) == "http://127.0.0.1:9/logs-a1"


def test_doubled_braces_are_plain_braces():
    assert expand('{{"id": "{run.id}"}}', VALUES) == '{"id": "a1"}'


def test_a_value_is_not_expanded_again():
    assert expand("{run.id}", {"run.id": "{python}"}) == "{python}"


def test_an_unknown_placeholder_suggests_the_nearest():
    with pytest.raises(ScenarioError, match=r'no placeholder "run\.ids"\. Did you mean "run\.id"\?'):
        expand("x-{run.ids}", VALUES)


@pytest.mark.parametrize("text", ["{", "}", "a}b", "{run.id", "{a{run.id}"])
def test_a_brace_that_stands_alone_is_refused(text):
    with pytest.raises(ScenarioError, match="stands alone"):
        expand(text, VALUES)


def test_conversions_of_python_formats_are_unknown_placeholders():
    assert len(placeholder_problems("{run.id!r} {run.id:>9} {}", VALUES)) == 3


def test_names_leave_out_escaped_braces():
    assert placeholder_names("{{run.seed}} {run.id} {run.id}") == {"run.id"}


@given(st.text())
def test_escaped_text_expands_to_itself(text):
    """For every text, doubling its braces and expanding gives the text back."""
    assert expand(text.replace("{", "{{").replace("}", "}}"), {}) == text
