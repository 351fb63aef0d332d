from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from logging_system.alerting.distinct_count import DistinctCount
from logging_system.alerting.paged_rows import PagedRows
from tests.unit.logging_system.alerting.saved import saved_and_read


@dataclass
class Row:
    wakes_at: float
    changes: int = 0


class Form:
    def key_bytes(self, key: str) -> bytes:
        return key.encode()

    def key_of(self, text: bytes) -> str:
        return text.decode()

    def content_of(self, row: Row) -> Any:
        return [row.wakes_at, row.changes]

    def row_of(self, content: Any) -> Row:
        return Row(*content)

    def wakes_at(self, row: Row) -> float:
        return row.wakes_at


KEYS = [f"service-{number}" for number in range(12)]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["change", "change", "change", "remove", "due", "sweep", "restart", "settle"]),
        st.sampled_from(KEYS),
        st.integers(0, 5),
    ),
    max_size=60,
)


class Both:
    """Paged rows beside a plain dict."""

    def __init__(self, full_max: int) -> None:
        self.rows: PagedRows[str, Row] = PagedRows(Form(), full_max)
        self.plain: dict[str, Row] = {}

    def change(self, key: str, number: int) -> None:
        self.rows.settle()
        row = self.rows.get(key)
        assert (row is None) == (key not in self.plain)
        if row is None:
            self.rows.add(key, Row(number))
            self.plain[key] = Row(number)
        else:
            for each in (row, self.plain[key]):
                each.changes += 1
                each.wakes_at = number

    def remove(self, key: str, _number: int) -> None:
        if self.rows.get(key) is not None:
            self.rows.remove(key)
        self.plain.pop(key, None)

    def due(self, _key: str, number: int) -> None:
        seen = set()
        for key, row in self.rows.due(number):
            seen.add(key)
            row.wakes_at += 10
        due = {key for key, row in self.plain.items() if row.wakes_at <= number}
        for key in due:
            self.plain[key].wakes_at += 10
        assert seen == due

    def sweep(self, _key: str, number: int) -> None:
        def stays(_key: str, row: Row) -> bool:
            row.changes += 1
            return row.changes != number

        self.rows.sweep(stays)
        self.plain = {key: row for key, row in self.plain.items() if stays(key, row)}

    def restart(self, _key: str, _number: int) -> None:
        content = saved_and_read({"rows": self.rows.content()})
        self.rows = PagedRows(Form(), self.rows.full_max)
        self.rows.restore(content["rows"])

    def settle(self, _key: str, _number: int) -> None:
        self.rows.settle()


@given(STEPS, st.integers(0, 4))
def test_paged_rows_are_what_a_dict_would_hold(steps: list[tuple[str, str, int]], full_max: int) -> None:
    """Whatever is done, no row is lost, comes back, is seen twice, or is not shown in time."""
    both = Both(full_max)
    for what, key, number in steps:
        getattr(both, what)(key, number)
        assert len(both.rows) == len(both.plain)
        assert sorted((key, row.wakes_at) for key, row in both.rows.items()) == sorted(
            (key, row.wakes_at) for key, row in both.plain.items()
        )
        assert all((each in both.rows) == (each in both.plain) for each in KEYS)

    assert dict(both.rows.items()) == both.plain


def test_rows_that_are_not_in_use_take_a_third_of_their_text() -> None:
    rows: PagedRows[str, Row] = PagedRows(Form(), 100)
    text_bytes = 0
    for number in range(20_000):
        rows.settle()
        name, row = f"the-name-of-the-service-that-logs-it-{number:08}", Row(1_700_000_000.5, 3)
        rows.add(name, row)
        text_bytes += len(name) + len(str(Form().content_of(row)))
    pages = rows.content()["pages"].pages

    assert sum(map(len, pages)) < text_bytes / 3


def test_different_things_are_counted_within_a_hundredth() -> None:
    counted = DistinctCount()
    for number in range(100_000):
        for _ in range(2):
            counted.add(b"%d" % number)
    again = DistinctCount()
    again.restore(counted.content())

    assert abs(counted.total() - 100_000) < 1_000
    assert again.total() == counted.total()
