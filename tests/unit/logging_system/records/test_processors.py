from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from logging_system.records.add_labels import AddLabels
from logging_system.records.document import Put, Record
from logging_system.records.processors import (
    NO_PROCESSORS,
    PROCESSORS,
    REASONS_MAX,
    Chain,
    Closed,
    Drop,
    Dropped,
    Processor,
    ProcessorError,
    load_chain,
)
from logging_system.records.truncation import Label


@dataclass(frozen=True)
class Made:
    """Settings as a processor's maker sees them."""

    labels: Mapping[str, Label] = field(default_factory=dict)
    mask: None = None
    mask_token_key_file: None = None
    encrypt_fields: Sequence[str] = ("labels.card",)
    fields_without_key: str = "drop_record"
    token_fields: Sequence[str] = ()
    fernet_keys: Path | None = Path("/no such file of keys")
    namespace: str = "default"
    namespaces: Mapping[str, str] = field(default_factory=dict)

    def open_encryption(self) -> None:
        """None: the simple mode needs none."""


class Calling:
    """A processor that is a function."""

    def __init__(self, function: Callable[[Record], Any]) -> None:
        self._function = function

    def process(self, record: Record) -> Any:
        return self._function(record)


def record() -> Record:
    return Record.of_document({"message": "m"})


def appended(text: str) -> Processor:
    return Calling(lambda found: found.edited([Put(("message",), f"{found.document['message']}{text}")]))


def broken(_record: Record) -> Record:
    raise KeyError("secret")


def test_processors_run_in_order() -> None:
    found = Chain([appended("1"), appended("2")]).run(record())

    assert isinstance(found, Record)
    assert found.document == {"message": "m12"}


def test_a_chain_that_changes_nothing_returns_the_same_record() -> None:
    given = record()

    assert Chain([Calling(lambda found: found)]).run(given) is given
    assert NO_PROCESSORS.run(given) is given
    assert NO_PROCESSORS.is_empty
    assert not Chain([appended("")]).is_empty
    assert not Closed().is_empty


def test_a_drop_ends_the_chain_and_is_counted_by_its_reason() -> None:
    found = Chain([Calling(lambda _: Drop("health_check")), Calling(broken)]).run(record())

    assert found == Dropped("processor:health_check", "dropped by processor Calling (health_check)")


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (broken, "processor Calling failed (KeyError)"),
        (lambda _: None, "processor Calling returned neither a record nor a drop"),
        (lambda _: {"message": "m"}, "processor Calling returned neither a record nor a drop"),
        (lambda _: Drop("Not A Word"), "processor Calling failed (ValueError)"),
        (lambda found: found.edited([Put((), 1)]), "processor Calling failed (EditError)"),
    ],
)
def test_what_a_broken_processor_does_drops_the_record_and_tells_nothing_of_it(
    function: Callable[[Record], Any], why: str
) -> None:
    assert Chain([Calling(function)]).run(record()) == Dropped("processor_error", why)


def test_a_closed_chain_lets_nothing_through() -> None:
    found = Closed().run(record())

    assert isinstance(found, Dropped)
    assert found.reason == "processor_unavailable"


def test_different_reasons_are_bounded() -> None:
    numbers = iter(range(10_000))
    chain = Chain([Calling(lambda _: Drop(f"r{next(numbers)}"))])
    found = [chain.run(record()) for _ in range(REASONS_MAX + 2)]
    reasons = [each.reason for each in found if isinstance(each, Dropped)]

    assert len(set(reasons)) == REASONS_MAX + 1
    assert reasons[-2:] == ["processor:other"] * 2


def test_labels_are_added_where_a_record_lacks_them() -> None:
    add = AddLabels({"env": "prod", "version": 7})
    own = Record.of_document({"labels": {"env": "test"}})
    complete = Record.of_document({"labels": {"env": "x", "version": None}})
    none = Record.of_document({"labels": 3})

    assert add.process(record()).document == {"message": "m", "labels": {"env": "prod", "version": 7}}
    assert add.process(own).document == {"labels": {"env": "test", "version": 7}}
    assert add.process(complete) is complete
    assert add.process(none) is none


def test_every_word_makes_a_processor() -> None:
    chain = load_chain(list(PROCESSORS), Made({"env": "prod"}))

    assert not chain.is_empty
    assert isinstance(chain.run(record()), Record)


def test_a_path_and_an_object_are_processors_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shop_masks.py").write_text(
        "from logging_system.records.document import Put\n"
        "class Mask:\n"
        "    def __init__(self, settings): self.labels = settings.labels\n"
        "    def process(self, record): return record.edited([Put(('message',), str(self.labels))])\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "shop_masks", raising=False)
    found = load_chain(["shop_masks:Mask", appended("!")], Made({"a": 1})).run(record())

    assert isinstance(found, Record)
    assert found.document == {"message": "{'a': 1}!"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("ad_labels", 'no processor "ad_labels"; did you mean "add_labels"?'),
        ("mine", f'no processor "mine"; choose {", ".join(PROCESSORS)} or package.module:name'),
        (
            "no_such_module_here:x",
            "no_such_module_here:x: cannot be imported: ModuleNotFoundError: No module",
        ),
        ("json:no_such_name", "json:no_such_name: cannot be imported: AttributeError:"),
        ("json:__name__", "json:__name__: is not callable; name a function or class that takes the settings"),
        ("json:loads", "json:loads: cannot be made: TypeError:"),
        ("builtins:repr", "builtins:repr: is no processor; it has no method `process`"),
        (3, "int: is no processor; it has no method `process`"),
    ],
)
def test_what_is_no_processor_is_told_with_its_remedy(given: object, message: str) -> None:
    with pytest.raises(ProcessorError) as caught:
        load_chain([given], Made())

    assert str(caught.value).startswith(message)


class Leaving(Calling):
    """A processor that says beforehand which records it leaves."""

    def __init__(self, answer: Callable[[Sequence[bytes]], bool]) -> None:
        super().__init__(lambda found: found)
        self._answer = answer

    def process(self, record: Record) -> Any:
        return super().process(record)

    def leaves(self, documents: Sequence[bytes]) -> bool:
        return self._answer(documents)


class Changing(Leaving):
    """One that inherits what it says, and does something else."""

    def process(self, record: Record) -> Any:
        return record.edited([Put(("message",), "changed")])


def test_a_chain_leaves_records_that_each_processor_says_it_leaves() -> None:
    innocent = Leaving(lambda documents: b"secret" not in documents)
    chain = Chain([innocent, Leaving(lambda _documents: True)])

    assert chain.may_leave
    assert chain.leaves([b"a", b"b"])
    assert not chain.leaves([b"a", b"secret"])
    assert NO_PROCESSORS.leaves([b"secret"])


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(appended("!"), id="one that cannot say"),
        pytest.param(Changing(lambda _documents: True), id="one whose answer is about another process"),
    ],
)
def test_a_chain_leaves_nothing_beside_a_processor_that_may_change_it(other: Processor) -> None:
    chain = Chain([Leaving(lambda _documents: True), other])

    assert not chain.may_leave
    assert not chain.leaves([b"a"])


def test_a_chain_leaves_nothing_where_a_processor_cannot_answer_or_could_not_be_loaded() -> None:
    def failing(_documents: Sequence[bytes]) -> bool:
        raise RuntimeError("no answer")

    assert not Chain([Leaving(failing)]).leaves([b"a"])
    assert not Closed().leaves([b"a"])
