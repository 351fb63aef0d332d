"""What is logged is what was there at the call, and costs a bounded amount, whatever is handed in."""

from __future__ import annotations

import logging
from typing import Any

import orjson
import pytest

from logging_system.records.record import Producer, capture, encode
from logging_system.records.truncation import MESSAGE_CHARACTERS_MAX
from tests.repository import DOCS


def record(message: object, *args: object, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("shop", logging.INFO, "/a.py", 7, message, args, None, "fn")
    made.__dict__.update(extra)
    return made


def written(captured: Any) -> dict[str, Any]:
    content: dict[str, Any] = orjson.loads(encode(captured, 1, Producer("s", "e")))
    return content


def test_a_changed_argument_does_not_change_the_message() -> None:
    items = ["a"]
    captured = capture(record("items %s", items))
    items.append("b")

    assert written(captured)["message"] == "items ['a']"


def test_a_changed_extra_value_does_not_change_the_label() -> None:
    cart = {"items": [1], "owner": {"name": "x"}}
    captured = capture(record("m", cart=cart))
    cart["items"] = [2]
    cart["owner"] = {}

    assert written(captured)["labels"] == {"cart.items": "[1]", "cart.owner.name": "x"}


def test_a_changed_exception_does_not_change_the_error() -> None:
    error = ValueError("before")
    made = record("m")
    made.exc_info = (ValueError, error, None)
    captured = capture(made)
    error.args = ("after",)

    assert written(captured)["error"]["message"] == "before"


def test_what_another_handler_does_to_the_record_does_not_change_it() -> None:
    made = record("user %s", "ada")
    captured = capture(made)
    made.msg, made.args, made.levelname = "[redacted]", (), "\033[31mINFO"

    assert written(captured)["message"] == "user ada"
    assert written(captured)["log"]["level"] == "info"


def test_what_another_handler_adds_to_the_record_is_no_label() -> None:
    made = record("m", order=42)
    captured = capture(made)
    made.__dict__.update(order=43, color="red", name="other", threadName="other")

    assert written(captured)["labels"] == {"order": 42}
    assert written(captured)["log"]["logger"] == "shop"
    assert written(captured)["process"]["thread"]["name"] != "other"


def test_a_record_class_with_its_own_way_of_formatting_keeps_it() -> None:
    class Braces(logging.LogRecord):
        def getMessage(self) -> str:  # noqa: N802 - the standard library's name
            return str(self.msg).format(*(self.args or ()))

    made = Braces("shop", logging.INFO, "/a.py", 7, "user {}", ("ada",), None)

    assert written(capture(made))["message"] == "user ada"


def test_containers_of_usual_size_are_written_whole() -> None:
    items = [{"id": number, "name": "x" * 20} for number in range(1_000)]

    assert written(capture(record("%s", items)))["message"] == str(items)


class Counted:
    """Tells how many of its kind were looked at."""

    looked_at = 0

    def __repr__(self) -> str:
        Counted.looked_at += 1
        return "counted"


@pytest.mark.parametrize("form", ["%s", "%r", "%(items)s"])
def test_an_endless_argument_is_abridged_before_it_is_formatted(form: str) -> None:
    Counted.looked_at = 0
    items = [Counted() for _ in range(MESSAGE_CHARACTERS_MAX)]
    message = written(capture(record(form, {"items": items} if "(" in form else items)))["message"]

    assert message.endswith("...]")
    assert Counted.looked_at < 1_000


def test_an_endless_label_is_abridged_before_it_is_formatted() -> None:
    Counted.looked_at = 0
    labels = written(capture(record("m", items=[Counted()] * MESSAGE_CHARACTERS_MAX)))["labels"]

    assert len(labels["items"]) < 2_000
    assert Counted.looked_at < 1_000


def test_a_list_that_holds_itself_many_times_comes_to_an_end() -> None:
    inner: list[Any] = []
    inner += [inner] * 50

    assert "..." in written(capture(record("%s", inner)))["message"]


def test_a_class_asked_for_by_the_call_is_no_label() -> None:
    captured = capture(record("m", durability="write", other=1))
    _attributes, _bytes, durability, _record, _aside, _context = captured

    assert durability == "write"
    assert written(captured)["labels"] == {"other": 1}


@pytest.mark.parametrize("value", ["five years", None, ["memory"], 3])
def test_another_value_of_that_name_is_a_label_like_all_others(value: object) -> None:
    captured = capture(record("m", durability=value))
    _attributes, _bytes, durability, _record, _aside, _context = captured

    assert durability is None
    assert "durability" in written(captured)["labels"]


def test_this_module_is_about_what_the_page_promises() -> None:
    page = DOCS / "reference" / "settings.md"

    assert 'extra={"durability": "memory"}' in page.read_text()


def test_a_label_is_kept_although_somebody_took_an_attribute_of_the_record_out() -> None:
    record = logging.makeLogRecord({"msg": "paid", "order": 42})
    del record.exc_text
    document = orjson.loads(encode(capture(record), 1, Producer("shop", "epoch")))

    assert document["labels"] == {"order": 42}
