"""The body of a bulk request: put together while it is sent, and as long as was told before."""

from __future__ import annotations

import pytest

from logging_system.delivery.machine import Item
from logging_system.delivery.runs import runs_of
from logging_system.sinks.elasticsearch.bulk_body import PIECE_RECORDS, BulkBody

EPOCH, OTHER = b"e" * 16, b"f" * 16


def items(epoch: bytes, first: int, count: int) -> list[Item]:
    return [Item(epoch, number, b'{"message":"%d"}' % number) for number in range(first, first + count)]


def body(sent: list[Item]) -> BulkBody:
    return BulkBody(sent, runs_of(sent))


def test_a_bulk_body_is_a_create_action_and_the_document_per_record() -> None:
    sent = items(EPOCH, 1, 2)

    assert list(body(sent)) == [
        b'{"create":{"_id":"%b-1"}}\n{"message":"1"}\n{"create":{"_id":"%b-2"}}\n{"message":"2"}\n'
        % (EPOCH.hex().encode(), EPOCH.hex().encode())
    ]


@pytest.mark.parametrize(
    "sent",
    [
        items(EPOCH, 1, 1),
        items(EPOCH, 0, 12),
        items(EPOCH, 8, 3 * PIECE_RECORDS),
        items(EPOCH, 95, PIECE_RECORDS) + items(OTHER, 999_999, PIECE_RECORDS + 1) + items(EPOCH, 1, 1),
    ],
)
def test_pieces_hold_every_record_in_order_and_are_as_long_as_was_told(sent: list[Item]) -> None:
    whole = b"".join(
        f'{{"create":{{"_id":"{item.id}"}}}}\n'.encode() + item.document + b"\n" for item in sent
    )
    told = body(sent)

    assert b"".join(told) == whole
    assert b"".join(told) == whole, "it can be sent again"
    assert len(told) == len(whole)


def test_no_piece_holds_more_than_a_few_of_many_documents() -> None:
    pieces = list(body(items(EPOCH, 1, 10 * PIECE_RECORDS)))

    assert [piece.count(b"create") for piece in pieces] == [PIECE_RECORDS] * 10
